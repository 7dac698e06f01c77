"""ZIP and CBZ: stored pages in chapter folders, written front to back in one go.

Sizes and checksums stand before each page, where every reader finds them; Python's own writer can't do that
without going back in the file, and the hash is taken while writing. Source: APPNOTE.TXT 6.3.10 of PKWARE.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

from services.downloads.archives.book import Book, BookPage
from services.downloads.archives.comicinfo import PageSize, comic_info
from services.downloads.archives.hashed_file import HashedFile
from services.downloads.names import file_stem
from services.downloads.ports import PackedArchive
from services.imaging import sniff

LONGEST_FOLDER_BYTES = 120
"""Of a chapter's folder: with the page's name and a folder to unpack in, Windows takes 260 characters in all."""

_UTF8_NAMES = 0x0800
_STORED = 0
_TIME, _DATE = 0, 1 << 5 | 1
"""Midnight of 1 January 1980, the first moment there is: the same pages make the same file."""
_VERSION, _VERSION_64 = 20, 45
_UNIX = 3 << 8
_MODE = 0o100644 << 16
_MAX_16, _MAX_32 = 0xFFFF, 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class _Entry:
    name: bytes
    checksum: int
    size_bytes: int
    offset: int


class ZipArchive:
    """Images only, one folder a chapter: "001 The river/0001.webp"."""

    def __init__(self, path: Path, book: Book) -> None:
        self._file = HashedFile(path)
        self._entries: list[_Entry] = []
        chapters, pages = len(book.chapters), max((chapter.page_count for chapter in book.chapters), default=0)
        self._chapter_digits = max(3, len(str(max((c.index for c in book.chapters), default=chapters))))
        self._page_digits = max(4, len(str(pages)))

    def add(self, page: BookPage) -> None:
        """Append a page."""
        self._store(self._name_of(page), page.data)

    def finish(self) -> PackedArchive:
        """Write the directory."""
        start = self._file.size_bytes
        for entry in self._entries:
            self._file.write(_directory_entry(entry))
        self._file.write(_end(len(self._entries), start, self._file.size_bytes))
        return self._file.finish()

    def abandon(self) -> None:
        """Remove what was written."""
        self._file.abandon()

    def _name_of(self, page: BookPage) -> str:
        title = file_stem(page.chapter.title, "", LONGEST_FOLDER_BYTES)
        folder = f"{page.chapter.index:0{self._chapter_digits}d} {title}".rstrip()
        return f"{folder}/{page.number:0{self._page_digits}d}.{page.codec.value}"

    def _store(self, name: str, data: bytes) -> None:
        entry = _Entry(name.encode(), zlib.crc32(data), len(data), self._file.size_bytes)
        self._entries.append(entry)
        self._file.write(_local_header(entry))
        self._file.write(data)


class CbzArchive(ZipArchive):
    """The same with a ComicInfo.xml for comic readers."""

    def __init__(self, path: Path, book: Book) -> None:
        super().__init__(path, book)
        self._book = book
        self._sizes: list[PageSize] = []

    def add(self, page: BookPage) -> None:
        """Append a page."""
        super().add(page)
        kind = sniff(page.data)
        self._sizes.append(PageSize(len(page.data), kind.width if kind else 0, kind.height if kind else 0))

    def finish(self) -> PackedArchive:
        """Write ComicInfo.xml and the directory."""
        self._store("ComicInfo.xml", comic_info(self._book, self._sizes))
        return super().finish()


def _local_header(entry: _Entry) -> bytes:
    fields = (b"PK\3\4", _VERSION, _UTF8_NAMES, _STORED, _TIME, _DATE, entry.checksum)
    lengths = (entry.size_bytes, entry.size_bytes, len(entry.name), 0)
    return struct.pack("<4s5H3I2H", *fields, *lengths) + entry.name


def _directory_entry(entry: _Entry) -> bytes:
    is_far = entry.offset >= _MAX_32
    extra = struct.pack("<2HQ", 1, 8, entry.offset) if is_far else b""
    version = _VERSION_64 if is_far else _VERSION
    fields = (b"PK\1\2", _UNIX | version, version, _UTF8_NAMES, _STORED, _TIME, _DATE, entry.checksum)
    lengths = (entry.size_bytes, entry.size_bytes, len(entry.name), len(extra), 0, 0, 0, _MODE)
    offset = _MAX_32 if is_far else entry.offset
    return struct.pack("<4s6H3I5H2I", *fields, *lengths, offset) + entry.name + extra


def _end(count: int, start: int, end: int) -> bytes:
    """The end of the directory that lies from `start` to `end`, with its 64-bit form where the numbers need it."""
    tail = b""
    if count >= _MAX_16 or end >= _MAX_32:
        sizes = (44, _UNIX | _VERSION_64, _VERSION_64, 0, 0, count, count, end - start, start)
        tail = struct.pack("<4sQ2H2I4Q", b"PK\6\6", *sizes) + struct.pack("<4sIQI", b"PK\6\7", 0, end, 1)
    shown, size, offset = min(count, _MAX_16), min(end - start, _MAX_32), min(start, _MAX_32)
    return tail + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, shown, shown, size, offset, 0)
