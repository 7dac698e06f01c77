"""ZIP and CBZ: stored pages in chapter folders, written front to back in one go.

Sizes and checksums stand before each page, where every reader finds them; Python's own writer can't do that
without going back in the file, and the hash is taken while writing.
"""

from __future__ import annotations

import zlib
from pathlib import Path

from services.downloads.archives.comicinfo import PageSize, comic_info
from services.downloads.archives.hashed_file import HashedFile
from services.downloads.archives.metadata import ArchiveMetadata, ArchivePage
from services.downloads.archives.zip_format import Entry, directory_entry, end_of_directory, local_header
from services.downloads.names import file_stem
from services.downloads.ports import PackedArchive
from services.imaging import sniff

LONGEST_FOLDER_BYTES = 120
"""Of a chapter's folder: with the page's name and a folder to unpack in, Windows takes 260 characters in all."""


class ZipArchive:
    """Images only, one folder a chapter: "001 The river/0001.webp"."""

    def __init__(self, path: Path, metadata: ArchiveMetadata) -> None:
        self._file = HashedFile(path)
        self._entries: list[Entry] = []
        self._chapter_digits = max(3, *(len(str(chapter.index)) for chapter in metadata.chapters))
        self._page_digits = max(4, *(len(str(chapter.page_count)) for chapter in metadata.chapters))

    def add(self, page: ArchivePage) -> None:
        """Append a page."""
        self._store(self._name_of(page), page.data)

    def finish(self) -> PackedArchive:
        """Write the directory."""
        start = self._file.size_bytes
        for entry in self._entries:
            self._file.write(directory_entry(entry))
        self._file.write(end_of_directory(len(self._entries), start, self._file.size_bytes))
        return self._file.finish()

    def abandon(self) -> None:
        """Remove what was written."""
        self._file.abandon()

    def _name_of(self, page: ArchivePage) -> str:
        title = file_stem(page.chapter.title, "", LONGEST_FOLDER_BYTES)
        folder = f"{page.chapter.index:0{self._chapter_digits}d} {title}".rstrip()
        return f"{folder}/{page.number:0{self._page_digits}d}.{page.codec.value}"

    def _store(self, name: str, data: bytes) -> None:
        entry = Entry(name.encode(), zlib.crc32(data), len(data), self._file.size_bytes)
        self._entries.append(entry)
        self._file.write(local_header(entry))
        self._file.write(data)


class CbzArchive(ZipArchive):
    """The same with a ComicInfo.xml for comic readers."""

    def __init__(self, path: Path, metadata: ArchiveMetadata) -> None:
        super().__init__(path, metadata)
        self._metadata = metadata
        self._sizes: list[PageSize] = []

    def add(self, page: ArchivePage) -> None:
        """Append a page."""
        super().add(page)
        kind = sniff(page.data)
        self._sizes.append(PageSize(len(page.data), kind.width if kind else 0, kind.height if kind else 0))

    def finish(self) -> PackedArchive:
        """Write ComicInfo.xml and the directory."""
        self._store("ComicInfo.xml", comic_info(self._metadata, self._sizes))
        return super().finish()
