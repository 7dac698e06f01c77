"""Cache entries, and the two tiers that keep them: objects in this process, in front of bytes in Redis."""

from __future__ import annotations

import hashlib
import struct
import time
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec
from cachetools import LRUCache

from services.redis import RedisClient, RedisUnavailable

T = TypeVar("T")

LONGEST_ABSENCE_S = 60.0
"""An absence is cached for a minute at most: the album may be published at any time."""

_HEADER = struct.Struct(">15s15s1s")
# a record in memory, with its strings and tuples, takes about this many times its msgpack bytes (measured)
_MEMORY_FACTOR = 4
_ENTRY_BYTES = 600


@dataclass(frozen=True, slots=True)
class DerivedValue:
    """A value computed from that of an entry; valid for one state of its inputs, and until a Unix time."""

    value: Any
    state: Hashable
    valid_until: float


@dataclass(slots=True)
class CacheEntry(Generic[T]):
    """One cached value; None for a known absence. Times are Unix seconds."""

    value: T | None
    fetched_at: float
    fresh_until: float
    size_bytes: int
    """Memory it takes, about."""
    retry_at: float = 0.0
    """After a failed refresh: not before this is it tried again."""
    derived: DerivedValue | None = None
    """The last value computed from this one."""

    @property
    def value_or_raise(self) -> T:
        """The value of a kind that is never absent."""
        if self.value is None:
            raise LookupError("no value where there must be one")
        return self.value


@dataclass(frozen=True, slots=True)
class CacheKey(Generic[T]):
    """A kind of entry. Its keys in Redis carry a digest of the record's fields, so that a process of another version
    never reads what it can't decode.
    """

    name: str
    record: type[T]
    fresh_s: float
    absent_s: float = field(init=False)
    version: str = field(init=False)
    decoder: msgspec.msgpack.Decoder[T] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "absent_s", min(self.fresh_s, LONGEST_ABSENCE_S))
        object.__setattr__(self, "version", schema_hash(self.record))
        object.__setattr__(self, "decoder", msgspec.msgpack.Decoder(self.record))

    def redis_key(self, key: str) -> str:
        """The key in Redis, `jmgraph:cache:album:1f0c6a2e:350234`; long keys by their digest."""
        short = key if len(key) <= 80 and key.isascii() else hashlib.blake2b(key.encode(), digest_size=16).hexdigest()
        return f"jmgraph:cache:{self.name}:{self.version}:{short}"

    def encode(self, value: T | None, now: float) -> tuple[CacheEntry[T], bytes]:
        """A value just fetched, as the entry for memory and as the bytes for Redis."""
        body = b"" if value is None else msgspec.msgpack.encode(value)
        fresh_until = now + (self.absent_s if value is None else self.fresh_s)
        header = _HEADER.pack(_timestamp_ms(fresh_until), _timestamp_ms(now), b"0" if value is None else b"1")
        return CacheEntry(value, now, fresh_until, _size_in_memory(body)), header + body

    def decode(self, data: bytes) -> CacheEntry[T] | None:
        """The entry of these bytes; None when they can't be read, which is a miss."""
        try:
            fresh_until, fetched_at, is_present = _HEADER.unpack_from(data)
            body = data[_HEADER.size :]
            value = self.decoder.decode(body) if is_present == b"1" else None
            return CacheEntry(value, int(fetched_at) / 1000, int(fresh_until) / 1000, _size_in_memory(body))
        except (struct.error, ValueError, msgspec.MsgspecError):
            return None


def _timestamp_ms(moment_s: float) -> bytes:
    """15 digits of milliseconds, which Redis' Lua can compare."""
    return b"%015d" % round(moment_s * 1000)


def _size_in_memory(body: bytes) -> int:
    return _ENTRY_BYTES + _MEMORY_FACTOR * len(body)


def schema_hash(record: type) -> str:
    """Eight hex digits that change with the record's JSON schema: a version that nobody has to increment."""
    schema = msgspec.json.encode(msgspec.json.schema(record), order="sorted")
    return hashlib.blake2b(schema, digest_size=4).hexdigest()


COMMAND_TIMEOUT_S = 0.75
"""Redis has this long for an answer; then the read continues without it."""
MAX_TIMEOUTS = 2
"""In a row, until the circuit opens: a single one may come from a busy event loop."""
LOCK_S = 4.0
"""A lock whose holder does not renew it for so long is free."""
FAILURE_S = 3.0
"""Processes that wait for a lock can read for so long that its holder failed."""
TOKEN_BYTES = 16
"""Of the random token that identifies a holder."""

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
    """Entries by (kind, key), the least recently used evicted first. For one event loop, so without locks."""

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
        """Store an entry, evicting others for it. One that is larger than the whole tier is not stored."""
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
"""While Redis is unavailable: nothing stored, and no other process to wait for."""


class RedisTier:
    """Bytes and locks by key. Nothing here raises while Redis is unavailable: it reads as empty and unlocked."""

    def __init__(self, redis: RedisClient, *, lock_s: float = LOCK_S, clock: Callable[[], float] = time.time) -> None:
        self.lock_s = lock_s
        self._redis = redis.with_timeout(COMMAND_TIMEOUT_S, max_timeouts=MAX_TIMEOUTS)
        self._clock = clock
        self._poll, self._store, self._release, self._renew = (
            self._redis.register_script(script) for script in (_POLL, _STORE, _RELEASE, _RENEW)
        )

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """The bytes of each key, in one call."""
        found = await _none_if_unavailable(self._redis.mget(keys)) if keys else []
        return [None] * len(keys) if found is None else list(found)

    async def put_many(self, values: Mapping[str, bytes], ttl_s: float) -> None:
        """Store bytes under their keys, in one call."""
        pipe = self._redis.pipeline(transaction=False)
        for key, data in values.items():
            pipe.set(key, data, px=_ms(ttl_s))
        await _none_if_unavailable(pipe.execute())

    async def delete(self, key: str) -> None:
        """Delete the bytes of a key."""
        await _none_if_unavailable(self._redis.delete(key))

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
        """Extend a lock."""
        await self._run(self._renew, key, token, _ms(self.lock_s))

    async def _run(self, script: Callable[..., Awaitable[Any]], key: str, *args: object) -> Any | None:
        return await _none_if_unavailable(script(keys=[key, f"{key}:turn", f"{key}:failure"], args=args))


async def _none_if_unavailable(command: Awaitable[T]) -> T | None:
    try:
        return await command
    except RedisUnavailable:
        return None


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))
