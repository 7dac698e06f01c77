"""A shared cache of whole responses in memory (RFC 9111), by the headers of the responses themselves.

Stored are complete 200 responses to GET that say `Cache-Control: public` with a `max-age` or `s-maxage`, without
`Set-Cookie` or `Warning`, up to `MAX_BODY_BYTES`. They also answer HEAD and, by their ETag, conditional requests.
Since only public responses are stored, requests with `Authorization` or `Cookie` are answered too (RFC 9111, 3.5).
Requests with a query or a `Range` bypass this cache, and those of people who have blocked tags of their own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

from cachetools import LRUCache
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.access import PERSONAL_KEY
from services.http_semantics import header, is_not_modified

MAX_FRESH_S = 30.0
"""After so long a response is made again: by then, other processes may have learned what is to be withheld."""
MAX_BODY_BYTES = 64 * 1024
"""Of one response: JSON, and most covers."""
MAX_VARIANTS = 8
"""Of one path, by `Vary`; so their size stays well below the total."""
MAX_TOTAL_BYTES = 16 << 20
_OVERHEAD_BYTES = 2048
"""Of the headers and objects around a body."""

Header = tuple[bytes, bytes]
Key = tuple[str, bytes, str, str]
"""Scheme, host and sub-path that the request was sent to, as the proxy headers say, and path."""

_NEVER_STORED = frozenset({"private", "no-store", "no-cache"})
_BODY_HEADERS = frozenset({b"content-type", b"content-length", b"content-encoding"})


@dataclass(frozen=True, slots=True)
class StoredResponse:
    """A response, and until when it is fresh; times are of `time.monotonic`.

    `vary` has name and value of each request header that the response depends on.
    """

    headers: Sequence[Header]
    body: bytes
    vary: Sequence[tuple[bytes, str | None]]
    etag: str | None
    age_s: int
    stored_at: float
    expires_at: float
    version: Hashable
    route: object

    def matches(self, request_headers: Iterable[Header]) -> bool:
        """Whether a request with these headers selects this response, by its `Vary`."""
        return all(header(request_headers, name) == value for name, value in self.vary) if self.vary else True

    async def send(self, scope: Scope, send: Send) -> None:
        """Send it with its `Age`, as 304 where the request's `If-None-Match` names its ETag."""
        age = (b"age", b"%d" % (self.age_s + time.monotonic() - self.stored_at))
        status, headers, body = 200, [*self.headers, age], self.body
        if self.etag is not None and is_not_modified(scope["headers"], self.etag):
            status, headers, body = 304, [pair for pair in headers if pair[0] not in _BODY_HEADERS], b""
        elif scope["method"] == "HEAD":
            body = b""
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


class ResponseCacheMiddleware:
    """Answers from the stored responses, the least recently used dropped first.

    `version` returns what stored responses depend on besides their age: when it differs from the time of storing,
    they are no longer used.
    """

    def __init__(
        self, app: ASGIApp, version: Callable[[], Hashable], *, max_total_bytes: int = MAX_TOTAL_BYTES
    ) -> None:
        self._app = app
        self._version = version
        self._variants: LRUCache[Key, tuple[StoredResponse, ...]] = LRUCache(max_total_bytes, getsizeof=_size_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from the cache, or pass the request on and store the response if it allows that."""
        key = _key(scope)
        if key is None:
            await self._app(scope, receive, send)
            return
        if (stored := self._find(key, scope["headers"])) is not None:
            scope["route"] = stored.route
            await stored.send(scope, send)
            return
        if scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        recorder = _Recorder(send)
        version = self._version()
        await self._app(scope, receive, recorder)
        if (complete := recorder.response) is not None:
            self._store(key, scope, *complete, version)

    def _find(self, key: Key, request_headers: Iterable[Header]) -> StoredResponse | None:
        for stored in self._variants.get(key, ()):
            if stored.matches(request_headers):
                is_usable = time.monotonic() < stored.expires_at and stored.version == self._version()
                return stored if is_usable else None
        return None

    def _store(self, key: Key, scope: Scope, headers: list[Header], body: bytes, version: Hashable) -> None:
        vary, age_s, now = _vary(headers, scope["headers"]), _age_s(headers), time.monotonic()
        fresh_s = min(max_age_s(headers) - age_s, MAX_FRESH_S)
        if vary is None or fresh_s <= 0:
            return
        stored = StoredResponse(
            headers=[pair for pair in headers if pair[0] != b"age"],
            body=body,
            vary=vary,
            etag=header(headers, b"etag"),
            age_s=age_s,
            stored_at=now,
            expires_at=now + fresh_s,
            version=version,
            route=scope.get("route"),
        )
        others = [other for other in self._variants.pop(key, ()) if other.vary != vary and now < other.expires_at]
        self._variants[key] = (stored, *others[: MAX_VARIANTS - 1])


class _Recorder:
    """Passes a response on to `send`, and keeps it while it may be stored."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._headers: list[Header] | None = None
        self._body = bytearray()
        self.response: tuple[list[Header], bytes] | None = None
        """Headers and body, once they are complete."""

    async def __call__(self, message: Message) -> None:
        """Record one message of the response, and send it."""
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", ()))
            self._headers = headers if message["status"] == 200 and max_age_s(headers) > 0 else None
        elif message["type"] != "http.response.body":
            self._headers = None  # an ASGI extension, which sends the body by other means
        elif self._headers is not None:
            self._body += message.get("body", b"")
            if len(self._body) > MAX_BODY_BYTES:
                self._headers = None
            elif not message.get("more_body", False):
                self.response = (self._headers, bytes(self._body))
        await self._send(message)


def max_age_s(headers: Iterable[Header]) -> int:
    """For how many seconds a shared cache may keep a response with these headers; 0 for not at all."""
    cache_control = header(headers, b"cache-control")
    if cache_control is None or header(headers, b"set-cookie") is not None or header(headers, b"warning") is not None:
        return 0
    directives = dict(_directive(text) for text in cache_control.split(","))
    if "public" not in directives or directives.keys() & _NEVER_STORED:
        return 0
    value = directives.get("s-maxage", directives.get("max-age", ""))
    return int(value) if value.isascii() and value.isdigit() else 0


def _directive(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.strip().lower(), value.strip().strip('"')


def _key(scope: Scope) -> Key | None:
    """Under which key responses to this request are stored; None for a request that bypasses the cache."""
    if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD") or scope["query_string"]:
        return None
    if scope.get(PERSONAL_KEY):
        return None
    host = b""
    for name, value in scope["headers"]:
        if name == b"host":
            host = value
        elif name == b"range":
            return None
    return scope["scheme"], host, scope.get("root_path", ""), scope["path"]


def _vary(headers: Iterable[Header], request_headers: Iterable[Header]) -> list[tuple[bytes, str | None]] | None:
    """Name and value of each request header that the response names in `Vary`; None for `*`: it can't be reused."""
    names = {name.strip().lower() for name in (header(headers, b"vary") or "").split(",")} - {""}
    if "*" in names:
        return None
    return [(name, header(request_headers, name)) for name in sorted(name.encode("latin-1") for name in names)]


def _age_s(headers: Iterable[Header]) -> int:
    value = header(headers, b"age") or ""
    return int(value) if value.isascii() and value.isdigit() else 0


def _size_bytes(variants: Sequence[StoredResponse]) -> int:
    return sum(len(stored.body) + _OVERHEAD_BYTES for stored in variants)
