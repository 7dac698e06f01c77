"""What no room caught becomes JSON too."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from rest.answers import refusal, response_of
from services.errors import Internal, JmgraphError

log = structlog.get_logger("jmgraph.http")


async def _http_error(_: Request, error: HTTPException) -> Response:
    return refusal(error.status_code, error.detail, error.headers)


async def _own_error(_: Request, error: JmgraphError) -> Response:
    return response_of(error)


async def _fault(request: Request, error: Exception) -> Response:
    log.error("a request failed", method=request.method, route=_route(request), exc_info=error)
    return response_of(Internal())


def _route(request: Request) -> str:
    return getattr(request.scope.get("route"), "path", "")


exception_handlers: dict[Any, Callable[[Request, Any], Awaitable[Response]]] = {
    HTTPException: _http_error,
    JmgraphError: _own_error,
    Exception: _fault,
}
"""For Starlette: its own errors, ours, and faults, each as `{"code","message","retryable"}`."""
