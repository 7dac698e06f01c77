"""The viewer's account of the site: joined, left, its favourites and its check-ins."""

from __future__ import annotations

from collections.abc import Sequence

from resolvers.context import ID, Context
from services.catalog import AlbumListPage, parse_album_id
from services.library import AddedAlbums
from services.observability import current_stats
from services.people import ALL_FAVORITES, FavoriteRecord, IssuedToken, SiteAccountRecord
from services.upstream import CheckInRecord, FavoriteFolderRecord, FavoriteOrder

ALL_FAVORITES_ID = ID(ALL_FAVORITES.id)


async def site_account(context: Context, user_id: str) -> SiteAccountRecord | None:
    """The account of the site that this user has connected."""
    return await context.services.site_accounts.find(user_id)


async def folders(context: Context, user_id: str) -> Sequence[FavoriteFolderRecord]:
    """The folders of this user's favourites. Raises `SiteLoginRequired`."""
    return await context.services.site_accounts.folders(user_id)


async def favorites(
    context: Context, user_id: str, folder_id: str, order_by: FavoriteOrder, page: int
) -> AlbumListPage:
    """A page of this user's favourites. Raises `SiteLoginRequired`."""
    return await context.services.site_accounts.showing(context.catalog).favorites(user_id, folder_id, order_by, page)


async def is_site_favorite(context: Context, album_id: str) -> bool | None:
    """Whether an album is a favourite of the viewer at the site; None without an account that can be used."""
    viewer = context.viewer
    return None if viewer is None else await context.loaders.is_site_favorite_of.load((viewer.user.id, album_id))


async def login_with_site(context: Context, username: str, password: str, remember: bool = False) -> IssuedToken:
    """Logs in by an account of the site, as a user jm:USERNAME of this server, where its host allows that. Over HTTP
    the session is set as a cookie as well.
    """
    current_stats().is_private = True
    session = await context.services.site_accounts.sign_in(
        username, password, address=context.caller.address, remember=remember
    )
    context.session_token = session.token
    return session


async def connect_site_account(
    context: Context, username: str, password: str, remember: bool = False
) -> SiteAccountRecord:
    """Joins an account of the site to the viewer, in the place of one that was joined before."""
    user = context.require_viewer().user
    return await context.services.site_accounts.connect(
        user, username, password, address=context.caller.address, remember=remember
    )


async def disconnect_site_account(context: Context) -> bool:
    """Forgets the viewer's account of the site, its session and its password; false when there was none."""
    return await context.services.site_accounts.disconnect(context.require_viewer().user.id)


async def set_site_favorite(context: Context, album_id: ID, is_favorite: bool) -> FavoriteRecord:
    """Makes an album a favourite of the viewer at the site, or none; what is so already stays so."""
    user, id = context.require_viewer().user, parse_album_id(album_id, "albumId")
    return await context.services.site_accounts.showing(context.catalog).set_favorite(
        user.id, id, is_favorite=is_favorite
    )


async def import_site_favorites(context: Context, folder_id: ID = ALL_FAVORITES_ID) -> AddedAlbums:
    """Adds all favourites of a folder at the site to the viewer's library."""
    user = context.require_viewer().user
    return await context.services.site_accounts.import_favorites(user.id, folder_id)


async def check_in_on_site(context: Context) -> CheckInRecord:
    """Checks the viewer in at the site for today."""
    return await context.services.site_accounts.check_in(context.require_viewer().user.id)
