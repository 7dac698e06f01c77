"""Which `Host` names are answered: prevents DNS rebinding, a page that points a name of its own to this machine."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import ip_address
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
