"""How far the viewer has read: reports, marks, history."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from resolvers.context import ID, Context
from services.catalog import AlbumSummary, ChapterRef, parse_album_id
from services.people import ProgressRecord, ReadingPage


@dataclass(frozen=True, slots=True)
class MarkedChapters:
    """Chapters of an album that were marked as read or unread."""

    album: AlbumSummary
    chapters: Sequence[ChapterRef]
    is_read: bool


async def set_reading_progress(
    context: Context,
    album_id: ID,
    chapter_id: ID,
    page: int,
    device: str | None = None,
    read_at: datetime | None = None,
) -> ProgressRecord:
    """Reports that this page was read; returns the progress of the chapter after that. Of two reports the one that
    was read later counts, whatever order they come in. The last page finishes the chapter.
    """
    return await context.services.reading.report(
        context.require_viewer().user.id,
        parse_album_id(album_id, "albumId"),
        parse_album_id(chapter_id, "chapterId"),
        page,
        device=device,
        read_at=read_at,
    )


async def set_chapters_read(
    context: Context, album_id: ID, *, is_read: bool, chapter_ids: list[ID] | None = None
) -> MarkedChapters:
    """Marks chapters of an album as read or unread; all of them without chapterIds."""
    chosen = None if chapter_ids is None else [parse_album_id(id, "chapterIds") for id in chapter_ids]
    user_id = context.require_viewer().user.id
    album, chapters = await context.services.reading.set_read(
        user_id, parse_album_id(album_id, "albumId"), chosen, is_read=is_read
    )
    return MarkedChapters(album, chapters, is_read)


async def delete_history(context: Context, album_ids: list[ID] | None = None) -> int:
    """Deletes all that is known of your reading of these albums, or, without albumIds, of all; how many albums left
    the history. Where you read them is forgotten too.
    """
    chosen = None if album_ids is None else [parse_album_id(id, "albumIds") for id in album_ids]
    return await context.services.reading.delete_history(context.require_viewer().user.id, chosen)


async def history(context: Context, first: int, after: str | None) -> ReadingPage:
    """A page of the viewer's history."""
    return await context.services.reading.showing(context.catalog).history(
        context.require_viewer().user.id, first, after
    )


async def continue_reading(context: Context, first: int) -> Sequence[ProgressRecord]:
    """Where the viewer may read on."""
    return await context.services.reading.showing(context.catalog).continue_reading(
        context.require_viewer().user.id, first
    )


async def album_progress(context: Context, album_id: str) -> ProgressRecord | None:
    """The viewer's last progress of an album; None for who is no person."""
    viewer = context.viewer
    return None if viewer is None else await context.loaders.album_progress_of.load((viewer.user.id, album_id))


async def chapter_progress(context: Context, chapter_id: str) -> ProgressRecord | None:
    """The viewer's progress of a chapter; None for who is no person."""
    viewer = context.viewer
    return None if viewer is None else await context.loaders.chapter_progress_of.load((viewer.user.id, chapter_id))
