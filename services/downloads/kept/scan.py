"""Compares the library with what is known of it: adopts files that no database knows, and finds those that moved.

For after the loss of the database or of Redis, and after somebody moved or renamed files.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

import structlog

from services.downloads import transitions
from services.downloads.kept.index import KeptFiles
from services.downloads.kept.reader import FoundComic, read_comic
from services.downloads.ports import AlbumSource
from services.downloads.records import ArchiveFormat, DownloadProgressRecord, DownloadRequest
from services.downloads.row import DownloadRow
from services.downloads.storage import LIBRARY, ArchiveStore
from services.errors import JmgraphError
from services.upstream.records import AlbumDetail, ChapterDetail, ChapterRef

log = structlog.get_logger("jmgraph.kept")


@dataclass(slots=True)
class ScanResult:
    """How many files were looked at, adopted and found elsewhere; paths of those that name no album."""

    files: int = 0
    adopted: int = 0
    moved: int = 0
    unknown: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Comic:
    """A CBZ in the library that is not known."""

    path: str
    size_bytes: int
    says: FoundComic


class LibraryScan:
    """One look at the whole library. `add_download` stores the download of adopted files, `compare` looks at the
    files of a download again.
    """

    def __init__(
        self,
        files: KeptFiles,
        store: ArchiveStore,
        albums: AlbumSource,
        add_download: Callable[[DownloadRow], Awaitable[None]],
        compare: Callable[[str], Awaitable[None]],
    ) -> None:
        self._files = files
        self._store = store
        self._albums = albums
        self._add_download = add_download
        self._compare = compare
        self._result = ScanResult()

    async def run(self, owner_id: str | None) -> ScanResult:
        """What was found; adopted files belong to this user."""
        found: defaultdict[str, list[_Comic]] = defaultdict(list)
        async for stored in self._store.list(LIBRARY):
            path = stored.key.removeprefix(LIBRARY)
            if not path.lower().endswith(".cbz"):
                continue
            self._result.files += 1
            if await self._files.find_path(path) is not None:
                continue
            if (says := await asyncio.to_thread(self._read, path)) is None:
                self._result.unknown.append(path)
            else:
                found[says.album.id].append(_Comic(path, stored.size_bytes, says))
        for album_id, comics in found.items():
            await self._take(album_id, comics, owner_id)
        for id in await self._files.download_ids():
            await self._compare(id)
        return self._result

    def _read(self, path: str) -> FoundComic | None:
        with suppress(OSError), self._store.open_file(LIBRARY + path) as stream:
            return read_comic(stream, path)
        return None

    async def _take(self, album_id: str, comics: list[_Comic], owner_id: str | None) -> None:
        """Take the files of one album in."""
        comics.sort(key=lambda comic: (comic.says.position, comic.path))
        known = await self._files.of_album(album_id)
        lost = [file for file in known if await self._store.is_missing(file.key)]
        album = await self._album(album_id, comics)
        adopted: list[str] = []
        for comic in comics:
            if (chapter := _chapter_of(album, comic.says)) is None:
                self._result.unknown.append(comic.path)
            elif (moved := next((file for file in lost if file.chapter.id == chapter.id), None)) is not None:
                lost.remove(moved)
                await self._files.move(moved.id, comic.path)
                self._result.moved += 1
            else:
                sha256 = await asyncio.to_thread(self._sha256, comic.path)
                folder = _folder_of(comic)
                adopted.append(
                    await self._files.adopt(
                        album, chapter, comic.path, folder, size_bytes=comic.size_bytes, sha256=sha256
                    )
                )
        if adopted:
            self._result.adopted += len(adopted)
            await self._add(album, adopted, comics[0].says.chapter_count, owner_id)

    async def _album(self, album_id: str, comics: Sequence[_Comic]) -> AlbumDetail:
        """The album as it was known; else as the site has it, where that is needed; else as the files say."""
        if (album := await self._files.find_album(album_id)) is not None:
            return album
        if any(comic.says.chapter_id is None for comic in comics):
            with suppress(JmgraphError):
                return await self._albums.get_album(album_id)
        says = comics[0].says
        refs = {
            comic.says.chapter_id: ChapterRef(comic.says.chapter_id, comic.says.position, comic.says.chapter_title)
            for comic in comics
            if comic.says.chapter_id is not None
        }
        pages = sum(len(comic.says.page_names) for comic in comics)
        return replace(says.album, chapters=tuple(refs.values()), page_count=pages)

    async def _add(
        self, album: AlbumDetail, file_ids: Sequence[str], chapter_count: int, owner_id: str | None
    ) -> None:
        files = await self._files.find_many(file_ids)
        chapter_ids = tuple(dict.fromkeys(file.chapter.id for file in files))
        chosen = () if len(chapter_ids) == chapter_count else chapter_ids
        request = DownloadRequest(album.id, chosen, ArchiveFormat.CBZ, keep=True)
        pages = sum(len(file.chapter.page_names) for file in files)
        new = transitions.new_row(request, album.title, owner_id)
        new = new.replace(job_id="", folder="")
        progress = DownloadProgressRecord(pages, pages, sum(file.size_bytes for file in files))
        row = new.with_state(new.state, progress=progress, started_at=new.download.requested_at)
        await self._files.hold(row.download.id, file_ids)
        await self._add_download(transitions.ready(row, [file.record for file in files], ttl_s=0))

    def _sha256(self, path: str) -> str:
        with self._store.open_file(LIBRARY + path) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]


def _chapter_of(album: AlbumDetail, says: FoundComic) -> ChapterDetail | None:
    """The chapter that a file has; None where neither it nor the album says which that is."""
    at_position = (ref.id for ref in album.chapters if ref.index == says.position)
    chapter_id = says.chapter_id or next(at_position, None)
    if chapter_id is None:
        return None
    return ChapterDetail(chapter_id, album.id, says.chapter_title, 0, says.page_names)


def _folder_of(comic: _Comic) -> str:
    """The place of its album: the path without ending for one of a single chapter, else the folder."""
    folder, _, _ = comic.path.rpartition("/")
    return folder if folder and comic.says.chapter_count > 1 else comic.path.rpartition(".")[0]
