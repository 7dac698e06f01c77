"""What is kept of one download: the public record, and what only the engine needs to know of it."""

from __future__ import annotations

import hashlib
import itertools
import secrets
import time
from dataclasses import dataclass, replace

import msgspec

from services.downloads.records import ArchiveFormat, Download, DownloadRequest, DownloadState, ImageFormat
from services.errors import ConfigurationError

RECORD_VERSION = 1
"""Grows when an older program could no longer read what is written."""

KEPT_IMAGES = frozenset({ImageFormat.ORIGINAL, ImageFormat.PNG})
"""Formats whose files are the same at any quality that is asked for; a PDF may have to make JPEG of them."""


@dataclass(frozen=True, slots=True)
class ChapterProgress:
    """How far one chapter is."""

    id: str
    pages_done: int
    pages_total: int


@dataclass(frozen=True, slots=True)
class DownloadRow:
    """A download as it is stored."""

    download: Download
    job_id: str
    """arq's id of this attempt: a fresh one each time it is queued."""
    place_ms: int
    """Place in the queue; who was handed over keeps it."""
    lease: str
    """Worker that has it; empty while nobody does."""
    folder: str
    """Name of its staging folder; a fresh one where nothing of an earlier attempt may be kept."""
    archive_key: str = ""
    """Where its archive is, or is being put, in the store; empty while there is none."""
    crashes: int = 0
    """Workers that died over it since a page was last gained."""
    chapters: tuple[ChapterProgress, ...] = ()
    request_id: str = ""
    """Of the request that queued it, as the log names it; empty where none did."""

    @property
    def state(self) -> DownloadState:
        """State of the download."""
        return self.download.state

    @property
    def stem(self) -> str:
        """Name of the file without its ending; empty while there is no file."""
        file = self.download.file
        return file.name.removesuffix(f".{self.download.request.archive.extension}") if file else ""

    @property
    def same_key(self) -> str:
        """Equal for requests that would give the same file."""
        return same_key(self.download.request)

    def at(self, state: DownloadState, **changes: object) -> DownloadRow:
        """This entry in another state, with further changes of the download; the revision is the store's."""
        return replace(self, download=replace(self.download, state=state, **changes))  # type: ignore[arg-type]


def same_key(request: DownloadRequest) -> str:
    """Equal for requests that would give the same file: album, chapters, formats, quality where it counts."""
    is_kept = request.image in KEPT_IMAGES and request.archive is not ArchiveFormat.PDF
    quality = 0 if is_kept else request.quality
    parts = (request.album_id, request.archive, request.image, str(quality), *sorted(request.chapter_ids))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


_count = itertools.count()


def new_id() -> str:
    """A fresh id whose order is that of time: 12 hex digits of ms, 4 that count up, 12 of chance."""
    return f"{time.time_ns() // 1_000_000:012x}{next(_count) & 0xFFFF:04x}{secrets.token_hex(6)}"


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(DownloadRow)


def entry_to_json(entry: DownloadRow) -> bytes:
    """The stored form."""
    return _encoder.encode(entry)


def entry_from_json(body: bytes, version: int) -> DownloadRow:
    """The entry of a stored form; `ConfigurationError` for one written by a newer version."""
    check_version(version)
    return _decoder.decode(body)


def check_version(version: int) -> None:
    """`ConfigurationError` where downloads were written by a version newer than this one."""
    if version > RECORD_VERSION:
        raise ConfigurationError(
            f"the downloads in Redis were written by a newer jmgraph (records of version {version}, "
            f"this one reads up to {RECORD_VERSION}): start that one, or set JMGRAPH_REDIS_URL to another database"
        )
