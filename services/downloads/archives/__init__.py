"""Archives: pages into one file, as they come, in reading order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from services.downloads.archives.book import ArchiveWriter, Book, BookChapter, BookPage
from services.downloads.archives.pdf import PdfArchive
from services.downloads.archives.zips import CbzArchive, ZipArchive
from services.downloads.records import ArchiveFormat

__all__ = ["ArchiveWriter", "Book", "BookChapter", "BookPage", "open_archive"]

_WRITERS: dict[ArchiveFormat, Callable[[Path, Book], ArchiveWriter]] = {
    ArchiveFormat.ZIP: ZipArchive,
    ArchiveFormat.CBZ: CbzArchive,
    ArchiveFormat.PDF: PdfArchive,
}


def open_archive(kind: ArchiveFormat, path: Path, book: Book) -> ArchiveWriter:
    """A writer of this kind of archive; the file stands at `path` only once it is finished."""
    return _WRITERS[kind](path, book)
