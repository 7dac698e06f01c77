"""Albums and their chapters: details by number, one or many, and whether the policy lets them be shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cachetools import LRUCache

from services.cache import Cache, CacheEntry, CacheKey, RedisTier
from services.catalog.policy import LIST_TTL_S, ContentPolicy, FilteredViews, PolicyFilter
from services.catalog.site import KeptPages, Site
from services.catalog.tags import AlbumTags, TagCache
from services.errors import AlbumNotFound, BlockedByPolicy, ChapterNotFound, JmgraphError, UpstreamFailure
from services.observability import current_stats
from services.upstream.records import AlbumDetail, AlbumSummary, ChapterDetail

MAX_LISTED = 4096
"""Chapters in this process whose album is another one than they name; Redis has the rest."""
LISTED_BY_TTL_S = 30 * 86400.0
_LISTED_BY = "jmgraph:listed-by:"


class Albums:
    """Details of albums. The tags of each album that is read go into the tag cache.

    An album whose files are kept stays readable while the site can't be read, and when it is gone there.
    """

    def __init__(
        self,
        site: Site,
        kept: KeptPages,
        cache: Cache,
        policy: ContentPolicy,
        tag_cache: TagCache,
        views: FilteredViews,
        *,
        fresh_s: float,
        concurrency: int,
    ) -> None:
        self.filter = PolicyFilter(policy, tag_cache, self._load_tags)
        self._site = site
        self._kept = kept
        self._cache = cache
        self._policy = policy
        self._tag_cache = tag_cache
        self._views = views
        self._concurrency = concurrency
        self._kind = CacheKey("album", AlbumDetail, fresh_s)

    async def find(self, id: str) -> AlbumDetail | None:
        """The album, or the album of the chapter of this number; None when there is none to show."""
        entry = self._cache.peek(self._kind, id) or await self._read(id)
        if (view := self._views.get(entry)) is not None:
            detail: AlbumDetail | None = view.value
            return detail
        return None if entry.value is None else self._apply_policy(entry, entry.value)

    def peek(self, id: str) -> AlbumDetail | None:
        """The album when this process has it fresh and filtered, else None."""
        entry = self._cache.peek(self._kind, id)
        view = None if entry is None or entry.value is None else self._views.get(entry)
        return None if view is None else view.value

    async def get(self, id: str) -> AlbumDetail:
        """As `find`; raises `AlbumNotFound` or `BlockedByPolicy` instead of giving None."""
        entry = await self._read(id)
        if entry.value is None:
            raise AlbumNotFound(id)
        detail = self._apply_policy(entry, entry.value)
        if detail is None:
            raise BlockedByPolicy(self._policy.blocked_tags(AlbumTags.of(entry.value)))
        return detail

    async def check(self, id: str) -> None:
        """Return when the album may be shown, by its tags of at most a month ago or else by its detail.

        Raises `AlbumNotFound`, `BlockedByPolicy` or `UpstreamFailure`.
        """
        if (tags := self._tag_cache.get(id)) is None:
            await self._tag_cache.load([id])
            tags = self._tag_cache.get(id) or await self._read_tags(id)
        if tags is None:
            raise AlbumNotFound(id)
        if blocked := self._policy.blocked_tags(tags):
            raise BlockedByPolicy(blocked)

    async def read_now(self, id: str) -> AlbumDetail:
        """The album as the site shows it now, whatever is cached; then that is cached. Raises as `get`."""
        detail = await self._site.album(id)
        if detail is None or detail.id != id:
            raise AlbumNotFound(id)
        await self._cache.put(self._kind, id, detail)
        self._tag_cache.put(id, AlbumTags.of(detail))
        if blocked := self._policy.blocked_tags(AlbumTags.of(detail)):
            raise BlockedByPolicy(blocked)
        return detail

    async def reread(self, id: str) -> AlbumDetail:
        """The album as the API shows it now, whatever is cached. Raises as `get`."""
        detail = await self._site.album_by_api(id)
        if detail is None:
            raise AlbumNotFound(id)
        if blocked := self._policy.blocked_tags(AlbumTags.of(detail)):
            raise BlockedByPolicy(blocked)
        return detail

    async def related(self, id: str) -> tuple[AlbumSummary, ...]:
        """The albums shown with this one, each looked up first where the policy is strict."""
        unfiltered = (await self._read(id)).value
        if unfiltered is None or await self.find(id) is None:
            return ()
        listable = await self.filter.listable(unfiltered.related, is_strict=self._policy.is_strict)
        return tuple(album for album in unfiltered.related if album.id in listable)

    async def find_many(self, ids: Sequence[str]) -> list[AlbumDetail | JmgraphError | None]:
        """Many albums, a bounded number at once, in the order of `ids`; a failure in place of its album."""
        return await self._cache.gather_bounded(self._kind, ids, self.find, self._concurrency)

    async def _load_tags(self, ids: Sequence[str]) -> None:
        await self._cache.gather_bounded(self._kind, ids, self._read_tags, self._concurrency)

    async def _read_tags(self, id: str) -> AlbumTags | None:
        if (detail := (await self._read(id)).value) is None:
            return None
        tags = AlbumTags.of(detail)
        for number in {id, detail.id}:
            self._tag_cache.put(number, tags)
        return tags

    async def _read(self, id: str) -> CacheEntry[AlbumDetail]:
        try:
            entry = await self._cache.read(self._kind, id, lambda: self._site.album(id))
        except UpstreamFailure:
            if (kept := await self._kept_entry(id)) is None:
                raise
            return kept
        return (entry if entry.value else await self._kept_entry(id)) or entry

    async def _kept_entry(self, id: str) -> CacheEntry[AlbumDetail] | None:
        """What is kept of the album, marked as stale; it is never cached."""
        if (detail := await self._kept.album(id)) is None:
            return None
        current_stats().record_part(age_s=0.0, fresh_for_s=0.0, stale=True)
        return CacheEntry(detail, fetched_at=0.0, fresh_until=0.0, size_bytes=0)

    def _apply_policy(self, entry: CacheEntry[AlbumDetail], unfiltered: AlbumDetail) -> AlbumDetail | None:
        tags = AlbumTags.of(unfiltered)
        self._tag_cache.put(unfiltered.id, tags)
        if self._policy.blocked_tags(tags):
            return self._views.put(entry, None)
        listable = self.filter.listable_by_known_tags(unfiltered.related, is_strict=self._policy.is_strict)
        related = tuple(album for album in unfiltered.related if album.id in listable)
        return self._views.put(entry, replace(unfiltered, related=related), LIST_TTL_S)


class Chapters:
    """Chapters with their pages, each judged by its album."""

    def __init__(
        self,
        site: Site,
        kept: KeptPages,
        cache: Cache,
        redis: RedisTier,
        albums: Albums,
        *,
        fresh_s: float,
        concurrency: int,
    ) -> None:
        self._site = site
        self._kept = kept
        self._cache = cache
        self._redis = redis
        self._albums = albums
        self._concurrency = concurrency
        self._kind = CacheKey("chapter", ChapterDetail, fresh_s)
        self._listed_by: LRUCache[str, str] = LRUCache(MAX_LISTED)

    async def find(self, id: str, album_id: str | None = None) -> ChapterDetail | None:
        """As `get`; None when there is no chapter to show."""
        try:
            return await self.get(id, album_id)
        except (ChapterNotFound, BlockedByPolicy):
            return None

    async def get(self, id: str, album_id: str | None = None) -> ChapterDetail:
        """The chapter; `album_id` is the album that lists it, where it was reached through one.

        On the site some chapters name an album that is gone: the album that lists them then stands in, also for
        those who ask for the chapter alone later. Raises `ChapterNotFound`, `BlockedByPolicy`.
        """
        if (chapter := await self._read(id)) is None:
            raise ChapterNotFound(id)
        if album_id and album_id != chapter.album_id:
            await self._note_listed_by(id, album_id)
            return await self._checked(replace(chapter, album_id=album_id))
        try:
            return await self._checked(chapter)
        except ChapterNotFound:
            listed_by = await self._find_listed_by(id)
            if listed_by == chapter.album_id:
                raise
            return await self._checked(replace(chapter, album_id=listed_by))

    async def get_for_reading(self, id: str) -> ChapterDetail:
        """As `get`, without a call to the site where all of its pages are kept."""
        if self._cache.has_fresh(self._kind, id) or (kept := await self._kept.chapter(id)) is None:
            return await self.get(id)
        return await self._checked(kept)

    async def find_many(
        self, ids: Sequence[str], album_id: str | None = None
    ) -> list[ChapterDetail | JmgraphError | None]:
        """Many chapters, as `Albums.find_many` does it; `album_id` as in `get`, the same for all."""
        return await self._cache.gather_bounded(
            self._kind, ids, lambda id: self.find(id, album_id), self._concurrency
        )

    async def _read(self, id: str) -> ChapterDetail | None:
        """The chapter as the site has it; as it is kept where the site fails, or has it no longer."""
        if (entry := self._cache.peek(self._kind, id)) is not None and entry.value is not None:
            return entry.value
        try:
            entry = await self._cache.read(self._kind, id, lambda: self._site.chapter(id))
        except UpstreamFailure:
            if (kept := await self._kept.chapter(id)) is None:
                raise
            return kept
        return entry.value or await self._kept.chapter(id)

    async def _checked(self, chapter: ChapterDetail) -> ChapterDetail:
        try:
            await self._albums.check(chapter.album_id)
        except AlbumNotFound:
            raise ChapterNotFound(chapter.id) from None
        return chapter

    async def _note_listed_by(self, id: str, album_id: str) -> None:
        if self._listed_by.get(id) != album_id:
            self._listed_by[id] = album_id
            await self._redis.put_many({_LISTED_BY + id: album_id.encode()}, LISTED_BY_TTL_S)

    async def _find_listed_by(self, id: str) -> str:
        """The album that was seen to list this chapter; else the one of the same number, which its first one has."""
        if (album_id := self._listed_by.get(id)) is None:
            (found,) = await self._redis.get_many([_LISTED_BY + id])
            album_id = found.decode() if found else id
        return album_id
