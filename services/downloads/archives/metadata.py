"""What goes into an archive, and the interface and the file that all kinds of archives are written by."""

from __future__ import annotations

import hashlib
import io
import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

from services.downloads.ports import PackedArchive
from services.imaging import Codec

_BUFFER_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class ArchiveChapter:
    """A chapter; `index` is its 1-based position in the album, whichever chapters are packed."""

    id: str
    index: int
    title: str
    page_count: int


@dataclass(frozen=True, slots=True)
class ArchiveMetadata:
    """Metadata of the album in an archive. `tags` are translated, `url` is the album's page on the site.

    `chapters` are those in the archive, `chapter_count` is how many the album has.
    """

    title: str
    description: str
    authors: tuple[str, ...]
    characters: tuple[str, ...]
    tags: tuple[str, ...]
    url: str
    published_on: date | None
    chapters: tuple[ArchiveChapter, ...]
    site_tags: tuple[str, ...] = ()
    album_id: str = ""
    chapter_count: int = 1

    @property
    def page_count(self) -> int:
        """Pages of all packed chapters."""
        return sum(chapter.page_count for chapter in self.chapters)


@dataclass(frozen=True, slots=True)
class ArchivePage:
    """A page, `number` 1-based in its chapter. `strips`: how many it is still cut into; always 0 but in PDF."""

    chapter: ArchiveChapter
    number: int
    codec: Codec
    data: bytes
    strips: int = 0


class ArchiveWriter(Protocol):
    """Writes one archive. Not for the event loop: every call may wait for the disk."""

    def add(self, page: ArchivePage) -> None:
        """Append a page; pages come in reading order."""

    def finish(self) -> PackedArchive:
        """Complete the file and give its size and hash."""

    def abandon(self) -> None:
        """Remove what was written; harmless after `finish`."""


class ArchiveFile:
    """The file of an archive, under a temporary name until `finish`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._unfinished = path.with_name(f".{path.name}.unfinished")
        self.stream = io.BufferedRandom(io.FileIO(self._unfinished, "w+"), _BUFFER_BYTES)

    def finish(self) -> PackedArchive:
        """Flush the file to the disk, hash it, and give it its name."""
        self.stream.flush()
        os.fsync(self.stream.fileno())
        size_bytes = self.stream.seek(0, os.SEEK_END)
        self.stream.seek(0)
        sha256 = hashlib.file_digest(self.stream, "sha256").hexdigest()
        self.stream.close()
        self._unfinished.replace(self._path)
        return PackedArchive(self._path, size_bytes, sha256)

    def abandon(self) -> None:
        """Remove what was written; harmless after `finish`."""
        self.stream.close()
        self._unfinished.unlink(missing_ok=True)
