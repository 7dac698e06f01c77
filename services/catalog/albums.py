"""Albums: details by number, one or many, and whether the policy lets them be shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services.cache import Cache, CacheEntry, CacheKey, GatherBounded
from services.catalog.album_tags import AlbumTags
from services.catalog.filtered_view import LIST_S, FilteredView
from services.catalog.policy import ContentPolicy
from services.catalog.policy_filter import PolicyFilter
from services.catalog.site import Site
from services.catalog.tag_cache import TagCache
from services.errors import AlbumNotFound, BlockedByPolicy, UpstreamFailure
from services.upstream.records import AlbumDetail, AlbumSummary


class Albums:
    """Details of albums; each one read teaches the policy its labels."""

    def __init__(
        self,
        site: Site,
        cache: Cache,
        policy: ContentPolicy,
        seen: TagCache,
        views: FilteredView,
        waves: GatherBounded,
        *,
        fresh_s: float,
    ) -> None:
        self.listing = PolicyFilter(policy, seen, self._look_up)
        self._site = site
        self._cache = cache
        self._policy = policy
        self._seen = seen
        self._views = views
        self._waves = waves
        self._kind = CacheKey("album", AlbumDetail, fresh_s)

    async def find(self, id: str) -> AlbumDetail | None:
        """The album, or the album of the chapter of this number; None when there is none to show."""
        entry = self._cache.peek(self._kind, id) or await self._read(id)
        if (view := self._views.find(entry)) is not None:
            detail: AlbumDetail | None = view.value
            return detail
        return None if entry.value is None else self._judge(entry, entry.value)

    def peek(self, id: str) -> AlbumDetail | None:
        """The album when this process has it fresh and judged; None says nothing."""
        entry = self._cache.peek(self._kind, id)
        view = None if entry is None or entry.value is None else self._views.find(entry)
        return None if view is None else view.value

    async def get(self, id: str) -> AlbumDetail:
        """As `find`; raises `AlbumNotFound` or `BlockedByPolicy` where that gives None."""
        entry = await self._read(id)
        if entry.value is None:
            raise AlbumNotFound(id)
        detail = self._judge(entry, entry.value)
        if detail is None:
            raise BlockedByPolicy(self._policy.verdict_of(AlbumTags.of(entry.value)))
        return detail

    async def check(self, id: str) -> None:
        """Return when the album may be shown, by its labels of at most a month ago or else by its detail.

        Raises `AlbumNotFound`, `BlockedByPolicy` or `UpstreamFailure`.
        """
        if (labels := self._seen.get(id)) is None:
            await self._seen.load([id])
            labels = self._seen.get(id) or await self._labels_of(id)
        if labels is None:
            raise AlbumNotFound(id)
        if blocked := self._policy.verdict_of(labels):
            raise BlockedByPolicy(blocked)

    async def related(self, id: str) -> tuple[AlbumSummary, ...]:
        """The albums shown beside this one, each looked up first where the policy is strict."""
        whole = (await self._read(id)).value
        if whole is None or await self.find(id) is None:
            return ()
        listed = await self.listing.judge(whole.related, is_thorough=self._policy.is_strict)
        return tuple(line for line in whole.related if line.id in listed)

    async def find_many(self, ids: Sequence[str]) -> list[AlbumDetail | UpstreamFailure | None]:
        """Many in one wave, in the order asked; a failure stands in its album's place."""
        return await self._waves.find(self._kind, ids, self.find)

    async def _look_up(self, ids: Sequence[str]) -> None:
        await self._waves.find(self._kind, ids, self._labels_of)

    async def _labels_of(self, id: str) -> AlbumTags | None:
        if (detail := (await self._read(id)).value) is None:
            return None
        labels = AlbumTags.of(detail)
        for known_as in {id, detail.id}:
            self._seen.learn(known_as, labels)
        return labels

    async def _read(self, id: str) -> CacheEntry[AlbumDetail]:
        return await self._cache.read(self._kind, id, lambda: self._site.album(id))

    def _judge(self, entry: CacheEntry[AlbumDetail], whole: AlbumDetail) -> AlbumDetail | None:
        labels = AlbumTags.of(whole)
        self._seen.learn(whole.id, labels)
        if self._policy.verdict_of(labels):
            return self._views.keep(entry, None)
        listed = self.listing.judge_by_what_is_known(whole.related, is_thorough=self._policy.is_strict)
        related = tuple(line for line in whole.related if line.id in listed)
        return self._views.keep(entry, replace(whole, related=related), LIST_S)
