"""How far people have read: reports of their devices, history, and where to read on."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cachetools import LRUCache
from sqlalchemy import Select, and_, delete, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog import AlbumDetail, AlbumSummary, Catalog, ChapterDetail, ChapterRef
from services.cursors import check_first, decode_cursor, encode_cursor, read_page
from services.database import Database
from services.database.models import AlbumReadingRow, AlbumRow, ChapterRow, ReadingRow
from services.errors import (
    AlbumNotFound,
    BlockedByPolicy,
    ChapterNotFound,
    InvalidInput,
    JmgraphError,
    UpstreamFailure,
)
from services.library import (
    StoredChapter,
    find_album,
    find_chapter,
    in_parts,
    lock_user,
    ref_of,
    remove_unused_albums,
    store_album,
    summary_of,
)
from services.people.records import ProgressRecord, ReadingPage, milliseconds, moment

CURSOR_PREFIX = "reading:"
"""After it come the time and the album of the last entry: "1764201600000:350234"."""
LONGEST_DEVICE = 100
MAX_SEEN = 4096
"""Chapters in this process that somebody reads."""
MAX_COUNTED = 20
"""Chapters marked as read whose pages are counted, a call to the site each where nobody has read them."""


@dataclass(frozen=True, slots=True)
class _Report:
    """A report of a device, checked."""

    page: int
    read_at_ms: int
    device: str | None


class Reading:
    """The progress of people, by their user id. Every call raises `StorageUnavailable` while the database is away."""

    def __init__(self, database: Database, catalog: Catalog, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._catalog = catalog
        self._clock = clock
        self._seen: LRUCache[tuple[str, str], StoredChapter] = LRUCache(MAX_SEEN)

    def showing(self, catalog: Catalog) -> Reading:
        """The same, without the albums that this catalog does not have: that of a person with blocked tags."""
        if catalog is self._catalog:
            return self
        showing = copy(self)
        showing._catalog = catalog
        return showing

    async def report(
        self,
        user_id: str,
        album_id: str,
        chapter_id: str,
        page: int,
        *,
        device: str | None = None,
        read_at: datetime | None = None,
    ) -> ProgressRecord:
        """Note that this page was read, at `read_at` or now; the progress of the chapter after that.

        Of two reports the one that was read later counts, whichever comes first; what comes from a clock that is
        ahead counts as read now. A report that an older mark as unread outdates is returned as it came.

        Raises `InvalidInput` for a page that the chapter does not have, `ChapterNotFound` also where the album does
        not list it, and `UpstreamFailure` where the site fails and nobody has read the chapter before.
        """
        if page < 1:
            raise InvalidInput("page", "Pages are counted from 1.")
        report = _Report(page, self._read_at_ms(read_at), _parse_device(device))
        stored = await self._find_stored(album_id, chapter_id)
        if stored is not None and await self._is_certain(stored, page):
            saved = await self._save(user_id, stored, report)
            if saved is not None:
                return saved
        chapter, album = await self._look_up(album_id, chapter_id, stored)
        if page > (chapter.page_count or 0):
            raise InvalidInput("page", f"This chapter has {chapter.page_count} pages.")
        saved = await self._save(user_id, chapter, report, album)
        if saved is None:
            raise ChapterNotFound(chapter_id)
        return saved

    async def set_read(
        self, user_id: str, album_id: str, chapter_ids: Sequence[str] | None, *, is_read: bool
    ) -> tuple[AlbumSummary, Sequence[ChapterRef]]:
        """Mark chapters of an album as read or unread, all of them for None; the album and those chapters.

        Raises `AlbumNotFound`, `BlockedByPolicy`, `ChapterNotFound`, and `UpstreamFailure` where the site fails and
        the album is not stored.
        """
        album, listed, detail = await self._find_listed(album_id)
        chapters = _chosen(listed, chapter_ids)
        counts = await self._page_counts(album.id, chapters, detail) if is_read else {}
        now_ms = self._now_ms()
        async with self._database.write() as session:
            await lock_user(session, user_id)
            if detail is not None:
                await store_album(session, detail, now_ms)
            row_of = await _rows_of(session, user_id, [chapter.id for chapter in chapters])
            for id in (chapter.id for chapter in chapters):
                row = row_of.get(id) or ReadingRow(user_id=user_id, chapter_id=id)
                row.album_id, row.is_finished, row.read_at_ms, row.device = album.id, is_read, now_ms, None
                row.page_count = counts.get(id, 0)
                row.page = max(row.page_count, 1) if is_read else 0
                session.add(row)
            await session.flush()
            await _refresh_album(session, user_id, album.id)
        return album, chapters

    async def delete_history(self, user_id: str, album_ids: Sequence[str] | None = None) -> int:
        """Delete all that is known of the reading of these albums, or of all; how many albums were in the history."""
        async with self._database.write() as session:
            await lock_user(session, user_id)
            if album_ids is None:
                album_ids = (await session.scalars(_albums_read_by(user_id))).all()
            deleted = 0
            for part in in_parts(sorted(set(album_ids))):
                entries = select(func.count()).select_from(AlbumReadingRow)
                is_theirs = and_(AlbumReadingRow.user_id == user_id, AlbumReadingRow.album_id.in_(part))
                deleted += await session.scalar(entries.where(is_theirs)) or 0
                progress = delete(ReadingRow).where(ReadingRow.user_id == user_id, ReadingRow.album_id.in_(part))
                await session.execute(progress)
                await remove_unused_albums(session, part)
        return deleted

    async def history(self, user_id: str, first: int, after: str | None = None) -> ReadingPage:
        """The last progress of each album, newest first, without what the policy blocks (`total` counts it).

        Raises `InvalidInput` ("first", "after").
        """
        check_first(first)
        is_theirs = AlbumReadingRow.user_id == user_id
        query = _progress_of_albums().where(is_theirs).order_by(*_NEWEST_FIRST)

        async def read(position: tuple[int, str] | None, count: int) -> Sequence[ProgressRecord]:
            page = query if position is None else query.where(tuple_(*_READ_AT_AND_ALBUM) < position)
            async with self._database.read() as session:
                return [_progress_of(*row) for row in await session.execute(page.limit(count))]

        position = None if after is None else _parsed_cursor(after)
        items, has_next = await read_page(read, self._shown, _position_of, first, position)
        async with self._database.read() as session:
            total = await session.scalar(select(func.count()).select_from(AlbumReadingRow).where(is_theirs))
        return ReadingPage(
            items=tuple(items),
            cursors=tuple(_cursor_of(*_position_of(item)) for item in items),
            has_next=has_next,
            has_previous=after is not None,
            total=total or 0,
        )

    async def continue_reading(self, user_id: str, first: int) -> Sequence[ProgressRecord]:
        """The last progress of each album that is not read to its end, newest first.

        Of those are albums whose chapter is not finished, and those that have chapters after it. Raises
        `InvalidInput` ("first").
        """
        check_first(first)
        is_open = or_(ReadingRow.is_finished.is_(False), AlbumRow.chapter_count > ChapterRow.position)
        query = _progress_of_albums().where(AlbumReadingRow.user_id == user_id, is_open)
        async with self._database.read() as session:
            rows = (await session.execute(query.order_by(*_NEWEST_FIRST).limit(first))).all()
        return await self._shown([_progress_of(*row) for row in rows])

    async def of_albums(self, user_id: str, album_ids: Sequence[str]) -> dict[str, ProgressRecord]:
        """The last progress of each of these albums, by the album; in one query."""
        query = _progress_of_albums().where(AlbumReadingRow.user_id == user_id)
        async with self._database.read() as session:
            rows = (await session.execute(query.where(AlbumReadingRow.album_id.in_(album_ids)))).all()
        found = [_progress_of(*row) for row in rows]
        return {progress.album.id: progress for progress in found}

    async def of_chapters(self, user_id: str, chapter_ids: Sequence[str]) -> dict[str, ProgressRecord]:
        """The progress of each of these chapters, by the chapter; in one query."""
        query = _progress().where(ReadingRow.user_id == user_id, ReadingRow.page > 0)
        async with self._database.read() as session:
            rows = (await session.execute(query.where(ReadingRow.chapter_id.in_(chapter_ids)))).all()
        found = [_progress_of(*row) for row in rows]
        return {progress.chapter.id: progress for progress in found}

    async def _find_stored(self, album_id: str, chapter_id: str) -> StoredChapter | None:
        """The chapter, where the album is known to list it."""
        if (seen := self._seen.get((album_id, chapter_id))) is not None:
            return seen
        async with self._database.read() as session:
            return await find_chapter(session, album_id, chapter_id)

    async def _is_certain(self, stored: StoredChapter, page: int) -> bool:
        """Whether what is stored of a chapter is enough for a report: its last page may have moved since then."""
        if stored.page_count is None or page >= stored.page_count:
            return False
        try:
            await self._catalog.check_album(stored.album_id)
        except (AlbumNotFound, BlockedByPolicy):
            raise ChapterNotFound(stored.ref.id) from None
        except UpstreamFailure:
            return True
        return True

    async def _look_up(
        self, album_id: str, chapter_id: str, stored: StoredChapter | None
    ) -> tuple[StoredChapter, AlbumDetail | None]:
        """The chapter with its pages as the site shows it, and its album; as it is stored where the site fails."""
        try:
            album = await self._catalog.find_album(album_id)
            if album is None:
                raise ChapterNotFound(chapter_id)
            known = stored.ref if stored is not None else None  # the album in the cache may be older
            ref = next((chapter for chapter in album.chapters if chapter.id == chapter_id), known)
            if ref is None:
                raise ChapterNotFound(chapter_id)
            page_count = await self._count_pages(album.id, chapter_id)
        except UpstreamFailure:
            if stored is None or not stored.page_count:
                raise
            return stored, None
        return StoredChapter(album.id, ref, page_count), album

    async def _count_pages(self, album_id: str, chapter_id: str) -> int:
        """The number of pages of a chapter that the album lists."""
        (detail,) = await self._catalog.find_chapters([chapter_id], album_id)
        if isinstance(detail, JmgraphError):
            raise detail
        if detail is None:
            raise ChapterNotFound(chapter_id)
        return len(detail.page_names)

    async def _save(
        self, user_id: str, chapter: StoredChapter, report: _Report, album: AlbumDetail | None = None
    ) -> ProgressRecord | None:
        """Store a report, unless a later one is there; None where the album is stored no longer."""
        async with self._database.write() as session:
            await lock_user(session, user_id)
            if album is not None:
                await store_album(session, album, self._now_ms())
            found = (await session.execute(_known(user_id, chapter))).one_or_none()
            if found is None:
                self._seen.pop((chapter.album_id, chapter.ref.id), None)
                return None
            album_row, chapter_row, row, last = found
            if chapter_row.page_count != chapter.page_count:
                chapter_row.page_count = chapter.page_count
            self._seen[chapter.album_id, chapter.ref.id] = chapter
            if row is None or (report.read_at_ms, report.page) > (row.read_at_ms, row.page):
                row = _reported(row, user_id, chapter, report)
                session.add(row)
                await session.flush()  # the album's last progress refers to it
                if last is not None and last.read_at_ms < report.read_at_ms:
                    last.chapter_id, last.read_at_ms = row.chapter_id, row.read_at_ms
                else:
                    await _refresh_album(session, user_id, chapter.album_id)
            elif row.page == 0:
                row = _reported(None, user_id, chapter, report)
            return _progress_of(row, album_row, chapter_row)

    async def _find_listed(self, album_id: str) -> tuple[AlbumSummary, Sequence[ChapterRef], AlbumDetail | None]:
        """An album, its chapters, and its detail; as they are stored, without the detail, where the site fails.

        Chapters are also those that were seen after the detail was cached.
        """
        try:
            detail = await self._catalog.get_album(album_id)
        except UpstreamFailure:
            if (stored := await self._stored_album(album_id)) is None:
                raise
            return *stored, None
        _, known = await self._stored_album(detail.id) or (None, ())
        chapter_of = {chapter.id: chapter for chapter in (*known, *detail.chapters)}
        return AlbumSummary(detail.id, detail.title, detail.tags), tuple(chapter_of.values()), detail

    async def _stored_album(self, album_id: str) -> tuple[AlbumSummary, Sequence[ChapterRef]] | None:
        async with self._database.read() as session:
            return await find_album(session, album_id)

    async def _page_counts(
        self, album_id: str, chapters: Sequence[ChapterRef], detail: AlbumDetail | None
    ) -> dict[str, int]:
        """The number of pages of these chapters, where it is known or quickly counted."""
        if detail is not None and len(detail.chapters) == 1:
            return {detail.chapters[0].id: detail.page_count}
        query = select(ChapterRow.id, ChapterRow.page_count).where(ChapterRow.album_id == album_id)
        async with self._database.read() as session:
            rows = await session.execute(query.where(ChapterRow.page_count.is_not(None)))
            known: dict[str, int] = {row.id: row.page_count for row in rows}
        unknown = [chapter.id for chapter in chapters if chapter.id not in known][:MAX_COUNTED]
        if detail is not None and unknown:
            for chapter in await self._catalog.find_chapters(unknown, album_id):
                if isinstance(chapter, ChapterDetail):
                    known[chapter.id] = len(chapter.page_names)
        return known

    async def _shown(self, found: Sequence[ProgressRecord]) -> Sequence[ProgressRecord]:
        """Without what the policy blocks."""
        shown = {album.id for album in await self._catalog.listable([progress.album for progress in found])}
        return [progress for progress in found if progress.album.id in shown]

    def _read_at_ms(self, read_at: datetime | None) -> int:
        """The time of a report; never in the future, nor before 1970. A time without a zone is UTC."""
        now_ms = self._now_ms()
        if read_at is None:
            return now_ms
        return min(max(0, milliseconds(read_at)), now_ms)

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)


_READ_AT_AND_ALBUM = (AlbumReadingRow.read_at_ms, AlbumReadingRow.album_id)
_NEWEST_FIRST = (AlbumReadingRow.read_at_ms.desc(), AlbumReadingRow.album_id.desc())


def _albums_read_by(user_id: str) -> Select[str]:
    return select(ReadingRow.album_id).where(ReadingRow.user_id == user_id).distinct()


async def _rows_of(session: AsyncSession, user_id: str, chapter_ids: Sequence[str]) -> dict[str, ReadingRow]:
    """What is stored of the user's reading of these chapters, by the chapter."""
    found: dict[str, ReadingRow] = {}
    for part in in_parts(chapter_ids):
        query = select(ReadingRow).where(ReadingRow.user_id == user_id, ReadingRow.chapter_id.in_(part))
        found.update({row.chapter_id: row for row in await session.scalars(query)})
    return found


async def _refresh_album(session: AsyncSession, user_id: str, album_id: str) -> None:
    """Bring the user's last progress of an album up to date with that of its chapters."""
    newest = (
        select(ReadingRow.chapter_id, ReadingRow.read_at_ms)
        .outerjoin(ChapterRow, and_(ChapterRow.album_id == album_id, ChapterRow.id == ReadingRow.chapter_id))
        .where(ReadingRow.user_id == user_id, ReadingRow.album_id == album_id, ReadingRow.page > 0)
        .order_by(ReadingRow.read_at_ms.desc(), func.coalesce(ChapterRow.position, 0).desc())
        .limit(1)
    )
    found = (await session.execute(newest)).one_or_none()
    row = await session.get(AlbumReadingRow, (user_id, album_id))
    if found is None:
        if row is not None:
            await session.delete(row)
        return
    if row is None:
        row = AlbumReadingRow(user_id=user_id, album_id=album_id)
        session.add(row)
    row.chapter_id, row.read_at_ms = found.chapter_id, found.read_at_ms


def _known(user_id: str, chapter: StoredChapter) -> Select[*tuple[Any, ...]]:
    """The album and the chapter as they are stored, and the user's progress of both, None without one."""
    is_theirs = and_(ReadingRow.user_id == user_id, ReadingRow.chapter_id == ChapterRow.id)
    is_last = and_(AlbumReadingRow.user_id == user_id, AlbumReadingRow.album_id == AlbumRow.id)
    return (
        select(AlbumRow, ChapterRow, ReadingRow, AlbumReadingRow)
        .join(ChapterRow, ChapterRow.album_id == AlbumRow.id)
        .outerjoin(ReadingRow, is_theirs)
        .outerjoin(AlbumReadingRow, is_last)
        .where(AlbumRow.id == chapter.album_id, ChapterRow.id == chapter.ref.id)
    )


def _progress() -> Select[*tuple[Any, ...]]:
    """Progress of chapters, with their albums."""
    is_chapter = and_(ChapterRow.album_id == ReadingRow.album_id, ChapterRow.id == ReadingRow.chapter_id)
    return (
        select(ReadingRow, AlbumRow, ChapterRow)
        .join(AlbumRow, AlbumRow.id == ReadingRow.album_id)
        .outerjoin(ChapterRow, is_chapter)
    )


def _progress_of_albums() -> Select[*tuple[Any, ...]]:
    """The last progress of each album, with the album."""
    is_last = and_(
        ReadingRow.user_id == AlbumReadingRow.user_id,
        ReadingRow.chapter_id == AlbumReadingRow.chapter_id,
        ReadingRow.album_id == AlbumReadingRow.album_id,
    )
    return _progress().join(AlbumReadingRow, is_last)


def _progress_of(row: ReadingRow, album: AlbumRow, chapter: ChapterRow | None) -> ProgressRecord:
    """The progress in a row; a chapter whose pages nobody has counted has the one that is marked."""
    return ProgressRecord(
        album=summary_of(album),
        chapter=ref_of(chapter) if chapter is not None else ChapterRef(row.chapter_id, 1, ""),
        page=row.page,
        page_count=max(row.page_count, row.page),
        is_finished=row.is_finished,
        read_at=moment(row.read_at_ms),
        device=row.device,
    )


def _reported(row: ReadingRow | None, user_id: str, chapter: StoredChapter, report: _Report) -> ReadingRow:
    """The row, or a new one, as the report says."""
    row = row or ReadingRow(user_id=user_id, chapter_id=chapter.ref.id)
    row.album_id = chapter.album_id
    row.page, row.page_count = report.page, chapter.page_count or 0
    row.is_finished = report.page >= row.page_count
    row.read_at_ms, row.device = report.read_at_ms, report.device
    return row


def _chosen(listed: Sequence[ChapterRef], chapter_ids: Sequence[str] | None) -> Sequence[ChapterRef]:
    """The chapters of these numbers, all for None. Raises `ChapterNotFound` for one that is not listed."""
    if chapter_ids is None:
        return listed
    chapter_of = {chapter.id: chapter for chapter in listed}
    for id in chapter_ids:
        if id not in chapter_of:
            raise ChapterNotFound(id)
    return [chapter_of[id] for id in dict.fromkeys(chapter_ids)]


def _parse_device(device: str | None) -> str | None:
    name = " ".join((device or "").split())
    if len(name) > LONGEST_DEVICE:
        raise InvalidInput("device", f"The name of a device has at most {LONGEST_DEVICE} characters.")
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in name):
        raise InvalidInput("device", "The name of a device has no control characters.")
    return name or None


def _position_of(progress: ProgressRecord) -> tuple[int, str]:
    """Where an entry stands in the history."""
    return milliseconds(progress.read_at), progress.album.id


def _cursor_of(read_at_ms: int, album_id: str) -> str:
    return encode_cursor(CURSOR_PREFIX, f"{read_at_ms}:{album_id}")


def _parsed_cursor(cursor: str) -> tuple[int, str]:
    read_at_ms, _, album_id = decode_cursor(CURSOR_PREFIX, cursor).partition(":")
    if not (read_at_ms.isdecimal() and len(read_at_ms) <= 15 and album_id.isdecimal()):
        raise InvalidInput("after", "after must be a cursor of this list")
    return int(read_at_ms), album_id
