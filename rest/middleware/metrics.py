"""Around every request: an id that the log shows and the worker inherits, and the figures of `/metrics`."""

from __future__ import annotations

import logging
import re
import time
from functools import cache
from random import getrandbits

import structlog
from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rest.middleware.response_cache import ResponseCacheMiddleware
from services.observability import bound_request, metrics, span

log = structlog.get_logger("jmgraph.http")
_plain_log = logging.getLogger("jmgraph.http")

_GOOD_ID = re.compile(rb"[-A-Za-z0-9_.]{1,64}\Z")


class RequestMetricsMiddleware:
    """Counts and times requests by route, and binds `request_id` to the log's context.

    What a shortcut answers goes no further than here.
    """

    def __init__(self, app: ASGIApp, shortcuts: ResponseCacheMiddleware) -> None:
        self._app = app
        self._shortcuts = shortcuts

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
        if (kept := self._shortcuts.find(scope)) is not None:
            await kept.send(send, request_id)
            _note(kept.route, "GET", 200, time.perf_counter() - began)
            return
        status = 500

        async def watched_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", request_id)]
            await send(message)

        with bound_request(request_id.decode()), span("request", {"http.request.method": _method(scope)}) as told:
            try:
                await self._app(scope, receive, watched_send)
            finally:
                told |= {"http.route": _route(scope), "http.response.status_code": status}
                _count(scope, status, time.perf_counter() - began)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})


def _request_id(scope: Scope) -> bytes:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _GOOD_ID.match(value):
            return bytes(value)
    return b"%032x" % getrandbits(128)  # tells requests apart, and hides nothing


def _method(scope: Scope) -> str:
    return scope["method"] if scope["method"] in _METHODS else "other"


def _count(scope: Scope, status: int, took_s: float) -> None:
    route = _route(scope)
    method = _method(scope)
    _note(route, method, status, took_s)


def _note(route: str, method: str, status: int, took_s: float) -> None:
    count, seconds = _figures(route, method, status)
    count.inc()
    seconds.observe(took_s)
    if _plain_log.isEnabledFor(logging.DEBUG):  # asked first: it costs less than a line that nobody reads
        log.debug("answered", route=route, method=method, status=status, ms=round(took_s * 1000, 1))


@cache
def _figures(route: str, method: str, status: int) -> tuple[Counter, Histogram]:
    """The two figures of such requests; finding them by labels costs more than counting."""
    return metrics.REQUESTS.labels(route, method, status), metrics.REQUEST_SECONDS.labels(route)


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
