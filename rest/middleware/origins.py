"""Browsers: which `Host` names are answered, against DNS rebinding, and CORS: reads are open to any origin.

(`Access` decides what may change state; the EhTag API has its own rules for CORS.)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.middleware import cors
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from rest.responses import error_response
from rest.webpage import accepts_page, refused_host_page
from services.http_semantics import header, route_path


class TrustedHostsMiddleware:
    """Answers 400 to a `Host` that is a name and neither localhost, nor the public URL's, nor allowed.

    A browser gets a page that says which setting allows the name, everybody else JSON.
    """

    def __init__(self, app: ASGIApp, allowed: Sequence[str], public_url: str) -> None:
        self._app = app
        own = urlsplit(public_url).hostname
        self._names = {"localhost", *(name.lower() for name in allowed), *([own] if own else [])}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check the name, then pass the request on."""
        if scope["type"] not in ("http", "websocket") or "*" in self._names or self._is_trusted(_host(scope)):
            await self._app(scope, receive, send)
            return
        response = _refusal(scope)
        if scope["type"] == "websocket":
            await WebSocket(scope, receive, send).send_denial_response(response)
            return
        await response(scope, receive, send)

    def _is_trusted(self, host: str) -> bool:
        name = _host_name(host)
        return name in self._names or _is_ip_address(name)


def _refusal(scope: Scope) -> Response:
    if scope["type"] == "http" and accepts_page(header(scope["headers"], b"accept")):
        return refused_host_page(_host_name(_host(scope)))
    message = "This host name is not answered here; JMGRAPH_ALLOWED_HOSTS adds it."
    return error_response(400, "BAD_REQUEST", message, headers={"Vary": "Accept"})


def _host(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"host":
            return str(value.decode("latin-1"))
    return ""


@lru_cache(maxsize=256)
def _host_name(host: str) -> str:
    """Host without port, in lower case, a final dot dropped: "[::1]:80" gives "::1"."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


@lru_cache(maxsize=256)
def _is_ip_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


EXPOSED_HEADERS = (
    "ETag",
    "Age",
    "Warning",
    "Retry-After",
    "RateLimit",
    "RateLimit-Policy",
    "Content-Range",
    "Content-Disposition",
    "X-Request-ID",
    "X-Total-Count",
)
PREFLIGHT_MAX_AGE_S = 86400

Header = tuple[bytes, bytes]

_CORS_HEADERS: tuple[Header, ...] = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", ", ".join(EXPOSED_HEADERS).encode()),
)
_BODY_HEADERS = ("content-type", "content-length")


class CORSMiddleware:
    """Any origin, without credentials, everywhere but under `/api`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._preflights = _Preflights(
            app,
            allow_origins=["*"],
            allow_methods=["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"],
            allow_headers=["*"],
            expose_headers=EXPOSED_HEADERS,
            max_age=PREFLIGHT_MAX_AGE_S,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a preflight; pass any other request on, and complete the headers of its response."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_preflight = scope["method"] == "OPTIONS"
        if is_preflight and _requests_proxy_headers(scope):
            message = "Pages may not say what a proxy says: X-Forwarded headers are not taken from them."
            await error_response(403, "FORBIDDEN", message)(scope, receive, send)
            return
        path = route_path(scope)
        if path == "/api" or path.startswith("/api/"):
            await self._app(scope, receive, send)
            return
        if is_preflight:
            await self._preflights(scope, receive, send)
            return
        added = () if header(scope["headers"], b"origin") is None else _CORS_HEADERS

        async def send_with_cors(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*_vary_by_origin(message.get("headers", ())), *added]
            await send(message)

        await self._app(scope, receive, send_with_cors)


class _Preflights(cors.CORSMiddleware):
    """Starlette's, except that it refuses a preflight in JSON instead of plain text."""

    def preflight_response(self, request_headers: Headers) -> Response:
        """The response to a preflight."""
        response = super().preflight_response(request_headers)
        if response.status_code < 400:
            return response
        message = bytes(response.body).decode()
        headers = {name: response.headers[name] for name in response.headers if name not in _BODY_HEADERS}
        return error_response(response.status_code, "BAD_REQUEST", message, headers=headers)


def _vary_by_origin(headers: Iterable[Header]) -> list[Header]:
    """The headers with `Origin` added to their `Vary`."""
    vary = [value for name, value in headers if name == b"vary"]
    others = [pair for pair in headers if pair[0] != b"vary"] if vary else headers
    return [*others, (b"vary", b", ".join((*vary, b"Origin")))]


def _requests_proxy_headers(scope: Scope) -> bool:
    """Whether a page asks to send headers that claim another origin; its browser may run beside a trusted proxy."""
    return "x-forwarded-" in Headers(scope=scope).get("access-control-request-headers", "").lower()
