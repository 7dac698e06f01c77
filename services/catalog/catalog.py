"""The catalog: what the site has, cached, asked for once by however many, and judged by the content policy."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from services.cache import Cache, CacheKey, GatherBounded, RedisTier
from services.catalog.albums import Albums
from services.catalog.filtered_view import FilteredView
from services.catalog.lists import Lists
from services.catalog.policy import ContentPolicy
from services.catalog.queries import check_page
from services.catalog.site import Site
from services.catalog.tag_cache import TagCache
from services.errors import AlbumNotFound, BlockedByPolicy, ChapterNotFound, UpstreamFailure
from services.upstream.records import (
    AlbumDetail,
    AlbumListPage,
    AlbumSummary,
    ChapterDetail,
    CommentPageRecord,
    RankingPage,
    RankingQuery,
    SearchQuery,
    UpstreamStatus,
)


@dataclass(frozen=True, slots=True)
class Freshness:
    """Seconds each kind of answer is fresh."""

    search_s: float
    ranking_s: float
    album_s: float
    comments_s: float


class Catalog:
    """Albums, chapters, lists and comments. Ids are digits already (`parse_album_id`).

    What the policy withholds is not there. Every call raises `UpstreamFailure` when the site fails and no stale
    answer can stand in.
    """

    def __init__(
        self,
        site: Site,
        cache: Cache,
        shared: RedisTier,
        policy: ContentPolicy,
        freshness: Freshness,
        *,
        concurrency: int,
        site_url: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`concurrency` is how many albums of one list are fetched at once: the limiter's own number. `site_url` is
        where the site's pages are, without a slash at its end.
        """
        self._site = site
        self._site_url = site_url
        self._cache = cache
        self._seen = TagCache(shared, lambda labels: bool(policy.verdict_of(labels)))
        self._views = FilteredView(policy, self._seen, clock)
        self._waves = GatherBounded(cache, concurrency)
        self._albums = Albums(site, cache, policy, self._seen, self._views, self._waves, fresh_s=freshness.album_s)
        self._lists = Lists(
            site,
            cache,
            policy,
            self._albums,
            self._views,
            search_s=freshness.search_s,
            ranking_s=freshness.ranking_s,
        )
        self._chapters = CacheKey("chapter", ChapterDetail, freshness.album_s)
        self._comments = CacheKey("comments", CommentPageRecord, freshness.comments_s)

    @property
    def version(self) -> Hashable:
        """Another one when the policy may judge otherwise than before: part of the key of whole answers."""
        return self._views.state

    async def find_album(self, id: str) -> AlbumDetail | None:
        """The album of this number, or the album of the chapter of this number; None when there is none to show.

        Its `related` are those that may be listed by what is known of them; `related` looks the others up.
        """
        return await self._albums.find(id)

    def peek_album(self, id: str) -> AlbumDetail | None:
        """The album when this process has it fresh; None says nothing. For lists, whose details are all at hand."""
        return self._albums.peek(id)

    async def get_album(self, id: str) -> AlbumDetail:
        """As `find_album`, for who must have it.

        Raises `AlbumNotFound`, or `BlockedByPolicy` with those of its tags that are withheld.
        """
        return await self._albums.get(id)

    def album_url(self, id: str) -> str:
        """The album's page on the site."""
        return f"{self._site_url}/album/{id}/"

    async def find_albums(self, ids: Sequence[str]) -> list[AlbumDetail | UpstreamFailure | None]:
        """Many albums in one bounded wave, in the order asked; a failure stands in its album's place."""
        return await self._albums.find_many(ids)

    async def check_album(self, id: str) -> None:
        """Return when the album may be shown, going by its labels of at most a month ago where they are known.

        Raises `AlbumNotFound` or `BlockedByPolicy`.
        """
        await self._albums.check(id)

    async def related(self, id: str) -> tuple[AlbumSummary, ...]:
        """The albums that the site shows beside this one; where the policy is strict, each was looked up first."""
        return await self._albums.related(id)

    async def find_chapter(self, id: str) -> ChapterDetail | None:
        """The chapter of this number with its pages; None when there is none to show."""
        try:
            return await self.get_chapter(id)
        except (ChapterNotFound, BlockedByPolicy):
            return None

    async def get_chapter(self, id: str) -> ChapterDetail:
        """As `find_chapter`; raises `ChapterNotFound` or `BlockedByPolicy` where that gives None."""
        entry = self._cache.peek(self._chapters, id) or await self._cache.read(
            self._chapters, id, lambda: self._site.chapter(id)
        )
        if (chapter := entry.value) is None:
            raise ChapterNotFound(id)
        try:
            await self.check_album(chapter.album_id)
        except AlbumNotFound:
            raise ChapterNotFound(id) from None
        return chapter

    async def find_chapters(self, ids: Sequence[str]) -> list[ChapterDetail | UpstreamFailure | None]:
        """Many chapters, as `find_albums` does it."""
        return await self._waves.find(self._chapters, ids, self.find_chapter)

    async def search(self, q: SearchQuery) -> AlbumListPage:
        """A page of a search. A text that is an album number gives that album alone.

        What the query excludes is excluded upstream and filtered again here; where the list carries no tags and
        nobody has seen them, that takes one wave of details. Raises `InvalidInput` for what can't be searched for.
        """
        return await self._lists.search(q)

    async def ranking(self, q: RankingQuery) -> RankingPage:
        """A page of a ranking; what is withheld leaves a gap in the ranks. Raises `InvalidInput` for its page."""
        return await self._lists.ranking(q)

    async def comments(self, album_id: str, page: int) -> CommentPageRecord:
        """A page of an album's comments. Raises `InvalidInput`, `AlbumNotFound`, `BlockedByPolicy`."""
        check_page(page)
        await self.check_album(album_id)
        entry = await self._cache.read(
            self._comments, f"{album_id}:{page}", lambda: self._site.comments(album_id, page)
        )
        return entry.there

    async def status(self) -> UpstreamStatus:
        """What is known of the site, without asking it."""
        return await self._site.status()

    async def aclose(self) -> None:
        """Write down what was learned. Cache and site are closed by who opened them."""
        await self._seen.aclose()
