"""Covers: fetched on demand, kept on disk, in full or as thumbnails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from services.cache import DiskCache, RedisTier
from services.catalog.catalog import Catalog
from services.catalog.cover_infos import CoverInfos
from services.catalog.image_cache import ImageCache, Made, StoredImage
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
"""The site changes covers rarely; once a week is asked whether it did."""


class Covers:
    """Covers by album. What the policy withholds has none."""

    def __init__(self, site: Site, catalog: Catalog, disk: DiskCache, shared: RedisTier) -> None:
        self._site = site
        self._catalog = catalog
        self._images = ImageCache(disk, shared)
        self._infos = CoverInfos(disk, shared)

    async def find(self, album_id: str) -> StoredImage | None:
        """The cover as the site sends it; None when there is no such album or no cover.

        Raises `BlockedByPolicy`; `UpstreamFailure`, GARBLED for what is no whole image.
        """
        return await self._serve(album_id, f"cover/{album_id}", lambda: self._fetch(album_id))

    async def thumbnail(self, album_id: str, media_type: str = "image/webp") -> StoredImage | None:
        """The cover 300 pixels wide, or as wide as it is, as one of `THUMBNAIL_TYPES`. Else as `find`."""
        codec = THUMBNAIL_TYPES.get(media_type)
        if codec is None:
            raise InvalidInput("media_type", f"Thumbnails are {' or '.join(THUMBNAIL_TYPES)}.")
        return await self._serve_made(
            album_id, f"thumbnail.{codec.value}", codec, lambda data: thumbnail(data, THUMBNAIL_WIDTH, codec)
        )

    async def as_jpeg(self, album_id: str) -> StoredImage | None:
        """The cover as JPEG, whatever the site sent; untouched when it sent that. Else as `find`."""
        return await self._serve_made(album_id, "full.jpg", Codec.JPEG, _to_jpeg)

    async def infos(self, album_ids: Sequence[str]) -> list[ImageInfo | None]:
        """What is known of each cover, in the order asked; None until it was fetched once. Fetches nothing."""
        return await self._infos.find_many(album_ids)

    async def aclose(self) -> None:
        """Cancel what is under way."""
        await self._images.aclose()

    async def _serve(self, album_id: str, key: str, make: Callable[[], Awaitable[Made | None]]) -> StoredImage | None:
        try:
            await self._catalog.check_album(album_id)
        except AlbumNotFound:
            return None
        return await self._images.get(key, make, FRESH_S)

    async def _serve_made(
        self, album_id: str, name: str, codec: Codec, convert: Callable[[bytes], bytes]
    ) -> StoredImage | None:
        async def make() -> Made | None:
            cover = await self.find(album_id)
            return (await asyncio.to_thread(convert, cover.data), codec.media_type) if cover else None

        return await self._serve(album_id, f"cover/{album_id}/{name}", make)

    async def _fetch(self, album_id: str) -> Made | None:
        data = await self._site.cover(album_id)
        if data is None:
            return None
        kind, info = await asyncio.to_thread(_look_at, data)
        await self._infos.learn(album_id, info)
        return data, kind.media_type


def _look_at(data: bytes) -> tuple[ImageKind, ImageInfo]:
    kind = check_page(data)
    return kind, ImageInfo(kind.width, kind.height, thumbhash(open_image(data)))


def _to_jpeg(data: bytes) -> bytes:
    if check_page(data).codec is Codec.JPEG:
        return data
    return encode(open_image(data), Codec.JPEG, JPEG_QUALITY)
