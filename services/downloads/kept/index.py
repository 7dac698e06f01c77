"""The kept files in the database: where each lies, what it has, and which downloads hold it.

A file is one chapter in one format. Its row is there before the file, so that a killed worker's path is found again;
it has a size once the file is whole. It is deleted with the last download that holds it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar

import msgspec
import structlog
from sqlalchemy import Select, delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.database import Database
from services.database.models import KeptAlbumRow, KeptDownloadRow, KeptFileRow, KeptHolderRow
from services.downloads.kept.layout import LibraryLayout, path_key, paths_of_chapter
from services.downloads.ports import ArchiveStorage
from services.downloads.records import DownloadFileRecord
from services.downloads.row import RECORD_VERSION, DownloadRow, new_id, row_from_json, row_to_json
from services.downloads.staging import ORIGINAL_VARIANT
from services.downloads.storage import LIBRARY
from services.errors import ConfigurationError, StorageUnavailable
from services.redis import LockBusy, Locks
from services.upstream.records import AlbumDetail, ChapterDetail, ChapterRef

log = structlog.get_logger("jmgraph.kept")

T = TypeVar("T")

PATHS_LOCK = "library-paths"
DELETE_LOCK = "library-delete"
LOCK_WAIT_S = 30.0
_MAX_VALUES = 500
"""In one statement; databases have a limit of some thousands."""


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A kept file: `path` below the library, `chapter` what is in it, `position` of that in its album, from 1."""

    id: str
    album_id: str
    path: str
    position: int
    chapter: ChapterDetail
    variant: str
    size_bytes: int
    sha256: str
    is_complete: bool

    @property
    def key(self) -> str:
        """Where the store has it."""
        return LIBRARY + self.path

    @property
    def record(self) -> DownloadFileRecord:
        """The file as its download has it."""
        name = self.path.rpartition("/")[2]
        return DownloadFileRecord(name, self.key, self.size_bytes, self.sha256, self.chapter.id)


@dataclass(frozen=True, slots=True)
class NewFile:
    """A chapter that is going to be kept, in a format: `variant` is its name, "original"."""

    album: AlbumDetail
    chapter: ChapterDetail
    variant: str
    extension: str

    @property
    def ref(self) -> ChapterRef:
        """The chapter as its album lists it."""
        listed = (ref for ref in self.album.chapters if ref.id == self.chapter.id)
        return next(listed, ChapterRef(self.chapter.id, 1, self.chapter.title))


class KeptFiles:
    """Every call raises `StorageUnavailable` while the database is away."""

    def __init__(self, database: Database, store: ArchiveStorage, locks: Locks, layout: LibraryLayout) -> None:
        self._database = database
        self._store = store
        self._locks = locks
        self._layout = layout

    # --- making files ----------------------------------------------------------------------------------------

    async def hold_complete(self, download_id: str, chapter_ids: Sequence[str], variant: str) -> list[KeptFile]:
        """The files that have all pages of these chapters in this format; the download holds them from now on."""
        query = _complete().where(KeptFileRow.variant == variant)
        async with self._database.read() as session:
            rows = [
                row
                for part in _parts(chapter_ids)
                for row in await session.scalars(query.where(KeptFileRow.chapter_id.in_(part)))
            ]
        there = [row.id for row in rows if not await self._store.is_missing(LIBRARY + row.path)]
        async with self._database.write() as session:
            held = [row for id in there if (row := await _locked(session, id)) and not row.is_deleting]
            for row in held:
                await _hold(session, row.id, download_id)
        return [_file_of(row) for row in held]

    async def reserve(self, download_id: str, new: NewFile) -> KeptFile:
        """The place of a file that is going to be made, held by this download: that of the same chapter in this
        format where there is one, else one that no other file has.
        """
        async with self._exclusive(PATHS_LOCK), self._database.write() as session:
            query = select(KeptFileRow).where(
                KeptFileRow.chapter_id == new.chapter.id,
                KeptFileRow.album_id == new.album.id,
                KeptFileRow.variant == new.variant,
                KeptFileRow.is_deleting.is_(False),
            )
            row = await session.scalar(query.with_for_update())
            folder = await self._folder(session, new.album)
            if row is None:
                row = _new_row(new, await self._free_path(session, folder, new))
                session.add(row)
                await session.flush()
            await _hold(session, row.id, download_id)
            return _file_of(row)

    async def commit(
        self, file: KeptFile, chapter: ChapterDetail, size_bytes: int, sha256: str, complete: bool
    ) -> None:
        """Store that the file is there, with this chapter in it."""
        values = {"size_bytes": size_bytes, "sha256": sha256, "is_complete": complete, "chapter": _json(chapter)}
        async with self._database.write() as session:
            await session.execute(update(KeptFileRow).where(KeptFileRow.id == file.id).values(**values))

    async def _folder(self, session: AsyncSession, album: AlbumDetail, *preferred: str) -> str:
        """The album's place, chosen once; what is known of the album is brought up to date."""
        row = await session.get(KeptAlbumRow, album.id)
        if row is not None:
            row.detail = _json(album)
            return row.folder
        for folder in chain(preferred, self._layout.folders(album)):
            taken = select(exists().where(KeptAlbumRow.folder_key == path_key(folder)))
            if not await session.scalar(taken):
                break
        row = KeptAlbumRow(album_id=album.id, folder=folder, folder_key=path_key(folder), detail=_json(album))
        session.add(row)
        await session.flush()
        return folder

    async def _free_path(self, session: AsyncSession, folder: str, new: NewFile) -> str:
        """The first path that no row and no file has: what a person put into the library is never replaced."""
        is_single = len(new.album.chapters) == 1
        for path in paths_of_chapter(folder, new.ref, new.extension, is_single=is_single):
            taken = select(exists().where(KeptFileRow.path_key == path_key(path)))
            if not await session.scalar(taken) and await self._store.is_missing(LIBRARY + path):
                return path
        raise AssertionError("there are endless paths")

    # --- what a download holds -------------------------------------------------------------------------------

    async def of_download(self, download_id: str, chapter_ids: Collection[str] = ()) -> list[KeptFile]:
        """The whole files that a download holds, in reading order; of these chapters where some are given."""
        query = select(KeptFileRow).join(KeptHolderRow, KeptHolderRow.file_id == KeptFileRow.id)
        query = query.where(KeptHolderRow.download_id == download_id, KeptFileRow.size_bytes.is_not(None))
        async with self._database.read() as session:
            rows = await session.scalars(query.order_by(KeptFileRow.position, KeptFileRow.path))
        return [_file_of(row) for row in rows if not chapter_ids or row.chapter_id in chapter_ids]

    async def hold(self, download_id: str, file_ids: Sequence[str]) -> None:
        """The download holds these files too."""
        async with self._database.write() as session:
            for id in file_ids:
                await _hold(session, id, download_id)

    async def release(self, download_id: str) -> None:
        """The download holds nothing any more; what nobody else holds is deleted. Raises `JmgraphError` where the
        store fails: the files are deleted later.
        """
        async with self._database.write() as session:
            await session.execute(delete(KeptHolderRow).where(KeptHolderRow.download_id == download_id))
            await session.execute(delete(KeptDownloadRow).where(KeptDownloadRow.id == download_id))
        await self.delete_unheld()

    async def delete_unheld(self) -> None:
        """Delete every file that no download holds."""
        is_held = exists().where(KeptHolderRow.file_id == KeptFileRow.id)
        async with self._database.read() as session:
            ids = list(await session.scalars(select(KeptFileRow.id).where(~is_held)))
        if ids:
            async with self._exclusive(DELETE_LOCK):
                for id in ids:
                    await self._delete(id)

    async def _delete(self, file_id: str) -> None:
        async with self._database.write() as session:
            row = await _locked(session, file_id)
            if row is None or await session.scalar(select(exists().where(KeptHolderRow.file_id == file_id))):
                return
            row.is_deleting, row.is_complete = True, False
        await self._store.delete(LIBRARY + row.path)
        async with self._database.write() as session:
            await session.execute(delete(KeptFileRow).where(KeptFileRow.id == file_id))
            has_files = exists().where(KeptFileRow.album_id == row.album_id)
            await session.execute(delete(KeptAlbumRow).where(KeptAlbumRow.album_id == row.album_id, ~has_files))

    # --- downloads, for when Redis is lost -------------------------------------------------------------------

    async def save_download(self, row: DownloadRow) -> None:
        """Store a READY download whose files are kept."""
        body = row_to_json(row)
        async with self._database.write() as session:
            stored = await session.get(KeptDownloadRow, row.download.id, with_for_update=True)
            if stored is None:
                session.add(KeptDownloadRow(id=row.download.id, body=body))
            else:
                stored.body = body

    async def forget_download(self, id: str) -> None:
        """The download is not kept any more."""
        async with self._database.write() as session:
            await session.execute(delete(KeptDownloadRow).where(KeptDownloadRow.id == id))

    async def download_ids(self) -> list[str]:
        """Ids of all kept downloads, oldest first."""
        async with self._database.read() as session:
            return list(await session.scalars(select(KeptDownloadRow.id).order_by(KeptDownloadRow.id)))

    async def find_download(self, id: str) -> DownloadRow | None:
        """A kept download as it was stored; None also for what this version can't read."""
        async with self._database.read() as session:
            stored = await session.get(KeptDownloadRow, id)
        try:
            return None if stored is None else row_from_json(stored.body, RECORD_VERSION)
        except (msgspec.MsgspecError, ConfigurationError):
            log.warning("a kept download can't be read", download=id)
            return None

    # --- finding files ---------------------------------------------------------------------------------------

    async def find_path(self, path: str) -> KeptFile | None:
        """The file of this path."""
        async with self._database.read() as session:
            row = await session.scalar(select(KeptFileRow).where(KeptFileRow.path_key == path_key(path)))
        return None if row is None or row.path != path else _file_of(row)

    async def find_many(self, ids: Sequence[str]) -> list[KeptFile]:
        """The files of these ids, in reading order."""
        async with self._database.read() as session:
            rows = [
                row
                for part in _parts(ids)
                for row in await session.scalars(select(KeptFileRow).where(KeptFileRow.id.in_(part)))
            ]
        return [_file_of(row) for row in sorted(rows, key=lambda row: (row.position, row.path))]

    async def of_album(self, album_id: str) -> list[KeptFile]:
        """The whole files of an album, in reading order."""
        query = select(KeptFileRow).where(KeptFileRow.album_id == album_id, KeptFileRow.size_bytes.is_not(None))
        async with self._database.read() as session:
            rows = await session.scalars(query.order_by(KeptFileRow.position, KeptFileRow.path))
        return [_file_of(row) for row in rows]

    async def move(self, file_id: str, path: str) -> None:
        """Store that a file lies elsewhere in the library now."""
        values = {"path": path, "path_key": path_key(path)}
        async with self._database.write() as session:
            await session.execute(update(KeptFileRow).where(KeptFileRow.id == file_id).values(**values))

    async def adopt(
        self, album: AlbumDetail, chapter: ChapterDetail, path: str, folder: str, *, size_bytes: int, sha256: str
    ) -> str:
        """Store a CBZ that was found in the library, in this folder of its album; its id."""
        position = next((ref.index for ref in album.chapters if ref.id == chapter.id), 1)
        file = KeptFileRow(
            id=new_id(),
            album_id=album.id,
            chapter_id=chapter.id,
            position=position,
            path=path,
            path_key=path_key(path),
            variant=ORIGINAL_VARIANT,
            chapter=_json(chapter),
            size_bytes=size_bytes,
            sha256=sha256,
            is_complete=True,
            is_deleting=False,
        )
        async with self._exclusive(PATHS_LOCK), self._database.write() as session:
            await self._folder(session, album, folder)
            session.add(file)
        return file.id

    async def readable(self, chapter_id: str) -> list[KeptFile]:
        """The CBZ files with all pages of a chapter, those with pages as the site has them first."""
        async with self._database.read() as session:
            rows = await session.scalars(_complete().where(KeptFileRow.chapter_id == chapter_id))
        found = [_file_of(row) for row in rows if row.path.endswith(".cbz")]
        return sorted(found, key=lambda file: file.variant != ORIGINAL_VARIANT)

    async def find_album(self, id: str) -> AlbumDetail | None:
        """The album of this number, or of the chapter of this number, where a file of it is kept."""
        of_chapter = select(KeptFileRow.album_id).where(
            KeptFileRow.chapter_id == id, KeptFileRow.size_bytes.is_not(None)
        )
        has_files = exists().where(KeptFileRow.album_id == KeptAlbumRow.album_id, KeptFileRow.size_bytes.is_not(None))
        async with self._database.read() as session:
            album = await session.scalar(select(KeptAlbumRow).where(KeptAlbumRow.album_id == id, has_files))
            if album is None and (album_id := await session.scalar(of_chapter.limit(1))) is not None:
                album = await session.get(KeptAlbumRow, album_id)
        return None if album is None else _read(album.detail, AlbumDetail)

    @asynccontextmanager
    async def _exclusive(self, name: str) -> AsyncIterator[None]:
        """One task at a time, over all processes."""
        try:
            async with self._locks.hold(name, wait_s=LOCK_WAIT_S):
                yield
        except LockBusy:
            raise StorageUnavailable from None


def _complete() -> Select[KeptFileRow]:
    """Files that are whole and have every page."""
    return select(KeptFileRow).where(KeptFileRow.is_complete, KeptFileRow.is_deleting.is_(False))


async def _locked(session: AsyncSession, file_id: str) -> KeptFileRow | None:
    """The row, which only this transaction changes until it ends."""
    return await session.get(KeptFileRow, file_id, with_for_update=True)


async def _hold(session: AsyncSession, file_id: str, download_id: str) -> None:
    if await session.get(KeptHolderRow, (file_id, download_id)) is None:
        session.add(KeptHolderRow(file_id=file_id, download_id=download_id))


def _new_row(new: NewFile, path: str) -> KeptFileRow:
    return KeptFileRow(
        id=new_id(),
        album_id=new.album.id,
        chapter_id=new.chapter.id,
        position=new.ref.index,
        path=path,
        path_key=path_key(path),
        variant=new.variant,
        chapter=_json(new.chapter),
        is_complete=False,
        is_deleting=False,
    )


def _file_of(row: KeptFileRow) -> KeptFile:
    chapter = _read(row.chapter, ChapterDetail) or ChapterDetail(row.chapter_id, row.album_id, "", 0, ())
    return KeptFile(
        id=row.id,
        album_id=row.album_id,
        path=row.path,
        position=row.position,
        chapter=chapter,
        variant=row.variant,
        size_bytes=row.size_bytes or 0,
        sha256=row.sha256 or "",
        is_complete=row.is_complete,
    )


def _parts(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), _MAX_VALUES):
        yield values[start : start + _MAX_VALUES]


def _json(record: object) -> bytes:
    return msgspec.json.encode(record)


def _read(body: bytes, kind: type[T]) -> T | None:
    """The record; None for one that another version of this program has stored in a form unknown here."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.MsgspecError:
        return None
