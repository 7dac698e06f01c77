"""Records of the library. Frozen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.catalog import AlbumSummary, ChapterRef


class LibraryOrder(StrEnum):
    """Order of the entries of a library."""

    ADDED = "ADDED"
    UPDATED = "UPDATED"
    READ = "READ"
    TITLE = "TITLE"


@dataclass(frozen=True, slots=True)
class LibraryRecord:
    """An album that a person keeps an eye on.

    `last_checked_at` is None until its chapters were looked at, `last_error` says in words why that failed last.
    """

    album: AlbumSummary
    added_at: datetime
    auto_download: bool
    notify: bool
    last_checked_at: datetime | None
    last_error: str | None


@dataclass(frozen=True, slots=True)
class UnreadChapters:
    """What a person has not read of an album: how many chapters, and those that are new, in reading order."""

    count: int
    new: tuple[ChapterRef, ...]


@dataclass(frozen=True, slots=True)
class LibraryPage:
    """A page of a library; cursors are opaque, and hold for the order they were made in."""

    items: tuple[LibraryRecord, ...]
    cursors: tuple[str, ...]
    has_next: bool
    has_previous: bool
    total: int


@dataclass(frozen=True, slots=True)
class AddedAlbums:
    """How many of many albums were added, and how many were there before."""

    added: int
    already: int
