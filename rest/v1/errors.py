"""Answers in the words of the old server."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

from starlette.responses import Response

from rest.answers import STATUS_OF_CODE, json_response
from services.errors import BlockedByPolicy, ErrorCode, JmgraphError, UpstreamFailure

APP = "jmcomic_server_api"
VERSION = "1.0"
"""Of the old API, not of this server: old clients compare them."""


def detail(status: int, words: str, headers: Mapping[str, str] | None = None) -> Response:
    """An error body of the old server: `{"detail": "Album not found: id=1"}`."""
    return json_response({"detail": words}, status, headers)


def album_not_found(aid: str) -> Response:
    """404, in exactly the old server's words."""
    return detail(404, f"Album not found: id={aid}")


def response_of(error: JmgraphError) -> Response:
    """An error of ours as the old API says it; what the policy withholds is not there."""
    if isinstance(error, BlockedByPolicy):
        return detail(404, "Album not found")
    status = STATUS_OF_CODE[error.error_code]
    if isinstance(error, UpstreamFailure):
        status = 502 if error.error_code is ErrorCode.UPSTREAM_BROKEN else 504
        wait = {} if error.retry_after_s is None else {"Retry-After": str(ceil(error.retry_after_s))}
        return detail(status, error.message, wait)
    return detail(status, error.message)
