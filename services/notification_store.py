"""What clients of the legacy API wait for, in Redis: by client, downloads and errors, and marks of what was told."""

from __future__ import annotations

import time

import orjson

from services.downloads import DownloadLimits
from services.redis import Events, RedisClient

PREFIX = "jmgraph:notices:"
SERIAL = b"#"
"""Field that counts what a client ever waited for."""
ERROR_MARK = "!"
"""First letter of the fields of errors; the others are ids of downloads."""

EXPECT = """
-- Wait for a download; anew where its notice was told already.
-- KEYS: waits, told. ARGV: download id, seconds to keep, channel, topic.
local serial = redis.call('HGET', KEYS[1], ARGV[1])
local told = redis.call('HGET', KEYS[2], ARGV[1])
if not serial or (told and string.sub(told, 1, #serial + 1) == serial .. ':') then
  serial = tostring(redis.call('HINCRBY', KEYS[1], '#', 1))
  redis.call('HSET', KEYS[1], ARGV[1], serial)
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[2])
redis.call('PUBLISH', ARGV[3], ARGV[4])
"""
FAIL = """
-- Keep an error that came before there was a download.
-- KEYS: waits. ARGV: the error as JSON, seconds to keep, channel, topic.
local serial = redis.call('HINCRBY', KEYS[1], '#', 1)
redis.call('HSET', KEYS[1], '!' .. serial, ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('PUBLISH', ARGV[3], ARGV[4])
"""


class NotificationStore:
    """Two hashes a client: `waits` has what is waited for with its place in order, `told` the marks."""

    def __init__(self, link: RedisClient, events: Events, limits: DownloadLimits) -> None:
        self._redis = link.client
        self._channel = events.channel
        self._expect = self._redis.register_script(EXPECT)
        self._fail = self._redis.register_script(FAIL)
        self.life_s = limits.ttl_s
        """An error is told for as long as a file would live."""
        self._keep_s = round(limits.ttl_s + limits.history_s) + 1

    async def expect(self, client_id: str, download_id: str) -> None:
        """Wait for a download, anew where its notice was told already."""
        keys = [_waits(client_id), _told(client_id)]
        await self._expect(keys=keys, args=[download_id, self._keep_s, self._channel, topic_of(client_id)])

    async def fail(self, client_id: str, reason: str) -> None:
        """Keep an error that came before there was a download."""
        error = orjson.dumps({"reason": reason, "at": time.time()})
        await self._fail(keys=[_waits(client_id)], args=[error, self._keep_s, self._channel, topic_of(client_id)])

    async def read(self, client_id: str) -> tuple[dict[bytes, bytes], dict[str, str]]:
        """All that this client waits for, and the marks of what it was told."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hgetall(_waits(client_id))
            pipe.hgetall(_told(client_id))
            waits, told = await pipe.execute()
        return waits, {field.decode(): mark.decode() for field, mark in told.items()}

    async def mark(self, client_id: str, field: str, mark: str) -> None:
        """It was told."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(_told(client_id), field, mark)
            pipe.expire(_told(client_id), self._keep_s)
            await pipe.execute()

    async def forget(self, client_id: str, field: str) -> None:
        """It matters no more."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hdel(_waits(client_id), field)
            pipe.hdel(_told(client_id), field)
            await pipe.execute()


def _waits(client_id: str) -> str:
    return f"{PREFIX}waits:{client_id}"


def _told(client_id: str) -> str:
    return f"{PREFIX}told:{client_id}"


def topic_of(client_id: str) -> str:
    """The topic that is announced when this client waits for something more."""
    return f"notices:{client_id}"
