"""Archives: pages into one file, as they come, in reading order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from services.downloads.archives.metadata import ArchiveChapter, ArchiveMetadata, ArchivePage, ArchiveWriter
from services.downloads.archives.pdf import PdfArchive
from services.downloads.archives.zips import CbzArchive, ZipArchive
from services.downloads.records import ArchiveFormat

__all__ = ["ArchiveChapter", "ArchiveMetadata", "ArchivePage", "ArchiveWriter", "open_archive"]

_WRITERS: dict[ArchiveFormat, Callable[[Path, ArchiveMetadata], ArchiveWriter]] = {
    ArchiveFormat.ZIP: ZipArchive,
    ArchiveFormat.CBZ: CbzArchive,
    ArchiveFormat.PDF: PdfArchive,
}


def open_archive(kind: ArchiveFormat, path: Path, metadata: ArchiveMetadata) -> ArchiveWriter:
    """A writer of this kind of archive; the file is at `path` only once it is finished."""
    return _WRITERS[kind](path, metadata)
