"""Reads that many ask for, answered again as they were answered just now, without a walk through the house.

What is kept is the answer to a bare GET: no query, and no header that could make it another. It is kept under the
`Host` it was asked at, so that a host that is not answered finds nothing here.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope, Send

from services.catalog import Catalog
from services.observability import Usage

LONGEST_S = 30.0
"""After so long the house is asked again: by then other processes may have learned what is to be withheld."""
LARGEST_BYTES = 64 * 1024
"""Of one body: answers in JSON, and most covers."""
MOST_BYTES = 16 << 20
"""Of all."""
_AROUND_BYTES = 2048
"""Of headers and objects around a body."""

Header = tuple[bytes, bytes]
Place = tuple[bytes, bytes]
"""Host and path, as they were sent."""

_TELLING = frozenset(
    {
        b"origin",
        b"range",
        b"if-match",
        b"if-none-match",
        b"if-modified-since",
        b"x-request-id",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-prefix",
        b"x-forwarded-proto",
    }
)
"""Headers that may make the answer another."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer of 200; `version` is what the catalog knew when it was given."""

    headers: Sequence[Header]
    body: bytes
    route: str
    good_until: float
    catalog: Catalog
    version: Hashable

    @property
    def size_bytes(self) -> int:
        """What it takes in memory, about."""
        return len(self.body) + _AROUND_BYTES

    async def send(self, send: Send, request_id: bytes) -> None:
        """Send it once more."""
        headers = [*self.headers, (b"x-request-id", request_id)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


class ResponseCacheMiddleware:
    """Answers by host and path, the least recently given out first."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[Place, Kept] = OrderedDict()

    def find(self, scope: Scope) -> Kept | None:
        """The answer to this very request, while it is true."""
        place = _place(scope)
        kept = self._kept.get(place) if place else None
        if place is None or kept is None:
            return None
        if time.monotonic() > kept.good_until or kept.catalog.version != kept.version:
            self._drop(place)
            return None
        self._kept.move_to_end(place)
        return kept

    def keep(self, request: Request, response: Response, good_for_s: float) -> None:
        """Keep an answer that is true for everybody, for so long at most."""
        place, body = _place(request.scope), bytes(response.body)
        if place is None or response.status_code != 200 or len(body) > LARGEST_BYTES or good_for_s <= 0:
            return
        catalog: Catalog = request.app.state.services.catalog
        route: str = getattr(request.scope.get("route"), "path", "")
        good_until = time.monotonic() + min(good_for_s, LONGEST_S)
        self._drop(place)
        self._kept[place] = Kept(tuple(response.raw_headers), body, route, good_until, catalog, catalog.version)
        self._bytes += self._kept[place].size_bytes
        while self._bytes > self._most_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, place: Place) -> None:
        if kept := self._kept.pop(place, None):
            self._bytes -= kept.size_bytes


def _place(scope: Scope) -> Place | None:
    """Where an answer to this request is kept; None for one that is not to be answered from here."""
    if scope["method"] != "GET" or scope["query_string"]:
        return None
    host = None
    for name, value in scope["headers"]:
        if name == b"host" and host is None:
            host = value
        elif name in _TELLING or name == b"host":
            return None
    path = scope.get("raw_path")
    return (host, path) if host and path else None


def keep(request: Request, response: Response, usage: Usage) -> Response:
    """Keep an answer for as long as all of its parts are fresh; gives it back."""
    if usage.fresh_for_s is not None and not usage.stale:
        keep_for(request, response, usage.fresh_for_s)
    return response


def keep_for(request: Request, response: Response, good_for_s: float) -> Response:
    """Keep an answer for so long at most; gives it back."""
    shortcuts: ResponseCacheMiddleware = request.app.state.shortcuts
    shortcuts.keep(request, response, good_for_s)
    return response
