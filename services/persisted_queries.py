"""Automatic persisted queries: GraphQL documents by their sha256, in this process and in Redis for all of them."""

from __future__ import annotations

import structlog
from cachetools import LRUCache

from services.redis import RedisClient, RedisUnavailable

log = structlog.get_logger("jmgraph.queries")

TTL_S = 30 * 24 * 3600
"""Of a document in Redis, from its last use. A client sends it again when it has expired."""

MAX_IN_PROCESS = 1000
"""Documents in the cache of this process."""

MAX_CHARACTERS = 1 << 16
"""Far more than a document of the token limit needs. A longer one is not stored: it has to be sent each time."""


class PersistedQueryStore:
    """GraphQL documents by their sha256. While Redis is unavailable only those of this process are found."""

    def __init__(self, redis: RedisClient) -> None:
        self._redis = redis
        self._recent: LRUCache[str, str] = LRUCache(MAX_IN_PROCESS)

    async def find(self, sha256: str) -> str | None:
        """The document with this hash; None when no client has sent it yet."""
        if (query := self._recent.get(sha256)) is not None:
            return query
        try:
            stored = await self._redis.client.getex(_key(sha256), ex=TTL_S)
        except RedisUnavailable:
            return None
        if stored is None:
            return None
        self._recent[sha256] = stored.decode()
        return self._recent[sha256]

    async def store(self, sha256: str, query: str) -> None:
        """Store a document, unless it is too long or was stored before."""
        if sha256 in self._recent or len(query) > MAX_CHARACTERS:
            return
        self._recent[sha256] = query
        try:
            await self._redis.client.set(_key(sha256), query, ex=TTL_S)
        except RedisUnavailable:
            log.debug("a persisted query was not stored for other processes")


def _key(sha256: str) -> str:
    return f"jmgraph:query:{sha256}"
