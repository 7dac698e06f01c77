"""Records of downloads, as stored in Redis and shown to callers. Frozen, JSON-able."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.errors import ErrorCode, UpstreamReason


class DownloadState(StrEnum):
    """State of a download. QUEUED, RUNNING and PACKING are active, the others final."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    PACKING = "PACKING"
    READY = "READY"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"

    @property
    def is_active(self) -> bool:
        """True while a worker has it, or will."""
        return self in ACTIVE_STATES


ACTIVE_STATES = frozenset({DownloadState.QUEUED, DownloadState.RUNNING, DownloadState.PACKING})


class ArchiveFormat(StrEnum):
    """Kind of archive."""

    ZIP = "ZIP"
    CBZ = "CBZ"
    PDF = "PDF"

    @property
    def extension(self) -> str:
        """File ending without the dot, "cbz"."""
        return self.value.lower()


class ImageFormat(StrEnum):
    """Format of the pages; ORIGINAL is the site's own, untouched wherever a page is not scrambled."""

    ORIGINAL = "ORIGINAL"
    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WEBP"


@dataclass(frozen=True, slots=True)
class DownloadRequest:
    """What was requested. `chapter_ids` empty: all chapters. `quality` 1-100.

    `allow_missing`: pages that can't be had are replaced by plain ones instead of failing the download. `keep`: its
    files stay, in the layout of the library; they are CBZ or PDF.
    """

    album_id: str
    chapter_ids: tuple[str, ...] = ()
    archive: ArchiveFormat = ArchiveFormat.ZIP
    image: ImageFormat = ImageFormat.ORIGINAL
    quality: int = 90
    force: bool = False
    allow_missing: bool = False
    keep: bool = False


@dataclass(frozen=True, slots=True)
class DownloadProgressRecord:
    """How far it is. `pages_total` None until the chapters are known; `eta_s` None while it is unknown."""

    pages_done: int = 0
    pages_total: int | None = None
    bytes_done: int = 0
    eta_s: float | None = None

    @property
    def percent(self) -> float:
        """0.0 to 100.0."""
        return 100.0 * self.pages_done / self.pages_total if self.pages_total else 0.0


@dataclass(frozen=True, slots=True)
class DownloadProblemRecord:
    """Why it failed, or what its archive lacks; `missing_pages` as "chapter id/page number", e.g. "350234/7"."""

    code: ErrorCode
    message: str
    retryable: bool
    reason: UpstreamReason | None = None
    missing_pages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DownloadFileRecord:
    """A finished archive: its name (with ending), where the store keeps it, exact size, sha256 as hex.

    `chapter_id` is the chapter that a kept file has; None for an archive that has all that was requested.
    """

    name: str
    key: str
    size_bytes: int
    sha256: str
    chapter_id: str | None = None


@dataclass(frozen=True, slots=True)
class DownloadRecord:
    """One download at `revision`. `notes` say in words what was odd about it, "350234/7 kept as GIF".

    While a retry fetches the missing pages of a READY one, `file` and `problem` are still those of its archive.
    """

    id: str
    revision: int
    request: DownloadRequest
    album_id: str
    title: str
    state: DownloadState
    progress: DownloadProgressRecord
    problem: DownloadProblemRecord | None
    file: DownloadFileRecord | None
    attempts: int
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None
    notes: tuple[str, ...] = ()
    owner_id: str | None = None
    """Id of the user whose download it is; None for the owner of the server. Theirs are all downloads of an open
    server, those of version 2.0 among them, and what the host starts by an API key.
    """

    chapter_files: tuple[DownloadFileRecord, ...] = ()
    """The files of one that has several; then `file` is None. Of an EXPIRED one those that were not deleted."""

    @property
    def files(self) -> tuple[DownloadFileRecord, ...]:
        """All its files, in reading order."""
        return self.chapter_files or ((self.file,) if self.file else ())

    @property
    def is_kept(self) -> bool:
        """True for one whose files stay."""
        return self.request.keep

    @property
    def is_complete(self) -> bool:
        """True for an archive that lacks nothing."""
        return self.state is DownloadState.READY and self.problem is None


@dataclass(frozen=True, slots=True)
class EndedDownload:
    """A download that has become READY or FAILED, as it is by now; None where it was removed since."""

    id: str
    state: DownloadState
    download: DownloadRecord | None


@dataclass(frozen=True, slots=True)
class Ownership:
    """Whose downloads a caller sees, and whose those are that the caller starts (see `DownloadRecord.owner_id`)."""

    owner_id: str | None = None
    sees_all: bool = True
    """False: the caller sees those of `owner_id` alone."""

    def includes(self, download: DownloadRecord) -> bool:
        """Whether the caller sees this download."""
        return self.sees_all or download.owner_id == self.owner_id

    def name_of(self, client_id: str) -> str:
        """The name of a client of the legacy API among those of all people: the ids are chosen by clients, and two
        people may choose the same. `client_id` has no control characters.
        """
        return client_id if self.owner_id is None else f"{self.owner_id}\n{client_id}"


OF_ALL = Ownership()
"""Of a worker, a command, and whoever reaches an open server."""


@dataclass(frozen=True, slots=True)
class DownloadPage:
    """A page of the list of downloads, newest first; cursors are opaque."""

    items: tuple[DownloadRecord, ...]
    cursors: tuple[str, ...]
    has_next: bool
    has_previous: bool
    total: int


@dataclass(frozen=True, slots=True)
class FeedBatch:
    """What changed since the last batch; the first one is the snapshot of all active downloads requested."""

    is_snapshot: bool
    downloads: tuple[DownloadRecord, ...]
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """How busy the queue is: waiting, under way, and workers with a fresh heartbeat."""

    queued: int
    active: int
    workers: int
