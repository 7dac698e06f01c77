"""Answers in the words of the old server."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from math import ceil
from typing import Any

import orjson
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


class Bodies:
    """Bodies of records that are asked for again and again, made once for as long as the catalog gives the same."""

    def __init__(self, most: int = 2000) -> None:
        self._most = most
        self._made: dict[Hashable, tuple[object, bytes]] = {}

    def of(self, key: Hashable, record: object, make: Callable[[], Any]) -> Response:
        """The answer for this record; `make` gives the JSON-able body."""
        made = self._made.get(key)
        if made is None or made[0] is not record:
            if len(self._made) >= self._most:
                self._made.clear()
            made = self._made[key] = (record, orjson.dumps(make()))
        return Response(made[1], media_type="application/json")
