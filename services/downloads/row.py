"""Rows: downloads as they are stored in Redis, and the lists that index them."""

from __future__ import annotations

import hashlib
import itertools
import secrets
import time
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from msgspec import structs

from services.downloads.records import (
    ArchiveFormat,
    DownloadFileRecord,
    DownloadRecord,
    DownloadRequest,
    DownloadState,
    ImageFormat,
)
from services.downloads.storage import LIBRARY
from services.errors import ConfigurationError, InvalidInput
from services.upstream.records import AlbumDetail

RECORD_VERSION = 1
"""Incremented when an older version could no longer read what is written."""

FORMATS_WITHOUT_QUALITY = frozenset({ImageFormat.ORIGINAL, ImageFormat.PNG})
"""Formats whose files are the same at any requested quality; a PDF may have to convert them to JPEG."""


@dataclass(frozen=True, slots=True)
class ChapterProgress:
    """How far one chapter is."""

    id: str
    pages_done: int
    pages_total: int


class DownloadRow(msgspec.Struct, frozen=True, rename={"queued_at_ms": "place_ms", "crash_count": "crashes"}):
    """A download as it is stored. The renamed fields are stored as version 2.0 names them."""

    download: DownloadRecord
    job_id: str
    """arq's id of this attempt: a new one each time it is queued."""
    queued_at_ms: int
    """When it was queued; a download that is handed over keeps its position."""
    lease: str
    """Id of the worker that has claimed it; empty while none has."""
    folder: str
    """Name of its staging folder; a new one where nothing of an earlier attempt may be kept."""
    archive_key: str = ""
    """Where its archive is, or is being put, in the store; empty while there is none. An earlier archive may be there
    at the same time, under the key of `download.file`.
    """
    crash_count: int = 0
    """Workers that died running it since a page was last gained."""
    chapters: tuple[ChapterProgress, ...] = ()
    request_id: str = ""
    """Of the request that queued it, as the log names it; empty where none did."""
    trace_parent: str = ""
    """The span of that request, whose trace goes on where it runs; empty where it was not traced."""
    is_in_library: bool = False
    """True while it holds kept files, or its worker puts them there."""

    @property
    def state(self) -> DownloadState:
        """State of the download."""
        return self.download.state

    @property
    def stem(self) -> str:
        """Name of the file without its ending; empty while there is no file, and for a kept one."""
        file = self.download.file
        return file.name.rpartition(".")[0] if file and not is_in_library(file) else ""

    @property
    def file_key(self) -> str:
        """Key of the archive that can be fetched now, while a retry makes another; empty where there is none, and for
        kept files.
        """
        file = self.download.file
        return file.key if file and not is_in_library(file) else ""

    @property
    def archive_keys(self) -> set[str]:
        """Keys of all its archives in the store; one of them stands for the kept files that it holds."""
        held = holder_key(self.download.id) if self.is_in_library else ""
        return {self.archive_key, self.file_key, held} - {""}

    @property
    def dedup_key(self) -> str:
        """Equal for requests of one owner that would give the same file."""
        return dedup_key(self.download.request, self.download.owner_id)

    def with_state(self, state: DownloadState, **changes: object) -> DownloadRow:
        """This row in another state, with further changes of the download; the revision is the store's."""
        download = replace(self.download, state=state, **changes)  # type: ignore[arg-type]
        return self.replace(download=download)

    def replace(self, **changes: Any) -> DownloadRow:
        """This row with these fields changed."""
        return structs.replace(self, **changes)


HOLDER = "holder:"


def holder_key(download_id: str) -> str:
    """Marked for deletion, it stands for all kept files that this download holds."""
    return HOLDER + download_id


def is_in_library(file: DownloadFileRecord) -> bool:
    """True for a kept file."""
    return file.key.startswith(LIBRARY)


def kept(request: DownloadRequest) -> DownloadRequest:
    """The same request, for files that stay: CBZ in place of ZIP, which has no metadata."""
    archive = ArchiveFormat.CBZ if request.archive is ArchiveFormat.ZIP else request.archive
    return replace(request, keep=True, archive=archive)


def dedup_key(request: DownloadRequest, owner_id: str | None) -> str:
    """Equal for requests of one owner that would give the same file: album, chapters, formats, quality where it
    counts.
    """
    ignores_quality = request.image in FORMATS_WITHOUT_QUALITY and request.archive is not ArchiveFormat.PDF
    quality = 0 if ignores_quality else request.quality
    parts = [request.album_id, request.archive, request.image, str(quality), *sorted(request.chapter_ids)]
    if request.allow_missing:
        parts.append("allow missing")
    if owner_id is not None:
        parts.append(f"owner {owner_id}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def for_chapter(request: DownloadRequest, album: AlbumDetail) -> DownloadRequest:
    """The request, for one chapter alone where its number is that of a chapter and not of the album."""
    is_chapter = request.album_id != album.id and request.album_id in {chapter.id for chapter in album.chapters}
    return replace(request, chapter_ids=request.chapter_ids or (request.album_id,)) if is_chapter else request


def for_album(request: DownloadRequest, album: AlbumDetail) -> DownloadRequest:
    """The canonical request: the id of the album itself, chapters once each in reading order, none for all.

    Raises `InvalidInput` ("chapterIds") for a chapter that the album does not list.
    """
    known = [chapter.id for chapter in album.chapters]
    wanted = set(request.chapter_ids)
    if unknown := wanted.difference(known):
        raise InvalidInput("chapterIds", f"album {album.id} has no chapter {min(unknown)}")
    chosen = tuple(id for id in known if id in wanted)
    return replace(request, album_id=album.id, chapter_ids=() if len(chosen) == len(known) else chosen)


_count = itertools.count()


def new_id() -> str:
    """A new id that sorts by time: 12 hex digits of ms, 4 of a counter, 12 random."""
    return f"{time.time_ns() // 1_000_000:012x}{next(_count) & 0xFFFF:04x}{secrets.token_hex(6)}"


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(DownloadRow)


def row_to_json(row: DownloadRow) -> bytes:
    """The stored form."""
    return _encoder.encode(row)


def row_from_json(body: bytes, version: int, owner_id: str | None = None) -> DownloadRow:
    """The row of a stored form; `ConfigurationError` for one written by a newer version.

    `owner_id` is stored beside the form: a process of version 2.0 that changes the row would drop it from there.
    """
    check_version(version)
    row = _decoder.decode(body)
    return row if owner_id is None else row.replace(download=replace(row.download, owner_id=owner_id))


def check_version(version: int) -> None:
    """`ConfigurationError` where downloads were written by a version newer than this one."""
    if version > RECORD_VERSION:
        raise ConfigurationError(
            f"the downloads in Redis were written by a newer jmgraph (records of version {version}, "
            f"this one reads up to {RECORD_VERSION}): start that one, or set JMGRAPH_REDIS_URL to another database"
        )


ALL = "all"
"""The list of every record."""


def in_state(state: DownloadState) -> str:
    """The list of records in this state."""
    return f"state:{state}"


def of_album(album_id: str) -> str:
    """The list of records of this album."""
    return f"album:{album_id}"


@dataclass(frozen=True, slots=True)
class RowPage:
    """Some rows of a list, newest first, with how many the list has and how many come before these."""

    rows: tuple[DownloadRow, ...]
    total: int
    before: int
