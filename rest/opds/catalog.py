"""The feeds of the OPDS catalogue: rankings, search, albums, and what is the reader's own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import Request

from rest.files import MEDIA_TYPES, visible_downloads
from rest.images import catalog_of
from rest.opds.feeds import UNKNOWN_DAY, Entry, Feed, File, Stream
from rest.parameters import parse_whole_number
from services.catalog import (
    AlbumDetail,
    AlbumOrder,
    AlbumSummary,
    ChapterDetail,
    ChapterRef,
    Period,
    RankingQuery,
    SearchQuery,
    parse_album_id,
)
from services.container import Services
from services.downloads import ArchiveFormat, DownloadFileRecord, DownloadPage, DownloadRecord, DownloadState
from services.ehtag import TagKind
from services.errors import JmgraphError, QueueUnavailable, StorageUnavailable
from services.library import LibraryPage
from services.people import ProgressRecord, Viewer

P = TypeVar("P", DownloadPage, LibraryPage)

CHAPTERS_OF_A_PAGE = 40
"""Each is a call to the site, where nobody has read it lately."""
LAST_PAGE = 10_000
ENTRIES_OF_A_PAGE = 80
"""Of what is the reader's own, as of the site's lists."""

_RANKINGS = {
    "day": ("日排行 · Day", RankingQuery(Period.DAY)),
    "week": ("周排行 · Week", RankingQuery(Period.WEEK)),
    "month": ("月排行 · Month", RankingQuery(Period.MONTH)),
    "all": ("总排行 · All time", RankingQuery(Period.ALL)),
}
_NEWEST = ("最新 · Newest", RankingQuery(order=AlbumOrder.LATEST))


class Opds:
    """The feeds for one request."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._services: Services = request.app.state.services
        self._catalog = catalog_of(request)
        self._downloads = visible_downloads(request)
        self._viewer: Viewer | None = self._services.access.viewer(self._services.access.caller(request.scope))

    async def root(self) -> Feed:
        """The first feed, which leads to all others."""
        entries = [
            *(_lead(f"/rankings/{name}", title) for name, (title, _) in _RANKINGS.items()),
            _lead("/newest", _NEWEST[0]),
        ]
        if self._viewer is not None:
            entries += [_lead("/continue", "继续阅读 · Continue reading"), _lead("/library", "书架 · Library")]
        entries.append(_lead("/files", "已下载 · Files"))
        return Feed("urn:jmgraph:root", "jmgraph", "", entries, is_navigation=True)

    async def ranking(self) -> Feed:
        """A page of a ranking."""
        name = self._request.path_params["name"]
        if name not in _RANKINGS:
            raise HTTPException(404, "There is no such ranking.")
        title, query = _RANKINGS[name]
        return await self._list(f"/rankings/{name}", title, query)

    async def newest(self) -> Feed:
        """A page of the newest albums."""
        return await self._list("/newest", *_NEWEST)

    async def search(self) -> Feed:
        """A page of a search, for `q` (1.2) or `query` (2.0)."""
        parameters = self._request.query_params
        text = parameters.get("q", parameters.get("query", ""))
        found = await self._catalog.search(SearchQuery(text, self._page))
        return Feed(
            urn="urn:jmgraph:search",
            title=f"{text} · jmgraph" if text else "jmgraph",
            path="/search",
            entries=await self._entries(found.items),
            page=self._page,
            has_next=self._page < found.page_count,
            query=text,
            total=found.total,
            parameters={"q": text},
        )

    async def album(self) -> Feed:
        """An album: itself, or a page of its chapters."""
        album = await self._catalog.get_album(parse_album_id(self._request.path_params["id"]))
        path, page = f"/albums/{album.id}", self._page
        if len(album.chapters) == 1:
            entries = await self._chapters(album, album.chapters)
            return Feed(_urn("album", album.id), album.title, path, entries)
        start = (page - 1) * CHAPTERS_OF_A_PAGE
        chapters = album.chapters[start : start + CHAPTERS_OF_A_PAGE]
        return Feed(
            urn=_urn("album", album.id),
            title=album.title,
            path=path,
            entries=await self._chapters(album, chapters),
            page=page,
            has_next=start + CHAPTERS_OF_A_PAGE < len(album.chapters),
            total=len(album.chapters),
        )

    async def library(self) -> Feed:
        """The albums that the reader keeps an eye on, the last added first."""
        user_id = self._require_viewer().user.id
        library = self._services.library.showing(self._catalog)
        listed = await self._numbered(lambda after: library.list(user_id, first=ENTRIES_OF_A_PAGE, after=after))
        entries = await self._entries([] if listed is None else [record.album for record in listed.items])
        return self._own_list("library", "书架 · Library", entries, listed)

    async def continue_reading(self) -> Feed:
        """The albums that the reader has begun and not finished, the last read first."""
        user_id = self._require_viewer().user.id
        found = await self._services.reading.showing(self._catalog).continue_reading(user_id, ENTRIES_OF_A_PAGE)
        entries = await self._entries([progress.album for progress in found])
        return Feed("urn:jmgraph:continue", "继续阅读 · Continue reading", "/continue", entries)

    async def files(self) -> Feed:
        """The albums that have a finished file, the newest first."""
        listed = await self._numbered(self._ready)
        ready = [] if listed is None else listed.items
        albums = {record.album_id: AlbumSummary(record.album_id, record.title) for record in ready}
        entries = await self._entries(list(albums.values()))
        return self._own_list("files", "已下载 · Files", entries, listed)

    async def publication(self) -> Entry:
        """One chapter with its pages. Raises `ChapterNotFound` or `BlockedByPolicy`."""
        chapter = await self._catalog.get_chapter(parse_album_id(self._request.path_params["id"]))
        album = await self._catalog.get_album(chapter.album_id)
        ref = next((each for each in album.chapters if each.id == chapter.id), album.chapters[0])
        return (await self._chapters(album, [ref]))[0]

    @property
    def _page(self) -> int:
        page = parse_whole_number(self._request.query_params.get("page") or "1")  # a template may leave it empty
        if page is None or not 1 <= page <= LAST_PAGE:
            raise HTTPException(400, f"page is a whole number from 1 to {LAST_PAGE}.")
        return page

    def _require_viewer(self) -> Viewer:
        """The reader; raises 404 for a guest or the host, who have nothing of their own."""
        if self._viewer is None:
            raise HTTPException(404, "Only a person has this.")
        return self._viewer

    async def _numbered(self, read: Callable[[str | None], Awaitable[P | None]]) -> P | None:
        """The page of this number of a list that has cursors; None behind its end, or where it can't be read.

        `read` gives the page behind a cursor. Those before the one asked for are read again, since an address with a
        number can be gone back to.
        """
        listed = await read(None)
        for _ in range(self._page - 1):
            if listed is None or not listed.has_next:
                return None
            listed = await read(listed.cursors[-1])
        return listed

    def _own_list(
        self, name: str, title: str, entries: Sequence[Entry], listed: DownloadPage | LibraryPage | None
    ) -> Feed:
        has_next = listed is not None and listed.has_next
        return Feed(f"urn:jmgraph:{name}", title, f"/{name}", entries, page=self._page, has_next=has_next)

    async def _list(self, path: str, title: str, query: RankingQuery) -> Feed:
        ranking = await self._catalog.ranking(replace(query, page=self._page))
        entries = await self._entries([line.album for line in ranking.entries])
        urn = f"urn:jmgraph:{path[1:].replace('/', ':')}"
        return Feed(urn, title, path, entries, page=self._page, has_next=ranking.has_next)

    async def _entries(self, albums: Sequence[AlbumSummary]) -> list[Entry]:
        """An entry for each album; a way to it alone where it could not be read."""
        ids = [album.id for album in albums]
        details = await self._catalog.find_albums(ids)
        singles = [
            detail.chapters[0].id
            for detail in details
            if isinstance(detail, AlbumDetail) and len(detail.chapters) == 1
        ]
        progress_of, files_of = await self._progress(singles), await self._files(ids)
        return [
            self._entry_of(detail, progress_of, files_of) if isinstance(detail, AlbumDetail) else _lead_to(album)
            for album, detail in zip(albums, details, strict=True)
            if detail is not None
        ]

    def _entry_of(
        self, album: AlbumDetail, progress_of: dict[str, ProgressRecord], files_of: dict[str, list[File]]
    ) -> Entry:
        if len(album.chapters) == 1 and album.page_count > 0:
            chapter_id = album.chapters[0].id
            stream = _stream(chapter_id, album.page_count, progress_of.get(chapter_id))
            return self._entry(album, stream=stream, files=_files_of_single(album, files_of))
        return self._entry(album, path=f"/albums/{album.id}")

    async def _chapters(self, album: AlbumDetail, chapters: Sequence[ChapterRef]) -> list[Entry]:
        """An entry for each chapter whose pages could be read."""
        ids = [chapter.id for chapter in chapters]
        details = await self._catalog.find_chapters(ids, album.id)
        progress_of, files_of = await self._progress(ids), await self._files([album.id])
        is_single = len(album.chapters) == 1
        failures = [detail for detail in details if isinstance(detail, JmgraphError)]
        if failures and len(failures) == len(details):
            raise failures[0]
        return [
            self._entry(
                album,
                chapter=None if is_single else chapter,
                stream=_stream(chapter.id, len(detail.page_names), progress_of.get(chapter.id)),
                files=_files_of_single(album, files_of) if is_single else files_of.get(chapter.id, ()),
            )
            for chapter, detail in zip(chapters, details, strict=True)
            if isinstance(detail, ChapterDetail)
        ]

    def _entry(
        self,
        album: AlbumDetail,
        *,
        chapter: ChapterRef | None = None,
        path: str = "",
        stream: Stream | None = None,
        files: Sequence[File] = (),
    ) -> Entry:
        translated = self._services.tags.state.translator.translate_many(album.tags, TagKind.GENRE)
        return Entry(
            urn=_urn("chapter", chapter.id) if chapter else _urn("album", album.id),
            title=_chapter_title(chapter) if chapter else album.title,
            updated=album.updated_on or album.published_on or UNKNOWN_DAY,
            path=path,
            summary=album.description,
            authors=album.authors,
            categories=[tag.record.name.text if tag.record else tag.name for tag in translated],
            cover_id=album.id,
            stream=stream,
            files=files,
        )

    async def _progress(self, chapter_ids: Sequence[str]) -> dict[str, ProgressRecord]:
        """The reader's progress by chapter; nothing while the database is away."""
        if self._viewer is None:
            return {}
        try:
            return await self._services.reading.of_chapters(self._viewer.user.id, chapter_ids)
        except StorageUnavailable:
            return {}

    async def _files(self, album_ids: Sequence[str]) -> dict[str, list[File]]:
        """Finished files of these albums by the number of the album, or of the only chapter, that they hold."""
        try:
            ready = await self._downloads.ready_of(album_ids)
        except QueueUnavailable:
            return {}
        files_of: dict[str, list[File]] = {}
        for record in ready:
            for file in record.files:
                if (described := _file_of(record, file)) is not None:
                    files_of.setdefault(_held_by(record, file), []).append(described)
        return files_of

    async def _ready(self, after: str | None) -> DownloadPage | None:
        """Downloads that the reader sees, as far as they are ready; None while Redis is away."""
        try:
            return await self._downloads.list({DownloadState.READY}, ENTRIES_OF_A_PAGE, after)
        except QueueUnavailable:
            return None


FEEDS: dict[str, tuple[str, Callable[[Opds], Awaitable[Feed]]]] = {
    "": ("The first feed", Opds.root),
    "/rankings/{name}": ("A ranking", Opds.ranking),
    "/newest": ("The newest albums", Opds.newest),
    "/search": ("Albums that were searched for", Opds.search),
    "/albums/{id}": ("An album", Opds.album),
    "/library": ("Your library", Opds.library),
    "/continue": ("Where to read on", Opds.continue_reading),
    "/files": ("Albums with a finished file", Opds.files),
}
"""Each feed by its path below the catalogue's root, which both versions have."""


def _urn(kind: str, id: str) -> str:
    return f"urn:jmgraph:{kind}:{id}"


def _lead(path: str, title: str) -> Entry:
    """A way to a feed of the catalogue."""
    return Entry(urn=f"urn:jmgraph:{path[1:].replace('/', ':')}", title=title, path=path)


def _lead_to(album: AlbumSummary) -> Entry:
    """A way to an album of which only its place in a list is known."""
    return Entry(_urn("album", album.id), album.title, path=f"/albums/{album.id}", cover_id=album.id)


def _chapter_title(chapter: ChapterRef) -> str:
    """Its title, "第3話 雨"; its number where it has none."""
    return chapter.title or str(chapter.index)


def _stream(chapter_id: str, page_count: int, progress: ProgressRecord | None) -> Stream:
    if progress is None:
        return Stream(chapter_id, page_count)
    return Stream(chapter_id, page_count, min(progress.page, page_count), progress.read_at)


def _files_of_single(album: AlbumDetail, files_of: dict[str, list[File]]) -> list[File]:
    """The files of an album of one chapter: those of it, and those of the chapter."""
    numbers = dict.fromkeys((album.id, album.chapters[0].id))
    return [file for number in numbers for file in files_of.get(number, ())]


def _held_by(record: DownloadRecord, file: DownloadFileRecord) -> str:
    """What a file holds: the number of its only chapter, where it was made of one, else of its album."""
    chapters = record.request.chapter_ids
    return file.chapter_id or (chapters[0] if len(chapters) == 1 else record.album_id)


def _file_of(record: DownloadRecord, file: DownloadFileRecord) -> File | None:
    """A file of a download, where it is one that reading apps open."""
    ending = file.name.rpartition(".")[2]
    if ending == ArchiveFormat.ZIP.extension:
        return None
    return File(("downloads", record.id, file.name), MEDIA_TYPES[ending], file.size_bytes)
