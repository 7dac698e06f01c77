"""Tags as the policy needs them: of one album, of all albums seen, and the spellings that the tag database knows."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import msgspec
from cachetools import LRUCache

from services.cache import RedisTier
from services.ehtag import TagKind, Translator, fold_many
from services.upstream.records import AlbumDetail, AlbumSummary

TTL_S = 30 * 86400.0
"""In Redis. After this at the latest the policy sees the new tags of an album whose tags changed."""
MAX_ALBUMS = 8192
"""In this process; Redis has the rest."""
REWRITE_S = 86400.0
"""Tags that stay the same are written again once a day, which renews their TTL."""
FLUSH_S = 0.05
"""New tags are collected for so long, then written in one call."""

_KINDS = (TagKind.GENRE, TagKind.WORK, TagKind.CHARACTER, TagKind.AUTHOR)


@dataclass(frozen=True, slots=True)
class AlbumTags:
    """Tags, works, characters and authors of an album, as the site spells them."""

    tags: tuple[str, ...] = ()
    works: tuple[str, ...] = ()
    characters: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[tuple[TagKind, str]]:
        """Each name with its kind."""
        for kind, names in zip(_KINDS, (self.tags, self.works, self.characters, self.authors), strict=True):
            for name in names:
                yield kind, name

    @classmethod
    def of(cls, detail: AlbumDetail) -> AlbumTags:
        """The tags of an album, as interned strings: thousands of albums share few names."""
        return cls(*map(_interned, (detail.tags, detail.works, detail.characters, detail.authors)))

    @classmethod
    def of_summary(cls, summary: AlbumSummary) -> AlbumTags | None:
        """The tags that a list gives; None when it gives none."""
        return None if summary.tags is None else cls(_interned(summary.tags))

    def has_any_of(self, names: Collection[str]) -> bool:
        """True when one of the tags is one of these names, in whatever spelling."""
        if not names:
            return False
        return not set(fold_many(list(names))).isdisjoint(fold_many([name for _, name in self]))


_ENCODE = msgspec.msgpack.Encoder().encode
_DECODER = msgspec.msgpack.Decoder(AlbumTags)
_KEY = "jmgraph:labels:cb25f2f1:"
"""Before the album's number. Written out, since a new name would show withheld albums in lists until each was read
again; another version only with other fields of `AlbumTags`."""


_SEEN_KEY = "jmgraph:seennames:1"
_SEEN = msgspec.msgpack.Decoder(dict[TagKind, dict[str, int]])
_SHARE_SEEN_S = 60.0
"""Seconds between writes of the counts: they are one value, of some 100 KB."""
MAX_SEEN_NAMES = 16_384
"""The rarest of more are forgotten."""


class TagCache:
    """The tags that each album was last seen with, kept for a month: longer than the album itself is cached.

    With them the policy filters lists, covers and pages without a request to the site. Tags are stored, not
    decisions, so that a changed block list takes effect at once. `revision` grows when an album becomes
    blocked or unblocked. `seen_names` counts the albums that each tag stands in, here and, about, in all processes.
    """

    def __init__(
        self,
        redis: RedisTier,
        is_blocked: Callable[[AlbumTags], bool],
        seen_names: Counter[tuple[TagKind, str]] | None = None,
    ) -> None:
        self.revision = 0
        self._redis = redis
        self._is_blocked = is_blocked
        self._seen_names = Counter() if seen_names is None else seen_names
        self._share_seen_at = 0.0
        self._known: LRUCache[str, tuple[AlbumTags, float]] = LRUCache(MAX_ALBUMS)
        self._unwritten: dict[str, bytes] = {}
        self._writing: asyncio.Task[None] | None = None

    def get(self, album_id: str) -> AlbumTags | None:
        """The tags of an album, if this process has them."""
        found = self._known.get(album_id)
        return found and found[0]

    def put(self, album_id: str, tags: AlbumTags) -> None:
        """Remember the tags of an album, here and, a moment later, in Redis."""
        known, written_at = self._known.get(album_id, (None, 0.0))
        now = time.monotonic()
        if known == tags and now < written_at + REWRITE_S:
            return
        self._keep(album_id, tags, now)
        self._seen_names.update(set(tags).difference(known or ()))
        self._unwritten[album_id] = _ENCODE(tags)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_soon())

    async def load(self, album_ids: Sequence[str]) -> None:
        """Load what Redis has of these albums into this process, in one call."""
        unknown = [id for id in album_ids if id not in self._known]
        found = await self._redis.get_many([_KEY + id for id in unknown])
        for id, data in zip(unknown, found, strict=True):
            if data is not None and (tags := _decode(data)) is not None:
                self._keep(id, tags, time.monotonic())

    async def aclose(self) -> None:
        """Write what is not written yet."""
        if self._writing is not None:
            await self._writing

    def _keep(self, album_id: str, tags: AlbumTags, now: float) -> None:
        known = self.get(album_id)
        if self._is_blocked(tags) != (known is not None and self._is_blocked(known)):
            self.revision += 1
        self._known[album_id] = (tags, now)

    async def _write_soon(self) -> None:
        while self._unwritten:
            await asyncio.sleep(FLUSH_S)
            values, self._unwritten = self._unwritten, {}
            await self._redis.put_many({_KEY + id: data for id, data in values.items()}, TTL_S)
            if time.monotonic() >= self._share_seen_at:
                self._share_seen_at = time.monotonic() + _SHARE_SEEN_S
                await self.load_seen_names()
                await self._redis.put_many({_SEEN_KEY: _encode_seen(self._seen_names)}, TTL_S)

    async def load_seen_names(self) -> None:
        """Take over the counts of other processes, and of this one before its start, where they are higher."""
        (data,) = await self._redis.get_many([_SEEN_KEY])
        with suppress(msgspec.MsgspecError):
            by_kind = _SEEN.decode(data or b"\x80")
            self._seen_names |= Counter(
                {(kind, name): by_kind[kind][name] for kind in by_kind for name in by_kind[kind]}
            )
        for name, _ in self._seen_names.most_common()[MAX_SEEN_NAMES:]:
            del self._seen_names[name]


class TagIndex(Protocol):
    """Spellings of the site and EhTag ids ("other:full color"), each by the other. Tests use a fake."""

    @property
    def version(self) -> Hashable:
        """Changes when the answers may change."""

    def fold(self, texts: Sequence[str]) -> list[str]:
        """Each text in one form: without differences of script, width, case and decoration."""

    def ids_of(self, name: str, kind: TagKind) -> Collection[str]:
        """Ids of the records that a tag of the site may mean."""

    def spellings_of(self, id: str) -> Collection[str]:
        """The known spellings of a record on the site."""


class EhTagIndex:
    """The index of the tag database. `translator` returns the one of the current snapshot."""

    def __init__(self, translator: Callable[[], Translator]) -> None:
        self._translator = translator
        self._known = translator()
        self._version = 0

    @property
    def version(self) -> Hashable:
        """Grows with each new translator; there is one for each snapshot."""
        translator = self._translator()
        if translator is not self._known:
            self._known = translator
            self._version += 1
        return self._version

    def fold(self, texts: Sequence[str]) -> list[str]:
        """As the translator folds names."""
        return fold_many(texts)

    def ids_of(self, name: str, kind: TagKind) -> Collection[str]:
        """Ids of the record of a tag and of its namesakes."""
        if kind is TagKind.GENRE:
            return self._translator().ids_of(name)
        found = self._translator().translate(name, kind)
        return {record.id for record in (found.record, *found.alternatives) if record}

    def spellings_of(self, id: str) -> Collection[str]:
        """The spellings of the alias table."""
        return self._translator().spellings_of(id)


def _decode(data: bytes) -> AlbumTags | None:
    try:
        return _DECODER.decode(data)
    except msgspec.MsgspecError:
        return None


def _encode_seen(seen_names: Counter[tuple[TagKind, str]]) -> bytes:
    by_kind: defaultdict[TagKind, dict[str, int]] = defaultdict(dict)
    for (kind, name), count in seen_names.items():
        by_kind[kind][name] = count
    return msgspec.msgpack.encode(by_kind)


def _interned(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(map(sys.intern, names))
