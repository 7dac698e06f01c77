"""What goes into an archive, and the one shape that all kinds of archives are written by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from services.downloads.ports import PackedArchive
from services.imaging import Codec


@dataclass(frozen=True, slots=True)
class ArchiveChapter:
    """A chapter; `index` is its 1-based place in the album, whichever chapters are packed."""

    id: str
    index: int
    title: str
    page_count: int


@dataclass(frozen=True, slots=True)
class ArchiveMetadata:
    """What is told of an album inside its archive. `tags` in the words of readers, `url` its page on the site."""

    title: str
    description: str
    authors: tuple[str, ...]
    characters: tuple[str, ...]
    tags: tuple[str, ...]
    url: str
    published_on: date | None
    chapters: tuple[ArchiveChapter, ...]
    site_tags: tuple[str, ...] = ()

    @property
    def page_count(self) -> int:
        """Pages of all packed chapters."""
        return sum(chapter.page_count for chapter in self.chapters)


@dataclass(frozen=True, slots=True)
class ArchivePage:
    """A page with its place, `number` 1-based in its chapter. `strips` is what it is still cut into: 0 but in PDF."""

    chapter: ArchiveChapter
    number: int
    codec: Codec
    data: bytes
    strips: int = 0


class ArchiveWriter(Protocol):
    """Writes one archive. Not for the event loop: every call may wait for the disk."""

    def add(self, page: ArchivePage) -> None:
        """Append a page; pages come in reading order."""
        ...

    def finish(self) -> PackedArchive:
        """Complete the file and give its size and hash."""
        ...

    def abandon(self) -> None:
        """Remove what was written; harmless after `finish`."""
        ...
