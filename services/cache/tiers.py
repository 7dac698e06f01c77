"""Where entries are kept: objects in this process, in front of bytes in Redis."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from cachetools import LRUCache

from services.cache.entries import CacheEntry
from services.redis import RedisClient, RedisUnavailable

T = TypeVar("T")

ANSWER_WITHIN_S = 0.75
"""Redis has this long for an answer; then the read goes on without it."""
LATE_ANSWERS = 2
"""In a row, until Redis counts as silent: one may be the fault of a busy event loop."""
LOCK_S = 4.0
"""A lock whose holder does not renew it for so long is free."""
FAILURE_S = 3.0
"""A failure can be read by those who waited for it for so long."""
TOKEN_BYTES = 16
"""Of the random token that names a holder."""

# gives {value, holder, failure}; holder is "fresh", "mine" or a token; a value begins with its fresh_until in ms
_POLL = """
local value = redis.call('GET', KEYS[1])
local fresh_until = value and tonumber(string.sub(value, 1, 15))
if fresh_until and fresh_until > tonumber(ARGV[1]) then return {value, 'fresh', false} end
local mine = redis.call('SET', KEYS[2], ARGV[2], 'NX', 'PX', ARGV[3])
return {value, mine and 'mine' or redis.call('GET', KEYS[2]), redis.call('GET', KEYS[3])}
"""
_STORE = """
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
return 1
"""
_RELEASE = """
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2])
if ARGV[2] ~= '' then redis.call('SET', KEYS[3], ARGV[1] .. ARGV[2], 'PX', ARGV[3]) end
return 1
"""
_RENEW = "if redis.call('GET', KEYS[2]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[2], ARGV[2]) end return 0"


class MemoryTier:
    """Entries by (kind, key), the least recently used dropped first. For one event loop, so without locks."""

    def __init__(self, max_entries: int, max_bytes: int) -> None:
        self._entries: LRUCache[tuple[str, str], CacheEntry[Any]] = LRUCache(
            max_bytes, lambda entry: entry.size_bytes
        )
        self._max_entries = max_entries

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def size_bytes(self) -> int:
        """Bytes of all entries, about."""
        return int(self._entries.currsize)

    def get(self, kind: str, key: str) -> CacheEntry[Any] | None:
        """The entry, which is now the most recently used."""
        return self._entries.get((kind, key))

    def put(self, kind: str, key: str, entry: CacheEntry[Any]) -> None:
        """Keep an entry, dropping others for it. One that is larger than the whole tier is not kept."""
        self._entries.pop((kind, key), None)
        if entry.size_bytes > self._entries.maxsize:
            return
        self._entries[kind, key] = entry
        if len(self._entries) > self._max_entries:
            self._entries.popitem()


@dataclass(frozen=True, slots=True)
class LockState:
    """What one poll of a key found. `holder` is the token of another process that holds its lock."""

    data: bytes | None = None
    is_fresh: bool = False
    holder: bytes | None = None
    failure: bytes | None = None

    @property
    def is_ours(self) -> bool:
        """True when this process may fetch."""
        return not self.is_fresh and self.holder is None


WITHOUT_REDIS = LockState()
"""While Redis is away: nothing stored, and nobody to wait for."""


class RedisTier:
    """Bytes and locks by key. Nothing here raises while Redis is away: it reads as empty and unlocked."""

    def __init__(self, redis: RedisClient, *, lock_s: float = LOCK_S, clock: Callable[[], float] = time.time) -> None:
        self.lock_s = lock_s
        self._redis = redis.with_timeout(ANSWER_WITHIN_S, late_answers=LATE_ANSWERS)
        self._clock = clock
        self._poll, self._store, self._release, self._renew = (
            self._redis.register_script(script) for script in (_POLL, _STORE, _RELEASE, _RENEW)
        )

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """The bytes of each key, in one call."""
        found = await _answer(self._redis.mget(keys)) if keys else []
        return [None] * len(keys) if found is None else list(found)

    async def put_many(self, values: Mapping[str, bytes], ttl_s: float) -> None:
        """Store bytes under their keys, in one call."""
        pipe = self._redis.pipeline(transaction=False)
        for key, data in values.items():
            pipe.set(key, data, px=_ms(ttl_s))
        await _answer(pipe.execute())

    async def delete(self, key: str) -> None:
        """Delete the bytes of a key."""
        await _answer(self._redis.delete(key))

    async def poll(self, key: str, token: bytes) -> LockState:
        """Read a key, and take its lock when it is neither fresh nor locked."""
        found = await self._run(self._poll, key, _ms(self._clock()), token, _ms(self.lock_s))
        if found is None:
            return WITHOUT_REDIS
        data, holder, failure = found
        is_locked = holder not in (b"fresh", b"mine")
        return LockState(data, holder == b"fresh", holder if is_locked else None, failure)

    async def store(self, key: str, token: bytes, data: bytes, ttl_s: float) -> None:
        """Store the bytes of a key and release its lock."""
        await self._run(self._store, key, token, data, _ms(ttl_s))

    async def release(self, key: str, token: bytes, failure: bytes = b"") -> None:
        """Release a lock without a result; those who wait for it can read `failure`."""
        await self._run(self._release, key, token, failure, _ms(FAILURE_S))

    async def renew(self, key: str, token: bytes) -> None:
        """Keep a lock."""
        await self._run(self._renew, key, token, _ms(self.lock_s))

    async def _run(self, script: Callable[..., Awaitable[Any]], key: str, *args: object) -> Any | None:
        return await _answer(script(keys=[key, f"{key}:turn", f"{key}:failure"], args=args))


async def _answer(call: Awaitable[T]) -> T | None:
    try:
        return await call
    except RedisUnavailable:
        return None


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))
