"""Persisted queries by hash, for every process."""

from __future__ import annotations

import structlog

from services.redis import RedisClient, RedisUnavailable

log = structlog.get_logger("jmgraph.queries")

KEPT_S = 30 * 24 * 3600
"""A client sends a query again when it is gone: a month is for the network's sake only."""


class QueryShelf:
    """GraphQL documents by their sha256; while Redis is away nothing is found, and clients send the text again."""

    def __init__(self, link: RedisClient) -> None:
        self._link = link

    async def find(self, sha256: str) -> str | None:
        """The document of this hash; None when nobody sent it yet."""
        try:
            found = await self._link.client.getex(_key(sha256), ex=KEPT_S)
        except RedisUnavailable:
            return None
        return found.decode() if found else None

    async def keep(self, sha256: str, query: str) -> None:
        """Keep a document for every process."""
        try:
            await self._link.client.set(_key(sha256), query, ex=KEPT_S)
        except RedisUnavailable:
            log.debug("A query could not be kept for other processes")


def _key(sha256: str) -> str:
    return f"jmgraph:query:{sha256}"
