"""The page pipeline: fetch, put in order, encode and pack, all at once, in bounded memory.

Some pages are being fetched, some are in the image executor, and what is next in reading order is appended to the
archive. A page that is on disk is never fetched again.
"""

from __future__ import annotations

import asyncio
import errno
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import takewhile

import structlog

from services.downloads.archives import (
    ArchiveChapter,
    ArchiveMetadata,
    ArchivePage,
    ArchiveWriter,
    open_archive,
    open_chapter_archives,
)
from services.downloads.image_executor import ImageExecutor, JobSlots
from services.downloads.page_formats import PreparedPage, page_format_of, strips_of
from services.downloads.ports import (
    Cancelled,
    DownloadJob,
    MetadataSource,
    PackedArchive,
    PagesMissing,
    PageSource,
    PagesProgress,
)
from services.downloads.staging import PageDirectory, StagedPage, usual_size
from services.errors import StorageFull, UpstreamFailure, UpstreamReason
from services.imaging import missing_page
from services.observability import Priority, open_stats
from services.tasks import shield_until_done
from services.upstream.records import ChapterDetail


class Pipeline:
    """Turns a job into an archive. One a process; runs any number of jobs at once."""

    def __init__(
        self, pages: PageSource, metadata: MetadataSource, executor: ImageExecutor, *, disk_floor_bytes: int
    ) -> None:
        self._pages = pages
        self._metadata = metadata
        self._executor = executor
        self._disk_floor_bytes = disk_floor_bytes

    async def run(
        self, job: DownloadJob, *, on_progress: Callable[[PagesProgress], None], is_cancelled: Callable[[], bool]
    ) -> PackedArchive:
        """The archive, in the job's folder; every page in it was checked.

        Raises `PagesMissing` once all other pages are on disk, unless the job allows missing ones and there is any
        page at all; `Cancelled` within a second, `StorageFull` when less is free than the floor, `UpstreamFailure`
        for a chapter without pages. Whatever it raises, all its tasks have ended, and pages on disk stay there for
        the next run.
        """
        for chapter in job.chapters:
            if not chapter.page_names:
                raise UpstreamFailure(
                    UpstreamReason.GARBLED, f"The site says that chapter {chapter.id} has no pages."
                )
        run = PageRun(
            job,
            self._metadata_of(job),
            source=self._pages,
            job_slots=self._executor.job_slots(),
            disk_floor_bytes=self._disk_floor_bytes,
            on_progress=on_progress,
            is_cancelled=is_cancelled,
        )
        with open_stats(Priority.DOWNLOAD):
            return await run.run()

    def _metadata_of(self, job: DownloadJob) -> ArchiveMetadata:
        album = job.album
        positions = {chapter.id: chapter.index for chapter in album.chapters}
        # a kept file is named as its album lists the chapter; a chapter by itself often repeats the album's title
        listed = {chapter.id: chapter.title for chapter in album.chapters} if job.is_split else {}
        chapters = (
            ArchiveChapter(
                chapter.id,
                positions.get(chapter.id, position),
                listed.get(chapter.id) or chapter.title,
                len(chapter.page_names),
            )
            for position, chapter in enumerate(job.chapters, 1)
        )
        return ArchiveMetadata(
            title=album.title,
            description=album.description,
            authors=album.authors,
            characters=album.characters,
            tags=self._metadata.tags_of(album),
            site_tags=album.tags,
            url=self._metadata.url_of(album.id),
            published_on=album.published_on,
            chapters=tuple(chapters),
            album_id=album.id,
            chapter_count=len(album.chapters),
        )


log = structlog.get_logger("jmgraph.downloads")

SIZE_SAMPLE = 8
"""Pages whose size a plain page in the place of a missing one takes."""
MAX_FETCHES = 16
"""Pages of one download that are fetched or wait for a core; each of them is in memory."""
APPEND_BATCH = 8
"""Pages appended in one call, where so many wait."""
CANCEL_CHECK_S = 0.25
"""Between two checks of the cancel flag while no page is finished."""


@dataclass(slots=True)
class _Page:
    """A page of this run; once `done` is set, `staged` is the page on disk, or None when it can't be fetched."""

    chapter: ChapterDetail
    index: int
    chapter_in_archive: ArchiveChapter
    staged: StagedPage | None = None
    done: asyncio.Event = field(default_factory=asyncio.Event)


class PageRun:
    """Carries out one job, once."""

    def __init__(
        self,
        job: DownloadJob,
        metadata: ArchiveMetadata,
        *,
        source: PageSource,
        job_slots: JobSlots,
        disk_floor_bytes: int,
        on_progress: Callable[[PagesProgress], None],
        is_cancelled: Callable[[], bool],
    ) -> None:
        self._job = job
        self._metadata = metadata
        self._source = source
        self._slots = job_slots
        self._disk_floor_bytes = disk_floor_bytes
        self._on_progress = on_progress
        self._is_cancelled = is_cancelled
        self._format = page_format_of(job.archive, job.image, job.quality)
        self._directory = PageDirectory(job.folder, self._format.variant)
        self._pages = [
            _Page(chapter, index, chapter_in_archive)
            for chapter, chapter_in_archive in zip(job.chapters, metadata.chapters, strict=True)
            for index in range(1, len(chapter.page_names) + 1)
        ]
        self._progress = PagesProgress(0, len(self._pages), 0, {chapter.id: 0 for chapter in job.chapters})
        self._cause: UpstreamFailure | None = None

    async def run(self) -> PackedArchive:
        """The archive; raises as `Pipeline.run`."""
        await shield_until_done(asyncio.to_thread(self._open_directory))
        try:
            archive = await self._fetch_and_pack()
        except BaseExceptionGroup as failures:
            raise _first_of(failures) from failures
        missing = [(page.chapter.id, page.index) for page in self._pages if page.staged is None]
        if archive is None:
            raise PagesMissing(missing, self._cause)
        return replace(archive, missing=PagesMissing(missing, self._cause)) if missing else archive

    def _open_directory(self) -> None:
        with _disk_errors():
            self._directory.open()
            self._check_disk()

    async def _fetch_and_pack(self) -> PackedArchive | None:
        queue = iter(self._pages)
        async with asyncio.TaskGroup() as group:
            watch = group.create_task(self._watch_for_cancel())
            packing = group.create_task(self._pack())
            fetchers = [group.create_task(self._fetch_pages(queue)) for _ in self._pages[:MAX_FETCHES]]
            await asyncio.gather(*fetchers)
            archive = await packing
            watch.cancel()
        return archive

    async def _watch_for_cancel(self) -> None:
        while not self._is_cancelled():  # noqa: ASYNC110 (the flag has no event)
            await asyncio.sleep(CANCEL_CHECK_S)
        raise Cancelled

    # --- from the site to the disk ---------------------------------------------------------------------------

    async def _fetch_pages(self, queue: Iterator[_Page]) -> None:
        for page in queue:
            if self._is_cancelled():
                raise Cancelled
            try:
                page.staged = await self._stage(page)
            except UpstreamFailure as failure:
                self._cause = self._cause or failure
                log.info(
                    "a page can't be fetched", chapter=page.chapter.id, page=page.index, reason=failure.reason.value
                )
            else:
                self._count(page.chapter.id, page.staged.size_bytes)
            page.done.set()

    async def _stage(self, page: _Page) -> StagedPage:
        if self._directory.may_have(page.chapter.id, page.index):
            staged = await asyncio.to_thread(self._directory.find, page.chapter.id, page.index)
            if staged is not None:
                return staged
        raw = await self._source.page(page.chapter, page.index)
        try:
            return await self._slots.run(self._prepare, page, raw)
        except UpstreamFailure:
            # The transfer may have damaged it, or the one to a cache of the CDN.
            raw = await self._source.page(page.chapter, page.index, bypass_cache=True)
            return await self._slots.run(self._prepare, page, raw)

    def _prepare(self, page: _Page, raw: bytes) -> StagedPage:
        """In a thread: the page put in order and written."""
        prepared = self._format.prepare(raw, strips_of(page.chapter, page.index, raw))
        with _disk_errors():
            self._check_disk()
            return self._directory.write(page.chapter.id, page.index, prepared.data, prepared.codec, prepared.strips)

    def _check_disk(self) -> None:
        if shutil.disk_usage(self._job.folder).free < self._disk_floor_bytes:
            raise StorageFull("Less disk is free than JMGRAPH_DISK_FLOOR asks for.")

    def _count(self, chapter_id: str, size_bytes: int) -> None:
        before = self._progress
        self._progress = replace(
            before,
            pages_done=before.pages_done + 1,
            bytes_done=before.bytes_done + size_bytes,
            done_of={**before.done_of, chapter_id: before.done_of[chapter_id] + 1},
        )
        self._on_progress(self._progress)

    # --- from the disk into the archive ----------------------------------------------------------------------

    async def _pack(self) -> PackedArchive | None:
        """The archive; None as soon as a page turns out to be missing, unless plain pages may replace them."""
        with _disk_errors():
            writer = self._open_writer()
        try:
            packed = 0
            while packed < len(self._pages):
                await self._pages[packed].done.wait()
                waiting = self._pages[packed : packed + APPEND_BATCH]
                batch = list(takewhile(lambda page: page.done.is_set(), waiting))
                if any(page.staged is None for page in batch) and not await self._may_replace_missing():
                    return None
                await shield_until_done(asyncio.to_thread(self._append, writer, batch))
                packed += len(batch)
            archive = await shield_until_done(asyncio.to_thread(_finish, writer))
            return replace(archive, notes=self._notes())
        finally:
            writer.abandon()

    def _open_writer(self) -> ArchiveWriter:
        kind, folder = self._job.archive, self._job.folder
        if self._job.is_split:
            return open_chapter_archives(kind, folder, self._metadata)
        return open_archive(kind, folder / f"archive.{kind.extension}", self._metadata)

    async def _may_replace_missing(self) -> bool:
        """Whether plain pages may be packed, once every page is done: it is known then what sizes the others have."""
        if not self._job.allow_missing:
            return False
        for page in self._pages:
            await page.done.wait()
        return any(page.staged for page in self._pages)

    def _append(self, writer: ArchiveWriter, pages: list[_Page]) -> None:
        with _disk_errors():
            for page in pages:
                writer.add(self._archive_page(page))

    def _archive_page(self, page: _Page) -> ArchivePage:
        if staged := page.staged:
            prepared = PreparedPage(staged.path.read_bytes(), staged.codec, staged.strips)
        else:
            prepared = self._format.prepare(self._plain_page(page), 0)
        return ArchivePage(page.chapter_in_archive, page.index, prepared.codec, prepared.data, prepared.strips)

    def _plain_page(self, page: _Page) -> bytes:
        """The page in the place of a missing one, as large as most pages near it in its chapter, if it has any."""

        def distance(other: _Page) -> tuple[bool, int]:
            return other.chapter is not page.chapter, abs(other.index - page.index)

        near = sorted((other for other in self._pages if other.staged), key=distance)[:SIZE_SAMPLE]
        same_chapter = [other for other in near if other.chapter is page.chapter] or near
        width, height = usual_size([other.staged for other in same_chapter if other.staged])
        chapter = page.chapter_in_archive
        return missing_page(width, height, chapter=f"Chapter {chapter.index} ({chapter.id})", page=page.index)

    def _notes(self) -> tuple[str, ...]:
        """ "350234/7 kept as GIF" for each page that is not in the requested format."""
        return tuple(
            f"{page.chapter.id}/{page.index} kept as {page.staged.codec.name}"
            for page in self._pages
            if page.staged and not self._format.is_wanted(page.staged.codec)
        )


def _finish(writer: ArchiveWriter) -> PackedArchive:
    with _disk_errors():
        return writer.finish()


@contextmanager
def _disk_errors() -> Iterator[None]:
    """Turns "no space left" into `StorageFull`."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull("There is no room left on the disk for downloads.") from error
        raise


def _first_of(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    first = failures.exceptions[0]
    return _first_of(first) if isinstance(first, BaseExceptionGroup) else first
