"""Answers that many rooms give: errors as JSON, and how an error of ours becomes a status."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from resolvers.headers import STALE_WARNING, names_etag
from services.errors import ErrorCode, JmgraphError, QueueRejected, UpstreamFailure
from services.observability import Usage

STATUS_OF_CODE: dict[ErrorCode, int] = {
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.INVALID_INPUT: 400,
    ErrorCode.BLOCKED_BY_POLICY: 404,
    ErrorCode.UPSTREAM_UNAVAILABLE: 504,
    ErrorCode.UPSTREAM_BROKEN: 502,
    ErrorCode.QUEUE_UNAVAILABLE: 503,
    ErrorCode.QUEUE_FULL: 503,
    ErrorCode.STORAGE_FULL: 507,
    ErrorCode.UNAUTHENTICATED: 401,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.RATE_LIMITED: 429,
    ErrorCode.CONFLICT: 409,
    ErrorCode.STALE: 412,
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
"""The other way round, for statuses that no error of ours stands behind."""


def json_response(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Any JSON-able value as an answer."""
    return Response(orjson.dumps(body), status, dict(headers or {}), media_type="application/json")


def stale_headers(usage: Usage) -> dict[str, str]:
    """Of an answer that stands in while the site can't be read: that it does, and how old it is."""
    return {"Warning": STALE_WARNING, "Age": str(int(usage.age_s))} if usage.stale else {}


def error_response(
    status: int, code: str, message: str, *, retryable: bool = False, headers: Mapping[str, str] | None = None
) -> Response:
    """The error body of everything beside GraphQL: `{"code","message","retryable"}`."""
    return json_response({"code": code, "message": message, "retryable": retryable}, status, headers)


def refusal(status: int, words: str, headers: Mapping[str, str] | None = None) -> Response:
    """As `error_response`, for what HTTP itself refuses: the code follows from the status."""
    usual = "BAD_REQUEST" if status < 500 else "INTERNAL"
    return error_response(status, _CODE_OF_STATUS.get(status, usual), words, headers=headers)


def is_known(request: Request, etag: str) -> bool:
    """Whether the client has this already: `If-None-Match` names the ETag (`"3f2a"`, quotes included), or `*`."""
    return names_etag(",".join(request.headers.getlist("if-none-match")), etag)


def response_of(error: JmgraphError) -> Response:
    """An error of ours as an answer; `Retry-After` where it is known."""
    headers = {}
    if isinstance(error, (QueueRejected, UpstreamFailure)) and error.retry_after_s is not None:
        headers["Retry-After"] = str(ceil(error.retry_after_s))
    return error_response(
        STATUS_OF_CODE[error.error_code], error.error_code, error.message, retryable=error.retryable, headers=headers
    )
