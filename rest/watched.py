"""Around every request: an id that the log shows and the worker inherits, and the figures of `/metrics`."""

from __future__ import annotations

import re
import time
import uuid

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services import metrics
from services.log import bound_request

log = structlog.get_logger("jmgraph.http")

_GOOD_ID = re.compile(rb"[-A-Za-z0-9_.]{1,64}\Z")


class Watched:
    """Counts and times requests by route, and binds `request_id` to the log's context."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request or socket."""
        if scope["type"] == "http":
            await self._request(scope, receive, send)
        elif scope["type"] == "websocket":
            socket = metrics.SOCKETS.labels(_first_part(scope["path"]))
            with socket.track_inprogress(), bound_request(_request_id(scope).decode()):
                await self._app(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        request_id = _request_id(scope)
        status = 500

        async def watched_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id)]
            await send(message)

        with bound_request(request_id.decode()):
            try:
                await self._app(scope, receive, watched_send)
            finally:
                _count(scope, status, time.perf_counter() - began)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})


def _request_id(scope: Scope) -> bytes:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _GOOD_ID.match(value):
            return bytes(value)
    return uuid.uuid4().hex.encode()


def _count(scope: Scope, status: int, took_s: float) -> None:
    route = _route(scope)
    method = scope["method"] if scope["method"] in _METHODS else "other"
    metrics.REQUESTS.labels(route, method, status).inc()
    metrics.REQUEST_SECONDS.labels(route).observe(took_s)
    log.debug("answered", route=route, method=method, status=status, ms=round(took_s * 1000, 1))


def _route(scope: Scope) -> str:
    """The route's pattern, never the path: labels must be few, and say nothing of who looked at what."""
    route = scope.get("route")
    return getattr(route, "path", None) or _first_part(scope["path"])


_KNOWN_PARTS = frozenset(
    {"graphql", "v1", "ws", "api", "images", "downloads", "assets", "healthz", "readyz", "metrics"}
)


def _first_part(path: str) -> str:
    part = path.lstrip("/").partition("/")[0]
    return f"/{part}" if part in _KNOWN_PARTS else "other"
