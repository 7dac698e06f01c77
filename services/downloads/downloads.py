"""Downloads: start, look, cancel, retry, remove, watch. What every door calls."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator, AsyncIterator, Collection
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import structlog

from services.downloads import transitions
from services.downloads.components import DownloadComponents, Limits, open_components
from services.downloads.lists import ALL, in_state, of_album
from services.downloads.maintenance import maintain
from services.downloads.paging import check_first, id_of_cursor, page_of
from services.downloads.ports import Albums, Archives, Folders, PagePipeline
from services.downloads.queue_errors import translate_queue_errors
from services.downloads.records import (
    ArchiveFormat,
    Download,
    DownloadFile,
    DownloadPage,
    DownloadRequest,
    DownloadState,
    FeedBatch,
    QueueCounts,
)
from services.downloads.row import DownloadRow, same_key
from services.downloads.timings import Timings
from services.downloads.watch import watch_many, watch_one
from services.downloads.worker import DownloadWorker
from services.errors import DownloadNotFound, InvalidInput, QueueFull, StorageFull, UpstreamFailure
from services.redis import Events, RedisClient
from services.upstream.records import AlbumDetail

log = structlog.get_logger("jmgraph.downloads")

QUALITIES = range(1, 101)
OF_ALBUM_LIMIT = 1000
"""Newest downloads that are told of one album."""
RETRY_LIMIT = 10_000
"""Failed ones looked at in one go; far more than any queue takes."""

Found = list[Download]
"""A name for it, since `list` is a method of the class below."""


class Downloads:
    """Every call may raise `QueueUnavailable` while Redis is away. Built by `open_downloads`."""

    def __init__(self, engine: DownloadComponents) -> None:
        self._engine = engine
        self._store = engine.store

    @property
    def limits(self) -> Limits:
        """What this host allows, and how long things last."""
        return self._engine.limits

    async def start(self, request: DownloadRequest) -> Download:
        """Queue a download; the living one where the same was asked for before, unless `force`.

        Raises `InvalidInput`, `AlbumNotFound`, `BlockedByPolicy`, `UpstreamFailure`, `QueueFull`, `StorageFull`,
        `QueueUnavailable`.
        """
        if request.quality not in QUALITIES:
            raise InvalidInput("quality", "quality must be between 1 and 100")
        with translate_queue_errors():
            try:
                album = await self._engine.albums.get_album(request.album_id)
            except UpstreamFailure:
                if living := await self._find_living(request):
                    return living
                raise
            return await self._queue(_for_album(request, album), album.title)

    async def _find_living(self, request: DownloadRequest) -> Download | None:
        entry = None if request.force else await self._store.find_same(same_key(request))
        return entry.download if entry and not transitions.is_over(entry) else None

    async def _queue(self, request: DownloadRequest, title: str) -> Download:
        if living := await self._find_living(request):
            return living
        await self._check_disk()
        entry, is_new = await self._store.create(
            transitions.new_entry(request, title),
            limit=self._engine.limits.queue_limit,
            force=request.force,
            now_ms=transitions.now_ms(),
        )
        log.info("A download is queued" if is_new else "The same download lives", download=entry.download.id)
        return entry.download

    async def _check_disk(self) -> None:
        free = await asyncio.to_thread(_free_bytes, self._engine.limits.data_dir)
        if free >= self._engine.limits.disk_floor_bytes:
            return
        next_ms = await self._store.next_expiry_ms()
        retry_after_s = max(1, round((next_ms - transitions.now_ms()) / 1000)) if next_ms else None
        raise StorageFull("Too little disk space is free for a download.", retry_after_s=retry_after_s)

    async def find(self, id: str) -> Download | None:
        """The download of this id."""
        with translate_queue_errors():
            entry = await self._store.find(id)
            return entry.download if entry else None

    async def list(self, states: Collection[DownloadState] | None, first: int, after: str | None) -> DownloadPage:
        """A page of downloads, newest first; None for all states. Raises `InvalidInput` ("first", "after")."""
        check_first(first)
        lists = [ALL] if states is None else [in_state(state) for state in dict.fromkeys(states)]
        start = id_of_cursor(after) if after else ""
        with translate_queue_errors():
            return page_of(await self._store.page(lists, after=start, count=first + 1), first)

    async def of_album(self, album_id: str) -> Found:
        """Downloads of this album, newest first."""
        with translate_queue_errors():
            page = await self._store.page([of_album(album_id)], count=OF_ALBUM_LIMIT)
            return [entry.download for entry in page.entries]

    async def cancel(self, id: str) -> Download:
        """Stop a download that is queued or under way; any other is given as it is. `DownloadNotFound`."""
        with translate_queue_errors():
            old, is_changed = await self._store.change(id, transitions.cancelled)
            if is_changed:
                await self._discard(old)
            return old.download

    async def retry(self, id: str) -> Download:
        """Queue a failed, cancelled or expired download again; any other is given as it is.

        Raises `DownloadNotFound`, `QueueFull`, `StorageFull`.
        """
        with translate_queue_errors():
            entry = await self._store.find(id)
            if entry is None:
                raise DownloadNotFound(id)
            if entry.state not in transitions.RETRY_STATES:
                return entry.download
            await self._check_disk()
            return await self._retry(id)

    async def _retry(self, id: str) -> Download:
        entry, _ = await self._store.change(id, transitions.retried, limit=self._engine.limits.queue_limit)
        return entry.download

    async def retry_failed(self) -> Found:
        """Queue every failed download again, the oldest first, as far as the queue has room.

        Raises `QueueFull` when not one had room, `StorageFull`.
        """
        with translate_queue_errors():
            page = await self._store.page([in_state(DownloadState.FAILED)], count=RETRY_LIMIT)
            if not page.entries:
                return []
            await self._check_disk()
            return await self._retry_each([entry.download.id for entry in reversed(page.entries)])

    async def _retry_each(self, ids: Collection[str]) -> Found:
        queued: Found = []
        for id in ids:
            try:
                queued.append(await self._retry(id))
            except DownloadNotFound:
                continue
            except QueueFull:
                if not queued:
                    raise
                break
        return queued

    async def remove(self, id: str) -> None:
        """Delete record and files; what is under way is stopped. `DownloadNotFound`."""
        with translate_queue_errors():
            entry = await self._store.remove(id)
            if entry is None:
                raise DownloadNotFound(id)
            await self._discard(entry)
            await self._engine.upkeep.empty_trash()

    async def _discard(self, entry: DownloadRow) -> None:
        """Its folder, where it is on this machine; elsewhere the worker there sees to it."""
        await asyncio.to_thread(self._engine.folders.remove, entry.folder)

    async def watch(self, id: str) -> AsyncGenerator[Download, None]:
        """The download now, then every change, at most four a second, until it has ended or is removed.

        Raises `DownloadNotFound` at once for an unknown id.
        """
        with translate_queue_errors():
            gap_s = self._engine.timings.live_s
            async with aclosing(watch_one(self._store, self._engine.board, id, gap_s=gap_s)) as changes:
                async for download in changes:
                    yield download

    async def feed(
        self, ids: Collection[str] | None, states: Collection[DownloadState] | None
    ) -> AsyncGenerator[FeedBatch, None]:
        """The active downloads (or of `ids`, or in `states`) as one snapshot, then what changes, until closed."""
        with translate_queue_errors():
            gap_s = self._engine.timings.live_s
            async with aclosing(watch_many(self._store, self._engine.board, ids, states, gap_s=gap_s)) as batches:
                async for batch in batches:
                    yield batch

    @property
    def watcher_count(self) -> int:
        """How many watch here now, a running download's own worker among them."""
        return self._engine.board.follower_count

    async def counts(self) -> QueueCounts:
        """How busy the queue is."""
        with translate_queue_errors():
            queued, *active = await self._store.count(DownloadState.QUEUED, *transitions.WORK_STATES)
            return QueueCounts(queued, sum(active), len(await self._engine.leases.alive()))

    async def count_states(self) -> dict[DownloadState, int]:
        """How many downloads stand in each state."""
        with translate_queue_errors():
            return dict(zip(DownloadState, await self._store.count(*DownloadState), strict=True))

    async def find_file(self, id: str, name: str) -> DownloadFile | None:
        """The file of this download while it lives, if that is its name."""
        with translate_queue_errors():
            entry = await self._store.find(id)
        file = entry.download.file if entry and not transitions.is_over(entry) else None
        return file if file and file.name == name else None

    async def find_named(self, stem: str, archive: ArchiveFormat) -> Download | None:
        """The newest download whose living file is such an archive of this name."""
        with translate_queue_errors():
            named = await self._store.find_named(stem)
        living = (entry.download for entry in named if not transitions.is_over(entry))
        return next((download for download in living if download.request.archive is archive), None)

    @asynccontextmanager
    async def hold_file(self, id: str, name: str) -> AsyncIterator[DownloadFile | None]:
        """As `find_file`; until the end of the block the file does not expire. For who sends it."""
        with translate_queue_errors():
            async with self._engine.holds.hold(id) as is_held:
                yield await self.find_file(id, name) if is_held else None

    async def maintain(self) -> None:
        """What goes on beside requests, in every process: expiry, clearing up, watching over workers. Never ends."""
        await maintain(self._engine)

    def worker(self, pipeline: PagePipeline, *, jobs: int) -> DownloadWorker:
        """A worker for up to `jobs` downloads at once; its `run(stop)` is what the worker's door calls."""
        return DownloadWorker(self._engine, pipeline, jobs=jobs)


@asynccontextmanager
async def open_downloads(
    link: RedisClient,
    events: Events,
    albums: Albums,
    archives: Archives,
    folders: Folders,
    limits: Limits,
    timings: Timings | None = None,
) -> AsyncIterator[Downloads]:
    """The downloads of this process. `ConfigurationError` when a newer version wrote the records."""
    async with open_components(link, events, albums, archives, folders, limits, timings or Timings()) as engine:
        yield Downloads(engine)


def _for_album(request: DownloadRequest, album: AlbumDetail) -> DownloadRequest:
    """The request in its one form: the album's own id, chapters once each in reading order, none for all."""
    known = [chapter.id for chapter in album.chapters]
    wanted = set(request.chapter_ids)
    if strangers := wanted.difference(known):
        raise InvalidInput("chapterIds", f"album {album.id} has no chapter {min(strangers)}")
    chosen = tuple(id for id in known if id in wanted)
    return replace(request, album_id=album.id, chapter_ids=() if len(chosen) == len(known) else chosen)


def _free_bytes(folder: Path) -> int:
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free
