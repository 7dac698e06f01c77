"""Downloads: start, find, cancel, retry, remove, watch. What resolvers, REST and commands call."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import structlog

from services.cursors import check_first, decode_cursor, encode_cursor
from services.downloads import transitions
from services.downloads.components import DownloadComponents, open_components
from services.downloads.kept import KeptFiles
from services.downloads.kept.scan import LibraryScan, ScanResult
from services.downloads.maintenance import maintain
from services.downloads.ports import (
    AlbumSource,
    ArchiveStorage,
    DownloadLimits,
    PagePipeline,
    StagingFolders,
    Timings,
)
from services.downloads.queue import translate_queue_errors
from services.downloads.records import (
    OF_ALL,
    ArchiveFormat,
    DownloadFileRecord,
    DownloadPage,
    DownloadRecord,
    DownloadRequest,
    DownloadState,
    EndedDownload,
    FeedBatch,
    Ownership,
    QueueCounts,
)
from services.downloads.row import (
    ALL,
    DownloadRow,
    RowPage,
    dedup_key,
    for_album,
    for_chapter,
    in_state,
    kept,
    of_album,
)
from services.downloads.storage import ArchiveStore
from services.downloads.updates import SNAPSHOT_LIMIT, watch_many, watch_one
from services.downloads.worker import DownloadWorker
from services.errors import (
    AlbumNotFound,
    BlockedByPolicy,
    DownloadNotFound,
    InvalidInput,
    QueueFull,
    StorageFull,
    UpstreamFailure,
)
from services.redis import Events, RedisClient
from services.upstream import NumberKind

log = structlog.get_logger("jmgraph.downloads")

QUALITIES = range(1, 101)
CURSOR_PREFIX = "d1:"
OF_ALBUM_LIMIT = 1000
"""Of the newest downloads of one album."""
RETRY_LIMIT = 10_000
"""Failed downloads read at once; far more than any queue takes."""

Records = list[DownloadRecord]
"""An alias, since `list` is a method of the class below."""


class Downloads:
    """Every call may raise `QueueUnavailable`. Built by `open_downloads`.

    Of all owners; what `owned` returns has those that one caller sees, and no others exist there.
    """

    def __init__(
        self, components: DownloadComponents, ownership: Ownership = OF_ALL, albums: AlbumSource | None = None
    ) -> None:
        self._components = components
        self._store = components.store
        self._ownership = ownership
        self._albums = albums or components.albums

    def owned(self, ownership: Ownership, albums: AlbumSource | None = None) -> Downloads:
        """The downloads as a caller sees them; what is started there belongs to that caller.

        `albums` are those that the caller may download, where that is not all of them.
        """
        return Downloads(self._components, ownership, albums)

    @property
    def limits(self) -> DownloadLimits:
        """What this host allows, and how long things last."""
        return self._components.limits

    async def start(self, request: DownloadRequest, number_kind: NumberKind = NumberKind.PLAIN) -> DownloadRecord:
        """Queue a download; the current one of the same request where there is one, unless `force`. Where the request
        is to keep its files, that one is kept.

        `request.album_id` may be a chapter's number: then that chapter alone is downloaded where no others are
        chosen. A plain number that is an album's as well as its first chapter's is the album's; `number_kind` is
        what the address it came from says.

        Raises `InvalidInput`, `AlbumNotFound`, `BlockedByPolicy`, `UpstreamFailure`, `QueueFull`, `StorageFull`,
        `QueueUnavailable`.
        """
        if request.quality not in QUALITIES:
            raise InvalidInput("quality", "quality must be between 1 and 100")
        found = await self._start(request, number_kind)
        return await self.keep(found.id) if request.keep and not found.is_kept else found

    async def _start(self, request: DownloadRequest, number_kind: NumberKind) -> DownloadRecord:
        if number_kind is NumberKind.CHAPTER and not request.chapter_ids:
            request = replace(request, chapter_ids=(request.album_id,))
        with translate_queue_errors():
            try:
                album = await self._albums.get_album(request.album_id)
            except UpstreamFailure:
                if existing := await self._find_existing(request):
                    return existing
                raise
            if number_kind is NumberKind.PLAIN:
                request = for_chapter(request, album)
            return await self._queue(for_album(request, album), album.title)

    async def _find_existing(self, request: DownloadRequest) -> DownloadRecord | None:
        """The current one of this request; one that differs in `allow_missing` alone will do if it lacks nothing."""
        if request.force:
            return None
        for wanted in (kept(request), request) if request.keep else (request,):  # a ZIP is kept as CBZ
            if row := await self._current_duplicate(wanted):
                return row.download
            row = await self._current_duplicate(replace(wanted, allow_missing=not wanted.allow_missing))
            if row and row.download.is_complete:
                return row.download
        return None

    async def _current_duplicate(self, request: DownloadRequest) -> DownloadRow | None:
        owner_id = self._ownership.owner_id
        row = await self._checked(await self._store.find_duplicate(dedup_key(request, owner_id), owner_id))
        return row if row and transitions.is_current(row) else None

    async def _checked(self, row: DownloadRow | None) -> DownloadRow | None:
        return (await self._components.cleanup.without_lost_archives([row]))[0] if row else None

    async def _queue(self, request: DownloadRequest, title: str) -> DownloadRecord:
        if existing := await self._find_existing(request):
            return existing
        await self._check_disk(keep=request.keep)
        request = kept(request) if request.keep else request
        row, is_new = await self._store.create(
            transitions.new_row(request, title, self._ownership.owner_id),
            limit=self._components.limits.queue_limit,
            force=request.force,
            now_ms=transitions.now_ms(),
        )
        log.info("a download is queued" if is_new else "the same download exists already", download=row.download.id)
        return row.download

    async def _check_disk(self, *, keep: bool = False) -> None:
        limits = self._components.limits
        folders = [limits.data_dir, *([limits.library_dir] if keep and limits.library_dir else [])]
        if min([await asyncio.to_thread(_free_bytes, each) for each in folders]) >= limits.disk_floor_bytes:
            return
        next_ms = await self._store.next_expiry_ms()
        retry_after_s = max(1, round((next_ms - transitions.now_ms()) / 1000)) if next_ms else None
        raise StorageFull("Too little disk space is free for a download.", retry_after_s=retry_after_s)

    async def find(self, id: str) -> DownloadRecord | None:
        """The download of this id."""
        with translate_queue_errors():
            row = await self._find(id)
            return row.download if row else None

    async def _find(self, id: str) -> DownloadRow | None:
        row = await self._store.find(id)
        return await self._checked(row) if row and self._ownership.includes(row.download) else None

    async def _check_ownership(self, id: str) -> None:
        """Raise `DownloadNotFound` for one that the caller does not see; the owner never changes."""
        if not self._ownership.sees_all and await self._find(id) is None:
            raise DownloadNotFound(id)

    async def list(self, states: Collection[DownloadState] | None, first: int, after: str | None) -> DownloadPage:
        """A page of downloads, newest first; None for all states. Raises `InvalidInput` ("first", "after")."""
        check_first(first)
        lists = [ALL] if states is None else [in_state(state) for state in dict.fromkeys(states)]
        start = decode_cursor(CURSOR_PREFIX, after) if after else ""
        with translate_queue_errors():
            return _page_of(await self._page(lists, after=start, count=first + 1), first)

    async def of_album(self, album_id: str) -> Records:
        """Downloads of this album, newest first."""
        with translate_queue_errors():
            page = await self._page([of_album(album_id)], count=OF_ALBUM_LIMIT)
            return [row.download for row in page.rows]

    async def ready_of(self, album_ids: Collection[str]) -> Records:
        """READY downloads of these albums, and kept ones of which files were deleted; newest first."""
        if not album_ids:
            return []
        with translate_queue_errors():
            page = await self._page([of_album(id) for id in album_ids], count=OF_ALBUM_LIMIT)
            return [row.download for row in page.rows if row.download.files and not row.state.is_active]

    async def _page(self, lists: Collection[str], *, after: str = "", count: int) -> RowPage:
        page = await self._store.page(lists, after=after, count=count, ownership=self._ownership)
        return replace(page, rows=tuple(await self._components.cleanup.without_lost_archives(page.rows)))

    async def cancel(self, id: str) -> DownloadRecord:
        """Stop a download that is queued or under way; any other is returned as it is. `DownloadNotFound`.

        One whose missing pages are being fetched is READY again, with the archive it had.
        """
        with translate_queue_errors():
            await self._check_ownership(id)
            old, is_changed = await self._store.change(id, transitions.cancelled)
            if is_changed and old.state is DownloadState.CANCELLED:
                await self._discard(old)
            return old.download

    async def keep(self, id: str, *, keep: bool = True) -> DownloadRecord:
        """Let its files stay, or expire as others do. One that is READY with a plain archive is queued to be put into
        the library; one that is neither active nor READY is kept once it is retried.

        Raises `DownloadNotFound`, `QueueFull`, `StorageFull`, `StorageUnavailable`.
        """
        with translate_queue_errors():
            row = await self._find(id)
            if row is None:
                raise DownloadNotFound(id)
            if not keep:
                return await self._let_go(id)
            is_moving = row.state is DownloadState.READY and not (row.is_in_library or row.download.is_kept)
            if is_moving:
                await self._check_disk(keep=True)
            limit = self._components.limits.queue_limit if is_moving else None
            row, _ = await self._store.change(id, transitions.kept, limit=limit)
            if row.state is DownloadState.READY and row.is_in_library:
                await self._components.kept.save_download(row)
            return row.download

    async def _let_go(self, id: str) -> DownloadRecord:
        await self._components.kept.forget_download(id)
        step = partial(transitions.let_go, ttl_s=self._components.limits.ttl_s)
        return (await self._store.change(id, step))[0].download

    async def retry(self, id: str) -> DownloadRecord:
        """Queue a failed, cancelled or expired download again, or one that lacks pages.

        Any other is returned as it is. Raises `DownloadNotFound`, `BlockedByPolicy`, `QueueFull`, `StorageFull`.
        """
        with translate_queue_errors():
            row = await self._find(id)
            if row is None:
                raise DownloadNotFound(id)
            if not transitions.can_be_retried(row):
                return row.download
            await self._check_album(row)
            await self._check_disk(keep=row.download.is_kept)
            return await self._retry(id)

    async def _check_album(self, row: DownloadRow) -> None:
        """Raise `BlockedByPolicy` for an album that this caller does not want; what the host withholds, and what the
        site no longer has, the worker says.
        """
        if self._albums is not self._components.albums:
            with suppress(AlbumNotFound, UpstreamFailure):
                await self._albums.check_album(row.download.request.album_id)

    async def _retry(self, id: str) -> DownloadRecord:
        row, _ = await self._store.change(id, transitions.retried, limit=self._components.limits.queue_limit)
        return row.download

    async def retry_failed(self) -> Records:
        """Queue every failed download again, the oldest first, until the queue is full; none of an album that the
        caller does not want.

        Raises `QueueFull` when it was full before, `StorageFull`.
        """
        with translate_queue_errors():
            page = await self._page([in_state(DownloadState.FAILED)], count=RETRY_LIMIT)
            if not page.rows:
                return []
            await self._check_disk()
            return await self._retry_each(page.rows[::-1])

    async def _retry_each(self, rows: Sequence[DownloadRow]) -> Records:
        queued: Records = []
        for row in rows:
            try:
                await self._check_album(row)
                queued.append(await self._retry(row.download.id))
            except (DownloadNotFound, BlockedByPolicy):
                continue
            except QueueFull:
                if not queued:
                    raise
                break
        return queued

    async def remove(self, id: str) -> None:
        """Delete record and files; what is under way is stopped. `DownloadNotFound`."""
        with translate_queue_errors():
            row = await self._find(id)
            if row is None or (row := await self._remove(row)) is None:
                raise DownloadNotFound(id)
            await self._discard(row)
            await self._components.cleanup.delete_marked_archives()

    async def remove_all(self) -> None:
        """Delete every download that the caller owns, with its files; for a user who is removed."""
        with translate_queue_errors():
            ids = await self._store.ids_of(self._ownership.owner_id)
            for found in await self._store.find_many(ids):
                if found and (row := await self._remove(found)) is not None:
                    await self._discard(row)
            await self._components.cleanup.delete_marked_archives()

    async def _remove(self, row: DownloadRow) -> DownloadRow | None:
        """The row as it was removed. It is forgotten in the database first, so that it is not restored from there."""
        if row.is_in_library:
            await self._components.kept.forget_download(row.download.id)
        return await self._store.remove(row.download.id)

    async def _discard(self, row: DownloadRow) -> None:
        """Remove its folder, if it is on this machine; on another one the worker there does."""
        await asyncio.to_thread(self._components.folders.remove, row.folder)

    async def watch(self, id: str) -> AsyncGenerator[DownloadRecord, None]:
        """The download now, then every change, at most four a second, until it has ended or is removed.

        Raises `DownloadNotFound` at once for an unknown id.
        """
        await self.find(id)  # notices a lost archive before the first state
        with translate_queue_errors():
            interval_s = self._components.timings.live_s
            async with aclosing(
                watch_one(self._store, self._components.hub, id, self._ownership, interval_s=interval_s)
            ) as changes:
                async for download in changes:
                    yield download

    async def feed(
        self, ids: Collection[str] | None, states: Collection[DownloadState] | None
    ) -> AsyncGenerator[FeedBatch, None]:
        """The active downloads (or of `ids`, or in `states`) as one snapshot, then what changes, until closed."""
        with translate_queue_errors():
            if states and DownloadState.READY in states:
                await self._page([in_state(DownloadState.READY)], count=SNAPSHOT_LIMIT)
            interval_s = self._components.timings.live_s
            async with aclosing(
                watch_many(self._store, self._components.hub, ids, states, self._ownership, interval_s=interval_s)
            ) as batches:
                async for batch in batches:
                    yield batch

    async def list_ended(self, count: int) -> Sequence[EndedDownload]:
        """Downloads of all owners that have become READY or FAILED, the first one first; until `forget_ended`."""
        with translate_queue_errors():
            ended = await self._store.list_ended(count)
            rows = await self._store.find_many([id for id, _ in ended])
            return [
                EndedDownload(id, state, row.download if row else None)
                for (id, state), row in zip(ended, rows, strict=True)
            ]

    async def forget_ended(self, ended: Collection[EndedDownload]) -> None:
        """Leave these out of `list_ended` from now on."""
        with translate_queue_errors():
            await self._store.forget_ended([(each.id, each.state) for each in ended])

    @property
    def subscriber_count(self) -> int:
        """Subscribers in this process, workers of running downloads included."""
        return self._components.hub.subscriber_count

    async def counts(self) -> QueueCounts:
        """How busy the queue is."""
        with translate_queue_errors():
            queued, *active = await self._store.count(DownloadState.QUEUED, *transitions.WORK_STATES)
            return QueueCounts(queued, sum(active), len(await self._components.leases.alive()))

    async def count_states(self) -> dict[DownloadState, int]:
        """Number of downloads in each state."""
        with translate_queue_errors():
            return dict(zip(DownloadState, await self._store.count(*DownloadState), strict=True))

    async def find_file(self, id: str, name: str) -> DownloadFileRecord | None:
        """The file of this download, if it has not expired and has this name."""
        with translate_queue_errors():
            row = await self._find(id)
        is_there = row and (transitions.is_current(row) or row.is_in_library)
        files = row.download.files if row and is_there else ()
        return next((file for file in files if file.name == name), None)

    async def find_named(self, stem: str, archive: ArchiveFormat) -> DownloadRecord | None:
        """The newest download whose file is such an archive of this name."""
        with translate_queue_errors():
            named = await self._components.cleanup.without_lost_archives(await self._store.find_named(stem))
        current = (row.download for row in named if transitions.is_current(row))
        ending = f".{archive.extension}"
        found = (download for download in current if download.file and download.file.name.endswith(ending))
        return next(filter(self._ownership.includes, found), None)

    async def scan_library(self, store: ArchiveStore) -> ScanResult:
        """Compare the kept files in the store with what is known of them, and take in those that nobody knows.

        They belong to whom these downloads belong to. Raises `StorageUnavailable`.
        """

        async def add(row: DownloadRow) -> None:
            await self._components.kept.save_download(row)
            await self._store.restore(row)

        async def compare(id: str) -> None:
            if (row := await self._store.find(id)) is not None and row.is_in_library:
                await self._components.cleanup.compare_kept(row)

        scan = LibraryScan(self._components.kept, store, self._albums, add, compare)
        with translate_queue_errors():
            await self._components.cleanup.restore_kept()
            return await scan.run(self._ownership.owner_id)

    @asynccontextmanager
    async def lock_file(self, id: str, name: str) -> AsyncIterator[DownloadFileRecord | None]:
        """As `find_file`; the file does not expire before the end of the block. For sending it."""
        with translate_queue_errors():
            async with self._components.file_locks.lock(id) as is_locked:
                yield await self.find_file(id, name) if is_locked else None

    async def maintain(self) -> None:
        """Run expiry, clean-up and supervision of workers, in every process. Never returns."""
        await maintain(self._components.cleanup, self._components.reconciler, self._components.timings)

    def worker(self, pipeline: PagePipeline, *, jobs: int) -> DownloadWorker:
        """A worker for up to `jobs` downloads at once; its `run(stop)` is what `worker.py` calls."""
        return DownloadWorker(self._components, pipeline, jobs=jobs)


@asynccontextmanager
async def open_downloads(
    redis: RedisClient,
    events: Events,
    albums: AlbumSource,
    archives: ArchiveStorage,
    kept: KeptFiles,
    folders: StagingFolders,
    limits: DownloadLimits,
    timings: Timings | None = None,
) -> AsyncIterator[Downloads]:
    """The downloads of this process. `ConfigurationError` when a newer version wrote the records."""
    async with open_components(
        redis, events, albums, archives, kept, folders, limits, timings or Timings()
    ) as components:
        yield Downloads(components)


def _page_of(found: RowPage, first: int) -> DownloadPage:
    """The page of `first` downloads; `found` has one more where there are more."""
    items = tuple(row.download for row in found.rows[:first])
    return DownloadPage(
        items=items,
        cursors=tuple(encode_cursor(CURSOR_PREFIX, download.id) for download in items),
        has_next=len(found.rows) > first,
        has_previous=found.before > 0,
        total=found.total,
    )


def _free_bytes(folder: Path) -> int:
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free
