"""Reading: how far the viewer has read, history, and where to read on."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

import strawberry

import resolvers.reading
from schema.album_parts import Chapter
from schema.albums import Album
from schema.errors import (
    AlbumNotFoundResult,
    BlockedByPolicyResult,
    ChapterNotFoundResult,
    InvalidInputResult,
    UpstreamFailureResult,
)
from schema.fields import PageInfo, field, input_type, object_type
from services import people


@object_type
class ReadingProgress:
    """How far you have read a chapter."""

    album: Album = strawberry.field(description="The album.")
    chapter: Chapter = strawberry.field(description="The chapter.")
    page: int = strawberry.field(description="1-based; the last page finishes the chapter.")
    page_count: int = strawberry.field(
        description="Pages of the chapter, as they were counted when it was read. A chapter that was marked as read, "
        "and that nobody has opened, may be one page of one."
    )
    is_finished: bool = strawberry.field(description="True when it was read to its last page, or marked as read.")
    read_at: datetime = strawberry.field(description="When this page was read, or the chapter marked.")
    device: str | None = strawberry.field(description="The device that reported it, if it said so.")

    @classmethod
    def of(cls, record: people.ProgressRecord) -> Self:
        """The view of the progress of a chapter."""
        return cls(
            album=Album.of(record.album),
            chapter=Chapter.of(record.chapter, record.album.id),
            page=record.page,
            page_count=record.page_count,
            is_finished=record.is_finished,
            read_at=record.read_at,
            device=record.device,
        )


@object_type
class ReadingEdge:
    """An album of the history and its cursor."""

    cursor: str = strawberry.field(description="Opaque; goes into `after`.")
    node: ReadingProgress = strawberry.field(description="Where it was read last.")


@object_type
class ReadingConnection:
    """A page of the history: each album once, where it was read last."""

    edges: list[ReadingEdge] = strawberry.field(description="Albums with cursors, newest first.")
    page_info: PageInfo = strawberry.field(description="Where this page stands.")
    total_count: int = strawberry.field(description="Albums over all pages.")

    @field
    def nodes(self) -> list[ReadingProgress]:
        """The albums, without cursors."""
        return [edge.node for edge in self.edges]

    @classmethod
    def of(cls, page: people.ReadingPage) -> Self:
        """The view of a page of the history."""
        edges = [
            ReadingEdge(cursor=cursor, node=ReadingProgress.of(record))
            for cursor, record in zip(page.cursors, page.items, strict=True)
        ]
        return cls(
            edges=edges,
            page_info=PageInfo.of(page.cursors, has_next=page.has_next, has_previous=page.has_previous),
            total_count=page.total,
        )


@object_type
class ChaptersRead:
    """Chapters that were marked as read or unread."""

    album: Album = strawberry.field(description="Their album.")
    chapters: list[Chapter] = strawberry.field(description="The chapters.")
    is_read: bool = strawberry.field(description="As what they were marked.")

    @classmethod
    def of(cls, record: resolvers.reading.MarkedChapters) -> Self:
        """The view of marked chapters."""
        chapters = [Chapter.of(chapter, record.album.id) for chapter in record.chapters]
        return cls(album=Album.of(record.album), chapters=chapters, is_read=record.is_read)


@input_type
class SetReadingProgressInput:
    """A page that was read."""

    album_id: strawberry.ID = strawberry.field(description="The album, which lists the chapter.")
    chapter_id: strawberry.ID = strawberry.field(description="The chapter.")
    page: int = strawberry.field(description="1-based.")
    device: str | None = strawberry.field(
        default=strawberry.UNSET, description="Which device it was read on, for the reader: at most 100 characters."
    )
    read_at: datetime | None = strawberry.field(
        default=strawberry.UNSET,
        description="When, for what a device reports later; now when left out. What lies in the future, by a clock "
        "that is ahead, is now.",
    )


SetReadingProgressResult = Annotated[
    ReadingProgress | ChapterNotFoundResult | InvalidInputResult,
    strawberry.union("SetReadingProgressResult", description="The progress of the chapter, or why there is none."),
]
SetChaptersReadResult = Annotated[
    ChaptersRead
    | AlbumNotFoundResult
    | ChapterNotFoundResult
    | InvalidInputResult
    | BlockedByPolicyResult
    | UpstreamFailureResult,
    strawberry.union("SetChaptersReadResult", description="The marked chapters, or why none was marked."),
]
