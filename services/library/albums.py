"""What is stored of the albums that somebody reads or follows, so that a list of them needs no call to the site."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import TypeVar

import msgspec
from sqlalchemy import delete, exists, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog import AlbumDetail, AlbumSummary, ChapterRef
from services.database.models import AlbumRow, ChapterRow, LibraryRow, ReadingRow, UserRow
from services.ehtag import fold, fold_many
from services.errors import Unauthenticated

T = TypeVar("T")

_MAX_VALUES = 500
"""In one statement; databases have a limit of some thousands."""


@dataclass(frozen=True, slots=True)
class StoredChapter:
    """A chapter as it is stored; `page_count` is None until somebody has read it."""

    album_id: str
    ref: ChapterRef
    page_count: int | None


def summary_of(row: AlbumRow) -> AlbumSummary:
    """The stored album as a line of a list."""
    return AlbumSummary(row.id, row.title, None if row.tags is None else tuple(row.tags))


def ref_of(row: ChapterRow) -> ChapterRef:
    """The stored chapter as its album lists it."""
    return ChapterRef(row.id, row.position, row.title)


def title_keys(text: str) -> list[str]:
    """The words of a query, in the form in which titles are searched."""
    return [key for key in fold_many(text.split()) if key]


def in_parts(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """The values in parts, each of as many as one statement takes."""
    for start in range(0, len(values), _MAX_VALUES):
        yield values[start : start + _MAX_VALUES]


def storable(text: str) -> str:
    """The text without what PostgreSQL, or UTF-8, has no place for: NUL and halves of characters."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


async def lock_user(session: AsyncSession, user_id: str) -> None:
    """Until the end of the transaction, this user's reading and library are written by it alone.

    Raises `Unauthenticated` for a user who was removed.
    """
    query = select(UserRow.id).where(UserRow.id == user_id).with_for_update(key_share=True)
    if await session.scalar(query) is None:
        raise Unauthenticated("This user does not exist any more.")


async def find_album(session: AsyncSession, album_id: str) -> tuple[AlbumSummary, Sequence[ChapterRef]] | None:
    """A stored album with its chapters; None also while its chapters are unknown."""
    row = await session.get(AlbumRow, album_id)
    if row is None or row.digest is None:
        return None
    query = select(ChapterRow).where(ChapterRow.album_id == album_id, ChapterRow.is_listed)
    chapters = await session.scalars(query.order_by(ChapterRow.position))
    return summary_of(row), [ref_of(chapter) for chapter in chapters]


async def find_chapter(session: AsyncSession, album_id: str, chapter_id: str) -> StoredChapter | None:
    """A chapter that the album is known to list."""
    row = await session.get(ChapterRow, (album_id, chapter_id))
    return StoredChapter(album_id, ref_of(row), row.page_count) if row is not None and row.is_listed else None


async def store_album(session: AsyncSession, album: AlbumDetail, now_ms: int, *, is_current: bool = False) -> None:
    """Store the album and its chapters. Those that were not there when it was looked at before are found now.

    `is_current`: the detail was read from the site just now. One from a cache may be older than what is stored: it
    only adds chapters.
    """
    row = await session.get(AlbumRow, album.id)
    digest = _digest(album)
    if row is not None and row.digest == digest:
        return
    row = await _locked_row(session, AlbumSummary(album.id, album.title))
    is_first_look = row.digest is None
    found = await _add_chapters(session, album, 0 if is_first_look else now_ms)
    if found and not is_first_look:
        row.updated_at_ms = max(row.updated_at_ms, now_ms)
        row.news_since_ms = row.news_since_ms or now_ms
    row.chapter_count = max(row.chapter_count, _last_position(album))
    if is_first_look or is_current:
        await _update(session, row, album)
    if album.has_all_chapters and (is_first_look or is_current):
        row.digest = digest
    if is_first_look:
        row.checked_at_ms = now_ms


async def store_summaries(session: AsyncSession, albums: Sequence[AlbumSummary]) -> None:
    """Store the albums of a list that are not stored yet; their chapters are unknown until they are looked at."""
    for part in in_parts(albums):
        known = set(await session.scalars(select(AlbumRow.id).where(AlbumRow.id.in_([album.id for album in part]))))
        for album in part:
            if album.id not in known:
                await _locked_row(session, album)


async def remove_unused_albums(session: AsyncSession, album_ids: Sequence[str]) -> None:
    """Delete those of these albums, some hundred at most, that nobody reads or follows."""
    is_followed = exists().where(LibraryRow.album_id == AlbumRow.id)
    is_read = exists().where(ReadingRow.album_id == AlbumRow.id)
    unused = delete(AlbumRow).where(AlbumRow.id.in_(album_ids), ~is_followed, ~is_read)
    with suppress(IntegrityError):  # somebody has begun one at this moment: then all of them stay
        async with session.begin_nested():
            await session.execute(unused.execution_options(synchronize_session=False))


async def _locked_row(session: AsyncSession, album: AlbumSummary) -> AlbumRow:
    """The album's row, added where there is none, and locked until the end of the transaction."""
    query = select(AlbumRow).where(AlbumRow.id == album.id).with_for_update()
    row = await session.scalar(query.execution_options(populate_existing=True))
    if row is not None:
        return row
    row = AlbumRow(
        id=album.id,
        title=storable(album.title),
        title_key=_title_key(album.title),
        tags=None if album.tags is None else [storable(tag) for tag in album.tags],
        chapter_count=0,
        updated_at_ms=0,
    )
    try:
        async with session.begin_nested():
            session.add(row)
    except IntegrityError:  # somebody else was first, and has committed by now
        return (await session.scalars(query)).one()
    return row


async def _add_chapters(session: AsyncSession, album: AlbumDetail, found_at_ms: int) -> int:
    """Store the chapters that are not stored yet of an album, whose row is locked; how many they are."""
    known = set(await session.scalars(select(ChapterRow.id).where(ChapterRow.album_id == album.id)))
    new = [chapter for chapter in album.chapters if chapter.id not in known]
    session.add_all(_chapter_row(album.id, chapter, found_at_ms) for chapter in new)
    await session.flush()
    return len(new)


async def _update(session: AsyncSession, row: AlbumRow, album: AlbumDetail) -> None:
    """Bring a locked row, and the chapters that are stored, up to date with the album."""
    listed = {chapter.id: chapter for chapter in album.chapters}
    for chapter in await session.scalars(select(ChapterRow).where(ChapterRow.album_id == album.id)):
        if chapter.id in listed:
            chapter.position, chapter.title = listed[chapter.id].index, storable(listed[chapter.id].title)
            chapter.is_listed = True
        elif album.has_all_chapters:
            chapter.is_listed = False
    row.title, row.title_key = storable(album.title), _title_key(album.title)
    row.tags = [storable(tag) for tag in album.tags]
    row.updated_at_ms = max(row.updated_at_ms, _day_ms(album.updated_on or album.published_on))
    if album.has_all_chapters:
        row.chapter_count = _last_position(album)


def _last_position(album: AlbumDetail) -> int:
    return max((chapter.index for chapter in album.chapters), default=0)


def _chapter_row(album_id: str, chapter: ChapterRef, found_at_ms: int) -> ChapterRow:
    return ChapterRow(
        album_id=album_id,
        id=chapter.id,
        position=chapter.index,
        title=storable(chapter.title),
        is_listed=True,
        found_at_ms=found_at_ms,
        is_told=found_at_ms == 0,
    )


def _digest(album: AlbumDetail) -> bytes:
    """Of all that `store_album` stores, and of nothing that changes more often."""
    stored = (
        album.title,
        album.tags,
        album.updated_on,
        [(each.id, each.index, each.title) for each in album.chapters],
    )
    return hashlib.sha256(msgspec.msgpack.encode(stored)).digest()


def _title_key(title: str) -> str:
    return fold(storable(title))


def _day_ms(day: date | None) -> int:
    return 0 if day is None else int(datetime.combine(day, time(), UTC).timestamp() * 1000)
