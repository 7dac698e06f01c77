"""Errors of the legacy API: `{"detail": "…"}`, and its exception handlers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from rest.responses import STATUS_OF_CODE, json_response, sort_allow
from rest.v1.schemas import Detail, FileError
from services.access import CALLER_KEY, Caller
from services.errors import (
    AlbumNotFound,
    BlockedByPolicy,
    ErrorCode,
    InvalidCredentials,
    JmgraphError,
    SiteLoginRequired,
    Unauthenticated,
    UpstreamFailure,
)
from services.http_semantics import retry_headers

LOGIN_NEEDED = "请先登录"
LOGIN_EXPIRED = "登录已过期，请重新登录"
WRONG_LOGIN = "用户名或密码错误"
"""In exactly these words, which the old clients know."""


def detail_response(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """An error body of the legacy API, for who asked alone: `{"detail": "Album not found: id=1"}`."""
    return json_response(Detail(detail=detail), status, {"Cache-Control": "no-store", **(headers or {})})


def album_not_found(aid: str) -> Response:
    """404, in exactly the legacy API's words."""
    return detail_response(404, f"Album not found: id={aid}")


def file_error(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """An error body of the legacy API's files: `{"status": "error", "msg": "Invalid file name."}`."""
    return json_response(FileError(status="error", msg=message), status, headers)


def file_not_found() -> Response:
    """404, in exactly the legacy API's words."""
    return file_error(404, "File not found or has expired.")


async def _handle_http_exception(_: Request, error: HTTPException) -> Response:
    return detail_response(error.status_code, error.detail, sort_allow(error).headers)


async def _handle_jmgraph_error(request: Request, error: JmgraphError) -> Response:
    caller: Caller | None = request.scope.get(CALLER_KEY)
    if isinstance(error, Unauthenticated) and caller is not None and caller.identity is not None:
        return detail_response(401, LOGIN_EXPIRED)
    return v1_error_response(error)


def v1_error_response(error: JmgraphError) -> Response:
    """An error of ours as the legacy API has it."""
    if isinstance(error, BlockedByPolicy):
        return detail_response(404, "Album not found")
    if isinstance(error, AlbumNotFound):
        return album_not_found(error.album_id)
    if isinstance(error, InvalidCredentials):
        return detail_response(401, WRONG_LOGIN)
    if isinstance(error, SiteLoginRequired):
        return detail_response(401, LOGIN_EXPIRED if error.is_expired else LOGIN_NEEDED)
    if isinstance(error, UpstreamFailure):
        status = 502 if error.error_code is ErrorCode.UPSTREAM_BROKEN else 504
        return detail_response(status, error.message, retry_headers(error))
    return detail_response(STATUS_OF_CODE[error.error_code], error.message, retry_headers(error))


async def _handle_file_exception(_: Request, error: HTTPException) -> Response:
    if error.status_code == 404:
        return file_not_found()
    return file_error(error.status_code, error.detail, error.headers)


ExceptionHandlers = dict[Any, Callable[[Request, Any], Awaitable[Response]]]

exception_handlers: ExceptionHandlers = {
    HTTPException: _handle_http_exception,
    JmgraphError: _handle_jmgraph_error,
}
file_exception_handlers: ExceptionHandlers = {HTTPException: _handle_file_exception}
"""Of the address that sends files: those errors have another shape."""
