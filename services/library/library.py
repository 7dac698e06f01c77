"""Libraries: which albums people keep an eye on, in which order, and what is new in them."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Select, and_, delete, exists, false, func, not_, or_, select, tuple_, update

from services.catalog import AlbumDetail, AlbumSummary, Catalog, number_of
from services.cursors import check_first, decode_cursor, encode_cursor, read_page
from services.database import Database
from services.database.models import AlbumReadingRow, AlbumRow, ChapterRow, LibraryRow, ReadingRow
from services.errors import InvalidInput, UpstreamFailure
from services.library.albums import (
    in_parts,
    lock_user,
    ref_of,
    remove_unused_albums,
    storable,
    store_album,
    store_summaries,
    summary_of,
    title_keys,
)
from services.library.records import AddedAlbums, LibraryOrder, LibraryPage, LibraryRecord, UnreadChapters
from services.redis import Events

CURSOR_PREFIX = "library:"
"""After it come the order, and of the last entry what it is sorted by and its album, as JSON: 'TITLE:["a","35"]'."""
LONGEST_QUERY = 200
TOPIC_FAMILY = "library"
"""Of events; the key is the number of an album whose entries have changed."""
CHECK_TOPIC = "library-check"
"""Of the event that somebody asks for a look at their albums."""
CHECK_PAUSE_MS = 60_000
"""An album is not looked at again on request before so long."""

_Entries: TypeAlias = Select[*tuple[Any, ...]]
_Position: TypeAlias = tuple[int | str, str]
_Placed: TypeAlias = tuple[LibraryRecord, _Position]

_SORTED_BY: dict[LibraryOrder, ColumnElement[Any]] = {
    LibraryOrder.ADDED: LibraryRow.added_at_ms.expression,
    LibraryOrder.UPDATED: AlbumRow.updated_at_ms.expression,
    LibraryOrder.READ: func.coalesce(AlbumReadingRow.read_at_ms, 0),
    LibraryOrder.TITLE: AlbumRow.title_key.expression,
}
"""Newest first, but titles from the first."""


@dataclass(frozen=True, slots=True)
class LibraryQuery:
    """Which entries, and in which order. `has_new`: those with new chapters, those without, or, for None, both.

    `text` is words of titles, in any script and case, or an album's number.
    """

    has_new: bool | None = None
    text: str = ""
    order: LibraryOrder = LibraryOrder.ADDED


class Library:
    """The libraries of people, by their user id. Each call raises `StorageUnavailable` while the database is away."""

    def __init__(
        self, database: Database, catalog: Catalog, events: Events, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._catalog = catalog
        self._events = events
        self._clock = clock

    def showing(self, catalog: Catalog) -> Library:
        """The same, without the albums that this catalog does not have: that of a person with blocked tags."""
        if catalog is self._catalog:
            return self
        showing = copy(self)
        showing._catalog = catalog
        return showing

    async def add(
        self, user_id: str, album_id: str, *, auto_download: bool = False, notify: bool = True
    ) -> LibraryRecord:
        """Add an album; one that is there stays as it is, with these settings.

        Raises `AlbumNotFound`, `BlockedByPolicy`, and `UpstreamFailure` where the site fails and it is not there.
        """
        album: AlbumDetail | None = None
        try:
            album = await self._catalog.get_album(album_id)
        except UpstreamFailure:
            if album_id not in await self.of_albums(user_id, [album_id]):
                raise
        id, now_ms = album.id if album else album_id, self._now_ms()
        async with self._database.write() as session:
            await lock_user(session, user_id)
            if album is not None:
                await store_album(session, album, now_ms)
            entry = await session.get(LibraryRow, (user_id, id))
            if entry is None:
                entry = LibraryRow(user_id=user_id, album_id=id, added_at_ms=now_ms)
                session.add(entry)
            entry.auto_download, entry.notify = auto_download, notify
            record = _record_of(entry, await session.get_one(AlbumRow, id))
        await self._events.publish(f"{TOPIC_FAMILY}:{id}")
        return record

    async def add_many(self, user_id: str, albums: Sequence[AlbumSummary]) -> AddedAlbums:
        """Add albums of a list, the first one as the newest; no call to the site."""
        unique = list({album.id: album for album in albums}.values())
        now_ms = self._now_ms()
        async with self._database.write() as session:
            await lock_user(session, user_id)
            known = set(await session.scalars(select(LibraryRow.album_id).where(LibraryRow.user_id == user_id)))
            new = [album for album in unique if album.id not in known]
            await store_summaries(session, new)
            session.add_all(
                LibraryRow(
                    user_id=user_id, album_id=album.id, added_at_ms=now_ms - place, auto_download=False, notify=True
                )
                for place, album in enumerate(new)
            )
        return AddedAlbums(added=len(new), already=len(unique) - len(new))

    async def remove(self, user_id: str, album_id: str) -> bool:
        """Remove an album; False where it was not there."""
        entry = delete(LibraryRow).where(LibraryRow.user_id == user_id, LibraryRow.album_id == album_id)
        async with self._database.write() as session:
            removed = (await session.scalars(entry.returning(LibraryRow.album_id))).all()
            await remove_unused_albums(session, removed)
        return bool(removed)

    async def list(
        self, user_id: str, query: LibraryQuery = LibraryQuery(), *, first: int = 20, after: str | None = None
    ) -> LibraryPage:
        """A page of a library, without what the policy blocks (`total` counts it).

        Raises `InvalidInput` ("first", "after", "query").
        """
        check_first(first)
        entries = _entries(user_id, query)

        async def read(position: _Position | None, count: int) -> Sequence[_Placed]:
            page = _behind(entries, query.order, position).limit(count)
            async with self._database.read() as session:
                return [_placed(*row) for row in await session.execute(page)]

        position = None if after is None else _parsed_cursor(query.order, after)
        items, has_next = await read_page(read, self._shown, lambda placed: placed[1], first, position)
        async with self._database.read() as session:
            total = await session.scalar(select(func.count()).select_from(entries.subquery()))
        return LibraryPage(
            items=tuple(record for record, _ in items),
            cursors=tuple(_cursor_of(query.order, position) for _, position in items),
            has_next=has_next,
            has_previous=after is not None,
            total=total or 0,
        )

    async def of_albums(self, user_id: str, album_ids: Sequence[str]) -> dict[str, LibraryRecord]:
        """The entries of these albums, some hundred at most, by the album; in one query."""
        query = select(LibraryRow, AlbumRow).join(AlbumRow, AlbumRow.id == LibraryRow.album_id)
        is_theirs = and_(LibraryRow.user_id == user_id, LibraryRow.album_id.in_(album_ids))
        async with self._database.read() as session:
            rows = (await session.execute(query.where(is_theirs))).all()
        return {album.id: _record_of(entry, album) for entry, album in rows}

    async def unread(self, user_id: str, album_ids: Sequence[str]) -> dict[str, UnreadChapters]:
        """The unread chapters of entries, some hundred at most, by the album; none for what is no entry."""
        is_unread = and_(ChapterRow.album_id.in_(album_ids), ChapterRow.is_listed, not_(_is_finished(user_id)))
        counts = select(ChapterRow.album_id, func.count()).where(is_unread).group_by(ChapterRow.album_id)
        is_new = and_(
            LibraryRow.user_id == user_id,
            LibraryRow.album_id == ChapterRow.album_id,
            LibraryRow.added_at_ms < ChapterRow.found_at_ms,
        )
        new = select(ChapterRow).join(LibraryRow, is_new).where(is_unread).order_by(ChapterRow.position)
        async with self._database.read() as session:
            count_of: dict[str, int] = dict((await session.execute(counts)).all())
            rows = (await session.scalars(new)).all()
        return {
            id: UnreadChapters(count_of.get(id, 0), tuple(ref_of(row) for row in rows if row.album_id == id))
            for id in album_ids
        }

    async def request_check(self, user_id: str) -> int:
        """Have a worker look at the albums of a library now; how many those are.

        Those that were looked at within the last minute are left out.
        """
        now_ms = self._now_ms()
        is_theirs = AlbumRow.id.in_(select(LibraryRow.album_id).where(LibraryRow.user_id == user_id))
        is_older = func.coalesce(AlbumRow.checked_at_ms, 0) <= now_ms - CHECK_PAUSE_MS
        request = update(AlbumRow).where(is_theirs, is_older).values(requested_at_ms=now_ms)
        async with self._database.write() as session:
            requested = (await session.scalars(request.returning(AlbumRow.id))).all()
        if requested:
            await self._events.publish(CHECK_TOPIC)
        return len(requested)

    async def watch(self, user_id: str) -> AsyncGenerator[LibraryRecord, None]:
        """The entries of a library that change, as they are then: new chapters, new settings, a failed look."""
        async with self._events.watch(f"{TOPIC_FAMILY}:*") as watcher:
            while True:
                ids = sorted(topic.partition(":")[2] for topic in await watcher.changed())
                for part in in_parts(ids):
                    found = (await self.of_albums(user_id, part)).values()
                    for record, _ in await self._shown([(record, (0, record.album.id)) for record in found]):
                        yield record

    async def _shown(self, found: Sequence[_Placed]) -> Sequence[_Placed]:
        """Without what the policy blocks."""
        shown = {album.id for album in await self._catalog.listable([record.album for record, _ in found])}
        return [placed for placed in found if placed[0].album.id in shown]

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)


def _entries(user_id: str, query: LibraryQuery) -> _Entries:
    """The entries of a library that a query asks for, in no order, each with what it is sorted by."""
    sorted_by = _SORTED_BY[query.order]
    entries = select(LibraryRow, AlbumRow, sorted_by.label("sorted_by")).where(LibraryRow.user_id == user_id)
    entries = entries.join(AlbumRow, AlbumRow.id == LibraryRow.album_id)
    if query.order is LibraryOrder.READ:
        is_of_entry = and_(
            AlbumReadingRow.user_id == LibraryRow.user_id, AlbumReadingRow.album_id == LibraryRow.album_id
        )
        entries = entries.outerjoin(AlbumReadingRow, is_of_entry)
    if query.text.strip():
        entries = entries.where(_matches(query.text))
    if query.has_new is not None:
        entries = entries.where(_has_new(user_id) if query.has_new else not_(_has_new(user_id)))
    return entries


def _behind(
    entries: Select[*tuple[Any, ...]], order: LibraryOrder, position: _Position | None
) -> Select[*tuple[Any, ...]]:
    """The entries in their order, from this position on."""
    place = (_SORTED_BY[order], LibraryRow.album_id)
    if order is LibraryOrder.TITLE:
        entries = entries.order_by(*place)
        return entries if position is None else entries.where(tuple_(*place) > position)
    entries = entries.order_by(*(column.desc() for column in place))
    return entries if position is None else entries.where(tuple_(*place) < position)


def _matches(text: str) -> ColumnElement[bool]:
    """Whether the title of an album has all words of this text, or its number is meant."""
    if len(text) > LONGEST_QUERY:
        raise InvalidInput("query", f"At most {LONGEST_QUERY} characters, not {len(text)}.")
    keys = title_keys(text)
    in_title = and_(*(AlbumRow.title_key.contains(key, autoescape=True) for key in keys)) if keys else false()
    number = number_of(text)
    return in_title if number is None else or_(in_title, AlbumRow.id == number)


def _has_new(user_id: str) -> ColumnElement[bool]:
    """Whether an entry has a chapter that was found after it was added and is not read."""
    is_new = and_(
        ChapterRow.album_id == LibraryRow.album_id,
        ChapterRow.found_at_ms > LibraryRow.added_at_ms,
        ChapterRow.is_listed,
        not_(_is_finished(user_id)),
    )
    # the first condition follows from the second, and most entries fail at it
    return and_(AlbumRow.updated_at_ms > LibraryRow.added_at_ms, exists().where(is_new))


def _is_finished(user_id: str) -> ColumnElement[bool]:
    """Whether the user has read a chapter to its end, or marked it as read."""
    return exists().where(
        ReadingRow.user_id == user_id, ReadingRow.chapter_id == ChapterRow.id, ReadingRow.is_finished
    )


def _placed(entry: LibraryRow, album: AlbumRow, sorted_by: int | str) -> _Placed:
    return _record_of(entry, album), (sorted_by, album.id)


def _record_of(entry: LibraryRow, album: AlbumRow) -> LibraryRecord:
    return LibraryRecord(
        album=summary_of(album),
        added_at=_moment(entry.added_at_ms),
        auto_download=entry.auto_download,
        notify=entry.notify,
        last_checked_at=None if album.checked_at_ms is None else _moment(album.checked_at_ms),
        last_error=album.last_error,
    )


def _cursor_of(order: LibraryOrder, position: _Position) -> str:
    return encode_cursor(f"{CURSOR_PREFIX}{order}:", json.dumps(position, separators=(",", ":")))


def _parsed_cursor(order: LibraryOrder, cursor: str) -> _Position:
    position = decode_cursor(f"{CURSOR_PREFIX}{order}:", cursor)
    try:
        sorted_by, album_id = json.loads(position)
        is_sound = isinstance(album_id, str) and album_id.isdecimal() and _is_sortable(order, sorted_by)
    except (ValueError, TypeError):
        is_sound = False
    if not is_sound:
        raise InvalidInput("after", "after must be a cursor of this list")
    return sorted_by, album_id


def _is_sortable(order: LibraryOrder, value: object) -> bool:
    if order is LibraryOrder.TITLE:
        return isinstance(value, str) and value == storable(value)
    return type(value) is int and 0 <= value < 1 << 62


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
