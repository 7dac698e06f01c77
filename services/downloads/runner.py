"""Runs one download: chapters, pages, archive, storage; each step is in the record before the next begins."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, count

import structlog

from services.downloads import transitions
from services.downloads.components import DownloadComponents
from services.downloads.kept import NewFile, copy_pages
from services.downloads.names import file_stem, with_number
from services.downloads.page_formats import page_format_of
from services.downloads.ports import (
    Cancelled,
    DownloadJob,
    PackedArchive,
    PagePipeline,
    PagesProgress,
    StagingFolders,
)
from services.downloads.record_writer import LeaseLost, RecordWriter
from services.downloads.records import ArchiveFormat, DownloadFileRecord, DownloadRequest, DownloadState
from services.downloads.row import ChapterProgress, DownloadRow
from services.downloads.staging import PageDirectory
from services.downloads.store import NameTaken
from services.downloads.updates import Subscriber
from services.errors import AlbumNotFound, ChapterNotFound, JmgraphError, UpstreamFailure, UpstreamReason
from services.observability import Priority, bound_request, metrics, open_stats, span
from services.redis import RedisUnavailable
from services.tasks import cancel_and_wait
from services.upstream.records import AlbumDetail, ChapterDetail, ChapterRef

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
        self._kept = components.kept
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
                span("download", {"jmgraph.download": row.download.id}, row.trace_parent),
            ):
                await self._run_with_lease(writer)
        except LeaseLost:
            log.info("a download is no longer ours", download=row.download.id)
            await self._clean_up(writer.row)
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
        id = writer.row.download.id
        while True:
            stored = (await subscriber.changed()).get(id)
            held = await writer.settled_row()
            if held.state not in transitions.WORK_STATES:  # ended by us: later changes do not concern this run
                continue
            if stored is None:
                raise LeaseLost
            if stored.lease != held.lease and stored.download.revision > held.download.revision:
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
            problem = transitions.problem_from_error(error)
            await writer.change(lambda row: transitions.failed(row, problem))
            metrics.DOWNLOADS_ENDED.labels(DownloadState.FAILED).inc()
            log.info("a download failed", download=writer.row.download.id, code=problem.code)

    async def _work(self, writer: RecordWriter, lost: asyncio.Event) -> None:
        contents = await self._read_contents(writer.row.download.request)
        await writer.change(lambda row: _with_chapters(row, contents))
        folder = writer.row.folder
        is_stored = False
        while not is_stored:  # again where it is to be kept only now, or no longer: its pages are on disk by then
            make = self._make_kept_files if writer.row.download.is_kept else self._make_archive
            with suppress(_KeepChanged):
                await make(writer, contents, lost)
                is_stored = True
        if writer.row.download.is_complete:  # else a retry needs only the missing pages
            await asyncio.to_thread(self._folders.remove, folder)

    async def _read_contents(self, request: DownloadRequest) -> _Contents:
        """The album and its chapters; of a whole album as many as its page says, where the API knows more of them."""
        album = await self._albums.get_album(request.album_id)
        found = await self._find_chapters(album, request)
        expected = 0 if request.chapter_ids else album.page_count
        if _page_count(found) < expected:
            with suppress(UpstreamFailure, AlbumNotFound):
                reread = await self._albums.reread_album(album.id)
                found_again = await self._find_chapters(reread, request)
                if _page_count(found_again) > _page_count(found):
                    album, found = reread, found_again
        return _contents_of(album, found, expected, allow_missing=request.allow_missing)

    async def _find_chapters(self, album: AlbumDetail, request: DownloadRequest) -> _FoundChapters:
        wanted = set(request.chapter_ids) or {chapter.id for chapter in album.chapters}
        refs = [chapter for chapter in album.chapters if chapter.id in wanted]
        ids = [ref.id for ref in refs]
        if unknown := wanted.difference(ids):
            raise ChapterNotFound(min(unknown))
        found: list[ChapterDetail | None] = []
        for chapter in await self._albums.find_chapters(ids, album_id=album.id):
            if isinstance(chapter, JmgraphError):
                raise chapter
            found.append(chapter)
        return list(zip(refs, found, strict=True))

    async def _make_archive(self, writer: RecordWriter, contents: _Contents, lost: asyncio.Event) -> None:
        packed = await self._pipeline.run(
            _job(writer.row, contents, self._folders), on_progress=writer.note, is_cancelled=lost.is_set
        )
        await self._store_archive(writer, packed, contents)

    async def _store_archive(self, writer: RecordWriter, packed: PackedArchive, contents: _Contents) -> None:
        download = writer.row.download
        extension = download.request.archive.extension
        key = f"{download.id}-{download.attempts}.{extension}"
        await writer.change(
            lambda row: _as_before(row, is_kept=False).with_state(DownloadState.PACKING).replace(archive_key=key)
        )
        await self._put(packed, key)
        problem = transitions.missing_problem(packed.missing, contents.left_out)
        notes = contents.notes + packed.notes
        for stem in _stems(writer.row):
            file = DownloadFileRecord(f"{stem}.{extension}", key, packed.size_bytes, packed.sha256)
            ready = partial(transitions.ready, files=(file,), ttl_s=self._ttl_s, problem=problem, notes=notes)
            with suppress(NameTaken):
                await writer.change(lambda row, ready=ready: ready(_as_before(row, is_kept=False)))  # type: ignore[misc]
                break
        self._report(writer, packed.size_bytes)

    async def _make_kept_files(self, writer: RecordWriter, contents: _Contents, lost: asyncio.Event) -> None:
        """A file for each chapter in the library; those that are there, whoever keeps them, are not made again."""
        row = await writer.change(lambda row: row.replace(is_in_library=True))
        request, id = row.download.request, row.download.id
        variant = page_format_of(request.archive, request.image, request.quality).variant
        await asyncio.to_thread(self._copy_archived_pages, row, contents, variant)
        chapter_ids = [chapter.id for chapter in contents.chapters]
        held = [] if request.force else await self._kept.hold_complete(id, chapter_ids, variant)
        left = contents.without({file.chapter.id for file in held})
        packed = None
        note = _noting_with(writer, contents, left)
        if not left.chapters:
            note(PagesProgress(0, 0, sum(file.size_bytes for file in held), {}))
        else:
            job = replace(_job(row, left, self._folders), is_split=True)
            packed = await self._pipeline.run(job, on_progress=note, is_cancelled=lost.is_set)
        await writer.change(lambda row: _as_before(row, is_kept=True).with_state(DownloadState.PACKING))
        await self._store_kept(writer, packed, left, variant)
        files = [file.record for file in await self._kept.of_download(id, chapter_ids)]
        problem = transitions.missing_problem(packed.missing if packed else None, contents.left_out)
        notes = contents.notes + (packed.notes if packed else ())
        ready = partial(transitions.ready, files=files, ttl_s=self._ttl_s, problem=problem, notes=notes)
        await self._kept.save_download(ready(_as_before(writer.row, is_kept=True)))
        await writer.change(lambda row: ready(_as_before(row, is_kept=True)))
        self._report(writer, sum(file.size_bytes for file in files))

    async def _store_kept(
        self, writer: RecordWriter, packed: PackedArchive | None, contents: _Contents, variant: str
    ) -> None:
        extension = writer.row.download.request.archive.extension
        incomplete = {chapter_id for chapter_id, _ in packed.missing.missing} if packed and packed.missing else set()
        for chapter in contents.chapters:
            if packed is None or (archive := packed.chapters.get(chapter.id)) is None:
                continue
            new = NewFile(contents.album, chapter, variant, extension)
            file = await self._kept.reserve(writer.row.download.id, new)
            await self._put(archive, file.key)
            is_complete = chapter.id not in incomplete
            await self._kept.commit(file, chapter, archive.size_bytes, archive.sha256, is_complete)

    def _copy_archived_pages(self, row: DownloadRow, contents: _Contents, variant: str) -> None:
        """Copy the pages of the archive that it has into its folder, so that they are not fetched again."""
        if not row.file_key or row.download.request.archive is ArchiveFormat.PDF:
            return
        problem = row.download.problem
        missing = {page.partition("/")[0] for page in problem.missing_pages} if problem else set()
        id_at = {ref.index: ref.id for ref in contents.album.chapters if ref.id not in missing}
        directory = PageDirectory(self._folders.folder(row.folder), variant)
        copied = copy_pages(self._archives, row.file_key, directory, id_at.get)
        log.info("pages of an archive are kept", download=row.download.id, count=copied)

    def _report(self, writer: RecordWriter, size_bytes: int) -> None:
        metrics.DOWNLOADS_ENDED.labels(DownloadState.READY).inc()
        log.info(
            "a download is ready",
            download=writer.row.download.id,
            size_bytes=size_bytes,
            notes=len(writer.row.download.notes),
            is_complete=writer.row.download.is_complete,
        )

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
            await self._clean_up(writer.row)

    async def _clean_up(self, row: DownloadRow) -> None:
        """Remove what belongs to a cancelled or removed download; keep what another worker continues with."""
        try:
            stored = await self._store.find(row.download.id)
        except RedisUnavailable:
            return
        if stored is None or stored.folder != row.folder or stored.state is DownloadState.CANCELLED:
            await asyncio.to_thread(self._folders.remove, row.folder)
        for key in row.archive_keys - (stored.archive_keys if stored else set()):
            await self._store.mark_for_deletion(key)


_FoundChapters = list[tuple[ChapterRef, ChapterDetail | None]]
"""Chapters as the album lists them, each with what was read of it; None where there is none."""


@dataclass(frozen=True, slots=True)
class _Contents:
    """What is downloaded, how many chapters are left out, and in words what was odd."""

    album: AlbumDetail
    chapters: tuple[ChapterDetail, ...]
    left_out: int
    notes: tuple[str, ...]

    def without(self, chapter_ids: Collection[str]) -> _Contents:
        """The other chapters."""
        return replace(self, chapters=tuple(each for each in self.chapters if each.id not in chapter_ids))


class _KeepChanged(Exception):
    """Somebody wants its files to stay, or no longer, since the worker began to make them."""


def _as_before(row: DownloadRow, *, is_kept: bool) -> DownloadRow:
    """The row, where that has not changed. Raises `_KeepChanged`."""
    if row.download.is_kept is not is_kept:
        raise _KeepChanged
    return row


def _noting_with(writer: RecordWriter, contents: _Contents, left: _Contents) -> Callable[[PagesProgress], None]:
    """Reports progress on the chapters `left`, with the others, which are there already."""
    there = contents.without({chapter.id for chapter in left.chapters})
    done_of = {chapter.id: len(chapter.page_names) for chapter in there.chapters}
    done = sum(done_of.values())

    def note(progress: PagesProgress) -> None:
        writer.note(
            replace(
                progress,
                pages_done=progress.pages_done + done,
                pages_total=progress.pages_total + done,
                done_of={**done_of, **progress.done_of},
            )
        )

    return note


def _contents_of(album: AlbumDetail, found: _FoundChapters, expected_pages: int, *, allow_missing: bool) -> _Contents:
    """The chapters that have pages. Raises `ChapterNotFound`, `UpstreamFailure` for one without, unless allowed."""
    readable = tuple(chapter for _, chapter in found if chapter and chapter.page_names)
    empty = [(ref, chapter) for ref, chapter in found if not chapter or not chapter.page_names]
    if empty and not (allow_missing and readable):
        ref, chapter = empty[0]
        raise _without_pages(ref) if chapter else ChapterNotFound(ref.id)
    notes = [f"{_without_pages(ref).message} It was left out." for ref, _ in empty]
    notes += [f"{chapter.id}: {note}" for chapter in readable for note in chapter.notes]
    if (pages := _page_count(found)) < expected_pages:
        notes.append(f"The album's page says {expected_pages} pages; {pages} were found.")
    return _Contents(album, readable, len(empty), tuple(notes))


def _without_pages(ref: ChapterRef) -> UpstreamFailure:
    title = f', "{ref.title}"' if ref.title else ""
    message = f"The site has no pages of chapter {ref.index}{title} ({ref.id})."
    return UpstreamFailure(UpstreamReason.GARBLED, message)


def _page_count(found: _FoundChapters) -> int:
    return sum(len(chapter.page_names) for _, chapter in found if chapter)


def _with_chapters(row: DownloadRow, contents: _Contents) -> DownloadRow:
    chapters = contents.chapters
    before = {chapter.id: chapter.pages_done for chapter in row.chapters}
    total = sum(len(chapter.page_names) for chapter in chapters)
    progress = replace(row.download.progress, pages_total=total)
    notes = (
        row.download.notes if row.download.file else contents.notes
    )  # of an earlier archive until there is another
    return row.replace(
        download=replace(row.download, progress=progress, notes=transitions.limited_notes(notes)),
        chapters=tuple(
            ChapterProgress(
                chapter.id, min(before.get(chapter.id, 0), len(chapter.page_names)), len(chapter.page_names)
            )
            for chapter in chapters
        ),
    )


def _job(row: DownloadRow, contents: _Contents, folders: StagingFolders) -> DownloadJob:
    request = row.download.request
    return DownloadJob(
        download_id=row.download.id,
        album=contents.album,
        chapters=contents.chapters,
        archive=request.archive,
        image=request.image,
        quality=request.quality,
        folder=folders.folder(row.folder),
        allow_missing=request.allow_missing,
    )


def _stems(row: DownloadRow) -> Iterator[str]:
    """Names to try, best first: the earlier archive's; the title, with its number for a chapter alone; the same with
    the album's number, then numbered ones.
    """
    album_id, chapter_ids = row.download.album_id, row.download.request.chapter_ids
    stem = file_stem(row.download.title, fallback=f"JM{album_id}")
    if len(chapter_ids) == 1:
        stem = with_number(stem, chapter_ids[0])
    further = (with_number(f"{stem} {number}", album_id) for number in count(2))
    return chain((row.stem or stem, stem, with_number(stem, album_id)), further)
