"""ZIP and CBZ: stored pages in chapter folders."""

from __future__ import annotations

import zipfile
from contextlib import suppress
from pathlib import Path

from services.downloads.archives.comicinfo import PageSize, comic_info
from services.downloads.archives.metadata import ArchiveFile, ArchiveMetadata, ArchivePage
from services.downloads.names import file_stem
from services.downloads.ports import PackedArchive
from services.imaging import sniff

LONGEST_FOLDER_BYTES = 120
"""Of a chapter's folder: with the page's name and a folder to unpack in, Windows takes 260 characters in all."""

_DATE = (1980, 1, 1, 0, 0, 0)
"""The first moment that the format knows: the same pages make the same file."""
_UNIX = 3
_MODE = 0o100644 << 16


class ZipArchive:
    """Images only, one folder a chapter: "001 The river/0001.webp"."""

    def __init__(self, path: Path, metadata: ArchiveMetadata) -> None:
        self._file = ArchiveFile(path)
        self._zip = zipfile.ZipFile(self._file.stream, "w", zipfile.ZIP_STORED)
        self._chapter_digits = max(3, *(len(str(chapter.index)) for chapter in metadata.chapters))
        self._page_digits = max(4, *(len(str(chapter.page_count)) for chapter in metadata.chapters))

    def add(self, page: ArchivePage) -> None:
        """Append a page."""
        self._store(self._name_of(page), page.data)

    def finish(self) -> PackedArchive:
        """Write the directory."""
        self._zip.close()
        return self._file.finish()

    def abandon(self) -> None:
        """Remove what was written."""
        with suppress(OSError):  # a ZipFile that is not closed writes its directory when it is collected
            self._zip.close()
        self._file.abandon()

    def _name_of(self, page: ArchivePage) -> str:
        title = file_stem(page.chapter.title, "", LONGEST_FOLDER_BYTES)
        folder = f"{page.chapter.index:0{self._chapter_digits}d} {title}".rstrip()
        return f"{folder}/{page.number:0{self._page_digits}d}.{page.codec.value}"

    def _store(self, name: str, data: bytes) -> None:
        info = zipfile.ZipInfo(name, _DATE)
        info.create_system, info.external_attr = _UNIX, _MODE
        self._zip.writestr(info, data)


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
