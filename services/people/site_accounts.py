"""What people do with their accounts at the site, by this server's rules."""

from __future__ import annotations

import re
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from services.errors import Forbidden, InvalidCredentials, InvalidInput, JmgraphError, SiteLoginRequired
from services.people.records import IssuedToken, SiteAccountRecord, User
from services.tasks import gather_bounded
from services.upstream import CheckInRecord, FavoriteFolderRecord, FavoriteOrder

if TYPE_CHECKING:
    from services.catalog import AlbumDetail, AlbumListPage, AlbumSummary, Catalog
    from services.library import AddedAlbums, Library
    from services.people.accounts import Accounts
    from services.people.logins import Logins
    from services.people.site_sessions import SiteSessions, UserOf
    from services.people.state import AccountsState
    from services.people.tokens import Tokens

ALL_FAVORITES = FavoriteFolderRecord("0", "全部")
"""The folder of all favourites, which the site does not list."""
LAST_PAGE = 10_000
LONGEST_ID = 12
"""Digits of a folder's number."""
CALLS_AT_ONCE = 4
CALLS_OF_A_NO = 2
"""To learn that an album is no favourite."""
LONGEST_CREDENTIAL = 256


@dataclass(frozen=True, slots=True)
class FavoriteRecord:
    """An album, and whether it is a favourite of the person now."""

    album: AlbumDetail
    is_favorite: bool


class SiteAccounts:
    """The accounts of the site that the people of this server have connected.

    Calls for a user raise `SiteLoginRequired` and `UpstreamFailure` as those of `SiteSessions` do.
    """

    def __init__(
        self,
        sessions: SiteSessions,
        catalog: Catalog,
        library: Library,
        accounts: Accounts,
        tokens: Tokens,
        logins: Logins,
        state: AccountsState,
        *,
        allows_login: bool | None,
    ) -> None:
        """`allows_login`: whether an account of the site alone may sign in; None for while the server is open."""
        self._sessions = sessions
        self._catalog = catalog
        self._library = library
        self._accounts = accounts
        self._tokens = tokens
        self._logins = logins
        self._state = state
        self._allows_login = allows_login

    def showing(self, catalog: Catalog) -> SiteAccounts:
        """The same, without the albums that this catalog does not have: that of a person with blocked tags."""
        if catalog is self._catalog:
            return self
        showing = copy(self)
        showing._catalog = catalog
        return showing

    async def find(self, user_id: str) -> SiteAccountRecord | None:
        """The account that the user has connected."""
        return await self._sessions.find(user_id)

    async def connect(
        self, user: User, username: str, password: str, *, address: str, remember: bool = False
    ) -> SiteAccountRecord:
        """Join an account of the site to a user; `address` is the client's.

        Raises `InvalidCredentials` where the site says no, `LoginsLimited` after five of those in five minutes.
        """

        async def user_of(_: str, __: str) -> User:
            return user

        _, account = await self._log_in(username, password, address, remember, user_of)
        return account

    async def sign_in(self, username: str, password: str, *, address: str, remember: bool = False) -> IssuedToken:
        """Begin a session of this server as the user of an account of the site, who is made at the first time.

        Raises `Forbidden` where this server does not allow it, and as `connect`.
        """
        if not self._may_sign_in:
            raise Forbidden("This server lets nobody sign in by an account of the site alone.")
        user, _ = await self._log_in(username, password, address, remember, self._accounts.site_user)
        return await self._tokens.start_session(user)

    async def disconnect(self, user_id: str) -> bool:
        """Forget the account that the user has connected; False where there was none."""
        return await self._sessions.disconnect(user_id)

    async def folders(self, user_id: str) -> Sequence[FavoriteFolderRecord]:
        """The folders of the user's favourites; the first holds all of them."""
        page = await self._sessions.favorites(user_id, ALL_FAVORITES.id, FavoriteOrder.ADDED, 1)
        return (ALL_FAVORITES, *page.folders)

    async def favorites(
        self, user_id: str, folder_id: str = "0", order: FavoriteOrder = FavoriteOrder.ADDED, page: int = 1
    ) -> AlbumListPage:
        """A page of the user's favourites in a folder, without what this server withholds.

        Raises `InvalidInput` for a folder or page that can't be requested.
        """
        _check_folder(folder_id)
        if not 1 <= page <= LAST_PAGE:
            raise InvalidInput("page", f"page must be between 1 and {LAST_PAGE}")
        listed = (await self._sessions.favorites(user_id, folder_id, order, page)).albums
        return replace(listed, items=await self._catalog.listable(listed.items))

    async def favorites_among(self, user_id: str, album_ids: Sequence[str]) -> list[bool | JmgraphError | None]:
        """For each album whether it is a favourite of the user; a failure where that could not be read.

        None for all of them where the user has no account of the site that can be used.
        """
        try:
            found = await self._favorites_among(user_id, album_ids)
        except SiteLoginRequired:
            return [None] * len(album_ids)
        return [found[id] for id in album_ids]

    async def set_favorite(self, user_id: str, album_id: str, *, is_favorite: bool) -> FavoriteRecord:
        """Make an album a favourite of the user, or none. Raises `AlbumNotFound`, `BlockedByPolicy`."""
        album = await self._catalog.get_album(album_id)
        await self._sessions.set_favorite(user_id, album.id, is_favorite=is_favorite)
        return FavoriteRecord(album, is_favorite)

    async def import_favorites(self, user_id: str, folder_id: str = ALL_FAVORITES.id) -> AddedAlbums:
        """Add all favourites of a folder to the user's library, without what this server withholds.

        Raises `InvalidInput` for a folder that can't be requested.
        """
        _check_folder(folder_id)
        first = await self._favorites(user_id, folder_id, 1)
        albums = [*first.items, *await self._further(user_id, folder_id, first)]
        return await self._library.add_many(user_id, await self._catalog.listable(albums))

    async def check_in(self, user_id: str) -> CheckInRecord:
        """Check in at the site for today."""
        return await self._sessions.check_in(user_id)

    async def _log_in(
        self,
        username: str,
        password: str,
        address: str,
        remember: bool,
        user_of: UserOf,
    ) -> tuple[User, SiteAccountRecord]:
        _check_credentials(username, password)
        async with self._logins.attempt_at_site(username, address):
            return await self._sessions.connect(username, password, remember=remember, user_of=user_of)

    async def _favorites_among(self, user_id: str, album_ids: Sequence[str]) -> dict[str, bool | JmgraphError]:
        """By the pages of the favourites where those are fewer than the calls for each album."""
        first = await self._favorites(user_id, ALL_FAVORITES.id, 1)
        found = {album.id for album in first.items}
        unknown = [id for id in dict.fromkeys(album_ids) if id not in found]
        if first.page_count - 1 <= CALLS_OF_A_NO * len(unknown):
            found |= {album.id for album in await self._further(user_id, ALL_FAVORITES.id, first)}
            return {id: id in found for id in album_ids}
        told = await gather_bounded(lambda id: self._is_favorite(user_id, id), unknown, CALLS_AT_ONCE)
        return {**dict.fromkeys(album_ids, True), **dict(zip(unknown, told, strict=True))}

    async def _further(self, user_id: str, folder_id: str, first: AlbumListPage) -> list[AlbumSummary]:
        """The favourites behind the first page."""
        numbers = range(2, first.page_count + 1)
        pages = await gather_bounded(lambda page: self._favorites(user_id, folder_id, page), numbers, CALLS_AT_ONCE)
        return [album for page in pages for album in page.items]

    async def _favorites(self, user_id: str, folder_id: str, page: int) -> AlbumListPage:
        return (await self._sessions.favorites(user_id, folder_id, FavoriteOrder.ADDED, page)).albums

    async def _is_favorite(self, user_id: str, album_id: str) -> bool | JmgraphError:
        try:
            return await self._sessions.is_favorite(user_id, album_id)
        except SiteLoginRequired:
            raise
        except JmgraphError as error:
            return error

    @property
    def _may_sign_in(self) -> bool:
        return not self._state.is_closed if self._allows_login is None else self._allows_login


def _check_credentials(username: str, password: str) -> None:
    """Return for what the site may say yes to; raises `InvalidCredentials`, also for half a character in it."""
    if not all(0 < len(text) <= LONGEST_CREDENTIAL for text in (username.strip(), password)):
        raise InvalidCredentials
    if re.search(r"[\ud800-\udfff]", username + password):
        raise InvalidCredentials


def _check_folder(id: str) -> None:
    """Return for a folder that can be requested; raises `InvalidInput`."""
    if not (id.isascii() and id.isdigit() and len(id) <= LONGEST_ID):
        raise InvalidInput("folderId", "A folder is a number; 0 is all favourites.")
