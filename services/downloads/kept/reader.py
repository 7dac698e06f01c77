"""Reading kept CBZ files: their pages, and what their ComicInfo.xml says of album and chapter."""

from __future__ import annotations

import asyncio
import re
import zipfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import BinaryIO
from xml.etree import ElementTree

import structlog

from services.downloads.kept.index import KeptFile, KeptFiles
from services.downloads.kept.layout import number_in
from services.downloads.ports import ArchiveStorage
from services.downloads.staging import ORIGINAL_VARIANT, PageDirectory
from services.errors import StorageUnavailable
from services.imaging import Codec, sniff
from services.upstream.records import AlbumDetail, ChapterDetail, SourceMethod

log = structlog.get_logger("jmgraph.kept")

COMIC_INFO = "ComicInfo.xml"
LONGEST_COMIC_INFO_BYTES = 4 << 20
"""Of one that is read; ours have some kilobytes, and a line for each page."""
LONGEST_PAGE_BYTES = 256 << 20
_NOTES = re.compile(r"jmgraph: album JM(\d+), chapter JM(\d+)")
_ALBUM_URL = re.compile(r"/album/(\d+)")
_PAGE = re.compile(rf"(?:(\d{{3,}})[^/]*/)?(\d+)\.({'|'.join(Codec)})", re.IGNORECASE)
_READ_ERRORS = (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, KeyError)
"""What a file raises that was damaged, or replaced by something else."""


class KeptReader:
    """What kept files say of albums, chapters and pages, whether the site can be reached or not.

    While the database is away they say nothing.
    """

    def __init__(self, files: KeptFiles, store: ArchiveStorage) -> None:
        self._files = files
        self._store = store

    async def album(self, id: str) -> AlbumDetail | None:
        """The album of this number, or of the chapter of this number, as it was when it was kept last."""
        with suppress(StorageUnavailable):
            return await self._files.find_album(id)
        return None

    async def chapter(self, id: str) -> ChapterDetail | None:
        """The chapter of this number with its pages, where a file has all of them."""
        with suppress(StorageUnavailable):
            for file in await self._files.readable(id):
                return file.chapter
        return None

    async def page(self, chapter_id: str, index: int, *, any_format: bool = False) -> bytes | None:
        """A readable page (1-based) as the site has it; with `any_format` also one that was encoded again."""
        files: list[KeptFile] = []
        with suppress(StorageUnavailable):
            files = await self._files.readable(chapter_id)
        for file in files:
            if any_format or file.variant == ORIGINAL_VARIANT:
                data = await asyncio.to_thread(self._read_page, file.key, index)
                if data is not None:
                    return data
        return None

    def _read_page(self, key: str, index: int) -> bytes | None:
        try:
            with self._store.open_file(key) as stream, zipfile.ZipFile(stream) as archive:
                info = _pages_in(archive)[index - 1]
                data = archive.read(info) if info.file_size <= LONGEST_PAGE_BYTES else b""
        except (*_READ_ERRORS, IndexError):
            return None
        kind = sniff(data)
        return data if kind and kind.is_complete else None


@dataclass(frozen=True, slots=True)
class FoundComic:
    """What a CBZ in the library says of itself. `album` has this chapter alone; `chapter_id` is None where it is not
    known, `position` is that of the chapter in its album.
    """

    album: AlbumDetail
    chapter_id: str | None
    chapter_title: str
    position: int
    chapter_count: int
    page_names: tuple[str, ...]


def read_comic(stream: BinaryIO, path: str) -> FoundComic | None:
    """What a CBZ of this path says; None for a file that is none, or that names no album of the site."""
    try:
        with zipfile.ZipFile(stream) as archive:
            info = archive.getinfo(COMIC_INFO)
            if info.file_size > LONGEST_COMIC_INFO_BYTES:
                return None
            root = _parsed(archive.read(info))
            pages = [
                f"{number:05d}.{page.filename.rpartition('.')[2]}"
                for number, page in enumerate(_pages_in(archive), 1)
            ]
    except (*_READ_ERRORS, ElementTree.ParseError, ValueError):
        return None
    notes = _NOTES.search(root.findtext("Notes") or "")
    url = _ALBUM_URL.search(root.findtext("Web") or "")
    album_id = notes[1] if notes else (url and url[1]) or number_in(path)
    if album_id is None or not pages:
        return None
    position = int(number) if (number := root.findtext("Number") or "1").isdecimal() else 1
    chapter_count = int(number) if (number := root.findtext("Count") or "1").isdecimal() else 1
    is_single = chapter_count <= 1
    return FoundComic(
        album=_album_of(root, album_id, len(pages)),
        chapter_id=notes[2] if notes else (album_id if is_single else None),
        chapter_title="" if is_single else root.findtext("Title") or "",
        position=position,
        chapter_count=chapter_count,
        page_names=tuple(pages),
    )


def copy_pages(
    store: ArchiveStorage, key: str, directory: PageDirectory, chapter_id_at: Callable[[int], str | None]
) -> int:
    """Copy the pages of a ZIP or CBZ of ours into a staging folder; how many. Not for the event loop.

    `chapter_id_at` gives the chapter of a position in the album, None for what is not to be copied.
    """
    count = 0
    with suppress(*_READ_ERRORS), store.open_file(key) as stream, zipfile.ZipFile(stream) as archive:
        directory.open()
        for info in archive.infolist():
            match = _PAGE.fullmatch(info.filename)
            chapter_id = chapter_id_at(int(match[1])) if match and match[1] else None
            if match is None or chapter_id is None or directory.may_have(chapter_id, int(match[2])):
                continue
            data = archive.read(info)
            if (kind := sniff(data)) is not None and kind.is_complete:
                directory.write(chapter_id, int(match[2]), data, kind.codec)
                count += 1
    return count


def _pages_in(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The pages in reading order: names are padded, so that their order is that."""
    endings = {*(f".{codec.value}" for codec in Codec), ".jpeg"}
    found = [info for info in archive.infolist() if Path(info.filename).suffix.lower() in endings]
    return sorted(found, key=lambda info: info.filename)


def _parsed(data: bytes) -> ElementTree.Element:
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:  # ours have none, and entities may grow without end
        raise ValueError("a document type")
    return ElementTree.fromstring(data)  # noqa: S314 (without entities)


def _album_of(root: ElementTree.Element, album_id: str, page_count: int) -> AlbumDetail:
    return AlbumDetail(
        id=album_id,
        title=root.findtext("Series") or root.findtext("Title") or f"JM{album_id}",
        description=root.findtext("Summary") or "",
        authors=_names(root, "Writer"),
        works=(),
        characters=_names(root, "Characters"),
        tags=_names(root, "Genre") or _names(root, "Tags"),
        page_count=page_count,
        view_count=0,
        like_count=0,
        comment_count=0,
        published_on=_day(root),
        updated_on=None,
        chapters=(),
        related=(),
        source=SourceMethod.API,
        has_all_chapters=False,
    )


def _names(root: ElementTree.Element, element: str) -> tuple[str, ...]:
    names: Sequence[str] = (root.findtext(element) or "").split(",")
    return tuple(name.strip().replace("，", ",") for name in names if name.strip())


def _day(root: ElementTree.Element) -> date | None:
    try:
        return date(*(int(root.findtext(name) or "") for name in ("Year", "Month", "Day")))
    except ValueError:
        return None
