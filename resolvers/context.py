"""What every resolver gets: the services, the caller, the base URL, and loaders that batch look-ups."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self
from urllib.parse import quote

from strawberry import ID
from strawberry.dataloader import DataLoader

from services.access import Caller, Scope
from services.catalog import AlbumDetail, ChapterDetail, ImageInfo
from services.container import Services
from services.observability import current_stats

__all__ = ["ID", "Context", "Loaders"]


class Loaders:
    """Loaders of one request, each named by its question: keys that are requested in one tick are looked up together.

    They keep nothing between ticks, since a subscription may live for hours; the catalog has a cache of its own.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self.detail_of: DataLoader[str, AlbumDetail | None] = DataLoader(self._details, cache=False)
        self.chapter_of: DataLoader[tuple[str, str | None], ChapterDetail | None] = DataLoader(
            self._chapters, cache=False
        )
        """By a chapter's number and that of the album that lists it, None where it is not known."""
        self.cover_info_of: DataLoader[str, ImageInfo | None] = DataLoader(self._cover_infos, cache=False)

    async def _details(self, ids: list[str]) -> list[AlbumDetail | BaseException | None]:
        return list(await self._services.catalog.find_albums(ids))

    async def _chapters(self, keys: list[tuple[str, str | None]]) -> list[ChapterDetail | BaseException | None]:
        ids_of: defaultdict[str | None, list[str]] = defaultdict(list)
        for id, album_id in keys:
            ids_of[album_id].append(id)
        find = self._services.catalog.find_chapters
        found = await asyncio.gather(*(find(ids, album_id) for album_id, ids in ids_of.items()))
        chapter_of = {
            (id, album_id): chapter
            for (album_id, ids), chapters in zip(ids_of.items(), found, strict=True)
            for id, chapter in zip(ids, chapters, strict=True)
        }
        return [chapter_of[key] for key in keys]

    async def _cover_infos(self, ids: list[str]) -> list[ImageInfo | BaseException | None]:
        infos = await self._services.covers.infos(ids)
        if None in infos:  # will be known once a client fetches the cover: the response must not be cached
            current_stats().record_part(age_s=0, fresh_for_s=0, stale=False)
        return list(infos)


@dataclass(slots=True)
class Context:
    """One per HTTP request, one per WebSocket. `base_url` ends without a slash: "https://comics.example/jm"."""

    services: Services
    base_url: str
    caller: Caller
    connection_params: Mapping[str, Any] | None = None
    """Payload of a WebSocket's `connection_init`, set by Strawberry."""
    loaders: Loaders = field(init=False)

    def __post_init__(self) -> None:
        self.loaders = Loaders(self.services)

    @classmethod
    def of(cls, scope: Scope, services: Services) -> Self:
        """The context of a request or a WebSocket, given by its ASGI scope."""
        access = services.access
        return cls(services=services, base_url=access.base_url(scope), caller=access.caller(scope))

    def url(self, *segments: object) -> str:
        """Absolute URL of a path on this server: `url("images", "covers", "350234")`."""
        return "/".join([self.base_url, *(quote(str(segment), safe="") for segment in segments)])

    def require_write_access(self) -> None:
        """Return when the caller may change state; raises `Forbidden` or `Unauthenticated`."""
        api_key = self.caller.api_key or self._connection_param("apiKey")
        self.services.access.require_write_access(replace(self.caller, api_key=api_key))

    @property
    def token(self) -> str | None:
        """The GitHub token that edits of the tag database need; None without one."""
        return self.caller.token or self._connection_param("token")

    def _connection_param(self, name: str) -> str | None:
        value = (self.connection_params or {}).get(name)
        return value if isinstance(value, str) else None
