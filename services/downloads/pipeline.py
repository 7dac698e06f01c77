"""The page pipeline: fetch, put in order, encode and pack, all at once, with memory that does not grow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from services.downloads.archives import ArchiveMetadata, BookChapter
from services.downloads.image_executor import ImageExecutor
from services.downloads.page_run import PageRun
from services.downloads.ports import Job, PackedArchive, PagesProgress
from services.errors import UpstreamFailure, UpstreamReason
from services.observability import Priority, open_usage
from services.upstream.records import AlbumDetail, ChapterDetail


class PageSource(Protocol):
    """Where pages come from."""

    async def page(self, chapter: ChapterDetail, index: int) -> bytes:
        """A page (1-based) as the site sends it, perhaps cut into strips. Raises `UpstreamFailure`."""
        ...


class Labels(Protocol):
    """What the readers of an archive are told in words."""

    def tags_of(self, album: AlbumDetail) -> tuple[str, ...]:
        """The album's tags in the readers' language."""
        ...

    def url_of(self, album_id: str) -> str:
        """The album's page on the site."""
        ...


class Pipeline:
    """Turns a job into an archive. One a process; runs any number of jobs at once."""

    def __init__(self, pages: PageSource, labels: Labels, workshop: ImageExecutor, *, disk_floor_bytes: int) -> None:
        self._pages = pages
        self._labels = labels
        self._workshop = workshop
        self._disk_floor_bytes = disk_floor_bytes

    async def run(
        self, job: Job, *, on_progress: Callable[[PagesProgress], None], is_cancelled: Callable[[], bool]
    ) -> PackedArchive:
        """The whole archive, in the job's folder; every page in it was checked.

        Raises `PagesMissing` once all pages that can be had are on disk, `Cancelled` within a second, `StorageFull`
        when less is free than the floor, `UpstreamFailure` for a chapter without pages. Whatever it raises, nothing
        of it runs on, and pages on disk stay there for the next run.
        """
        for chapter in job.chapters:
            if not chapter.page_names:
                raise UpstreamFailure(
                    UpstreamReason.GARBLED, f"The site says that chapter {chapter.id} has no pages."
                )
        run = PageRun(
            job,
            self._book_of(job),
            fetch=self._pages.page,
            bench=self._workshop.bench(),
            disk_floor_bytes=self._disk_floor_bytes,
            on_progress=on_progress,
            is_cancelled=is_cancelled,
        )
        with open_usage(Priority.DOWNLOAD):
            return await run.carry_out()

    def _book_of(self, job: Job) -> ArchiveMetadata:
        album = job.album
        places = {chapter.id: chapter.index for chapter in album.chapters}
        chapters = (
            BookChapter(chapter.id, places.get(chapter.id, place), chapter.title, len(chapter.page_names))
            for place, chapter in enumerate(job.chapters, 1)
        )
        return ArchiveMetadata(
            title=album.title,
            description=album.description,
            authors=album.authors,
            characters=album.characters,
            tags=self._labels.tags_of(album),
            site_tags=album.tags,
            url=self._labels.url_of(album.id),
            published_on=album.published_on,
            chapters=tuple(chapters),
        )
