"""How many sockets one client of the legacy API has, over all processes; the oldest give way to the newest.

Kept is an order of arrival for each client. Those that a dead process left behind go first, being the oldest.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from services.redis import Events, RedisClient, RedisUnavailable, Watcher

log = structlog.get_logger("jmgraph.notices")

SEATS = 20
"""Of one client."""
KEEP_S = 30 * 86400
"""Longer than any socket lives."""
PREFIX = "jmgraph:notices:sockets:"

ENTER = """
-- Take a seat, and tell those that lose theirs by it.
-- KEYS: sockets. ARGV: token, sockets there are, seconds to keep, channel, family of topics.
local newest = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
redis.call('ZADD', KEYS[1], (tonumber(newest[2]) or 0) + 1, ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[3])
local over = redis.call('ZCARD', KEYS[1]) - ARGV[2]
if over > 0 then
  local gone = redis.call('ZPOPMIN', KEYS[1], over)
  for at = 1, #gone, 2 do
    redis.call('PUBLISH', ARGV[4], ARGV[5] .. gone[at])
  end
end
"""
_FAMILY = "seat:"


class Seat:
    """One socket's place."""

    def __init__(self, link: RedisClient, events: Events, watcher: Watcher, key: str, token: str) -> None:
        self._link = link
        self._enter = link.client.register_script(ENTER)
        self._arguments: list[str | int] = [token, SEATS, KEEP_S, events.channel, _FAMILY]
        self._watcher = watcher
        self._key = key
        self._token = token

    async def take(self) -> None:
        """Take it, as the newest."""
        try:
            await self._enter(keys=[self._key], args=self._arguments)
        except RedisUnavailable:
            log.debug("A seat can't be taken, Redis is away")

    async def lost(self) -> None:
        """Wait until the client has taken so many newer sockets that this one is gone.

        One that nobody needed, since it was asked for while Redis was away, or Redis forgot it, is taken now.
        """
        while True:
            await self._watcher.changed()
            try:
                is_there, taken = await self._look()
            except RedisUnavailable:
                log.debug("A seat can't be looked at, Redis is away")
                continue
            if not is_there and taken >= SEATS:
                return
            if not is_there:
                await self.take()

    async def _look(self) -> tuple[bool, int]:
        async with self._link.client.pipeline(transaction=True) as pipe:
            pipe.zscore(self._key, self._token)
            pipe.zcard(self._key)
            score, taken = await pipe.execute()
        return score is not None, taken

    async def leave(self) -> None:
        """Give it back."""
        try:
            await self._link.client.zrem(self._key, self._token)
        except RedisUnavailable:
            log.debug("A seat can't be left, Redis is away; it goes with the oldest")


class ConnectionLimit:
    """The sockets of every client."""

    def __init__(self, link: RedisClient, events: Events) -> None:
        self._link = link
        self._events = events

    @asynccontextmanager
    async def taken(self, client_id: str) -> AsyncIterator[Seat]:
        """A seat until the end of the block. While Redis is away nobody counts, and nobody loses one."""
        token = secrets.token_hex(8)
        async with self._events.watch(_FAMILY + token) as watcher:
            seat = Seat(self._link, self._events, watcher, f"{PREFIX}{client_id}", token)
            await seat.take()
            try:
                yield seat
            finally:
                await seat.leave()
