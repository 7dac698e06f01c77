"""Downloads: what is queued, how far it is, and the file at its end."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

import strawberry
from strawberry.types.lazy_type import LazyType

import resolvers.albums
from schema.enums import ArchiveFormat, DownloadState, ErrorCode, ImageFormat, UpstreamReason
from schema.errors import (
    AlbumNotFoundResult,
    BlockedByPolicyResult,
    DownloadNotFoundResult,
    InvalidInputResult,
    QueueRejectedResult,
    UpstreamFailureResult,
)
from schema.fields import BigInt, Info, PageInfo, field, input_type, object_type
from services import catalog
from services.downloads import ACTIVE_STATES, DownloadFileRecord, DownloadPage, DownloadRecord, FeedBatch


@object_type
class DownloadProgress:
    """How far a download is."""

    pages_done: int = strawberry.field(description="Pages on disk.")
    pages_total: int | None = strawberry.field(description="Null until the chapters are known.")
    bytes_done: BigInt = strawberry.field(description="Bytes of the pages on disk.")
    percent: float = strawberry.field(description="0 to 100.")
    eta_seconds: float | None = strawberry.field(description="Null when it can't be estimated.")


@object_type
class DownloadProblem:
    """Why a download failed, or what its archive lacks."""

    code: ErrorCode = strawberry.field(description="What went wrong, as a word to program against.")
    message: str = strawberry.field(description="The same as a sentence.")
    retryable: bool = strawberry.field(description="Whether trying again can succeed.")
    reason: UpstreamReason | None = strawberry.field(description="Why the site could not be read, when it was that.")
    missing_pages: list[str] = strawberry.field(description="chapter id/page number, e.g. 350234/7")


@object_type
class DownloadFile:
    """The finished archive."""

    download_id: strawberry.Private[str]
    name: str = strawberry.field(description="File name, safe on any file system.")
    size: BigInt = strawberry.field(description="Bytes.")
    sha256: str = strawberry.field(description="Hex; also the file's ETag.")
    chapter_id: strawberry.ID | None = strawberry.field(
        description="The chapter that is in it, of a kept file; null for an archive of all that was asked for."
    )

    @classmethod
    def of(cls, file: DownloadFileRecord, download_id: str) -> Self:
        """The view of a file of this download."""
        return cls(
            download_id=download_id,
            name=file.name,
            size=BigInt(file.size_bytes),
            sha256=file.sha256,
            chapter_id=strawberry.ID(file.chapter_id) if file.chapter_id else None,
        )

    @field
    def url(self, info: Info) -> str:
        """Absolute; supports Range and conditional requests."""
        return info.context.url("downloads", self.download_id, self.name)


@object_type
class Download:
    """An album being made into an archive."""

    record: strawberry.Private[DownloadRecord]

    @classmethod
    def of(cls, record: DownloadRecord) -> Self:
        """The view of a download at one revision."""
        return cls(record=record)

    @field
    def id(self) -> strawberry.ID:
        """Opaque id."""
        return strawberry.ID(self.record.id)

    @field
    def revision(self) -> int:
        """Grows by one with every change; a client may drop what is older than what it has."""
        return self.record.revision

    @field
    def album_id(self) -> strawberry.ID:
        """The album's JM number, as digits."""
        return strawberry.ID(self.record.album_id)

    @field(type=LazyType("Album", "schema.albums") | None)  # not imported, since it imports this module
    async def album(self, info: Info) -> catalog.AlbumDetail | None:
        """The album; null when the site no longer has it. One call to the site."""
        return await resolvers.albums.album(info.context, self.record.album_id)

    @field
    def title(self) -> str:
        """The album's title when it was asked for."""
        return self.record.title

    @field
    def state(self) -> DownloadState:
        """Where it stands."""
        return self.record.state

    @field
    def progress(self) -> DownloadProgress:
        """How far it is."""
        progress = self.record.progress
        return DownloadProgress(
            pages_done=progress.pages_done,
            pages_total=progress.pages_total,
            bytes_done=BigInt(progress.bytes_done),
            percent=progress.percent,
            eta_seconds=progress.eta_s,
        )

    @field
    def archive(self) -> ArchiveFormat:
        """Kind of archive."""
        return self.record.request.archive

    @field
    def image(self) -> ImageFormat:
        """Format of its pages."""
        return self.record.request.image

    @field
    def problem(self) -> DownloadProblem | None:
        """Set when FAILED, or when READY with pages missing (allowMissing): `retryDownload` then fetches those, and
        this and the file stay until it is READY with another. READY without it means every page. On an EXPIRED one it
        says that its file was deleted before its time, not by this server: `retryDownload` makes it again. A kept one
        is READY again too once its file is back.
        """
        problem = self.record.problem
        if problem is None:
            return None
        return DownloadProblem(
            code=problem.code,
            message=problem.message,
            retryable=problem.retryable,
            reason=problem.reason,
            missing_pages=list(problem.missing_pages),
        )

    @field
    def file(self) -> DownloadFile | None:
        """The archive: while READY, and while a retry fetches the pages that it lacks. Null where there are several
        files: a kept series has one for each chapter.
        """
        file = self.record.file
        if file is None or self.record.state not in (DownloadState.READY, *ACTIVE_STATES):
            return None
        return DownloadFile.of(file, self.record.id)

    @field
    def files(self) -> list[DownloadFile]:
        """All its files, in reading order: the archive, or the kept file of each chapter. Of an EXPIRED one those
        kept files that were not deleted.
        """
        return [DownloadFile.of(file, self.record.id) for file in self.record.files]

    @field
    def is_kept(self) -> bool:
        """True when its files stay: in the library, where they never expire."""
        return self.record.is_kept

    @field
    def notes(self) -> list[str]:
        """What was odd, in words: what the site's answers lacked, pages kept in another format, chapters left out."""
        return list(self.record.notes)

    @field
    def attempts(self) -> int:
        """How often a worker has begun it."""
        return self.record.attempts

    @field
    def requested_at(self) -> datetime:
        """When it was asked for."""
        return self.record.requested_at

    @field
    def started_at(self) -> datetime | None:
        """When a worker first began it."""
        return self.record.started_at

    @field
    def finished_at(self) -> datetime | None:
        """When it ended."""
        return self.record.finished_at

    @field
    def expires_at(self) -> datetime | None:
        """When the file is deleted (30 minutes after it is ready, unless configured); null for one that is kept."""
        return self.record.expires_at


@object_type
class DownloadFeedBatch:
    """What changed since the last message of the feed."""

    is_snapshot: bool = strawberry.field(description="True for the first message: all active downloads asked for.")
    downloads: list[Download] = strawberry.field(description="Each changed download once, at its newest revision.")
    removed: list[strawberry.ID] = strawberry.field(description="Ids removed since the last batch.")

    @classmethod
    def of(cls, batch: FeedBatch) -> Self:
        """The view of one message of the feed."""
        return cls(
            is_snapshot=batch.is_snapshot,
            downloads=[Download.of(record) for record in batch.downloads],
            removed=[strawberry.ID(id) for id in batch.removed],
        )


@object_type
class DownloadEdge:
    """A download and its cursor."""

    cursor: str = strawberry.field(description="Opaque; goes into `after`.")
    node: Download = strawberry.field(description="The download.")


@object_type
class DownloadConnection:
    """A page of downloads."""

    edges: list[DownloadEdge] = strawberry.field(description="Downloads with cursors.")
    page_info: PageInfo = strawberry.field(description="Where this page stands.")
    total_count: int = strawberry.field(description="Downloads over all pages.")

    @field
    def nodes(self) -> list[Download]:
        """The downloads, without cursors."""
        return [edge.node for edge in self.edges]

    @classmethod
    def of(cls, page: DownloadPage) -> Self:
        """The view of a page of downloads."""
        edges = [
            DownloadEdge(cursor=cursor, node=Download.of(record))
            for cursor, record in zip(page.cursors, page.items, strict=True)
        ]
        return cls(
            edges=edges,
            page_info=PageInfo.of(page.cursors, has_next=page.has_next, has_previous=page.has_previous),
            total_count=page.total,
        )


@input_type
class StartDownloadInput:
    """What to download and how."""

    album_id: str = strawberry.field(
        description="'350234', 'JM350234' or an album URL. A chapter's number or URL downloads that chapter alone, "
        "unless chapterIds are given; a number that is an album's and its first chapter's is the album's."
    )
    chapter_ids: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET, description="Chapter ids; all chapters when left out."
    )
    archive: ArchiveFormat = strawberry.field(default=ArchiveFormat.ZIP, description="Kind of archive.")
    image: ImageFormat = strawberry.field(default=ImageFormat.ORIGINAL, description="Format of its pages.")
    quality: int = strawberry.field(
        default=90,
        description="1-100, for JPEG and WEBP; ORIGINAL keeps the site's own level (about 80) "
        "where a page must be encoded again.",
    )
    force: bool = strawberry.field(
        default=False, description="Queue a new one even where the same is queued, running or ready."
    )
    allow_missing: bool = strawberry.field(
        default=False,
        description="Make the archive even where pages can't be had, with a plain page in the place of each.",
    )
    keep: bool = strawberry.field(
        default=False,
        description="Put it into the library, where it never expires: a CBZ (or PDF) for each chapter, as reading "
        "servers scan them. One that is queued, running or ready already is kept too.",
    )


@object_type
class RemovedDownload:
    """A removed download."""

    id: strawberry.ID = strawberry.field(description="Its id.")

    @classmethod
    def of(cls, id: strawberry.ID) -> Self:
        """The view of a removed download, given by its id."""
        return cls(id=id)


StartDownloadResult = Annotated[
    Download
    | AlbumNotFoundResult
    | InvalidInputResult
    | BlockedByPolicyResult
    | QueueRejectedResult
    | UpstreamFailureResult,
    strawberry.union("StartDownloadResult", description="The download, or why nothing was queued."),
]
DownloadResult = Annotated[
    Download | DownloadNotFoundResult | BlockedByPolicyResult | QueueRejectedResult,
    strawberry.union("DownloadResult", description="The download as it is now, or why nothing changed."),
]
RemoveDownloadResult = Annotated[
    RemovedDownload | DownloadNotFoundResult,
    strawberry.union("RemoveDownloadResult", description="What was removed, or that it was not there."),
]
