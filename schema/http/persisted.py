"""Automatic persisted queries: a query is sent once, then asked for by its sha256 (Apollo's protocol)."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Protocol

from schema.http.errors import BAD_REQUEST, PERSISTED_QUERY_NOT_FOUND, RequestError
from schema.http.request import GraphQLRequest

KEPT = 1000
"""Queries kept in this process; the shared shelf behind keeps more."""

LONGEST_KEPT = 1 << 16
"""Characters; far more than a document of the token limit needs. A longer one runs, but has to be sent each time."""


class QueryShelf(Protocol):
    """Where queries are kept for every process."""

    async def find(self, sha256: str) -> str | None:
        """The query of this hash, None when nobody sent it yet."""

    async def keep(self, sha256: str, query: str) -> None:
        """Keep a query for every process."""


class PersistedQueries:
    """Finds the text of a request that may give only its hash."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, str] = OrderedDict()

    async def text_of(self, request: GraphQLRequest, shelf: QueryShelf) -> str:
        """The query's text; raises `RequestError` with PERSISTED_QUERY_NOT_FOUND when it must be sent first."""
        sha256 = request.persisted_sha256
        if sha256 is None:
            return request.query
        if request.query:
            return await self._learn(sha256, request.query, shelf)
        return await self._recall(sha256, shelf)

    async def _learn(self, sha256: str, query: str, shelf: QueryShelf) -> str:
        if hashlib.sha256(query.encode()).hexdigest() != sha256:
            raise RequestError(400, BAD_REQUEST, "The sha256Hash is not that of the query.")
        if sha256 not in self._known and len(query) <= LONGEST_KEPT:
            self._remember(sha256, query)
            await shelf.keep(sha256, query)
        return query

    async def _recall(self, sha256: str, shelf: QueryShelf) -> str:
        if (known := self._known.get(sha256)) is not None:
            return known
        if (query := await shelf.find(sha256)) is None:
            raise RequestError(200, PERSISTED_QUERY_NOT_FOUND, "PersistedQueryNotFound")
        self._remember(sha256, query)
        return query

    def _remember(self, sha256: str, query: str) -> None:
        self._known[sha256] = query
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
