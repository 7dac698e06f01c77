"""Which host a request is for: `Host` names that are answered, and what trusted proxies report."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from rest.responses import error_response


class TrustedHostsMiddleware:
    """Answers 400 to a `Host` that is a name and neither localhost, nor the public URL's, nor allowed."""

    def __init__(self, app: ASGIApp, allowed: Sequence[str], public_url: str) -> None:
        self._app = app
        own = urlsplit(public_url).hostname
        self._names = {"localhost", *(name.lower() for name in allowed), *([own] if own else [])}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check the name, then pass the request on."""
        if scope["type"] not in ("http", "websocket") or "*" in self._names or self._is_trusted(_host(scope)):
            await self._app(scope, receive, send)
            return
        message = "This host name is not answered here; JMGRAPH_ALLOWED_HOSTS adds it."
        response = error_response(400, "BAD_REQUEST", message)
        if scope["type"] == "websocket":
            await WebSocket(scope, receive, send).send_denial_response(response)
            return
        await response(scope, receive, send)

    def _is_trusted(self, host: str) -> bool:
        name = _host_name(host)
        return name in self._names or _is_ip_address(name)


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


Header = tuple[bytes, bytes]


class ProxyHeadersMiddleware:
    """Applies `X-Forwarded-Proto`, `-Host`, `-For` and `-Prefix` when the peer is a trusted proxy."""

    def __init__(self, app: ASGIApp, trusted: Sequence[str]) -> None:
        self._app = app
        self._all = "*" in trusted
        self._networks = [ip_network(text, strict=False) for text in trusted if text != "*"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Rewrite the scope, then pass the request on."""
        if scope["type"] in ("http", "websocket") and _is_forwarded(scope["headers"]) and self._trusts(scope):
            scope.update(_forwarded(scope))  # in place, so that the middlewares before this one see the route
        await self._app(scope, receive, send)

    def _trusts(self, scope: Scope) -> bool:
        if self._all:
            return True
        client = scope.get("client")
        if client is None:
            return True  # a unix socket: only this machine can connect to it
        try:
            address = ip_address(client[0])
        except ValueError:
            return False
        return any(address in network for network in self._networks)


def _is_forwarded(headers: Sequence[Header]) -> bool:
    return any(name.startswith(b"x-forwarded-") for name, _ in headers)


def _forwarded(scope: Scope) -> dict[str, Any]:
    """The entries of the scope that the headers replace."""
    values = {name: value.decode("latin-1") for name, value in scope["headers"] if name.startswith(b"x-forwarded-")}
    changed: dict[str, Any] = {}
    scheme = _first(values.get(b"x-forwarded-proto", "")).lower()
    if scheme in ("http", "https"):
        secure = scheme == "https"
        changed["scheme"] = scheme if scope["type"] == "http" else ("wss" if secure else "ws")
    if host := _first(values.get(b"x-forwarded-host", "")):
        others = [header for header in scope["headers"] if header[0] != b"host"]
        changed["headers"] = [*others, (b"host", host.encode("latin-1"))]
    if client := _first(values.get(b"x-forwarded-for", "")):
        changed["client"] = (client, 0)
    if prefix := _prefix(values.get(b"x-forwarded-prefix", "")):
        changed["root_path"] = prefix
        changed["path"] = _under(prefix, scope["path"])
    return changed


def _under(prefix: str, path: str) -> str:
    """The path below the prefix, whether or not the proxy took the prefix away."""
    if path == prefix:
        return path + "/"
    return path if path.startswith(prefix + "/") else prefix + path


def _first(value: str) -> str:
    """The first of a list: what the proxy nearest to the client added."""
    return value.split(",")[0].strip()


def _prefix(value: str) -> str:
    """The sub-path, as "/jm"; "" without one, or for what is no plain path."""
    path = "/" + _first(value).strip("/")
    is_plain = path != "/" and "//" not in path and all(part not in (".", "..") for part in path.split("/"))
    return path if is_plain and path.isprintable() and not set(path) & set('"<>\\?# ') else ""
