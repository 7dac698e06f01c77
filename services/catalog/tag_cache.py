"""Labels seen: what each album was found to be tagged with, kept for a month beyond the cache.

The policy's verdicts come from them, so that a list, a cover or a page can be judged without asking the site;
keeping the labels instead of the verdicts, a host who changes the list is obeyed at once.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

import msgspec

from services.cache import RedisTier, shape_of
from services.catalog.album_tags import AlbumTags

KEPT_S = 30 * 86400.0
"""An album whose tags changed is judged by the new ones after this at the latest."""
MOST_ALBUMS = 8192
"""In this process; Redis holds the rest."""
REWRITE_S = 86400.0
"""Labels that stay the same are written again once a day, which starts their month anew."""
FLUSH_S = 0.05
"""What is learned is gathered for so long, then written in one call."""

_ENCODE = msgspec.msgpack.Encoder().encode
_DECODER = msgspec.msgpack.Decoder(AlbumTags)
_KEY = f"jmgraph:labels:{shape_of(AlbumTags)}:"


class TagCache:
    """Labels by album. `revision` grows when an album turns out to be withheld, or no longer to be."""

    def __init__(self, shared: RedisTier, is_blocked: Callable[[AlbumTags], bool]) -> None:
        self.revision = 0
        self._shared = shared
        self._is_blocked = is_blocked
        self._seen: OrderedDict[str, tuple[AlbumTags, float]] = OrderedDict()
        self._unwritten: dict[str, bytes] = {}
        self._writing: asyncio.Task[None] | None = None

    def get(self, album_id: str) -> AlbumTags | None:
        """The labels of an album, if this process has them."""
        found = self._seen.get(album_id)
        return found and found[0]

    def learn(self, album_id: str, labels: AlbumTags) -> None:
        """Take note of an album's labels, here and, a moment later, in Redis."""
        known, written_at = self._seen.get(album_id, (None, 0.0))
        now = time.monotonic()
        if known == labels and now < written_at + REWRITE_S:
            return
        self._keep(album_id, labels, now)
        self._unwritten[album_id] = _ENCODE(labels)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_soon())

    async def load(self, album_ids: Sequence[str]) -> None:
        """Bring what Redis knows of these albums into this process, in one call."""
        unknown = [id for id in album_ids if id not in self._seen]
        found = await self._shared.get_many([_KEY + id for id in unknown])
        for id, data in zip(unknown, found, strict=True):
            if data is not None and (labels := _read(data)) is not None:
                self._keep(id, labels, time.monotonic())

    async def aclose(self) -> None:
        """Write what is not written yet."""
        if self._writing is not None:
            await self._writing

    def _keep(self, album_id: str, labels: AlbumTags, now: float) -> None:
        known = self.get(album_id)
        if self._is_blocked(labels) != (known is not None and self._is_blocked(known)):
            self.revision += 1
        self._seen[album_id] = (labels, now)
        self._seen.move_to_end(album_id)
        if len(self._seen) > MOST_ALBUMS:
            self._seen.popitem(last=False)

    async def _write_soon(self) -> None:
        while self._unwritten:
            await asyncio.sleep(FLUSH_S)
            values, self._unwritten = self._unwritten, {}
            await self._shared.put_many({_KEY + id: data for id, data in values.items()}, KEPT_S)


def _read(data: bytes) -> AlbumTags | None:
    try:
        return _DECODER.decode(data)
    except msgspec.MsgspecError:
        return None
