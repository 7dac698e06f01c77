"""The catalog: albums, chapters, lists and comments of the site, cached and filtered by the content policy."""

from __future__ import annotations

import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import msgspec
from cachetools import LRUCache

from services.cache import Cache, CacheEntry, CacheKey, RedisTier
from services.catalog.albums import Albums, Chapters
from services.catalog.policy import LIST_TTL_S, ContentPolicy, FilteredViews
from services.catalog.site import KeptPages, NothingKept, Site
from services.catalog.tags import AlbumTags, TagCache
from services.ehtag import TagKind
from services.errors import AlbumNotFound, BlockedByPolicy, InvalidInput, JmgraphError
from services.upstream import number_of
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

T = TypeVar("T")

LAST_PAGE = 10_000
"""Beyond what the site has (80 albums a page), within what it answers sanely."""
LONGEST_QUERY = 200
"""Characters of a search text."""
LONGEST_NAME = 60
"""Characters of one excluded spelling."""
MAX_EXCLUDED = 20
MAX_PERSONAL = 64
"""Catalogs of people with blocked tags of their own, in this process; others are made again."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """Seconds each kind of answer is fresh."""

    search_s: float
    ranking_s: float
    album_s: float
    comments_s: float


class Catalog:
    """What callers may see of the site. Ids are digits already (`parse_album_id`).

    What the policy blocks does not exist here. Every call raises `UpstreamFailure` when the site fails and there is
    no stale entry to use instead.
    """

    def __init__(
        self,
        site: Site,
        cache: Cache,
        redis: RedisTier,
        policy: ContentPolicy,
        freshness: Freshness,
        *,
        concurrency: int,
        site_url: str,
        seen_names: Counter[tuple[TagKind, str]] | None = None,
        kept: KeptPages | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`concurrency` is how many albums of one list are fetched at once: the limiter's own number. `site_url` is
        the address of the site's pages, without a slash at its end.
        """
        self._site = site
        self._kept = kept or NothingKept()
        self._site_url = site_url
        self._cache = cache
        self._redis = redis
        self._album_fresh_s = freshness.album_s
        self._concurrency = concurrency
        self._tag_cache = TagCache(redis, lambda tags: bool(policy.blocked_tags(tags)), seen_names)
        self._searches = CacheKey("search", AlbumListPage, freshness.search_s)
        self._rankings = CacheKey("ranking", RankingPage, freshness.ranking_s)
        self._comments = CacheKey("comments", CommentPageRecord, freshness.comments_s)
        self._personal: LRUCache[tuple[str, ...], Catalog] = LRUCache(MAX_PERSONAL)
        self._clock = clock
        self._apply(policy)

    def _apply(self, policy: ContentPolicy) -> None:
        """Show what this policy allows."""
        fresh_s, concurrency = self._album_fresh_s, self._concurrency
        self._policy = policy
        self._views = FilteredViews(policy, self._tag_cache, self._clock)
        self._albums = Albums(
            self._site,
            self._kept,
            self._cache,
            policy,
            self._tag_cache,
            self._views,
            fresh_s=fresh_s,
            concurrency=concurrency,
        )
        self._chapters = Chapters(
            self._site, self._kept, self._cache, self._redis, self._albums, fresh_s=fresh_s, concurrency=concurrency
        )

    def blocking(self, tags: tuple[str, ...]) -> Catalog:
        """The catalog for a person who does not want to see these tags: what has one does not exist there either.

        It shares all that is cached. As everywhere, a list withholds what is known of its albums; a search excludes
        the tags on the site too.
        """
        if not tags:
            return self
        if (personal := self._personal.get(tags)) is None:
            policy = self._policy.blocking(tags)
            personal = self._personal[tags] = copy(self)
            personal._apply(policy)
        return personal

    @property
    def version(self) -> Hashable:
        """Changes when the policy may decide otherwise than before: part of the key of cached responses."""
        return self._views.version

    def blocks_tag(self, id: str) -> bool:
        """Whether albums with this tag ("other:full color") are withheld."""
        return bool(self._policy.blocked_genres([id]))

    @property
    def is_personal(self) -> bool:
        """True for the catalog of a person who has blocked tags."""
        return self._policy.is_personal

    async def ranking(self, q: RankingQuery) -> RankingPage:
        """A page of a ranking; blocked albums leave a gap in the ranks. Raises `InvalidInput` for its page."""
        check_page(q.page)
        key = f"{q.period}:{q.order}:{q.category}:{q.page}"
        entry = self._cache.peek(self._rankings, key) or await self._cache.read(
            self._rankings, key, lambda: self._site.ranking(q)
        )
        if (view := self._views.get(entry)) is not None:
            filtered: RankingPage = view.value
            return filtered
        page = entry.value_or_raise
        return await self._filter(
            entry,
            [line.album for line in page.entries],
            lambda ids: replace(page, entries=tuple(line for line in page.entries if line.album.id in ids)),
        )

    async def search(self, q: SearchQuery) -> AlbumListPage:
        """A page of a search. A text that is an album number gives that album alone.

        What the query excludes is excluded by the site and filtered again here; where the list carries no tags and
        none are known, its albums are read first. Raises `InvalidInput` for what can't be searched for.
        """
        query = normalised(q)
        if (number := number_of(query.text)) is None:
            if self.is_personal and self._policy.searches_for_blocked(query.text):
                return AlbumListPage((), query.page, 0, 0)
            return await self._search_text(query, self._policy.exclusions)
        try:
            return _page_of_album(await self._albums.get(number), query)
        except BlockedByPolicy:
            return AlbumListPage((), query.page, 0, 0)
        except AlbumNotFound:
            # a number is sent without exclusions, so that the site has filtered nothing
            return await self._search_text(query, (), is_strict=True)

    async def find_album(self, id: str) -> AlbumDetail | None:
        """The album of this number, or the album of the chapter of this number; None when there is none to show.

        Its `related` are those that may be listed by the tags known; `related` looks the others up.
        """
        return await self._albums.find(id)

    def peek_album(self, id: str) -> AlbumDetail | None:
        """The album when this process has it fresh, else None. For lists whose details are all in memory."""
        return self._albums.peek(id)

    async def get_album(self, id: str) -> AlbumDetail:
        """As `find_album`. Raises `AlbumNotFound`, or `BlockedByPolicy` with its blocked tags."""
        return await self._albums.get(id)

    async def find_albums(self, ids: Sequence[str]) -> list[AlbumDetail | JmgraphError | None]:
        """Many albums, a bounded number at once, in the order of `ids`; a failure in place of its album."""
        return await self._albums.find_many(ids)

    async def check_album(self, id: str) -> None:
        """Return when the album may be shown, by its tags of at most a month ago where they are known.

        Raises `AlbumNotFound` or `BlockedByPolicy`.
        """
        await self._albums.check(id)

    async def related(self, id: str) -> tuple[AlbumSummary, ...]:
        """The albums that the site shows with this one; where the policy is strict, each is looked up first."""
        return await self._albums.related(id)

    async def listable(self, albums: Sequence[AlbumSummary]) -> tuple[AlbumSummary, ...]:
        """Those of these albums that may be listed; for lists that are read elsewhere and never kept."""
        ids = await self._albums.filter.listable(albums, is_strict=self._policy.is_strict)
        return tuple(album for album in albums if album.id in ids)

    def album_url(self, id: str) -> str:
        """The album's page on the site."""
        return f"{self._site_url}/album/{id}/"

    async def read_album_now(self, id: str) -> AlbumDetail:
        """The album as the site shows it now, whatever is cached. Raises as `get_album`."""
        return await self._albums.read_now(id)

    async def reread_album(self, id: str) -> AlbumDetail:
        """The album as the API shows it now, whatever is cached. Raises as `get_album`."""
        return await self._albums.reread(id)

    async def find_chapter(self, id: str) -> ChapterDetail | None:
        """The chapter of this number with its pages; None when there is none to show."""
        return await self._chapters.find(id)

    async def get_chapter(self, id: str) -> ChapterDetail:
        """As `find_chapter`; raises `ChapterNotFound` or `BlockedByPolicy` instead of giving None."""
        return await self._chapters.get(id)

    async def get_chapter_for_reading(self, id: str) -> ChapterDetail:
        """As `get_chapter`, without a call to the site where all of its pages are kept."""
        return await self._chapters.get_for_reading(id)

    async def find_chapters(
        self, ids: Sequence[str], album_id: str | None = None
    ) -> list[ChapterDetail | JmgraphError | None]:
        """Many chapters, as `find_albums` does it; `album_id` is the album that lists them all, where it is known."""
        return await self._chapters.find_many(ids, album_id)

    async def comments(self, album_id: str, page: int) -> CommentPageRecord:
        """A page of an album's comments. Raises `InvalidInput`, `AlbumNotFound`, `BlockedByPolicy`."""
        check_page(page)
        await self.check_album(album_id)
        entry = await self._cache.read(
            self._comments, f"{album_id}:{page}", lambda: self._site.comments(album_id, page)
        )
        return entry.value_or_raise

    async def status(self) -> UpstreamStatus:
        """What is known of the site, without a request to it."""
        return await self._site.status()

    async def load_seen_names(self) -> None:
        """Read from Redis in how many albums each tag stands."""
        await self._tag_cache.load_seen_names()

    async def aclose(self) -> None:
        """Write the tags that are not written yet. Cache and site are closed by their owners."""
        await self._tag_cache.aclose()

    async def _search_text(
        self, query: SearchQuery, exclusions: tuple[str, ...], *, is_strict: bool = False
    ) -> AlbumListPage:
        sent = replace(query, exclude=tuple(dict.fromkeys((*query.exclude, *exclusions))))
        key = msgspec.json.encode((query, exclusions)).decode()
        entry = self._cache.peek(self._searches, key) or await self._cache.read(
            self._searches, key, lambda: self._site.search(sent)
        )
        if (view := self._views.get(entry)) is not None:
            filtered: AlbumListPage = view.value
            return filtered
        page = entry.value_or_raise
        return await self._filter(
            entry,
            page.items,
            lambda ids: _page_with(page, ids),
            exclude=query.exclude,
            is_strict=is_strict or self._policy.searches_for_blocked(query.text),
        )

    async def _filter(
        self,
        entry: CacheEntry[Any],
        albums: Sequence[AlbumSummary],
        page_with: Callable[[frozenset[str]], T],
        *,
        exclude: Sequence[str] = (),
        is_strict: bool = False,
    ) -> T:
        listable = await self._albums.filter.listable(
            albums, exclude=exclude, is_strict=is_strict or self._policy.is_strict
        )
        return self._views.put(entry, page_with(listable), LIST_TTL_S)


def check_page(page: int) -> None:
    """Raises `InvalidInput` for a page that can't be requested."""
    if page < 1:
        raise InvalidInput("page", "page must be >= 1")
    if page > LAST_PAGE:
        raise InvalidInput("page", f"page must be <= {LAST_PAGE}")


def normalised(query: SearchQuery) -> SearchQuery:
    """The query as it is sent and cached: blanks collapsed, `exclude` without signs, blanks and duplicates; of a
    number its digits alone, however it was pasted.

    An empty text is allowed: the site then lists everything. Raises `InvalidInput` for an invalid query.
    """
    check_page(query.page)
    text = number_of(query.text) or _normalised_text(query.text, "query", LONGEST_QUERY)
    return replace(query, text=text, exclude=_normalised_names(query.exclude))


def _normalised_names(names: Sequence[str]) -> tuple[str, ...]:
    if len(names) > MAX_EXCLUDED:
        raise InvalidInput("exclude", f"At most {MAX_EXCLUDED} spellings to exclude, not {len(names)}.")
    normal = (_normalised_text(name, "exclude", LONGEST_NAME).lstrip("+-").strip() for name in names)
    return tuple(dict.fromkeys(name for name in normal if name))


def _normalised_text(text: str, field: str, max_length: int) -> str:
    normal = " ".join(text.split())
    if len(normal) > max_length:
        raise InvalidInput(field, f"At most {max_length} characters, not {len(normal)}.")
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in normal):
        raise InvalidInput(field, "Control characters can't be searched for.")
    return normal


def _page_with(page: AlbumListPage, ids: frozenset[str]) -> AlbumListPage:
    """The page with these albums alone; the total of a single page is what is on it."""
    items = tuple(album for album in page.items if album.id in ids)
    is_only_page = page.page == 1 and page.page_count <= 1
    return replace(page, items=items, total=len(items) if is_only_page else page.total)


def _page_of_album(detail: AlbumDetail, query: SearchQuery) -> AlbumListPage:
    is_excluded = AlbumTags.of(detail).has_any_of(query.exclude)
    items = () if is_excluded else (AlbumSummary(detail.id, detail.title, detail.tags),)
    return AlbumListPage(items if query.page == 1 else (), query.page, len(items), len(items))
