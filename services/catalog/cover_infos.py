"""What is known of covers that were fetched once: size and stand-in, in this process, Redis and on disk."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import TypeVar

import msgspec

from services.cache import DiskCache, RedisTier, shape_of
from services.upstream.records import ImageInfo

T = TypeVar("T")

KEPT_S = 90 * 86400.0
"""In Redis; the disk has them for as long as it has the room."""
MOST_INFOS = 8192
"""In this process, and as many that are known to be unknown."""
UNKNOWN_S = 20.0
"""Who is not known is looked for again after so long: another process may have fetched the cover."""

_ENCODE = msgspec.msgpack.Encoder().encode
_DECODER = msgspec.msgpack.Decoder(ImageInfo)
_SHAPE = shape_of(ImageInfo)


class CoverInfos:
    """Infos by album. Reading never fetches a cover."""

    def __init__(self, disk: DiskCache, shared: RedisTier) -> None:
        self._disk = disk
        self._shared = shared
        self._known: OrderedDict[str, ImageInfo] = OrderedDict()
        self._unknown_until: OrderedDict[str, float] = OrderedDict()

    async def find_many(self, album_ids: Sequence[str]) -> list[ImageInfo | None]:
        """What is known of each cover: one call to Redis and one look at the disk for all that are not at hand."""
        now = time.monotonic()
        unknown = [
            id for id in dict.fromkeys(album_ids) if id not in self._known and now >= self._unknown_until.get(id, 0.0)
        ]
        if unknown:
            await self._load_from_disk(await self._load_from_redis(unknown))
        return [self._known.get(id) for id in album_ids]

    async def learn(self, album_id: str, info: ImageInfo) -> None:
        """Keep what was found out about a cover."""
        data = _ENCODE(info)
        self._keep(album_id, info)
        await self._disk.put(_key(album_id), data, "application/msgpack")
        await self._shared.put_many({_redis_key(album_id): data}, KEPT_S)

    async def _load_from_redis(self, album_ids: Sequence[str]) -> list[str]:
        """Ids that Redis does not know."""
        found = await self._shared.get_many([_redis_key(id) for id in album_ids])
        return [id for id, data in zip(album_ids, found, strict=True) if not self._keep_if_readable(id, data)]

    async def _load_from_disk(self, album_ids: Sequence[str]) -> None:
        files = await self._disk.find_many([_key(id) for id in album_ids])
        found = {
            _redis_key(id): file.data
            for id, file in zip(album_ids, files, strict=True)
            if file is not None and self._keep_if_readable(id, file.data)
        }
        if found:
            await self._shared.put_many(found, KEPT_S)
        for id in album_ids:
            if id not in self._known:
                _put(self._unknown_until, id, time.monotonic() + UNKNOWN_S)

    def _keep_if_readable(self, album_id: str, data: bytes | None) -> bool:
        try:
            info = data and _DECODER.decode(data)
        except msgspec.MsgspecError:
            return False
        if not info:
            return False
        self._keep(album_id, info)
        return True

    def _keep(self, album_id: str, info: ImageInfo) -> None:
        _put(self._known, album_id, info)
        self._unknown_until.pop(album_id, None)


def _put(kept: OrderedDict[str, T], key: str, value: T) -> None:
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > MOST_INFOS:
        kept.popitem(last=False)


def _key(album_id: str) -> str:
    return f"cover/{album_id}/info/{_SHAPE}"


def _redis_key(album_id: str) -> str:
    return f"jmgraph:cover:{_SHAPE}:{album_id}"
