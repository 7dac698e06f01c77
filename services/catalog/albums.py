"""Albums: details by number, one or many, and whether the policy lets them be shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services.cache import Cache, CacheEntry, CacheKey
from services.catalog.policy import LIST_TTL_S, ContentPolicy, FilteredViews, PolicyFilter
from services.catalog.site import Site
from services.catalog.tags import AlbumTags, TagCache
from services.errors import AlbumNotFound, BlockedByPolicy, UpstreamFailure
from services.upstream.records import AlbumDetail, AlbumSummary


class Albums:
    """Details of albums. The tags of each album that is read go into the tag cache."""

    def __init__(
        self,
        site: Site,
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

    async def related(self, id: str) -> tuple[AlbumSummary, ...]:
        """The albums shown with this one, each looked up first where the policy is strict."""
        unfiltered = (await self._read(id)).value
        if unfiltered is None or await self.find(id) is None:
            return ()
        listable = await self.filter.listable(unfiltered.related, is_strict=self._policy.is_strict)
        return tuple(album for album in unfiltered.related if album.id in listable)

    async def find_many(self, ids: Sequence[str]) -> list[AlbumDetail | UpstreamFailure | None]:
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
        return await self._cache.read(self._kind, id, lambda: self._site.album(id))

    def _apply_policy(self, entry: CacheEntry[AlbumDetail], unfiltered: AlbumDetail) -> AlbumDetail | None:
        tags = AlbumTags.of(unfiltered)
        self._tag_cache.put(unfiltered.id, tags)
        if self._policy.blocked_tags(tags):
            return self._views.put(entry, None)
        listable = self.filter.listable_by_known_tags(unfiltered.related, is_strict=self._policy.is_strict)
        related = tuple(album for album in unfiltered.related if album.id in listable)
        return self._views.put(entry, replace(unfiltered, related=related), LIST_TTL_S)
