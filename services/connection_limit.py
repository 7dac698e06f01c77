"""Limits the WebSockets of one client of the legacy API over all processes: a new one replaces the oldest.

Redis has a sorted set for each client, in the order of arrival. What a dead process left there is the
oldest, and so evicted first.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from services.redis import Events, RedisClient, RedisUnavailable, Watcher

log = structlog.get_logger("jmgraph.notices")

MAX_CONNECTIONS = 20
"""Of one client."""
TTL_S = 30 * 86400
"""Of the set in Redis: longer than any connection lasts."""
PREFIX = "jmgraph:notices:sockets:"

_ADD = """
-- Add a connection, evict the oldest ones over the limit, and publish the topic of each evicted one.
-- KEYS: connections. ARGV: token, limit, TTL in seconds, channel, prefix of topics.
local newest = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
redis.call('ZADD', KEYS[1], (tonumber(newest[2]) or 0) + 1, ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
local over = redis.call('ZCARD', KEYS[1]) - ARGV[2]
if over > 0 then
  local evicted = redis.call('ZPOPMIN', KEYS[1], over)
  for at = 1, #evicted, 2 do
    redis.call('PUBLISH', ARGV[4], ARGV[5] .. evicted[at])
  end
end
"""
_TOPIC_PREFIX = "seat:"
"""Also sent by processes of version 2.0, so it keeps its name."""


class ConnectionSlot:
    """One of the connections that a client may have."""

    def __init__(self, redis: RedisClient, events: Events, watcher: Watcher, key: str, token: str) -> None:
        self._redis = redis
        self._add = redis.client.register_script(_ADD)
        self._arguments: list[str | int] = [token, MAX_CONNECTIONS, TTL_S, events.channel, _TOPIC_PREFIX]
        self._watcher = watcher
        self._key = key
        self._token = token

    async def acquire(self) -> None:
        """Add the connection, as the newest."""
        try:
            await self._add(keys=[self._key], args=self._arguments)
        except RedisUnavailable:
            log.debug("a connection can't be counted, Redis is unavailable")

    async def evicted(self) -> None:
        """Wait until newer connections of the client have evicted this one.

        One that is missing for another reason (Redis was unavailable when it was added, or lost its data) is added
        again.
        """
        while True:
            await self._watcher.changed()
            try:
                is_counted, connections = await self._read()
            except RedisUnavailable:
                log.debug("connections can't be counted, Redis is unavailable")
                continue
            if not is_counted and connections >= MAX_CONNECTIONS:
                return
            if not is_counted:
                await self.acquire()

    async def _read(self) -> tuple[bool, int]:
        async with self._redis.client.pipeline(transaction=True) as pipe:
            pipe.zscore(self._key, self._token)
            pipe.zcard(self._key)
            score, connections = await pipe.execute()
        return score is not None, connections

    async def release(self) -> None:
        """Remove the connection."""
        try:
            await self._redis.client.zrem(self._key, self._token)
        except RedisUnavailable:
            log.debug("a connection can't be removed, Redis is unavailable; newer ones will evict it")


class ConnectionLimit:
    """The connections of every client."""

    def __init__(self, redis: RedisClient, events: Events) -> None:
        self._redis = redis
        self._events = events

    @asynccontextmanager
    async def slot(self, client_id: str) -> AsyncIterator[ConnectionSlot]:
        """A slot until the end of the block. While Redis is unavailable nothing is counted or evicted."""
        token = secrets.token_hex(8)
        async with self._events.watch(_TOPIC_PREFIX + token) as watcher:
            slot = ConnectionSlot(self._redis, self._events, watcher, f"{PREFIX}{client_id}", token)
            await slot.acquire()
            try:
                yield slot
            finally:
                await slot.release()
