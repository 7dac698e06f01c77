"""HTTP semantics (RFC 9110) shared by REST and GraphQL: conditional requests, byte ranges, quality values, bodies.

Functions over raw ASGI header lists (`[(b"if-none-match", b'"3f2a"')]`, names in lower case) and header values; no
web framework.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from services.errors import JmgraphError, RateLimited

RawHeaders = Iterable[tuple[bytes, bytes]]
"""Headers as ASGI has them: name in lower case and value, one pair a header line."""

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
"""ASGI's `receive`."""

STALE_WARNING = '110 - "Response is Stale"'
"""`Warning` of a response served from cache because the site can't be read (RFC 7234, 5.5.1)."""

_RANGE = re.compile(r"\s*bytes\s*=\s*(\d{0,999})\s*-\s*(\d{0,999})\s*\Z", re.ASCII | re.IGNORECASE)


class BodyTooLarge(Exception):
    """The request body is longer than the limit: 413."""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"The body may have {limit_bytes} bytes at most.")
        self.limit_bytes = limit_bytes


class BodyIncomplete(Exception):
    """The client disconnected before the body was complete."""

    def __init__(self) -> None:
        super().__init__("The body did not arrive.")


class RangeNotSatisfiable(Exception):
    """The requested range starts after the end of the representation: 416."""


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes `start` to `end`, `end` excluded."""

    start: int
    end: int


def header(headers: RawHeaders, name: bytes) -> str | None:
    """The value of a header, the lines of a repeated one joined with commas (RFC 9110, 5.3); None without one."""
    lines = [value for key, value in headers if key == name]
    return b",".join(lines).decode("latin-1") if lines else None


def route_path(scope: Mapping[str, Any]) -> str:
    """The path of an ASGI scope below the sub-path of a proxy, as routes are matched with it."""
    path: str = scope["path"]
    prefix = scope.get("root_path", "")
    return path[len(prefix) :] if prefix and path.startswith(prefix + "/") else path


def quote_etag(opaque: str) -> str:
    """The strong entity tag of an opaque text: `3f2a` is `"3f2a"`."""
    return f'"{opaque}"'


def etag_matches(condition: str, etag: str) -> bool:
    """Whether an `If-None-Match` or `If-Match` names this ETag, by weak comparison; `*` names any.

    `etag_matches('W/"3f2a", "0b1c"', '"3f2a"')` is true. Tags may lack their quotes, as some clients send them.
    """
    tags = [tag.strip() for tag in condition.split(",")]
    return "*" in tags or _opaque(etag) in map(_opaque, tags)


def is_not_modified(headers: RawHeaders, etag: str) -> bool:
    """Whether the request is to be answered 304: its `If-None-Match` names the current ETag."""
    condition = header(headers, b"if-none-match")
    return condition is not None and etag_matches(condition, etag)


def requested_range(headers: RawHeaders, etag: str, size_bytes: int) -> ByteRange | None:
    """The part that `Range` selects; None for the whole representation.

    The whole is sent without a `Range`, for several ranges, for one that can't be parsed, and when `If-Range` is not
    exactly the current ETag. Raises `RangeNotSatisfiable` (RFC 9110, 14).
    """
    if_range = header(headers, b"if-range")
    if if_range is not None and if_range.strip() != etag:
        return None
    match = _RANGE.match(header(headers, b"range") or "")
    if match is None or match[1] == match[2] == "":
        return None
    if match[1] == "":
        return _suffix_range(int(match[2]), size_bytes)
    start = int(match[1])
    if match[2] and int(match[2]) < start:
        return None
    if start >= size_bytes:
        raise RangeNotSatisfiable
    return ByteRange(start, size_bytes if match[2] == "" else min(int(match[2]) + 1, size_bytes))


def _suffix_range(length: int, size_bytes: int) -> ByteRange:
    if length == 0 or size_bytes == 0:
        raise RangeNotSatisfiable
    return ByteRange(max(0, size_bytes - length), size_bytes)


@lru_cache(maxsize=256)
def quality_values(header_value: str) -> Mapping[str, float]:
    """Names in lower case and their quality, 0 to 1: `"gzip;q=0.5, br"` is `{"gzip": 0.5, "br": 1.0}`.

    For `Accept`, `Accept-Encoding` and their like (RFC 9110, 12.4.2); a quality that is no number is 0.
    """
    qualities: dict[str, float] = {}
    for item in header_value.split(","):
        name, *parameters = (piece.strip().lower() for piece in item.split(";"))
        if name:
            qualities.setdefault(name, _quality(parameters))
    return MappingProxyType(qualities)


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            return _clamped(value)
    return 1.0


def _clamped(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return min(max(value, 0.0), 1.0) if value == value else 0.0


def _opaque(tag: str) -> str:
    bare = tag[2:].strip() if tag[:2] in ("W/", "w/") else tag
    return bare[1:-1] if len(bare) > 1 and bare[0] == bare[-1] == '"' else bare


def bearer_token(authorization: str | None) -> str | None:
    """The token of an `Authorization: Bearer …` value; None for another scheme or an empty one."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def check_content_length(headers: RawHeaders, limit_bytes: int) -> None:
    """Raise `BodyTooLarge` when the announced `Content-Length` is over the limit; it need not be announced."""
    announced = header(headers, b"content-length") or ""
    if announced.isascii() and announced.isdigit() and int(announced[:20]) > limit_bytes:
        raise BodyTooLarge(limit_bytes)


async def body_chunks(headers: RawHeaders, receive: Receive, limit_bytes: int) -> AsyncIterator[bytes]:
    """The body of a request as it arrives, never more than `limit_bytes` in all.

    Raises `BodyTooLarge` before the first chunk when `Content-Length` says so, else as soon as more has arrived, and
    `BodyIncomplete` when the client disconnects.
    """
    check_content_length(headers, limit_bytes)
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise BodyIncomplete
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > limit_bytes:
            raise BodyTooLarge(limit_bytes)
        more = message.get("more_body", False)
        if chunk:
            yield chunk


async def read_body(headers: RawHeaders, receive: Receive, limit_bytes: int) -> bytes:
    """The whole body of a request; raises as `body_chunks`."""
    return b"".join([chunk async for chunk in body_chunks(headers, receive, limit_bytes)])


def retry_headers(error: JmgraphError) -> dict[str, str]:
    """`Retry-After` in whole seconds where the error knows when to try again; with the limit where one was exceeded.

    Source: draft-ietf-httpapi-ratelimit-headers-10, `RateLimit: "requests";r=0;t=12`.
    """
    if error.retry_after is None:
        return {}
    headers = {"Retry-After": str(error.retry_after)}
    if isinstance(error, RateLimited) and error.policy is not None:
        name, limit, window_s = error.policy
        headers["RateLimit-Policy"] = f'"{name}";q={limit};w={window_s:.0f}'
        headers["RateLimit"] = f'"{name}";r=0;t={error.retry_after}'
    return headers
