"""What an OPDS feed has, whichever version it is written in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

UNKNOWN_DAY = date(1970, 1, 1)
"""Of an album that the site gives no day for; a feed must give one, and the same each time."""
FIRST_PAGE = 1


@dataclass(frozen=True, slots=True)
class File:
    """A file to download: its path on this server, as segments, media type and size."""

    segments: tuple[str, ...]
    media_type: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Stream:
    """A chapter whose pages can be read one by one. `last_read` is 1-based; None for who has not begun."""

    chapter_id: str
    page_count: int
    last_read: int | None = None
    last_read_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a feed: a publication where it has a `stream`, else a way to the feed at `path`.

    `urn` is the same for the same thing in every feed: "urn:jmgraph:album:350234". `cover_id` is the album whose
    cover it has.
    """

    urn: str
    title: str
    updated: date = UNKNOWN_DAY
    path: str = ""
    summary: str = ""
    authors: Sequence[str] = ()
    categories: Sequence[str] = ()
    cover_id: str | None = None
    stream: Stream | None = None
    files: Sequence[File] = ()


@dataclass(frozen=True, slots=True)
class Feed:
    """A page of a feed. `path` and `up` are paths below the catalogue's root, "" for the root: "/rankings/week".

    `query` is what was searched for, None for a feed that is no search. `is_navigation`: its entries lead to feeds.
    """

    urn: str
    title: str
    path: str
    entries: Sequence[Entry]
    up: str = ""
    page: int = FIRST_PAGE
    has_next: bool = False
    query: str | None = None
    total: int | None = None
    is_navigation: bool = False
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def updated(self) -> datetime:
        """When the newest of its entries was updated; the beginning of today where none has a day."""
        newest = max((entry.updated for entry in self.entries), default=UNKNOWN_DAY)
        return moment(newest if newest > UNKNOWN_DAY else datetime.now(UTC).date())


def moment(day: date) -> datetime:
    """The beginning of a day in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
