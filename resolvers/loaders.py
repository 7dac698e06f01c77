"""Loaders: what many fields ask one by one is fetched together, once per tick.

They keep nothing between ticks, so that a long-lived subscription never shows yesterday's album; the
catalog's own cache makes asking again cheap.
"""

from __future__ import annotations

from strawberry.dataloader import DataLoader

from services.catalog import AlbumDetail, ChapterDetail, ImageInfo
from services.container import Services
from services.observability import current_usage


class Loaders:
    """The loaders of one request, each named by its question."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.detail_of: DataLoader[str, AlbumDetail | None] = DataLoader(self._details, cache=False)
        self.chapter_of: DataLoader[str, ChapterDetail | None] = DataLoader(self._chapters, cache=False)
        self.cover_info_of: DataLoader[str, ImageInfo | None] = DataLoader(self._cover_infos, cache=False)

    async def _details(self, ids: list[str]) -> list[AlbumDetail | BaseException | None]:
        return list(await self._services.catalog.find_albums(ids))

    async def _chapters(self, ids: list[str]) -> list[ChapterDetail | BaseException | None]:
        return list(await self._services.catalog.find_chapters(ids))

    async def _cover_infos(self, ids: list[str]) -> list[ImageInfo | BaseException | None]:
        infos = await self._services.covers.infos(ids)
        if None in infos:  # known once somebody looks at the cover, which is now: an answer without it is not kept
            current_usage().note_part(age_s=0, fresh_for_s=0, stale=False)
        return list(infos)
