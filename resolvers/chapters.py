"""Chapters: one call to the catalog."""

from __future__ import annotations

from resolvers.context import Context
from services.catalog import ChapterDetail, ChapterRef, parse_album_id
from services.errors import ChapterNotFound


async def find(context: Context, id: str) -> ChapterRef | None:
    """The chapter of this number as its album lists it, None when the site has none."""
    catalog = context.services.catalog
    chapter = await catalog.find_chapter(parse_album_id(id))
    album = await catalog.find_album(chapter.album_id) if chapter else None
    return next((ref for ref in album.chapters if chapter and ref.id == chapter.id), None) if album else None


async def detail(context: Context, id: str) -> ChapterDetail:
    """The chapter with its pages; raises `ChapterNotFound` when it has gone."""
    if (record := await context.loaders.chapter_of.load(id)) is None:
        raise ChapterNotFound(id)
    return record
