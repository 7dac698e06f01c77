"""Covers: fetched on demand, cached on disk, in full or as thumbnails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec
from cachetools import LRUCache, TTLCache

from services.cache import DiskCache, RedisTier, schema_hash
from services.catalog.catalog import Catalog
from services.catalog.image_cache import ImageCache, ImageData, StoredImage
from services.catalog.site import Site
from services.errors import AlbumNotFound, InvalidInput
from services.imaging import Codec, ImageKind, check_page, encode, open_image, thumbhash, thumbnail
from services.upstream.records import ImageInfo

THUMBNAIL_WIDTH = 300
"""Pixels."""
THUMBNAIL_TYPES = {"image/webp": Codec.WEBP, "image/jpeg": Codec.JPEG}
"""In the order to offer them to clients."""
JPEG_QUALITY = 90
FRESH_S = 7 * 86400.0
"""The site rarely changes covers; each is fetched again after a week."""


INFO_TTL_S = 90 * 86400.0
"""In Redis; on disk they stay until they are evicted."""
MAX_INFOS = 8192
"""In this process, and as many known absences."""
UNKNOWN_S = 20.0
"""An unknown cover is looked up again after this: another process may have fetched it."""

_ENCODE = msgspec.msgpack.Encoder().encode
_DECODER = msgspec.msgpack.Decoder(ImageInfo)
_SCHEMA_HASH = schema_hash(ImageInfo)


class Covers:
    """Covers by album. A blocked album has none."""

    def __init__(self, site: Site, catalog: Catalog, disk: DiskCache, redis: RedisTier) -> None:
        self._site = site
        self._catalog = catalog
        self._images = ImageCache(disk, redis)
        self._infos = CoverInfos(disk, redis)

    async def find(self, album_id: str) -> StoredImage | None:
        """The cover as the site sends it; None when there is no such album or no cover.

        Raises `BlockedByPolicy`; `UpstreamFailure`, GARBLED for an incomplete image.
        """
        return await self._serve(album_id, f"cover/{album_id}", lambda: self._fetch(album_id))

    async def thumbnail(self, album_id: str, media_type: str = "image/webp") -> StoredImage | None:
        """The cover 300 pixels wide, or as wide as it is, as one of `THUMBNAIL_TYPES`. Else as `find`."""
        codec = THUMBNAIL_TYPES.get(media_type)
        if codec is None:
            raise InvalidInput("media_type", f"Thumbnails are {' or '.join(THUMBNAIL_TYPES)}.")
        return await self._serve_converted(
            album_id, f"thumbnail.{codec.value}", codec, lambda data: thumbnail(data, THUMBNAIL_WIDTH, codec)
        )

    async def as_jpeg(self, album_id: str) -> StoredImage | None:
        """The cover as JPEG, whatever the site sent; untouched when it sent that. Else as `find`."""
        return await self._serve_converted(album_id, "full.jpg", Codec.JPEG, _to_jpeg)

    async def infos(self, album_ids: Sequence[str]) -> list[ImageInfo | None]:
        """What is known of each cover, in the order of the ids; None until it was fetched once. Fetches nothing."""
        return await self._infos.find_many(album_ids)

    async def aclose(self) -> None:
        """Cancel the calls in flight."""
        await self._images.aclose()

    async def _serve(
        self, album_id: str, key: str, make: Callable[[], Awaitable[ImageData | None]]
    ) -> StoredImage | None:
        try:
            await self._catalog.check_album(album_id)
        except AlbumNotFound:
            return None
        return await self._images.get(key, make, FRESH_S)

    async def _serve_converted(
        self, album_id: str, name: str, codec: Codec, convert: Callable[[bytes], bytes]
    ) -> StoredImage | None:
        async def make() -> ImageData | None:
            cover = await self.find(album_id)
            return (await asyncio.to_thread(convert, cover.data), codec.media_type) if cover else None

        return await self._serve(album_id, f"cover/{album_id}/{name}", make)

    async def _fetch(self, album_id: str) -> ImageData | None:
        data = await self._site.cover(album_id)
        if data is None:
            return None
        kind, info = await asyncio.to_thread(_inspect, data)
        await self._infos.put(album_id, info)
        return data, kind.media_type


class CoverInfos:
    """Size and placeholder of covers that were fetched once, in this process, Redis and on disk. Fetches none."""

    def __init__(self, disk: DiskCache, redis: RedisTier) -> None:
        self._disk = disk
        self._redis = redis
        self._known: LRUCache[str, ImageInfo] = LRUCache(MAX_INFOS)
        self._unknown: TTLCache[str, bool] = TTLCache(MAX_INFOS, UNKNOWN_S)

    async def find_many(self, album_ids: Sequence[str]) -> list[ImageInfo | None]:
        """What is known of each cover; one call to Redis and one read of the disk for those not in memory."""
        unknown = [id for id in dict.fromkeys(album_ids) if id not in self._known and id not in self._unknown]
        if unknown:
            await self._load_from_disk(await self._load_from_redis(unknown))
        return [self._known.get(id) for id in album_ids]

    async def put(self, album_id: str, info: ImageInfo) -> None:
        """Store the info of a cover."""
        data = _ENCODE(info)
        self._store(album_id, info)
        await self._disk.put(_key(album_id), data, "application/msgpack")
        await self._redis.put_many({_redis_key(album_id): data}, INFO_TTL_S)

    async def _load_from_redis(self, album_ids: Sequence[str]) -> list[str]:
        """Ids that Redis does not have."""
        found = await self._redis.get_many([_redis_key(id) for id in album_ids])
        return [id for id, data in zip(album_ids, found, strict=True) if not self._store_if_readable(id, data)]

    async def _load_from_disk(self, album_ids: Sequence[str]) -> None:
        files = await self._disk.find_many([_key(id) for id in album_ids])
        found = {
            _redis_key(id): file.data
            for id, file in zip(album_ids, files, strict=True)
            if file is not None and self._store_if_readable(id, file.data)
        }
        if found:
            await self._redis.put_many(found, INFO_TTL_S)
        for id in album_ids:
            if id not in self._known:
                self._unknown[id] = True

    def _store_if_readable(self, album_id: str, data: bytes | None) -> bool:
        try:
            info = data and _DECODER.decode(data)
        except msgspec.MsgspecError:
            return False
        if not info:
            return False
        self._store(album_id, info)
        return True

    def _store(self, album_id: str, info: ImageInfo) -> None:
        self._known[album_id] = info
        self._unknown.pop(album_id, None)


def _inspect(data: bytes) -> tuple[ImageKind, ImageInfo]:
    kind = check_page(data)
    return kind, ImageInfo(kind.width, kind.height, thumbhash(open_image(data)))


def _to_jpeg(data: bytes) -> bytes:
    if check_page(data).codec is Codec.JPEG:
        return data
    return encode(open_image(data), Codec.JPEG, JPEG_QUALITY)


def _key(album_id: str) -> str:
    return f"cover/{album_id}/info/{_SCHEMA_HASH}"


def _redis_key(album_id: str) -> str:
    return f"jmgraph:cover:{_SCHEMA_HASH}:{album_id}"
