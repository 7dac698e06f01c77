"""Runs one download: chapters, pages, archive, storage; each step is in the record before the next begins."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import chain, count

import structlog

from services.downloads import transitions
from services.downloads.components import DownloadComponents
from services.downloads.names import file_stem, with_number
from services.downloads.ports import Cancelled, DownloadJob, PackedArchive, PagePipeline, PagesMissing, StagingFolders
from services.downloads.record_writer import LeaseLost, RecordWriter
from services.downloads.records import (
    DownloadFileRecord,
    DownloadProblemRecord,
    DownloadRecord,
    DownloadRequest,
    DownloadState,
)
from services.downloads.row import ChapterProgress, DownloadRow
from services.downloads.store import NameTaken
from services.downloads.updates import Subscriber
from services.errors import ChapterNotFound, ErrorCode, Internal, JmgraphError, UpstreamFailure, UpstreamReason
from services.observability import Priority, bound_request, metrics, open_stats, span
from services.redis import RedisUnavailable
from services.tasks import cancel_and_wait
from services.upstream.records import AlbumDetail, ChapterDetail

log = structlog.get_logger("jmgraph.runner")

PUT_GRACE_S = 2.0
"""A cancelled upload has this long to finish."""


class DownloadRunner:
    """Runs downloads that this worker has claimed."""

    def __init__(self, components: DownloadComponents, pipeline: PagePipeline) -> None:
        self._store = components.store
        self._hub = components.hub
        self._albums = components.albums
        self._archives = components.archives
        self._folders = components.folders
        self._ttl_s = components.limits.ttl_s
        self._timings = components.timings
        self._pipeline = pipeline

    async def run(self, row: DownloadRow) -> None:
        """Run until the download has ended or belongs to another worker; queued again when cancelled."""
        writer = RecordWriter(self._store, row, self._timings)
        try:
            with (
                open_stats(Priority.DOWNLOAD),
                bound_request(row.request_id),
                span("download", {"jmgraph.download": row.download.id}),
            ):
                await self._run_with_lease(writer)
        except LeaseLost:
            log.info("a download is no longer ours", download=row.download.id)
            await self._clean_up(row, writer.row.archive_key)
        except asyncio.CancelledError:
            await self._hand_over(writer)
            raise

    async def _run_with_lease(self, writer: RecordWriter) -> None:
        """The work, with two tasks that may end it early: one writes progress, one watches the record."""
        lost = asyncio.Event()
        with self._hub.subscribe((writer.row.download.id,)) as subscriber:
            work = asyncio.create_task(self._work_or_fail(writer, lost))
            helpers = (
                asyncio.create_task(writer.write_progress_forever()),
                asyncio.create_task(self._watch_for_loss(subscriber, writer)),
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
                await cancel_and_wait(work, *helpers)

    async def _watch_for_loss(self, subscriber: Subscriber, writer: RecordWriter) -> None:
        """Raise `LeaseLost` once the record says that it is no longer ours."""
        id, lease = writer.row.download.id, writer.row.lease
        while True:
            stored = (await subscriber.changed()).get(id)
            if writer.row.state not in transitions.WORK_STATES:  # ended by us: later changes do not concern this run
                continue
            if stored is None or (stored.lease != lease and stored.state.is_active):
                raise LeaseLost
            if stored.state is DownloadState.CANCELLED:
                raise LeaseLost

    async def _work_or_fail(self, writer: RecordWriter, lost: asyncio.Event) -> None:
        try:
            await self._work(writer, lost)
        except (LeaseLost, asyncio.CancelledError):
            raise
        except Cancelled:
            raise LeaseLost from None
        except Exception as error:
            await writer.check_lease()  # a cancelled or removed download loses its folder while we work in it
            problem = problem_from_error(error)
            await writer.change(lambda row: transitions.failed(row, problem))
            metrics.DOWNLOADS_ENDED.labels(DownloadState.FAILED).inc()
            log.info("a download failed", download=writer.row.download.id, code=problem.code)

    async def _work(self, writer: RecordWriter, lost: asyncio.Event) -> None:
        request = writer.row.download.request
        album = await self._albums.get_album(request.album_id)
        chapters = await self._chapters(album, request)
        await writer.change(lambda row: _with_chapters(row, chapters))
        folder = writer.row.folder
        packed = await self._pipeline.run(
            _job(writer.row, album, chapters, self._folders),
            on_progress=writer.note,
            is_cancelled=lost.is_set,
        )
        await self._store_archive(writer, packed)
        await asyncio.to_thread(self._folders.remove, folder)

    async def _chapters(self, album: AlbumDetail, request: DownloadRequest) -> tuple[ChapterDetail, ...]:
        wanted = set(request.chapter_ids) or {chapter.id for chapter in album.chapters}
        ids = [chapter.id for chapter in album.chapters if chapter.id in wanted]
        if unknown := wanted - set(ids):
            raise ChapterNotFound(min(unknown))
        found = await self._albums.find_chapters(ids)
        return tuple(_require_chapter(id, chapter) for id, chapter in zip(ids, found, strict=True))

    async def _store_archive(self, writer: RecordWriter, packed: PackedArchive) -> None:
        download = writer.row.download
        extension = download.request.archive.extension
        key = f"{download.id}-{download.attempts}.{extension}"
        await writer.change(lambda row: row.with_state(DownloadState.PACKING).replace(archive_key=key))
        await self._put(packed, key)
        for stem in _stems(download):
            file = DownloadFileRecord(f"{stem}.{extension}", key, packed.size_bytes, packed.sha256)
            with suppress(NameTaken):
                await writer.change(lambda row, file=file: transitions.ready(row, file, self._ttl_s))  # type: ignore[misc]
                break
        metrics.DOWNLOADS_ENDED.labels(DownloadState.READY).inc()
        log.info("a download is ready", download=download.id, size_bytes=packed.size_bytes, notes=len(packed.notes))

    async def _put(self, packed: PackedArchive, key: str) -> None:
        """Put the archive into the store; cancelled, wait a moment, so that nothing appears after the clean-up."""
        putting = asyncio.create_task(self._archives.put(packed.path, key))
        try:
            await asyncio.shield(putting)
        except asyncio.CancelledError:
            await asyncio.wait((putting,), timeout=PUT_GRACE_S)
            putting.cancel()
            raise

    async def _hand_over(self, writer: RecordWriter) -> None:
        """Queue it again at once; while Redis is unavailable the lease expires instead."""
        if writer.row.state not in transitions.WORK_STATES:
            return
        try:
            async with asyncio.timeout(self._timings.handover_s):
                await writer.change(lambda row: transitions.requeued(row, crash_count=row.crash_count))
            log.info("a download was handed over", download=writer.row.download.id)
        except TimeoutError:
            log.warning("a download could not be handed over", download=writer.row.download.id)
        except LeaseLost:
            await self._clean_up(writer.row, writer.row.archive_key)

    async def _clean_up(self, row: DownloadRow, archive_key: str) -> None:
        """Remove what belongs to a cancelled or removed download; keep what another worker continues with."""
        try:
            stored = await self._store.find(row.download.id)
        except RedisUnavailable:
            return
        if stored is None or stored.folder != row.folder or stored.state is DownloadState.CANCELLED:
            await asyncio.to_thread(self._folders.remove, row.folder)
        if archive_key and (stored is None or stored.archive_key != archive_key):
            await self._store.mark_for_deletion(archive_key)


def problem_from_error(error: Exception) -> DownloadProblemRecord:
    """The problem for an error; an unexpected one is logged and INTERNAL."""
    match error:
        case PagesMissing():
            return _missing(error)
        case UpstreamFailure():
            return DownloadProblemRecord(error.error_code, error.message, error.retryable, error.reason)
        case JmgraphError():
            return DownloadProblemRecord(error.error_code, error.message, error.retryable)
    log.error("a download failed unexpectedly", exc_info=error)
    return DownloadProblemRecord(ErrorCode.INTERNAL, Internal().message, retryable=True)


def _missing(error: PagesMissing) -> DownloadProblemRecord:
    count = len(error.missing)
    pages = tuple(f"{chapter_id}/{page}" for chapter_id, page in error.missing)
    what = f"{count} pages can't be had" if count != 1 else "1 page can't be had"
    return DownloadProblemRecord(
        code=error.cause.error_code if error.cause else ErrorCode.UPSTREAM_BROKEN,
        message=f"{what}: {error.cause.message}" if error.cause else f"{what} from the site.",
        retryable=True,
        reason=error.cause.reason if error.cause else None,
        missing_pages=pages,
    )


def _require_chapter(id: str, chapter: ChapterDetail | UpstreamFailure | None) -> ChapterDetail:
    if isinstance(chapter, UpstreamFailure):
        raise chapter
    if chapter is None:
        raise ChapterNotFound(id)
    if not chapter.page_names:
        raise UpstreamFailure(UpstreamReason.GARBLED, "The site lists a chapter without pages.")
    return chapter


def _with_chapters(row: DownloadRow, chapters: tuple[ChapterDetail, ...]) -> DownloadRow:
    before = {chapter.id: chapter.pages_done for chapter in row.chapters}
    total = sum(len(chapter.page_names) for chapter in chapters)
    progress = replace(row.download.progress, pages_total=total)
    return row.replace(
        download=replace(row.download, progress=progress),
        chapters=tuple(
            ChapterProgress(
                chapter.id, min(before.get(chapter.id, 0), len(chapter.page_names)), len(chapter.page_names)
            )
            for chapter in chapters
        ),
    )


def _job(
    row: DownloadRow, album: AlbumDetail, chapters: tuple[ChapterDetail, ...], folders: StagingFolders
) -> DownloadJob:
    request = row.download.request
    return DownloadJob(
        download_id=row.download.id,
        album=album,
        chapters=chapters,
        archive=request.archive,
        image=request.image,
        quality=request.quality,
        folder=folders.folder(row.folder),
    )


def _stems(download: DownloadRecord) -> Iterator[str]:
    """Names to try, best first: the title, with its number for a chapter alone; the same with the album's
    number, then numbered ones.
    """
    album_id, chapter_ids = download.album_id, download.request.chapter_ids
    stem = file_stem(download.title, fallback=f"JM{album_id}")
    if len(chapter_ids) == 1:
        stem = with_number(stem, chapter_ids[0])
    further = (with_number(f"{stem} {number}", album_id) for number in count(2))
    return chain((stem, with_number(stem, album_id)), further)
