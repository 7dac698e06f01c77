"""What no room caught becomes JSON too."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from rest.answers import error_response, response_of
from services.errors import Internal, JmgraphError

log = structlog.get_logger("jmgraph.http")

_CODE_OF_STATUS = {401: "UNAUTHENTICATED", 403: "FORBIDDEN", 404: "NOT_FOUND", 429: "RATE_LIMITED"}


async def _http_error(_: Request, error: HTTPException) -> Response:
    code = _CODE_OF_STATUS.get(error.status_code, "BAD_REQUEST" if error.status_code < 500 else "INTERNAL")
    return error_response(error.status_code, code, error.detail, headers=error.headers)


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
