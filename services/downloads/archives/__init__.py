"""Archives: pages into one file, as they come, in reading order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from services.downloads.archives.metadata import ArchiveChapter, ArchiveMetadata, ArchivePage, ArchiveWriter
from services.downloads.archives.pdf import PdfArchive
from services.downloads.archives.zips import CbzArchive, ZipArchive
from services.downloads.ports import PackedArchive
from services.downloads.records import ArchiveFormat

__all__ = [
    "ArchiveChapter",
    "ArchiveMetadata",
    "ArchivePage",
    "ArchiveWriter",
    "open_archive",
    "open_chapter_archives",
]

_WRITERS: dict[ArchiveFormat, Callable[[Path, ArchiveMetadata], ArchiveWriter]] = {
    ArchiveFormat.ZIP: ZipArchive,
    ArchiveFormat.CBZ: CbzArchive,
    ArchiveFormat.PDF: PdfArchive,
}


def open_archive(kind: ArchiveFormat, path: Path, metadata: ArchiveMetadata) -> ArchiveWriter:
    """A writer of this kind of archive; the file is at `path` only once it is finished."""
    return _WRITERS[kind](path, metadata)


def open_chapter_archives(kind: ArchiveFormat, folder: Path, metadata: ArchiveMetadata) -> ArchiveWriter:
    """A writer of one archive for each chapter, in this folder: `PackedArchive.chapters` has them in the end."""
    return _ChapterArchives(kind, folder, metadata)


class _ChapterArchives:
    """Writes one archive after the other, since pages come in reading order."""

    def __init__(self, kind: ArchiveFormat, folder: Path, metadata: ArchiveMetadata) -> None:
        self._kind = kind
        self._folder = folder
        self._metadata = metadata
        self._current: tuple[ArchiveChapter, ArchiveWriter] | None = None
        self._packed: dict[str, PackedArchive] = {}

    def add(self, page: ArchivePage) -> None:
        if self._current is None or self._current[0] is not page.chapter:
            self._finish_current()
            path = self._folder / f"chapter-{page.chapter.id}.{self._kind.extension}"
            metadata = replace(self._metadata, chapters=(page.chapter,))
            self._current = page.chapter, open_archive(self._kind, path, metadata)
        self._current[1].add(page)

    def finish(self) -> PackedArchive:
        self._finish_current()
        size_bytes = sum(each.size_bytes for each in self._packed.values())
        return PackedArchive(self._folder, size_bytes, "", chapters=self._packed)

    def abandon(self) -> None:
        if self._current is not None:
            self._current[1].abandon()

    def _finish_current(self) -> None:
        if self._current is not None:
            chapter, writer = self._current
            self._packed[chapter.id] = writer.finish()
            self._current = None
