"""What the life cycle gets from outside: limits, albums, pages, archives, folders; and what they exchange."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

from services.downloads.records import ArchiveFormat, ImageFormat
from services.errors import JmgraphError, UpstreamFailure
from services.upstream.records import AlbumDetail, ChapterDetail


@dataclass(frozen=True, slots=True)
class DownloadLimits:
    """What a host allows, and how long things last."""

    data_dir: Path
    ttl_s: float
    history_s: float
    queue_limit: int
    disk_floor_bytes: int
    library_dir: Path | None = None
    """Where kept files lie; None where that is no folder."""


@dataclass(frozen=True, slots=True)
class Timings:
    """Intervals of the life cycle in seconds; tests pass shorter ones."""

    heartbeat_s: float = 3.0
    """A worker reports that it is alive, and looks for others that do not."""
    lease_s: float = 10.0
    """A worker that has not reported for so long is dead; with the heartbeat well under the promised 30 s."""
    reconcile_s: float = 15.0
    """Records are compared with the queue, and staging folders with records."""
    sweep_s: float = 1.0
    """Expired files are removed."""
    progress_s: float = 0.125
    """Least time between two writes of a download's progress."""
    live_s: float = 0.34
    """Least time between two messages to one subscriber: three a second; the end of a download never waits."""
    lock_s: float = 30.0
    """A file that is being sent is locked for so long, and renewed."""
    retry_s: float = 0.5
    """Longest wait before Redis is tried again, with jitter."""
    handover_s: float = 5.0
    """A worker that ends tries for so long to hand its downloads over."""


@dataclass(frozen=True, slots=True)
class DownloadJob:
    """One download to carry out. `chapters` in reading order; `folder` is its own, and what it contains is kept.

    `allow_missing`: plain pages are put in the place of those that can't be fetched. `is_split`: an archive for each
    chapter.
    """

    download_id: str
    album: AlbumDetail
    chapters: tuple[ChapterDetail, ...]
    archive: ArchiveFormat
    image: ImageFormat
    quality: int
    folder: Path
    allow_missing: bool = False
    is_split: bool = False


@dataclass(frozen=True, slots=True)
class PagesProgress:
    """How far a job is: pages on disk, the same by chapter id (`done_of`), and the bytes they take."""

    pages_done: int
    pages_total: int
    bytes_done: int
    done_of: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class PackedArchive:
    """An archive on disk; `sha256` as hex, `notes` on pages that are not in the requested format.

    Plain pages are in the place of those that `missing` names. Of a job that is split, `chapters` are the archives by
    chapter id, and `path` is the folder that they are in.
    """

    path: Path
    size_bytes: int
    sha256: str
    notes: tuple[str, ...] = ()
    missing: PagesMissing | None = None
    chapters: Mapping[str, PackedArchive] = field(default_factory=dict)


class PagesMissing(Exception):
    """Pages that can't be fetched, as (chapter id, 1-based page); the others stay in the job's folder."""

    def __init__(self, missing: Sequence[tuple[str, int]], cause: UpstreamFailure | None = None) -> None:
        super().__init__(f"{len(missing)} pages are missing")
        self.missing = tuple(missing)
        self.cause = cause


class Cancelled(Exception):
    """The job was cancelled between two pages."""


class PagePipeline(Protocol):
    """Fetches, reads and packs the pages of a job."""

    async def run(
        self, job: DownloadJob, *, on_progress: Callable[[PagesProgress], None], is_cancelled: Callable[[], bool]
    ) -> PackedArchive:
        """The archive. Raises `PagesMissing` unless missing pages are allowed, or when there is no page at all;
        `Cancelled`, `StorageFull`.

        `on_progress` is called with every page; `is_cancelled` is called between pages.
        """


class ArchiveStorage(Protocol):
    """Where finished archives are kept."""

    async def put(self, path: Path, key: str) -> None:
        """Store the file at `path` under `key`; the file itself may be moved."""

    async def delete(self, key: str) -> None:
        """Delete the file of `key`; nothing happens where there is none."""

    async def is_missing(self, key: str) -> bool:
        """True where the store says that it has no such file; False while it can't be asked."""

    def open_file(self, key: str) -> BinaryIO:
        """The file for reading anywhere in it. Not for the event loop. `OSError` where there is none."""


class StagingFolders(Protocol):
    """Staging folders on this machine, by name. Not for the event loop."""

    root: Path
    """The folder they are in; it need not exist yet."""

    def folder(self, name: str) -> Path:
        """Where the folder of this name is, or will be."""

    def remove(self, name: str) -> None:
        """Delete a folder with all that is in it; nothing happens where there is none."""


class AlbumSource(Protocol):
    """The site's albums and chapters, as far as the content policy shows them."""

    async def get_album(self, id: str) -> AlbumDetail:
        """The album. Raises `AlbumNotFound`, `BlockedByPolicy`, `UpstreamFailure`."""

    async def check_album(self, id: str) -> None:
        """Return where the album may be shown, as far as is known. Raises `AlbumNotFound`, `BlockedByPolicy`."""

    async def reread_album(self, id: str) -> AlbumDetail:
        """The album as the site's API says it now, whatever is cached. Raises as `get_album`."""

    async def find_chapters(self, ids: Sequence[str], album_id: str) -> list[ChapterDetail | JmgraphError | None]:
        """Chapters of this album with their pages in the order of `ids`; None for an unknown one, a failure in its
        place.
        """


class PageSource(Protocol):
    """Where pages come from."""

    async def page(self, chapter: ChapterDetail, index: int, *, bypass_cache: bool = False) -> bytes:
        """A page (1-based) as the site sends it, perhaps cut into strips. Raises `UpstreamFailure`.

        With `bypass_cache` not what a cache of the site's CDN has of it.
        """
        ...


class MetadataSource(Protocol):
    """Where the texts in an archive come from."""

    def tags_of(self, album: AlbumDetail) -> tuple[str, ...]:
        """The album's tags in the readers' language."""
        ...

    def url_of(self, album_id: str) -> str:
        """The album's page on the site."""
        ...
