"""Kinds of answers that are kept: what they hold, how long they are fresh, how they are written down."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")

LONGEST_ABSENCE_S = 60.0
"""That something is not there is believed for a minute at most: albums get published."""

_HEADER = struct.Struct(">15s15s1s")
# a record in memory, with its strings and tuples, takes about this many times its msgpack bytes (measured)
_MEMORY_FACTOR = 4
_ENTRY_BYTES = 600


@dataclass(frozen=True, slots=True)
class View:
    """What was made of an entry's value, true for one state of the world and until a moment (Unix seconds)."""

    value: Any
    state: Hashable
    good_until: float


@dataclass(slots=True)
class CacheEntry(Generic[T]):
    """One kept answer; `value` is None for a known absence. Times are Unix seconds."""

    value: T | None
    fetched_at: float
    fresh_until: float
    size_bytes: int
    """About what it takes in memory."""
    retry_at: float = 0.0
    """Not before this is the site asked again after it failed."""
    view: View | None = None
    """What was last made of the value."""

    @property
    def there(self) -> T:
        """The value of a kind that is never absent."""
        if self.value is None:
            raise LookupError("an absence where none can be")
        return self.value


@dataclass(frozen=True, slots=True)
class CacheKey(Generic[T]):
    """A kind of answer. The key on disk and in Redis carries a print of the record's shape, so that a process of
    another version never reads what it can't understand.
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

    def shared_key(self, key: str) -> str:
        """Name in Redis, `jmgraph:cache:album:1f0c6a2e:350234`; long keys by their digest."""
        short = key if len(key) <= 80 and key.isascii() else hashlib.blake2b(key.encode(), digest_size=16).hexdigest()
        return f"jmgraph:cache:{self.name}:{self.version}:{short}"

    def write(self, value: T | None, now: float) -> tuple[CacheEntry[T], bytes]:
        """The answer just had, as it is kept in memory and as it goes to Redis."""
        body = b"" if value is None else msgspec.msgpack.encode(value)
        fresh_until = now + (self.absent_s if value is None else self.fresh_s)
        header = _HEADER.pack(_stamp(fresh_until), _stamp(now), b"0" if value is None else b"1")
        return CacheEntry(value, now, fresh_until, _size_in_memory(body)), header + body

    def read(self, data: bytes) -> CacheEntry[T] | None:
        """The answer as Redis has it; None when it can't be read, which is a miss."""
        try:
            fresh_until, fetched_at, is_there = _HEADER.unpack_from(data)
            body = data[_HEADER.size :]
            value = self.decoder.decode(body) if is_there == b"1" else None
            return CacheEntry(value, int(fetched_at) / 1000, int(fresh_until) / 1000, _size_in_memory(body))
        except (struct.error, ValueError, msgspec.MsgspecError):
            return None


def _stamp(moment_s: float) -> bytes:
    """15 digits of milliseconds, which Redis' Lua can compare."""
    return b"%015d" % round(moment_s * 1000)


def _size_in_memory(body: bytes) -> int:
    return _ENTRY_BYTES + _MEMORY_FACTOR * len(body)


def shape_of(record: type) -> str:
    """Eight hex digits that change with the fields of a record, so that nobody must remember to count versions."""
    shape = msgspec.json.encode(msgspec.json.schema(record), order="sorted")
    return hashlib.blake2b(shape, digest_size=4).hexdigest()
