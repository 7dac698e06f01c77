"""The content policy: which tags are blocked, and how it filters albums and lists."""

from __future__ import annotations

import math
import re
import time
import unicodedata
from collections.abc import Awaitable, Callable, Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from cachetools import LRUCache

from services.cache import CacheEntry, DerivedValue
from services.catalog.tags import AlbumTags, TagCache, TagIndex
from services.ehtag import TagKind, parse_namespace
from services.upstream.records import AlbumSummary

T = TypeVar("T")

LIST_TTL_S = 30.0
"""A list is filtered again after so long: by then other processes may have seen tags of its albums."""

BUILT_IN_IDS = (
    "female:lolicon",
    "male:shotacon",
    "female:toddlercon",
    "male:toddlercon",
    "female:low lolicon",
    "male:low shotacon",
    "female:oppai loli",
    "female:kodomo doushi",
    "male:kodomo doushi",
)
BUILT_IN_SPELLINGS = ("蘿莉", "萝莉", "正太", "幼女")
"""Always blocked; a host can only add to them."""

_SHORTEST_IN_TITLES = 2
"""Characters: a single one is in too many titles by chance."""
MAX_EXCLUSIONS = 60
"""Sent with a search of a person who blocks tags, since an address has a limit; the host's are all sent."""
_MAX_CACHED = 50_000
"""Names whose result is cached; the site uses a tenth as many."""


@dataclass(frozen=True, slots=True)
class _Rules:
    """The block list, resolved for one version of the tag index."""

    version: Hashable
    spellings: frozenset[str]
    """Folded."""
    exclusions: tuple[str, ...]
    in_titles: re.Pattern[str] | None
    """In a folded title: spellings that are not in Latin letters."""
    words_in_titles: re.Pattern[str] | None
    """In a title that is not folded: whole words only."""


class ContentPolicy:
    """Checks names, tags and titles against the built-in block list and the host's (ids or site spellings)."""

    def __init__(
        self,
        index: TagIndex,
        blocked: Iterable[str] = (),
        *,
        is_strict: bool = False,
        host: ContentPolicy | None = None,
    ) -> None:
        """`host` is the policy that a person's own is on top of."""
        self.is_strict = is_strict
        self._index = index
        self._host = host
        ids, spellings = _split_ids(blocked)
        self._ids: frozenset[str] = (host._ids if host else frozenset(BUILT_IN_IDS)).union(ids)
        self._spellings: tuple[str, ...] = (*(host._spellings if host else BUILT_IN_SPELLINGS), *spellings)
        self._is_blocked_by_name: LRUCache[tuple[TagKind, str], bool] = LRUCache(_MAX_CACHED)
        self._rules = self._resolve()

    def blocking(self, tags: Iterable[str]) -> ContentPolicy:
        """A policy that blocks these tags as well."""
        return ContentPolicy(self._index, tags, is_strict=self.is_strict, host=self)

    @property
    def is_personal(self) -> bool:
        """True for one person's policy, on top of the host's."""
        return self._host is not None

    @property
    def version(self) -> Hashable:
        """Changes when the policy may decide otherwise."""
        return self._index.version

    @property
    def exclusions(self) -> tuple[str, ...]:
        """Spellings to exclude in searches on the site; not those with blanks, at which the site splits words."""
        return self._current().exclusions

    def blocked_genres(self, tags: Iterable[str]) -> tuple[str, ...]:
        """The blocked ones of an album's genre tags, as the site spells them; empty when the album may be shown."""
        return self.blocked_tags(AlbumTags(tags=tuple(tags)))

    def blocked_tags(self, tags: AlbumTags) -> tuple[str, ...]:
        """The blocked ones of all tags of an album: works, characters and authors have ids as well."""
        self._current()
        return tuple(name for kind, name in tags if self._is_blocked(kind, name))

    def blocked_titles(self, titles: Sequence[str]) -> list[bool]:
        """For each title whether it names something blocked."""
        rules = self._current()
        folded = self._index.fold(titles)
        return [
            _matches_text(rules.in_titles, fold) or _matches_text(rules.words_in_titles, _plain(title))
            for title, fold in zip(titles, folded, strict=True)
        ]

    def searches_for_blocked(self, text: str) -> bool:
        """True for a search text that names something blocked: whatever it finds is blocked as well."""
        words = [word.lstrip("+") for word in text.split() if not word.startswith("-")]
        wanted = " ".join(words)
        return self.blocked_titles([wanted])[0] or any(
            self._is_blocked(TagKind.GENRE, name) for name in (*words, wanted)
        )

    def _current(self) -> _Rules:
        if self._rules.version != self._index.version:
            self._is_blocked_by_name.clear()
            self._rules = self._resolve()
        return self._rules

    def _is_blocked(self, kind: TagKind, name: str) -> bool:
        is_blocked = self._is_blocked_by_name.get((kind, name))
        if is_blocked is None:
            is_blocked = self._is_blocked_by_name[kind, name] = self._matches(kind, name)
        return is_blocked

    def _matches(self, kind: TagKind, name: str) -> bool:
        if not name:
            return False
        if self._index.fold([name])[0] in self._rules.spellings or _id_of(name) in self._ids:
            return True
        return not self._ids.isdisjoint(self._index.ids_of(name, kind))

    def _resolve(self) -> _Rules:
        known = [spelling for id in sorted(self._ids) for spelling in self._index.spellings_of(id)]
        spellings = tuple(dict.fromkeys((*self._spellings, *known)))
        exclusions = tuple(spelling for spelling in spellings if not re.search(r"\s", spelling))
        if self._host is not None:
            hosts = self._host.exclusions
            exclusions = tuple(dict.fromkeys((*hosts, *exclusions)))[: max(len(hosts), MAX_EXCLUSIONS)]
        folded = frozenset(filter(None, self._index.fold(spellings)))
        raws = [id.partition(":")[2] for id in BUILT_IN_IDS]
        return _Rules(
            version=self._index.version,
            spellings=folded,
            exclusions=exclusions,
            in_titles=_any_of(name for name in folded if not name.isascii()),
            words_in_titles=_any_of(_plain(name) for name in (*spellings, *raws) if name.isascii()),
        )


class PolicyFilter:
    """Decides which albums of a list may be listed: by the policy, and again by the exclusions of the caller.

    Again, because the site answers the unfiltered list when its own exclusions leave nothing.
    """

    def __init__(
        self,
        policy: ContentPolicy,
        tag_cache: TagCache,
        load_tags: Callable[[Sequence[str]], Awaitable[None]],
    ) -> None:
        """`load_tags` reads albums from the site, so that their tags are in the tag cache."""
        self._policy = policy
        self._tag_cache = tag_cache
        self._load_tags = load_tags

    async def listable(
        self, albums: Sequence[AlbumSummary], *, exclude: Collection[str] = (), is_strict: bool = False
    ) -> frozenset[str]:
        """Ids of the albums that may be listed.

        Decided by the title and the known tags. Unknown tags are looked up when `is_strict`, or when there is
        something to `exclude`; an album whose tags stay unknown is then withheld when strict, and else listed.
        """
        without_tags = [album.id for album in albums if album.tags is None]
        await self._tag_cache.load(without_tags)
        unknown = [id for id in without_tags if self._tag_cache.get(id) is None]
        if unknown and (is_strict or exclude):
            await self._load_tags(unknown)
        self._store_blocked(albums)
        return self.listable_by_known_tags(albums, exclude=exclude, is_strict=is_strict)

    def listable_by_known_tags(
        self, albums: Sequence[AlbumSummary], *, exclude: Collection[str] = (), is_strict: bool = False
    ) -> frozenset[str]:
        """As `listable`, by the tags that this process knows."""
        has_blocked_title = self._policy.blocked_titles([album.title for album in albums])
        return frozenset(
            album.id
            for album, is_blocked in zip(albums, has_blocked_title, strict=True)
            if not is_blocked and self._may_be_listed(album, exclude, is_strict)
        )

    def _store_blocked(self, albums: Sequence[AlbumSummary]) -> None:
        """Some lists carry tags, others don't: an album that one shows to be blocked is blocked in all."""
        for album in albums:
            tags = AlbumTags.of_summary(album)
            if tags and self._tag_cache.get(album.id) is None and self._policy.blocked_tags(tags):
                self._tag_cache.put(album.id, tags)

    def _may_be_listed(self, album: AlbumSummary, exclude: Collection[str], is_strict: bool) -> bool:
        found = (AlbumTags.of_summary(album), self._tag_cache.get(album.id))
        known = [tags for tags in found if tags is not None]
        if not known:
            return not is_strict
        return not any(self._policy.blocked_tags(tags) or tags.has_any_of(exclude) for tags in known)


class FilteredViews:
    """Filtered values of cache entries, stored with each entry until the policy may decide otherwise.

    Those of one person's policy are not stored, since all share the entries.
    """

    def __init__(self, policy: ContentPolicy, tag_cache: TagCache, clock: Callable[[], float] = time.time) -> None:
        self._policy = policy
        self._tag_cache = tag_cache
        self._clock = clock

    @property
    def version(self) -> Hashable:
        """Changes when a view may change."""
        return (self._policy.version, self._tag_cache.revision)

    def get(self, entry: CacheEntry[Any]) -> DerivedValue | None:
        """The view of an entry, while it is valid."""
        view = entry.derived
        if self._policy.is_personal or view is None or view.state != self.version or self._clock() > view.valid_until:
            return None
        return view

    def put(self, entry: CacheEntry[Any], value: T, ttl_s: float = math.inf) -> T:
        """Store a new view. Where it equals the last one that object is kept, with what callers derived from it."""
        if self._policy.is_personal:
            return value
        if entry.derived is not None and entry.derived.value == value:
            value = entry.derived.value
        entry.derived = DerivedValue(value, self.version, self._clock() + ttl_s)
        return value


def _split_ids(blocked: Iterable[str]) -> tuple[list[str], list[str]]:
    """Ids and spellings."""
    ids: list[str] = []
    spellings: list[str] = []
    for name in filter(None, (name.strip() for name in blocked)):
        id = _id_of(name)
        (spellings if id is None else ids).append(id or name)
    return ids, spellings


def _id_of(name: str) -> str | None:
    """'Female:Full Color' and 'f:full color' are 'female:full color'; None for what is no id."""
    prefix, colon, raw = name.partition(":")
    namespace = parse_namespace(prefix) if colon else None
    return f"{namespace.value}:{' '.join(raw.lower().split())}" if namespace and raw.strip() else None


def _any_of(names: Iterable[str]) -> re.Pattern[str] | None:
    long_enough = sorted({name for name in names if len(name) >= _SHORTEST_IN_TITLES})
    return re.compile("|".join(map(_pattern_of, long_enough))) if long_enough else None


def _pattern_of(name: str) -> str:
    """Latin words match whole, katakana the beginning of a word; other scripts have no blanks between words."""
    if name.isascii():
        return rf"(?<![a-z0-9]){re.escape(name)}(?![a-z0-9])"
    return rf"(?<![ァ-ヺー]){re.escape(name)}" if "ァ" <= name[0] <= "ヺ" else re.escape(name)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _matches_text(pattern: re.Pattern[str] | None, text: str) -> bool:
    return pattern is not None and pattern.search(text) is not None
