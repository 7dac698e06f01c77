"""One download, carried out: chapters, pages, archive, storage, each step in the record before the next."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import chain, count

import structlog

from services.downloads import transitions
from services.downloads.components import DownloadComponents
from services.downloads.names import file_stem, with_album_suffix
from services.downloads.ports import Cancelled, Folders, Job, PackedArchive, PagePipeline
from services.downloads.problems import problem_of
from services.downloads.records import DownloadFile, DownloadRequest, DownloadState
from services.downloads.row import ChapterProgress, DownloadRow
from services.downloads.store import NameTaken
from services.downloads.update_hub import Subscriber
from services.downloads.writer import LeaseLost, RecordWriter
from services.errors import ChapterNotFound, UpstreamFailure, UpstreamReason
from services.observability import Priority, bound_request, metrics, open_usage, span
from services.redis import RedisUnavailable
from services.tasks import end_tasks
from services.upstream.records import AlbumDetail, ChapterDetail

log = structlog.get_logger("jmgraph.runner")

PUT_GRACE_S = 2.0
"""So long a store may still finish what it was given before the work was cancelled."""


class Runner:
    """Carries out downloads that this worker has claimed."""

    def __init__(self, engine: DownloadComponents, pipeline: PagePipeline) -> None:
        self._store = engine.store
        self._board = engine.board
        self._albums = engine.albums
        self._archives = engine.archives
        self._folders = engine.folders
        self._ttl_s = engine.limits.ttl_s
        self._timings = engine.timings
        self._pipeline = pipeline

    async def run(self, entry: DownloadRow) -> None:
        """Until the download has ended or is somebody else's. Cancelled (an ending worker), it is handed over."""
        writer = RecordWriter(self._store, entry, self._timings)
        try:
            with (
                open_usage(Priority.DOWNLOAD),
                bound_request(entry.request_id),
                span("download", {"jmgraph.download": entry.download.id}),
            ):
                await self._run_while_ours(writer)
        except LeaseLost:
            log.info("A download is no longer ours", download=entry.download.id)
            await self._clear_up(entry, writer.entry.archive_key)
        except asyncio.CancelledError:
            await self._hand_over(writer)
            raise

    async def _run_while_ours(self, writer: RecordWriter) -> None:
        """The work, beside the two who may end it early: the writer of progress and the eye on the record."""
        lost = asyncio.Event()
        with self._board.follow((writer.entry.download.id,)) as follower:
            work = asyncio.create_task(self._work_or_fail(writer, lost))
            helpers = (
                asyncio.create_task(writer.write_progress_forever()),
                asyncio.create_task(self._until_lost(follower, writer)),
            )
            try:
                await asyncio.wait((work, *helpers), return_when=asyncio.FIRST_COMPLETED)
                lost.set()
                if work.done():
                    return await work
                for helper in helpers:
                    if helper.done():
                        await helper
            finally:
                lost.set()
                await end_tasks(work, *helpers)

    async def _until_lost(self, follower: Subscriber, writer: RecordWriter) -> None:
        """Raise `LeaseLost` once the record says that it is no longer ours."""
        id, lease = writer.entry.download.id, writer.entry.lease
        while True:
            there = (await follower.changed()).get(id)
            if (
                writer.entry.state not in transitions.WORK_STATES
            ):  # ended by us: what becomes of it now is not our loss
                continue
            if there is None or (there.lease != lease and there.state.is_active):
                raise LeaseLost
            if there.state is DownloadState.CANCELLED:
                raise LeaseLost

    async def _work_or_fail(self, writer: RecordWriter, lost: asyncio.Event) -> None:
        try:
            await self._work(writer, lost)
        except (LeaseLost, asyncio.CancelledError):
            raise
        except Cancelled:
            raise LeaseLost from None
        except Exception as error:
            await writer.check_held()  # who cancels or removes it takes the folder away under our hands
            problem = problem_of(error)
            await writer.move(lambda entry: transitions.failed(entry, problem))
            metrics.DOWNLOADS_ENDED.labels(DownloadState.FAILED).inc()
            log.info("A download failed", download=writer.entry.download.id, code=problem.code)

    async def _work(self, writer: RecordWriter, lost: asyncio.Event) -> None:
        request = writer.entry.download.request
        album = await self._albums.get_album(request.album_id)
        chapters = await self._chapters(album, request)
        await writer.move(lambda entry: _with_chapters(entry, chapters))
        folder = writer.entry.folder
        packed = await self._pipeline.run(
            _job(writer.entry, album, chapters, self._folders),
            on_progress=writer.note,
            is_cancelled=lost.is_set,
        )
        await self._store_archive(writer, packed)
        await asyncio.to_thread(self._folders.remove, folder)

    async def _chapters(self, album: AlbumDetail, request: DownloadRequest) -> tuple[ChapterDetail, ...]:
        wanted = set(request.chapter_ids) or {chapter.id for chapter in album.chapters}
        ids = [chapter.id for chapter in album.chapters if chapter.id in wanted]
        if gone := wanted - set(ids):
            raise ChapterNotFound(min(gone))
        found = await self._albums.find_chapters(ids)
        return tuple(_whole(id, chapter) for id, chapter in zip(ids, found, strict=True))

    async def _store_archive(self, writer: RecordWriter, packed: PackedArchive) -> None:
        download = writer.entry.download
        extension = download.request.archive.extension
        key = f"{download.id}-{download.attempts}.{extension}"
        await writer.move(lambda entry: replace(entry.at(DownloadState.PACKING), archive_key=key))
        await self._put(packed, key)
        for stem in _stems(download.title, download.album_id):
            file = DownloadFile(f"{stem}.{extension}", key, packed.size_bytes, packed.sha256)
            with suppress(NameTaken):
                await writer.move(lambda entry, file=file: transitions.ready(entry, file, self._ttl_s))  # type: ignore[misc]
                break
        metrics.DOWNLOADS_ENDED.labels(DownloadState.READY).inc()
        log.info("A download is ready", download=download.id, size_bytes=packed.size_bytes, notes=len(packed.notes))

    async def _put(self, packed: PackedArchive, key: str) -> None:
        """Store the archive; cancelled, it waits a moment, so that nothing appears after it was cleared up."""
        putting = asyncio.create_task(self._archives.put(packed.path, key))
        try:
            await asyncio.shield(putting)
        except asyncio.CancelledError:
            await asyncio.wait((putting,), timeout=PUT_GRACE_S)
            putting.cancel()
            raise

    async def _hand_over(self, writer: RecordWriter) -> None:
        """Give it back to the queue at once; where Redis is away, the lease runs out instead."""
        if writer.entry.state not in transitions.WORK_STATES:
            return
        try:
            async with asyncio.timeout(self._timings.handover_s):
                await writer.move(lambda entry: transitions.requeued(entry, crashes=entry.crashes))
            log.info("Handed a download over", download=writer.entry.download.id)
        except TimeoutError:
            log.warning("A download could not be handed over", download=writer.entry.download.id)
        except LeaseLost:
            await self._clear_up(writer.entry, writer.entry.archive_key)

    async def _clear_up(self, entry: DownloadRow, archive_key: str) -> None:
        """Leave nothing of what was cancelled or removed; keep what another worker goes on with."""
        try:
            there = await self._store.find(entry.download.id)
        except RedisUnavailable:
            return
        if there is None or there.folder != entry.folder or there.state is DownloadState.CANCELLED:
            await asyncio.to_thread(self._folders.remove, entry.folder)
        if archive_key and (there is None or there.archive_key != archive_key):
            await self._store.throw_away(archive_key)


def _whole(id: str, chapter: ChapterDetail | UpstreamFailure | None) -> ChapterDetail:
    if isinstance(chapter, UpstreamFailure):
        raise chapter
    if chapter is None:
        raise ChapterNotFound(id)
    if not chapter.page_names:
        raise UpstreamFailure(UpstreamReason.GARBLED, "The site lists a chapter without pages.")
    return chapter


def _with_chapters(entry: DownloadRow, chapters: tuple[ChapterDetail, ...]) -> DownloadRow:
    before = {chapter.id: chapter.pages_done for chapter in entry.chapters}
    total = sum(len(chapter.page_names) for chapter in chapters)
    progress = replace(entry.download.progress, pages_total=total)
    return replace(
        entry,
        download=replace(entry.download, progress=progress),
        chapters=tuple(
            ChapterProgress(
                chapter.id, min(before.get(chapter.id, 0), len(chapter.page_names)), len(chapter.page_names)
            )
            for chapter in chapters
        ),
    )


def _job(entry: DownloadRow, album: AlbumDetail, chapters: tuple[ChapterDetail, ...], folders: Folders) -> Job:
    request = entry.download.request
    return Job(
        download_id=entry.download.id,
        album=album,
        chapters=chapters,
        archive=request.archive,
        image=request.image,
        quality=request.quality,
        folder=folders.folder(entry.folder),
    )


def _stems(title: str, album_id: str) -> Iterator[str]:
    """Names to try, best first: the title's, with the album's number, and so on where even that is taken."""
    stem = file_stem(title, fallback=f"JM{album_id}")
    further = (with_album_suffix(f"{stem} {number}", album_id) for number in count(2))
    return chain((stem, with_album_suffix(stem, album_id)), further)
