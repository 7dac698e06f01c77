"""What every resolver gets: the services, the caller, the base URL, and loaders that batch look-ups."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import quote

from strawberry import ID
from strawberry.dataloader import DataLoader

from services.access import Caller, Right, Scope
from services.catalog import AlbumDetail, Catalog, ChapterDetail, ImageInfo
from services.container import Services
from services.downloads import Downloads
from services.errors import Unauthenticated
from services.observability import current_stats

if TYPE_CHECKING:
    from services.people.records import Viewer

__all__ = ["ID", "Context", "Loaders"]

T = TypeVar("T")

MAX_KEYS = 500
"""Of one query of the database."""


class Loaders:
    """Loaders of one request, each named by its question: keys that are requested in one tick are looked up together.

    They keep nothing between ticks, since a subscription may live for hours; the catalog has a cache of its own.
    """

    def __init__(self, services: Services, catalog: Callable[[], Catalog]) -> None:
        """`catalog` gives the one that the caller sees."""
        self._services = services
        self._catalog = catalog
        self.detail_of: DataLoader[str, AlbumDetail | None] = DataLoader(self._details, cache=False)
        self.chapter_of: DataLoader[tuple[str, str | None], ChapterDetail | None] = DataLoader(
            self._chapters, cache=False
        )
        """By a chapter's number and that of the album that lists it, None where it is not known."""
        self.is_site_favorite_of: DataLoader[tuple[str, str], bool | None] = DataLoader(
            self._site_favorites, cache=False
        )
        """By the ids of a user and of an album."""
        self.cover_info_of: DataLoader[str, ImageInfo | None] = DataLoader(self._cover_infos, cache=False)
        self.album_progress_of = _loader_of_user(services.reading.of_albums)
        self.chapter_progress_of = _loader_of_user(services.reading.of_chapters)
        self.library_entry_of = _loader_of_user(services.library.of_albums)
        self.unread_of = _loader_of_user(services.library.unread)
        """The last four by the id of a user and the number of an album or chapter."""

    async def _details(self, ids: list[str]) -> list[AlbumDetail | BaseException | None]:
        return list(await self._catalog().find_albums(ids))

    async def _chapters(self, keys: list[tuple[str, str | None]]) -> list[ChapterDetail | BaseException | None]:
        ids_of: defaultdict[str | None, list[str]] = defaultdict(list)
        for id, album_id in keys:
            ids_of[album_id].append(id)
        find = self._catalog().find_chapters
        found = await asyncio.gather(*(find(ids, album_id) for album_id, ids in ids_of.items()))
        chapter_of = {
            (id, album_id): chapter
            for (album_id, ids), chapters in zip(ids_of.items(), found, strict=True)
            for id, chapter in zip(ids, chapters, strict=True)
        }
        return [chapter_of[key] for key in keys]

    async def _site_favorites(self, keys: list[tuple[str, str]]) -> list[bool | BaseException | None]:
        user_id = keys[0][0]  # one person asks in one request
        return list(await self._services.site_accounts.favorites_among(user_id, [id for _, id in keys]))

    async def _cover_infos(self, ids: list[str]) -> list[ImageInfo | BaseException | None]:
        infos = await self._services.covers.infos(ids)
        if None in infos:  # will be known once a client fetches the cover: the response must not be cached
            current_stats().record_part(age_s=0, fresh_for_s=0, stale=False)
        return list(infos)


def _loader_of_user(
    find: Callable[[str, Sequence[str]], Awaitable[Mapping[str, T]]],
) -> DataLoader[tuple[str, str], T | None]:
    """A loader of what users have: `find` gives it by a user's id, for many things in one query."""

    async def load(keys: list[tuple[str, str]]) -> list[T | BaseException | None]:
        ids_of: defaultdict[str, list[str]] = defaultdict(list)
        for user_id, id in dict.fromkeys(keys):
            ids_of[user_id].append(id)
        found = {user_id: await find(user_id, ids) for user_id, ids in ids_of.items()}
        return [found[user_id].get(id) for user_id, id in keys]

    return DataLoader(load, cache=False, max_batch_size=MAX_KEYS)


@dataclass(slots=True)
class Context:
    """One per HTTP request, one per WebSocket. `base_url` ends without a slash: "https://comics.example/jm"."""

    services: Services
    base_url: str
    caller: Caller
    session_token: str | None = field(default=None, repr=False)
    """Set by a resolver: the token of the session that it has begun, or "" when it has ended one. Over HTTP the
    response then sets the cookie.
    """
    _loaders: Loaders | None = field(init=False, default=None, repr=False)

    @classmethod
    def of(cls, scope: Scope, services: Services) -> Self:
        """The context of a request or a WebSocket, given by its ASGI scope."""
        access = services.access
        return cls(services=services, base_url=access.base_url(scope), caller=access.caller(scope))

    @property
    def loaders(self) -> Loaders:
        """The loaders of this request, made at their first use: a cached response needs none."""
        if self._loaders is None:
            self._loaders = Loaders(self.services, lambda: self.catalog)
        return self._loaders

    def url(self, *segments: object) -> str:
        """Absolute URL of a path on this server: `url("images", "covers", "350234")`."""
        return "/".join([self.base_url, *(quote(str(segment), safe="") for segment in segments)])

    @property
    def catalog(self) -> Catalog:
        """What the caller may see of the site, and wants to."""
        if self.has_blocked_tags:
            current_stats().is_private = True
        return self.services.catalog.blocking(self.services.access.blocked_tags(self.caller))

    @property
    def has_blocked_tags(self) -> bool:
        """Whether the person who asks has blocked tags, so that responses for all are not for them."""
        return bool(self.services.access.blocked_tags(self.caller))

    @property
    def viewer(self) -> Viewer | None:
        """The person who asks: whoever is logged in, the owner of an open server; None for a guest or the host.

        A response that depends on it is for that person alone.
        """
        current_stats().is_private = True
        return self.services.access.viewer(self.caller)

    def require_viewer(self) -> Viewer:
        """The person who asks; raises `Unauthenticated` for a guest or the host."""
        if (viewer := self.viewer) is None:
            raise Unauthenticated("Only a person has this: log in first.")
        return viewer

    def require_admin(self) -> None:
        """Return for the host and for an administrator; raises `Unauthenticated` or `Forbidden`."""
        current_stats().is_private = True
        self.services.access.require(self.caller, Right.ADMIN)

    @property
    def downloads(self) -> Downloads:
        """The downloads that the caller sees; what is started there belongs to the caller."""
        current_stats().is_private = True
        return self.services.downloads.owned(self.services.access.ownership(self.caller), self.catalog)

    @property
    def may_read(self) -> bool:
        """Whether the caller may see what anybody on this server may."""
        return self.services.access.allows(self.caller, Right.READ)

    def check_rights(self, rights: Collection[Right], *, is_mutation: bool) -> None:
        """Return when the caller may run an operation whose root fields need these rights.

        Raises `Forbidden`, `Unauthenticated`, and `StorageUnavailable` where a credential can't be verified.
        """
        access = self.services.access
        if is_mutation:
            access.require_own_origin(self.caller)
        for right in rights:
            if right is Right.CHANGE:
                access.require_write_access(self.caller)
            else:
                access.require(self.caller, right)

    @property
    def github_token(self) -> str | None:
        """The GitHub token that edits of the tag database need; None without one."""
        return self.caller.github_token

    async def read_connection_params(self, params: Mapping[str, Any]) -> None:
        """Take the caller's API key and tokens from the payload of `connection_init`.

        Raises `Unauthenticated` for a person's token that is refused.
        """
        access = self.services.access
        if isinstance(api_key := params.get("apiKey"), str):
            self.caller = access.with_api_key(self.caller, api_key)
        if isinstance(token := params.get("token"), str):
            self.caller = await access.with_token(self.caller, token)

    async def wait_until_revoked(self) -> None:
        """Return once the caller may no longer do what they could when this was called."""
        await self.services.access.wait_until_revoked(self.caller)

    async def verify_caller_again(self) -> None:
        """Return while the caller's credential is still valid; raises `Unauthenticated` once it is revoked, and
        `StorageUnavailable` where that can't be told.
        """
        self.caller = await self.services.access.verified_again(self.caller)
