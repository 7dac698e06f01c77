"""Records of the ZIP format: what stands before each file, in the directory and at its end.

Source: APPNOTE.TXT 6.3.10 of PKWARE.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

_UTF8_NAMES = 0x0800
_STORED = 0
_TIME, _DATE = 0, 1 << 5 | 1
"""Midnight of 1 January 1980, the first moment there is: the same pages make the same file."""
_VERSION, _VERSION_64 = 20, 45
_UNIX = 3 << 8
_MODE = 0o100644 << 16
_MAX_16, _MAX_32 = 0xFFFF, 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Entry:
    """A stored file; `offset` is that of its local header."""

    name: bytes
    checksum: int
    size_bytes: int
    offset: int


def local_header(entry: Entry) -> bytes:
    """What stands before the file's bytes."""
    fields = (b"PK\3\4", _VERSION, _UTF8_NAMES, _STORED, _TIME, _DATE, entry.checksum)
    lengths = (entry.size_bytes, entry.size_bytes, len(entry.name), 0)
    return struct.pack("<4s5H3I2H", *fields, *lengths) + entry.name


def directory_entry(entry: Entry) -> bytes:
    """The file's line in the directory."""
    is_far = entry.offset >= _MAX_32
    extra = struct.pack("<2HQ", 1, 8, entry.offset) if is_far else b""
    version = _VERSION_64 if is_far else _VERSION
    fields = (b"PK\1\2", _UNIX | version, version, _UTF8_NAMES, _STORED, _TIME, _DATE, entry.checksum)
    lengths = (entry.size_bytes, entry.size_bytes, len(entry.name), len(extra), 0, 0, 0, _MODE)
    offset = _MAX_32 if is_far else entry.offset
    return struct.pack("<4s6H3I5H2I", *fields, *lengths, offset) + entry.name + extra


def end_of_directory(count: int, start: int, end: int) -> bytes:
    """The end of the directory that lies from `start` to `end`, with its 64-bit form where the numbers need it."""
    tail = b""
    if count >= _MAX_16 or end >= _MAX_32:
        sizes = (44, _UNIX | _VERSION_64, _VERSION_64, 0, 0, count, count, end - start, start)
        tail = struct.pack("<4sQ2H2I4Q", b"PK\6\6", *sizes) + struct.pack("<4sIQI", b"PK\6\7", 0, end, 1)
    shown, size, offset = min(count, _MAX_16), min(end - start, _MAX_32), min(start, _MAX_32)
    return tail + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, shown, shown, size, offset, 0)
