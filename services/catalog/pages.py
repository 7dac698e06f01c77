"""Readable pages: fetched on demand, unscrambled, cached on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from services.cache import DiskCache, RedisTier
from services.catalog.catalog import Catalog
from services.catalog.image_cache import ImageCache, ImageData, StoredImage
from services.catalog.site import KeptPages, NothingKept, Site
from services.errors import ChapterNotFound, UpstreamFailure
from services.imaging import Codec, ReadablePage, check_page, read_page, sniff, strips_of_page, thumbnail
from services.upstream.records import ChapterDetail

JPEG_QUALITY = 90
"""Of a page for readers that take no other format."""

FindStaged = Callable[[str, int], Path | None]
"""Chapter and 1-based page to the readable file a running download has of it, None while it has none. Called in a
thread.
"""


class Pages:
    """Pages by chapter and 1-based index. They never change, so they stay until they are evicted."""

    def __init__(
        self,
        site: Site,
        catalog: Catalog,
        disk: DiskCache,
        redis: RedisTier,
        find_staged: FindStaged,
        kept: KeptPages | None = None,
    ) -> None:
        self._site = site
        self._kept = kept or NothingKept()
        self._catalog = catalog
        self._find_staged = find_staged
        self._images = ImageCache(disk, redis)

    async def find(self, chapter_id: str, index: int) -> StoredImage | None:
        """The page in reading order, untouched where it was whole; None when the chapter or the page is not there.

        Raises `BlockedByPolicy`, `UpstreamFailure`.
        """
        chapter = await self._chapter_with(chapter_id, index)
        return await self._find(chapter, index) if chapter else None

    async def as_jpeg(self, chapter_id: str, index: int, max_width: int | None = None) -> StoredImage | None:
        """The page as JPEG, at most `max_width` pixels wide; untouched where it is that already. Else as `find`."""
        chapter = await self._chapter_with(chapter_id, index)
        if chapter is None:
            return None

        async def make() -> ImageData | None:
            page = await self._find(chapter, index)
            return await asyncio.to_thread(_jpeg, page, max_width) if page else None

        return await self._images.get(f"page/{chapter_id}/{index}/{max_width or 'full'}.jpg", make)

    async def _chapter_with(self, chapter_id: str, index: int) -> ChapterDetail | None:
        """The chapter, where it has this page and may be shown."""
        try:
            chapter = await self._catalog.get_chapter_for_reading(chapter_id)
        except ChapterNotFound:
            return None
        return chapter if 1 <= index <= len(chapter.page_names) else None

    async def _find(self, chapter: ChapterDetail, index: int) -> StoredImage | None:
        return await self._images.get(f"page/{chapter.id}/{index}", lambda: self._fetch(chapter, index))

    async def aclose(self) -> None:
        """Cancel the calls in flight."""
        await self._images.aclose()

    async def _fetch(self, chapter: ChapterDetail, index: int) -> ImageData:
        if (staged := await asyncio.to_thread(self._from_staging, chapter.id, index)) is not None:
            return staged
        try:
            kept = await self._kept.page(chapter.id, index)
            return _described(kept) if kept else await self._fetch_from_site(chapter, index)
        except UpstreamFailure:
            if (kept := await self._kept.page(chapter.id, index, any_format=True)) is None:
                raise
            return _described(kept)

    async def _fetch_from_site(self, chapter: ChapterDetail, index: int) -> ImageData:
        data = await self._site.page(chapter, index)
        try:
            page = await asyncio.to_thread(_readable, chapter, index, data)
        except UpstreamFailure:
            # The transfer may have damaged it, or the one to a cache of the CDN.
            data = await self._site.page(chapter, index, bypass_cache=True)
            page = await asyncio.to_thread(_readable, chapter, index, data)
        return page.data, page.codec.media_type

    def _from_staging(self, chapter_id: str, index: int) -> ImageData | None:
        """None also when the download has ended meanwhile and its files were removed."""
        path = self._find_staged(chapter_id, index)
        try:
            data = path.read_bytes() if path else b""
        except OSError:
            return None
        kind = sniff(data)
        return (data, kind.media_type) if kind and kind.is_complete else None


def _described(data: bytes) -> ImageData:
    kind = check_page(data)
    return data, kind.codec.media_type


def _readable(chapter: ChapterDetail, index: int, data: bytes) -> ReadablePage:
    name = chapter.page_names[index - 1]
    count = strips_of_page(data, name, scramble_id=chapter.scramble_id, chapter_id=int(chapter.id))
    return read_page(data, count)


def _jpeg(page: StoredImage, max_width: int | None) -> ImageData:
    kind = check_page(page.data)
    width = min(kind.width, max_width or kind.width)
    if width == kind.width:
        readable = read_page(page.data, 0, Codec.JPEG, JPEG_QUALITY)
        if readable.codec is Codec.JPEG:  # animations stay as they are
            return readable.data, readable.codec.media_type
    return thumbnail(page.data, width, Codec.JPEG, JPEG_QUALITY), Codec.JPEG.media_type
