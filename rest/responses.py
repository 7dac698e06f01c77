"""Responses beside GraphQL: JSON, errors and the exception handlers, caching headers, compression."""

from __future__ import annotations

import gzip
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
import structlog
from backports import zstd
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from services.errors import ErrorCode, Internal, JmgraphError
from services.http_semantics import STALE_WARNING, quality_values, retry_headers
from services.observability import RequestStats

log = structlog.get_logger("jmgraph.http")

STATUS_OF_CODE: dict[ErrorCode, int] = {
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.INVALID_INPUT: 400,
    ErrorCode.BLOCKED_BY_POLICY: 404,
    ErrorCode.OPERATION_TOO_COSTLY: 400,
    ErrorCode.UPSTREAM_UNAVAILABLE: 504,
    ErrorCode.UPSTREAM_BROKEN: 502,
    ErrorCode.QUEUE_UNAVAILABLE: 503,
    ErrorCode.STORAGE_UNAVAILABLE: 503,
    ErrorCode.QUEUE_FULL: 503,
    ErrorCode.STORAGE_FULL: 507,
    ErrorCode.UNAUTHENTICATED: 401,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.RATE_LIMITED: 429,
    ErrorCode.CONFLICT: 409,
    ErrorCode.STALE: 412,
    ErrorCode.BUSY: 503,
    ErrorCode.TIMEOUT: 504,
    ErrorCode.INTERNAL: 500,
}

_CODE_OF_STATUS = {
    401: "UNAUTHENTICATED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    416: "INVALID_INPUT",
    429: "RATE_LIMITED",
}
"""The `code` of an `HTTPException`; any other is BAD_REQUEST below 500, else INTERNAL."""

SHARED_MAX_AGE_S = 30
"""For how long shared caches may keep an answer made of upstream data: by then, other processes may have learned
that an album of it is to be withheld."""

_ENCODE = msgspec.json.Encoder().encode

_MIN_COMPRESSED_BYTES = 128  # a smaller body gains nothing: the formats have headers of their own
_GZIP_LEVEL = 6
_ZSTD_LEVEL = 6


class ResponseBody(msgspec.Struct, forbid_unknown_fields=True):
    """Base of the JSON objects that we answer with; the OpenAPI document says that they have no other fields."""


class Problem(ResponseBody):
    """The error body of everything beside GraphQL and the legacy API."""

    code: str
    message: str
    retryable: bool


def json_response(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A struct, or any value that JSON has, as a response."""
    return Response(_ENCODE(body), status, dict(headers or {}), media_type="application/json")


def error_response(
    status: int, code: str, message: str, *, retryable: bool = False, headers: Mapping[str, str] | None = None
) -> Response:
    """An error as `{"code","message","retryable"}`."""
    return json_response(Problem(code=code, message=message, retryable=retryable), status, headers)


def http_error_response(error: HTTPException) -> Response:
    """An `HTTPException` as `error_response`: the code follows from the status."""
    default = "BAD_REQUEST" if error.status_code < 500 else "INTERNAL"
    code = _CODE_OF_STATUS.get(error.status_code, default)
    return error_response(error.status_code, code, error.detail, headers=error.headers)


def sort_allow(error: HTTPException) -> HTTPException:
    """The same error, the methods of its `Allow` sorted: a `Route` of Starlette keeps them in a set."""
    if error.headers and "Allow" in error.headers:
        methods = sorted(error.headers["Allow"].split(", "))
        return HTTPException(error.status_code, error.detail, {**error.headers, "Allow": ", ".join(methods)})
    return error


def jmgraph_error_response(error: JmgraphError) -> Response:
    """An error of ours as `error_response`; with `Retry-After` and the limit exceeded where they are known."""
    return error_response(
        STATUS_OF_CODE[error.error_code],
        error.error_code,
        error.message,
        retryable=error.retryable,
        headers=retry_headers(error),
    )


async def _handle_http_exception(_: Request, error: HTTPException) -> Response:
    return http_error_response(sort_allow(error))


async def _handle_jmgraph_error(_: Request, error: JmgraphError) -> Response:
    return jmgraph_error_response(error)


async def _handle_exception(request: Request, error: Exception) -> Response:
    route = getattr(request.scope.get("route"), "path", "")
    log.error("a request failed", method=request.method, route=route, exc_info=error)
    return jmgraph_error_response(Internal())


exception_handlers: dict[Any, Callable[[Request, Any], Awaitable[Response]]] = {
    HTTPException: _handle_http_exception,
    JmgraphError: _handle_jmgraph_error,
    Exception: _handle_exception,
}
"""Of the whole application; the legacy API and the EhTag API have handlers of their own before these."""


def cache_headers(stats: RequestStats) -> dict[str, str]:
    """Caching headers of an answer made of upstream data, by the age and freshness of its parts.

    Fresh: shared caches may keep it for as long as all parts are fresh, at most `SHARED_MAX_AGE_S`; clients ask
    again each time. Stale, because the site can't be read: how old it is, and a `Warning`.
    """
    if stats.stale:
        return {"Warning": STALE_WARNING, "Age": str(int(stats.age_s))}
    if stats.is_private or stats.fresh_for_s is None or stats.fresh_for_s < 1:
        return {}
    return {"Cache-Control": f"public, max-age=0, s-maxage={int(min(stats.fresh_for_s, SHARED_MAX_AGE_S))}"}


def _gzip(body: bytes) -> bytes:
    return gzip.compress(body, _GZIP_LEVEL, mtime=0)


def _zstd(body: bytes) -> bytes:
    return zstd.compress(body, _ZSTD_LEVEL)


_CODINGS: dict[str, Callable[[bytes], bytes]] = {"zstd": _zstd, "gzip": _gzip}
"""Best first, for clients that accept both alike."""


def compress(body: bytes, accept_encoding: str) -> tuple[bytes, str] | None:
    """The body in the best coding that an `Accept-Encoding` accepts, and its name; None to send it as it is."""
    coding = _accepted_coding(accept_encoding)
    if coding is None or len(body) < _MIN_COMPRESSED_BYTES:
        return None
    compressed = _CODINGS[coding](body)
    return (compressed, coding) if len(compressed) < len(body) else None


def _accepted_coding(accept_encoding: str) -> str | None:
    qualities = quality_values(accept_encoding)
    others = qualities.get("*", 0.0)
    best = max(_CODINGS, key=lambda coding: qualities.get(coding, others))  # the first of equals
    quality = qualities.get(best, others)
    return best if quality > 0 and quality >= qualities.get("identity", 0.0) else None
