"""Cache entries, and the kinds of them: record type, freshness, and the form in Redis."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")

LONGEST_ABSENCE_S = 60.0
"""An absence is kept for a minute at most: what does not exist may be published."""

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
    """About what it takes in memory."""
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
        object.__setattr__(self, "version", shape_of(self.record))
        object.__setattr__(self, "decoder", msgspec.msgpack.Decoder(self.record))

    def redis_key(self, key: str) -> str:
        """The key in Redis, `jmgraph:cache:album:1f0c6a2e:350234`; long keys by their digest."""
        short = key if len(key) <= 80 and key.isascii() else hashlib.blake2b(key.encode(), digest_size=16).hexdigest()
        return f"jmgraph:cache:{self.name}:{self.version}:{short}"

    def encode(self, value: T | None, now: float) -> tuple[CacheEntry[T], bytes]:
        """A value just fetched, as the entry for memory and as the bytes for Redis."""
        body = b"" if value is None else msgspec.msgpack.encode(value)
        fresh_until = now + (self.absent_s if value is None else self.fresh_s)
        header = _HEADER.pack(_stamp(fresh_until), _stamp(now), b"0" if value is None else b"1")
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


def _stamp(moment_s: float) -> bytes:
    """15 digits of milliseconds, which Redis' Lua can compare."""
    return b"%015d" % round(moment_s * 1000)


def _size_in_memory(body: bytes) -> int:
    return _ENTRY_BYTES + _MEMORY_FACTOR * len(body)


def shape_of(record: type) -> str:
    """Eight hex digits that change with the fields of a record: a version that nobody has to increment."""
    shape = msgspec.json.encode(msgspec.json.schema(record), order="sorted")
    return hashlib.blake2b(shape, digest_size=4).hexdigest()
