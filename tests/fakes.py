"""Fakes of our ports: small, in memory, and faithful to what they replace."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Hashable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from services.ehtag.records import TagKind
from services.errors import UpstreamFailure
from services.observability import current_stats
from services.upstream.records import (
    AlbumDetail,
    AlbumListPage,
    AlbumSummary,
    ChapterDetail,
    ChapterRef,
    CommentPageRecord,
    RankingLine,
    RankingPage,
    RankingQuery,
    SearchQuery,
    SourceMethod,
    UpstreamStatus,
)

BLOCKED = "積雪"
"""A tag that tests withhold."""


def album(id: str, *tags: str, title: str = "", related: Sequence[str] = ()) -> AlbumDetail:
    """An album of one chapter, with these tags."""
    return AlbumDetail(
        id=id,
        title=title or f"山行 {id}",
        description="",
        authors=("青石",),
        works=(),
        characters=(),
        tags=tags,
        page_count=12,
        view_count=1000,
        like_count=10,
        comment_count=0,
        published_on=None,
        updated_on=None,
        chapters=(ChapterRef(id, 1, "第1話"),),
        related=tuple(AlbumSummary(each, f"山行 {each}") for each in related),
        source=SourceMethod.API,
    )


def series(id: str, chapters: int, *, title: str = "", tags: Sequence[str] = ()) -> AlbumDetail:
    """An album of so many chapters; the first has its number, the others "1001", "1002" behind it."""
    ids = [id, *(f"{id}{number}" for number in range(1, chapters))]
    refs = tuple(ChapterRef(each, place, f"第{place}話") for place, each in enumerate(ids, 1))
    return replace(album(id, *tags, title=title), chapters=refs)


class FakeSite:
    """A site of a few albums. With `lists_tags` its lists have tags, as those of the html method do.

    Every call raises `failure` while it is set, and waits for `gate`. An exclusion that leaves nothing is ignored, as
    on the real site.
    """

    def __init__(self, *albums: AlbumDetail, lists_tags: bool = False) -> None:
        self.albums = {album.id: album for album in albums}
        self.lists_tags = lists_tags
        self.failure: UpstreamFailure | None = None
        self.failing_ids: dict[str, UpstreamFailure] = {}
        self.gate = asyncio.Event()
        self.gate.set()
        self.calls: Counter[str] = Counter()
        self.searches: list[SearchQuery] = []
        self.concurrent_calls = 0
        self.max_concurrent_calls = 0
        self.covers: dict[str, bytes] = {}
        self.pages: dict[tuple[str, int], bytes] = {}
        self.cached_pages: dict[tuple[str, int], bytes] = {}
        self.chapters: dict[str, ChapterDetail] = {}

    async def album(self, id: str) -> AlbumDetail | None:
        await self._call(f"album {id}")
        if id in self.failing_ids:
            raise self.failing_ids[id]
        return self.albums.get(id)

    async def album_by_api(self, id: str) -> AlbumDetail | None:
        return await self.album(id)

    async def chapter(self, id: str) -> ChapterDetail | None:
        await self._call(f"chapter {id}")
        return self.chapters.get(id) or self._chapter_of_album(id)

    async def search(self, q: SearchQuery) -> AlbumListPage:
        await self._call("search")
        self.searches.append(q)
        found = [album for album in self.albums.values() if q.text in album.title or q.text in album.tags]
        kept = [album for album in found if not set(album.tags) & set(q.exclude)]
        lines = tuple(self._line(album) for album in kept or found)
        return AlbumListPage(lines, q.page, 1, len(lines))

    async def ranking(self, q: RankingQuery) -> RankingPage:
        await self._call("ranking")
        entries = tuple(RankingLine(rank, self._line(each)) for rank, each in enumerate(self.albums.values(), 1))
        return RankingPage(q.period, q.page, 1, len(entries), False, entries, datetime(2024, 5, 1, tzinfo=UTC))

    async def comments(self, album_id: str, page: int) -> CommentPageRecord:
        await self._call(f"comments {album_id}")
        return CommentPageRecord(album_id, (), page, 20, 1, 0, 0)

    async def cover(self, album_id: str) -> bytes | None:
        await self._call(f"cover {album_id}")
        return self.covers.get(album_id)

    async def page(self, chapter: ChapterDetail, index: int, *, bypass_cache: bool = False) -> bytes:
        await self._call(f"page {chapter.id}/{index}")
        cached = None if bypass_cache else self.cached_pages.get((chapter.id, index))
        return cached or self.pages[chapter.id, index]

    async def status(self) -> UpstreamStatus:
        return UpstreamStatus(SourceMethod.API, self.failure is None, None, ())

    def _line(self, album: AlbumDetail) -> AlbumSummary:
        return AlbumSummary(album.id, album.title, album.tags if self.lists_tags else None)

    def _chapter_of_album(self, id: str) -> ChapterDetail | None:
        """A chapter of twelve pages, where an album lists it."""
        for each in self.albums.values():
            for ref in each.chapters:
                if ref.id == id:
                    names = tuple(f"{number:05}.webp" for number in range(1, 13))
                    return ChapterDetail(id, each.id, ref.title, 220980, names)
        return None

    async def _call(self, name: str) -> None:
        current_stats().charge_call()
        self.calls[name] += 1
        self.concurrent_calls += 1
        self.max_concurrent_calls = max(self.max_concurrent_calls, self.concurrent_calls)
        try:
            await asyncio.sleep(0)
            await self.gate.wait()
        finally:
            self.concurrent_calls -= 1
        if self.failure is not None:
            raise self.failure


class FakeTagIndex:
    """The ids and spellings it is given."""

    def __init__(self, ids: dict[str, Collection[str]] | None = None) -> None:
        self.ids = dict(ids or {})
        self.version: Hashable = 0

    def fold(self, texts: Sequence[str]) -> list[str]:
        return [text.casefold().replace("·", "").replace(" ", "").replace("嶽", "岳") for text in texts]

    def ids_of(self, name: str, kind: TagKind) -> Collection[str]:
        return self.ids.get(name, ())

    def spellings_of(self, id: str) -> Collection[str]:
        return [name for name, ids in self.ids.items() if id in ids]


class Clock:
    """A clock that stands still until it is moved. Unix seconds."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += seconds
