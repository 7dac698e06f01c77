"""GraphQL responses over HTTP: media types, validators, compression, and the cache of whole responses.

A response is its `data` (or `errors` and `data`), the same for every client, and a tail with the statistics of this
request. The first part is cached, and compressed once; the tail is appended each time.
"""

from __future__ import annotations

import hashlib
import struct
import sys
import time
import zlib
from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple

import orjson
from cachetools import TLRUCache
from graphql import GraphQLError
from starlette.types import Scope, Send

from schema.http.errors import BAD_REQUEST, PARSE_FAILED, TOO_COSTLY, VALIDATION_FAILED, RequestError
from schema.http.extensions import stats_extension
from services.http_semantics import STALE_WARNING, header, is_not_modified, quality_values
from services.observability import RequestStats

JSON = "application/json"
GRAPHQL_JSON = "application/graphql-response+json"

LOCAL_FRESH_FOR_S = 60.0
"""Freshness of a response without any part of the site; its cache key has the version of the tag database."""

MIN_COMPRESSED_BYTES = 1400
"""One network packet: smaller bodies gain nothing."""

COMPRESSION_LEVEL = 5
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"

_REFUSED = frozenset({PARSE_FAILED, VALIDATION_FAILED, TOO_COSTLY, BAD_REQUEST})


class GraphQLResponse:
    """The part of a response that is the same for every client: `{"data":…` without its closing brace."""

    __slots__ = ("_deflated", "age_s", "created_at", "etag", "fresh_for_s", "head", "is_stale")

    def __init__(self, head: bytes, *, age_s: float, fresh_for_s: float, is_stale: bool) -> None:
        self.head = head
        self.age_s = age_s
        self.fresh_for_s = fresh_for_s
        self.is_stale = is_stale
        self.created_at = time.monotonic()
        self.etag = f'"{hashlib.sha1(head, usedforsecurity=False).hexdigest()}"'
        self._deflated: tuple[bytes, int] | None = None

    @property
    def ttl_s(self) -> float:
        """Seconds for which it is still fresh."""
        return self.fresh_for_s - (time.monotonic() - self.created_at)

    @property
    def current_age_s(self) -> float:
        """Age of its oldest part, in seconds."""
        return self.age_s + (time.monotonic() - self.created_at)

    @property
    def max_age_s(self) -> int:
        """`max-age` of its `Cache-Control`: HTTP caches subtract `Age` from it."""
        return int(self.current_age_s) + int(self.ttl_s) if self.ttl_s > 0 else 0

    def gzipped(self, tail: bytes) -> bytes:
        """The whole body in one gzip member; the head is compressed once and ends on a byte (full flush)."""
        if self._deflated is None:
            packer = zlib.compressobj(COMPRESSION_LEVEL, zlib.DEFLATED, -15)
            self._deflated = packer.compress(self.head) + packer.flush(zlib.Z_FULL_FLUSH), zlib.crc32(self.head)
        deflated, crc = self._deflated
        packer = zlib.compressobj(1, zlib.DEFLATED, -15)
        end = packer.compress(tail) + packer.flush(zlib.Z_FINISH)
        size = (len(self.head) + len(tail)) & 0xFFFFFFFF
        return _GZIP_HEADER + deflated + end + struct.pack("<II", zlib.crc32(tail, crc), size)


def response_of(data: Any, errors: Sequence[GraphQLError], stats: RequestStats) -> GraphQLResponse:
    """The response of an executed operation; one that was refused has no `data`, not even null."""
    members = []
    if errors:
        members.append(b'"errors":' + orjson.dumps([error.formatted for error in errors], default=str))
    if not was_refused(errors):
        members.append(b'"data":' + orjson.dumps(data, default=str))
    fresh_for_s = LOCAL_FRESH_FOR_S if stats.fresh_for_s is None else stats.fresh_for_s
    return GraphQLResponse(
        b"{" + b",".join(members), age_s=stats.age_s, fresh_for_s=fresh_for_s, is_stale=stats.stale
    )


def was_refused(errors: Sequence[GraphQLError]) -> bool:
    """True for an operation that was refused before its first field ran."""
    return bool(errors) and all(
        error.path is None and (error.extensions or {}).get("code") in _REFUSED for error in errors
    )


class _CacheEntry(NamedTuple):
    response: GraphQLResponse
    size_bytes: int


class ResponseCache:
    """Responses of public queries until they are no longer fresh; the least recently used are dropped first.

    A key holds everything that a response depends on, the document's text and the variables among it.
    """

    def __init__(self, max_bytes: int = 64 << 20) -> None:
        self._entries: TLRUCache[tuple[Hashable, ...], _CacheEntry] = TLRUCache(
            max_bytes, ttu=lambda _, entry, now: now + entry.response.ttl_s, getsizeof=lambda entry: entry.size_bytes
        )

    def get(self, key: tuple[Hashable, ...]) -> GraphQLResponse | None:
        """The fresh response of this key; None without one."""
        entry = self._entries.get(key)
        return entry and entry.response

    def set(self, key: tuple[Hashable, ...], response: GraphQLResponse) -> None:
        """Cache a response, unless it is no longer fresh or larger than the cache."""
        # the compressed copy takes about a third; the key may be longer than the response
        size_bytes = len(response.head) * 4 // 3 + 1024 + sum(map(sys.getsizeof, key))
        if response.ttl_s > 0 and size_bytes <= self._entries.maxsize:
            self._entries[key] = _CacheEntry(response, size_bytes)


class Responder:
    """Sends the response of one HTTP request in the form its headers negotiate."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._method: str = scope["method"]
        self._headers: list[tuple[bytes, bytes]] = scope["headers"]
        self._send = send
        self.started_at = time.perf_counter()

    @property
    def prefers_graphql_json(self) -> bool:
        """True for clients of the newer media type, unless they prefer the older one."""
        accepted = quality_values(header(self._headers, b"accept") or "")
        return accepted.get(GRAPHQL_JSON, 0.0) > 0 and accepted[GRAPHQL_JSON] >= accepted.get(JSON, 0.0)

    @property
    def _accepts_gzip(self) -> bool:
        accepted = quality_values(header(self._headers, b"accept-encoding") or "")
        return accepted.get("gzip", accepted.get("*", 0.0)) > 0

    async def send(
        self,
        response: GraphQLResponse,
        stats: RequestStats,
        *,
        budget: int,
        is_cacheable: bool,
        status: int = 200,
        cookie: str | None = None,
    ) -> None:
        """Send a response, or 304 to a client that has it.

        `is_cacheable` is for queries whose response any client may see; `budget` is of upstream calls. `cookie` is a
        `Set-Cookie`.
        """
        headers = [(b"vary", b"Accept, Accept-Encoding")]
        if cookie is not None:
            headers.append((b"set-cookie", cookie.encode()))
        is_validated = is_cacheable and self._method != "POST"
        if is_validated:
            headers += [
                (b"etag", response.etag.encode()),
                (b"cache-control", b"public, max-age=%d" % response.max_age_s),
            ]
        else:
            headers.append((b"cache-control", b"private, no-store" if stats.is_private else b"no-store"))
        age_s = response.current_age_s
        if is_cacheable and age_s >= 1:
            headers.append((b"age", b"%d" % int(age_s)))
        if response.is_stale:
            headers.append((b"warning", STALE_WARNING.encode()))
        if is_validated and is_not_modified(self._headers, response.etag):
            await self._start(304, headers, b"")
            return
        extension = stats_extension(stats, self.started_at, budget, stale=response.is_stale, age_s=age_s)
        tail = b',"extensions":{"jmgraph":' + orjson.dumps(extension) + b"}}"
        if len(response.head) >= MIN_COMPRESSED_BYTES and self._accepts_gzip:
            headers.append((b"content-encoding", b"gzip"))
            body = response.gzipped(tail)
        else:
            body = response.head + tail
        await self._send_json(status, body, headers)

    async def send_error(self, error: RequestError) -> None:
        """Send the error of a request whose operation never ran."""
        headers = [(b"cache-control", b"no-store"), (b"vary", b"Accept, Accept-Encoding")]
        headers += [(name.lower().encode(), value.encode()) for name, value in error.headers.items()]
        body = orjson.dumps({"errors": [{"message": error.message, "extensions": error.extensions}]})
        await self._send_json(error.status, body, headers)

    async def _send_json(self, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
        media_type = GRAPHQL_JSON if self.prefers_graphql_json else JSON
        described = [(b"content-type", media_type.encode()), (b"content-length", b"%d" % len(body))]
        await self._start(status, described + headers, b"" if self._method == "HEAD" else body)

    async def _start(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})
