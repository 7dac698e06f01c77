"""Whole answers of public queries, kept as bytes for as long as their youngest part is fresh.

An answer is its `data` (or `data` with `errors`), the same for everybody, and a tail with this request's own
figures. The first is kept, compressed once where a client takes gzip; the tail is put behind it each time.
"""

from __future__ import annotations

import hashlib
import struct
import sys
import time
import zlib
from collections import OrderedDict
from collections.abc import Hashable

Key = tuple[Hashable, ...]
"""Everything that an answer depends on, the document's text and the variables among it."""

SMALLEST_COMPRESSED_BYTES = 1400
"""One network packet: nothing is won below."""

LEVEL = 5
_GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


class Answer:
    """The part of an answer that is the same for all who ask: `{"data":…` without its closing brace."""

    __slots__ = ("_deflated", "age_s", "born_at", "etag", "fresh_for_s", "head", "is_stale")

    def __init__(self, head: bytes, *, age_s: float, fresh_for_s: float, is_stale: bool) -> None:
        self.head = head
        self.age_s = age_s
        self.fresh_for_s = fresh_for_s
        self.is_stale = is_stale
        self.born_at = time.monotonic()
        self.etag = f'"{hashlib.sha1(head, usedforsecurity=False).hexdigest()}"'
        self._deflated: tuple[bytes, int] | None = None

    @property
    def left_s(self) -> float:
        """Seconds for which it is still fresh."""
        return self.fresh_for_s - (time.monotonic() - self.born_at)

    @property
    def age_now_s(self) -> float:
        """Age of its oldest part, in seconds."""
        return self.age_s + (time.monotonic() - self.born_at)

    @property
    def max_age_s(self) -> int:
        """Seconds that caches may keep it, counted as they count: from when its oldest part was young."""
        return int(self.age_now_s) + int(self.left_s) if self.left_s > 0 else 0

    def plain(self, tail: bytes) -> bytes:
        """The whole answer."""
        return self.head + tail

    def gzipped(self, tail: bytes) -> bytes:
        """The whole answer in one gzip member; the head was compressed once and ends on a byte (full flush)."""
        if self._deflated is None:
            packer = zlib.compressobj(LEVEL, zlib.DEFLATED, -15)
            self._deflated = (
                packer.compress(self.head) + packer.flush(zlib.Z_FULL_FLUSH),
                zlib.crc32(self.head),
            )
        deflated, crc = self._deflated
        packer = zlib.compressobj(1, zlib.DEFLATED, -15)
        end = packer.compress(tail) + packer.flush(zlib.Z_FINISH)
        size = (len(self.head) + len(tail)) & 0xFFFFFFFF
        return _GZIP_HEADER + deflated + end + struct.pack("<II", zlib.crc32(tail, crc), size)


class Answers:
    """Keeps public answers until they are no longer fresh, the least recently used go first."""

    def __init__(self, most_bytes: int = 64 << 20) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[Key, Answer] = OrderedDict()

    def find(self, key: Key) -> Answer | None:
        """A fresh answer to exactly this question."""
        answer = self._kept.get(key)
        if answer is None:
            return None
        if answer.left_s <= 0:
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return answer

    def keep(self, key: Key, answer: Answer) -> None:
        """Keep an answer; one that is no longer fresh or larger than everything allowed is not kept."""
        self._drop(key)
        if answer.left_s <= 0 or _weight(key, answer) > self._most_bytes:
            return
        self._kept[key] = answer
        self._bytes += _weight(key, answer)
        while self._bytes > self._most_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: Key) -> None:
        if (answer := self._kept.pop(key, None)) is not None:
            self._bytes -= _weight(key, answer)


def _weight(key: Key, answer: Answer) -> int:
    """Bytes that an answer may take with its compressed twin (about a third) and its key: a question of a
    megabyte may well have an answer of a line.
    """
    return len(answer.head) * 4 // 3 + 1024 + sum(map(sys.getsizeof, key))
