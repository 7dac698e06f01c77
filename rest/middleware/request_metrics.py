"""Around each request: its id, metrics, and the context of its log lines and traces."""

from __future__ import annotations

import logging
import re
import time
from functools import cache
from random import getrandbits

import structlog
from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.http_semantics import route_path
from services.observability import bound_request, metrics, span

log = structlog.get_logger("jmgraph.http")
_plain_log = logging.getLogger("jmgraph.http")

_REQUEST_ID_KEY = "jmgraph.request_id"
"""In the ASGI scope."""

_REQUEST_ID = re.compile(rb"[-A-Za-z0-9_.]{1,64}\Z")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})
_FIRST_SEGMENTS = frozenset(
    {"graphql", "v1", "ws", "api", "images", "downloads", "assets", "healthz", "readyz", "metrics"}
)


class RequestMetricsMiddleware:
    """Gives each request an id, and counts and times requests by route; the outermost.

    A client may send an `X-Request-ID` of its own; the response carries it, or the one made here.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request or WebSocket."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        request_id = scope[_REQUEST_ID_KEY] = _request_id(scope)
        if scope["type"] == "websocket":
            with metrics.SOCKETS.labels(_first_segment(scope["path"])).track_inprogress():
                await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id)]
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        finally:
            _measure(scope, status, time.perf_counter() - began)


class RequestContextMiddleware:
    """Binds the id of a request to the log, which the worker inherits, and traces the request; the innermost.

    It runs inside the response cache: a request that the cache answers logs nothing and calls nothing.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request or WebSocket."""
        with bound_request(scope.get(_REQUEST_ID_KEY, b"").decode()):
            if scope["type"] == "http":
                await self._request(scope, receive, send)
            else:
                await self._app(scope, receive, send)

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = 500

        async def record_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with span("request", {"http.request.method": _method(scope)}) as attributes:
            try:
                await self._app(scope, receive, record_status)
            finally:
                attributes |= {"http.route": _route(scope), "http.response.status_code": status}


def _request_id(scope: Scope) -> bytes:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.match(value):
            return bytes(value)
    return b"%032x" % getrandbits(128)  # identifies a request; nothing depends on its being secret


def _measure(scope: Scope, status: int, seconds: float) -> None:
    route, method = _route(scope), _method(scope)
    requests, durations = _metrics(route, method, status)
    requests.inc()
    durations.observe(seconds)
    if _plain_log.isEnabledFor(logging.DEBUG):  # checked first: it costs less than a line that is not written
        request_id, ms = scope[_REQUEST_ID_KEY].decode(), round(seconds * 1000, 1)
        log.debug("answered", route=route, method=method, status=status, ms=ms, request_id=request_id)


def _method(scope: Scope) -> str:
    return scope["method"] if scope["method"] in _METHODS else "other"


@cache
def _metrics(route: str, method: str, status: int) -> tuple[Counter, Histogram]:
    """The metrics of such requests; finding them by labels costs more than counting."""
    return metrics.REQUESTS.labels(route, method, status), metrics.REQUEST_SECONDS.labels(route)


def _route(scope: Scope) -> str:
    """The route's pattern without convertors, never the path: labels must be few, and must not show who read what."""
    route = scope.get("route")
    return getattr(route, "path_format", None) or _first_segment(route_path(scope))


def _first_segment(path: str) -> str:
    segment = path.lstrip("/").partition("/")[0]
    return f"/{segment}" if segment in _FIRST_SEGMENTS else "other"
