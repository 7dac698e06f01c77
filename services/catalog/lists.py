"""Lists: searches and rankings, as they may be listed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import msgspec

from services.cache import Cache, CacheEntry, CacheKey
from services.catalog.album_tags import AlbumTags, carries
from services.catalog.albums import Albums
from services.catalog.filtered_view import LIST_S, FilteredView
from services.catalog.policy import ContentPolicy
from services.catalog.queries import check_page, tidy
from services.catalog.site import Site
from services.errors import AlbumNotFound, BlockedByPolicy
from services.upstream import number_of
from services.upstream.records import (
    AlbumDetail,
    AlbumListPage,
    AlbumSummary,
    RankingPage,
    RankingQuery,
    SearchQuery,
)

T = TypeVar("T")


class Lists:
    """Pages of albums, judged line by line."""

    def __init__(
        self,
        site: Site,
        cache: Cache,
        policy: ContentPolicy,
        albums: Albums,
        views: FilteredView,
        *,
        search_s: float,
        ranking_s: float,
    ) -> None:
        self._site = site
        self._cache = cache
        self._policy = policy
        self._albums = albums
        self._views = views
        self._searches = CacheKey("search", AlbumListPage, search_s)
        self._rankings = CacheKey("ranking", RankingPage, ranking_s)

    async def ranking(self, q: RankingQuery) -> RankingPage:
        """A page of a ranking; what is withheld leaves a gap in the ranks."""
        check_page(q.page)
        key = f"{q.period}:{q.order}:{q.category}:{q.page}"
        entry = self._cache.peek(self._rankings, key) or await self._cache.read(
            self._rankings, key, lambda: self._site.ranking(q)
        )
        if (view := self._views.find(entry)) is not None:
            listed: RankingPage = view.value
            return listed
        page = entry.there
        return await self._judged(
            entry,
            [line.album for line in page.entries],
            lambda ids: replace(page, entries=tuple(line for line in page.entries if line.album.id in ids)),
        )

    async def search(self, q: SearchQuery) -> AlbumListPage:
        """A page of a search; a text that is an album number gives that album alone."""
        query = tidy(q)
        if (number := number_of(query.text)) is None:
            return await self._search_text(query, self._policy.exclusions)
        try:
            return _page_of(await self._albums.get(number), query)
        except BlockedByPolicy:
            return AlbumListPage((), query.page, 0, 0)
        except AlbumNotFound:
            # a number goes out without exclusions, so nothing was kept back by the site
            return await self._search_text(query, (), is_thorough=True)

    async def _search_text(
        self, query: SearchQuery, exclusions: tuple[str, ...], *, is_thorough: bool = False
    ) -> AlbumListPage:
        sent = replace(query, exclude=tuple(dict.fromkeys((*query.exclude, *exclusions))))
        key = msgspec.json.encode((query, exclusions)).decode()
        entry = self._cache.peek(self._searches, key) or await self._cache.read(
            self._searches, key, lambda: self._site.search(sent)
        )
        if (view := self._views.find(entry)) is not None:
            listed: AlbumListPage = view.value
            return listed
        page = entry.there
        return await self._judged(
            entry,
            page.items,
            lambda ids: _kept(page, ids),
            exclude=query.exclude,
            is_thorough=is_thorough or self._policy.asks_for_blocked(query.text),
        )

    async def _judged(
        self,
        entry: CacheEntry[Any],
        lines: Sequence[AlbumSummary],
        rebuild: Callable[[frozenset[str]], T],
        *,
        exclude: Sequence[str] = (),
        is_thorough: bool = False,
    ) -> T:
        listed = await self._albums.listing.judge(
            lines, exclude=exclude, is_thorough=is_thorough or self._policy.is_strict
        )
        return self._views.keep(entry, rebuild(listed), LIST_S)


def _kept(page: AlbumListPage, ids: frozenset[str]) -> AlbumListPage:
    """The page with what may be listed; the total of a single page is what is on it."""
    items = tuple(line for line in page.items if line.id in ids)
    is_whole = page.page == 1 and page.page_count <= 1
    return replace(page, items=items, total=len(items) if is_whole else page.total)


def _page_of(detail: AlbumDetail, query: SearchQuery) -> AlbumListPage:
    is_out = carries(AlbumTags.of(detail), query.exclude)
    lines = () if is_out else (AlbumSummary(detail.id, detail.title, detail.tags),)
    return AlbumListPage(lines if query.page == 1 else (), query.page, len(lines), len(lines))
