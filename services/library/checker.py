"""The check of the library: a worker looks at the albums that people follow, and tells of new chapters."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog
from sqlalchemy import ColumnElement, Select, and_, exists, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.catalog import AlbumDetail, AlbumSummary, Catalog
from services.database import Database
from services.database.models import OWNER_ID, AlbumRow, BlockedTagRow, ChapterRow, LibraryRow
from services.downloads import ArchiveFormat, DownloadRequest, Downloads, Ownership
from services.errors import JmgraphError, QueueRejected, StorageUnavailable, UpstreamFailure
from services.library.albums import store_album, summary_of
from services.library.library import CHECK_TOPIC, TOPIC_FAMILY
from services.observability import Priority, open_stats
from services.push import NotificationEvent, Outbox
from services.redis import Events, LockBusy, Locks

log = structlog.get_logger("jmgraph.library")

LOCK = "library-check"
LOCK_WAIT_S = 30.0
HOLD_S = 300.0
"""A worker holds the lock for so long at most, then another may take it."""
POLL_S = 5.0
"""Between looks at what is due, and after a failure."""
RETRY_S = 60.0
"""Before what could not be queued is tried again."""
PAUSE_S = 0.1
"""Between looks that were asked for, at least: a library of thousands does not take the site's rate for itself."""
PAUSES = 15
"""The pause is so many times what the last look took here, without the site: the busier the machine with what people
ask for, the longer, so that a check takes a sixteenth of a core at most.
"""
REQUESTS_AT_ONCE = 20
"""Albums that are read from the database together to be looked at."""
FIRST_LOOK_PAUSE_S = 1.0
"""Between first looks at albums of which only the title is known."""


@dataclass(frozen=True, slots=True)
class _News:
    """Chapters of an album that its followers are to be told of."""

    album: AlbumSummary
    chapters: Sequence[ChapterRow]
    followers: Sequence[LibraryRow]


class LibraryChecker:
    """Looks at each album in anybody's library every `every_s` seconds, spread over the span; for 0 only on request.

    One worker at a time does; its calls to the site come after everybody else's.
    """

    def __init__(
        self,
        database: Database,
        catalog: Catalog,
        downloads: Downloads,
        events: Events,
        locks: Locks,
        outbox: Outbox,
        *,
        every_s: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._catalog = catalog
        self._downloads = downloads
        self._events = events
        self._locks = locks
        self._outbox = outbox
        self._every_s = every_s
        self._clock = clock
        self._scheduled_from = 0.0
        """Before this time no look is due that nobody asked for."""
        self._tell_from = 0.0
        self._requested: deque[str] = deque()
        """Albums that somebody has asked to be looked at, the next one first."""
        self._may_have_news = True
        self._site_s = 0.0
        """What the site took in the last step."""

    async def run(self) -> None:
        """Check until cancelled, through outages of the database and of Redis."""
        async with self._events.watch(CHECK_TOPIC) as watcher:
            while True:
                try:
                    async with self._locks.hold(LOCK, wait_s=LOCK_WAIT_S):
                        ends_at = time.monotonic() + HOLD_S
                        while time.monotonic() < ends_at:
                            began, self._site_s = time.monotonic(), 0.0
                            if await self.step():
                                busy_s = time.monotonic() - began - self._site_s
                                await asyncio.sleep(max(PAUSE_S, PAUSES * busy_s))
                                continue
                            with suppress(TimeoutError):
                                async with asyncio.timeout(self._pause_s()):
                                    await watcher.changed()
                except LockBusy:
                    continue
                except StorageUnavailable:
                    await asyncio.sleep(POLL_S)  # the database has logged it
                except Exception:
                    log.exception("the check of the library failed")
                    await asyncio.sleep(POLL_S)

    async def finish_requests(self) -> None:
        """Look at all albums that somebody asked for, and tell of what is new.

        A worker may do so at the same moment: what both find is stored and queued once.
        """
        while (album_id := await self._next_requested()) is not None:
            await self._look_at(album_id)
        while self._clock() >= self._tell_from and (news := await self._find_news()) is not None:
            await self._tell(news)

    async def step(self) -> bool:
        """Tell of one album's news, or look at one album; False when nothing is due."""
        if self._may_have_news and self._clock() >= self._tell_from:
            if (news := await self._find_news()) is not None:
                await self._tell(news)
                return True
            self._may_have_news = False
        album_id = await self._next_requested() or await self._find_scheduled()
        if album_id is None:
            return False
        await self._look_at(album_id)
        return True

    def _pause_s(self) -> float:
        return min(POLL_S, max(0.0, self._scheduled_from - self._clock())) or POLL_S

    async def _next_requested(self) -> str | None:
        """The album that somebody has asked longest to be looked at."""
        if not self._requested:
            self._may_have_news = True  # another process may have found some
            query = select(AlbumRow.id).where(AlbumRow.requested_at_ms.is_not(None), _is_followed())
            query = query.order_by(AlbumRow.requested_at_ms, AlbumRow.id).limit(REQUESTS_AT_ONCE)
            async with self._database.read() as session:
                self._requested.extend(await session.scalars(query))
        return self._requested.popleft() if self._requested else None

    async def _find_scheduled(self) -> str | None:
        """The album that was not looked at for longest, where a look is due now."""
        now = self._clock()
        if self._every_s <= 0 or now < self._scheduled_from:
            return None
        checked_at_ms = func.coalesce(AlbumRow.checked_at_ms, 0)
        query = select(AlbumRow).where(_is_followed(), checked_at_ms <= int((now - self._every_s) * 1000))
        async with self._database.read() as session:
            album = await session.scalar(query.order_by(checked_at_ms, AlbumRow.id).limit(1))
            if album is None:
                return None
            followed = await session.scalar(select(func.count(func.distinct(LibraryRow.album_id)))) or 1
        span_s = self._every_s / followed
        self._scheduled_from = now + (min(FIRST_LOOK_PAUSE_S, span_s) if album.checked_at_ms is None else span_s)
        return album.id

    async def _look_at(self, album_id: str) -> None:
        """Read an album from the site, and store what it has now."""
        detail: AlbumDetail | None = None
        error: str | None = None
        began = time.monotonic()
        try:
            with open_stats(Priority.BACKGROUND):
                detail = await self._catalog.read_album_now(album_id)
        except JmgraphError as failure:
            error = failure.message
        self._site_s = time.monotonic() - began
        async with self._database.write() as session:
            row = await session.get(AlbumRow, album_id, with_for_update=True)
            if row is None:
                return
            now_ms = self._now_ms()
            if detail is not None:
                await store_album(session, detail, now_ms, is_current=True)
            is_news = row.last_error != error
            row.checked_at_ms, row.last_error, row.requested_at_ms = now_ms, error, None
            self._may_have_news |= row.news_since_ms is not None
        if is_news:
            await self._events.publish(f"{TOPIC_FAMILY}:{album_id}")

    async def _find_news(self) -> _News | None:
        """Chapters that nobody was told of, of the album where they were found first."""
        oldest = select(AlbumRow).where(AlbumRow.news_since_ms.is_not(None)).order_by(AlbumRow.news_since_ms)
        async with self._database.read() as session:
            album = await session.scalar(oldest.limit(1))
            if album is None:
                return None
            chapters = await session.scalars(_untold(album.id))
            followers = await session.scalars(select(LibraryRow).where(LibraryRow.album_id == album.id))
            return _News(summary_of(album), chapters.all(), followers.all())

    async def _tell(self, news: _News) -> None:
        """Start the downloads of who wants them, and tell who watches; what can't be queued now is tried again."""
        told: list[ChapterRow] = []
        for chapter in news.chapters:
            try:
                await self._download(chapter, news.followers)
            except (QueueRejected, UpstreamFailure) as failure:
                log.info("new chapters can't be downloaded now", reason=failure.message)
                self._tell_from = self._clock() + (failure.retry_after_s or RETRY_S)
                break
            told.append(chapter)
        notified = await self._notified(news) if told else []
        async with self._database.write() as session:
            ids = [chapter.id for chapter in told]
            is_told = and_(ChapterRow.album_id == news.album.id, ChapterRow.id.in_(ids))
            await session.execute(update(ChapterRow).where(is_told).values(is_told=True))
            row = await session.get(AlbumRow, news.album.id, with_for_update=True)
            if row is not None:
                left = (await session.scalars(_untold(news.album.id))).all()
                row.news_since_ms = min((chapter.found_at_ms for chapter in left), default=None)
                await self._notify(session, news.album, told, notified)
        await self._outbox.wake_up()
        await self._events.publish(f"{TOPIC_FAMILY}:{news.album.id}")

    async def _notified(self, news: _News) -> list[LibraryRow]:
        """The followers who are notified of an album: who wants that, and has not blocked it."""
        return [
            follower
            for follower in news.followers
            if follower.notify
            and await self._catalog.blocking(await self._blocked_tags_of(follower.user_id)).listable([news.album])
        ]

    async def _notify(
        self, session: AsyncSession, album: AlbumSummary, chapters: Sequence[ChapterRow], followers: list[LibraryRow]
    ) -> None:
        """Put notifications of these chapters into the outbox, for each follower of what is new to them."""
        for follower in followers:
            since_ms = follower.added_at_ms
            new = [chapter.id for chapter in chapters if chapter.is_listed and chapter.found_at_ms > since_ms]
            if new:
                data = {"albumId": album.id, "chapterIds": new}
                await self._outbox.add(
                    session, [follower.user_id], NotificationEvent.NEW_CHAPTERS, data, title=album.title
                )

    async def _download(self, chapter: ChapterRow, followers: Sequence[LibraryRow]) -> None:
        """Queue a chapter for each follower to whom it is new and who wants it.

        Raises `QueueRejected` and `UpstreamFailure` where that may work later.
        """
        request = DownloadRequest(chapter.album_id, chapter_ids=(chapter.id,), archive=ArchiveFormat.CBZ, keep=True)
        for follower in followers:
            if not (follower.auto_download and chapter.is_listed and chapter.found_at_ms > follower.added_at_ms):
                continue
            owner_id = None if follower.user_id == OWNER_ID else follower.user_id
            albums = self._catalog.blocking(await self._blocked_tags_of(follower.user_id))
            try:
                await self._downloads.owned(Ownership(owner_id, sees_all=False), albums).start(request)
            except (QueueRejected, UpstreamFailure):
                raise
            except JmgraphError as refusal:
                log.info("a new chapter is not downloaded", reason=refusal.message)

    async def _blocked_tags_of(self, user_id: str) -> tuple[str, ...]:
        """What a follower does not want to see, and so not have downloaded."""
        query = select(BlockedTagRow.tag).where(BlockedTagRow.user_id == user_id).order_by(BlockedTagRow.tag)
        async with self._database.read() as session:
            return tuple(await session.scalars(query))

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)


def _is_followed() -> ColumnElement[bool]:
    return exists().where(LibraryRow.album_id == AlbumRow.id)


def _untold(album_id: str) -> Select[ChapterRow]:
    """The chapters of an album that its followers were not told of, in reading order."""
    is_untold = and_(ChapterRow.album_id == album_id, ChapterRow.is_told.is_(False))
    return select(ChapterRow).where(is_untold).order_by(ChapterRow.position)
