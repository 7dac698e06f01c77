"""Chapters: one call to the catalog."""

from __future__ import annotations

from resolvers.context import Context
from services.catalog import ChapterDetail
from services.errors import ChapterNotFound


async def detail(context: Context, id: str) -> ChapterDetail:
    """The chapter with its pages; raises `ChapterNotFound` when it has gone."""
    if (record := await context.loaders.chapter_of.load(id)) is None:
        raise ChapterNotFound(id)
    return record
