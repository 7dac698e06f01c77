"""The site's account in the legacy API: logging in with it, and its favourites."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from starlette.endpoints import HTTPEndpoint
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rest.images import catalog_of
from rest.operations import JSON, SAMPLE_ALBUM, AlbumNumber, Digits, Group, Parameter, operation, path, returns_json
from rest.parameters import parse_whole_number
from rest.responses import json_response
from rest.v1.errors import LOGIN_NEEDED, detail_response
from rest.v1.schemas import Detail, FavoriteChanged, FavoriteLine, Folder, LoggedIn, LoggedOut, LoginBody
from services.access import Access
from services.catalog import parse_album_id
from services.container import Services
from services.errors import Unauthenticated
from services.http_semantics import BodyIncomplete, BodyTooLarge, read_body
from services.people import SiteAccounts, Viewer
from services.upstream import FavoriteOrder

MAX_BODY_BYTES = 4096

_ORDERS = {"mr": FavoriteOrder.ADDED, "mp": FavoriteOrder.UPDATED}
_PRIVATE = {"Cache-Control": "private, no-store"}
_SECURITY = ("personToken", "personTokenAsBearer", "")
_SITE_ERRORS = {502: "The site sent an unreadable answer.", 504: "The site gave no answer."}
_LOGIN_ERRORS = {401: "请先登录, or 登录已过期，请重新登录 once the site has ended the session.", **_SITE_ERRORS}
_CHANGE_ERRORS = {
    **_LOGIN_ERRORS,
    400: "Not an album number.",
    403: "A page of a foreign origin, or a token that may only read.",
    404: "No such album, or one that this host withholds.",
}
_NUMBER = "Number of the album."


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def _site_accounts(request: Request) -> SiteAccounts:
    """Without what the sender does not want to see."""
    return _services(request).site_accounts.showing(catalog_of(request))


def _require_viewer(request: Request, *, to_change: bool = False) -> Viewer:
    """The person who asks. Raises `Unauthenticated`, and `Forbidden` where they may not change state."""
    access: Access = _services(request).access
    caller = access.caller(request.scope)
    if (viewer := access.viewer(caller)) is None:
        raise Unauthenticated(LOGIN_NEEDED)
    if to_change:
        access.require_write_access(caller)
    return viewer


class Login(HTTPEndpoint):
    """Logs in."""

    @operation(
        "Log in with an account of the site",
        {
            200: returns_json("A token for `Authorization: Bearer` or `X-Token`.", LoggedIn),
            400: "No username or password.",
            401: "用户名或密码错误",
            403: "This host lets nobody log in so, or a page of a foreign origin.",
            429: "Too many wrong passwords; Retry-After says when to try again.",
            **_SITE_ERRORS,
        },
        body={JSON: LoginBody},
    )
    async def post(self, request: Request) -> Response:
        """Begin a session of this server, by a name and a password of the site."""
        access = _services(request).access
        caller = access.caller(request.scope)
        access.require_own_origin(caller)
        credentials = await _read_login(request)
        if credentials is None:
            return detail_response(400, "username and password must be strings")
        session = await _site_accounts(request).sign_in(
            credentials.username, credentials.password, address=caller.address
        )
        account = await _site_accounts(request).find(session.user.id)
        username = account.username if account else credentials.username
        return json_response(LoggedIn(status="success", username=username, token=session.token), headers=_PRIVATE)


class Logout(HTTPEndpoint):
    """Logs out."""

    @operation(
        "Log out",
        {200: returns_json("The session has ended; also where there was none.", LoggedOut), 403: "A foreign page."},
        security=_SECURITY,
    )
    async def post(self, request: Request) -> Response:
        """End the session that the request carries."""
        services = _services(request)
        caller = services.access.caller(request.scope)
        services.access.require_own_origin(caller)
        viewer = services.access.viewer(caller)
        if viewer is not None and viewer.is_session and viewer.token_id is not None:
            services.access.require_write_access(caller)
            await services.people.tokens.revoke(viewer.user.id, viewer.token_id)
        return json_response(LoggedOut(status="success"), headers=_PRIVATE)


class Folders(HTTPEndpoint):
    """Folders of favourites."""

    @operation(
        "Folders of the favourites",
        {200: returns_json("The folders; 0 is all favourites.", list[Folder]), **_LOGIN_ERRORS},
        security=_SECURITY,
    )
    async def get(self, request: Request) -> Response:
        """The folders of the favourites."""
        found = await _site_accounts(request).folders(_require_viewer(request).user.id)
        return json_response([Folder(folder_id=each.id, name=each.name) for each in found], headers=_PRIVATE)


class Favorites(HTTPEndpoint):
    """Favourites: a page of them by its number, or one by its album's."""

    @operation(
        "A page of the favourites",
        {
            200: returns_json("At most 20 albums; X-Total-Count says how many there are.", list[FavoriteLine]),
            400: "A page, folder or order that there can't be.",
            **_LOGIN_ERRORS,
        },
        parameters=(
            path("number", "Page, 1-based.", Annotated[int, Meta(ge=1, le=10_000)], 1),
            Parameter("folder_id", "Folder; 0 is all.", Annotated[Digits, Meta(max_length=12)], "0"),
            Parameter("order", "mr: the last added first. mp: the last updated first.", Literal["mr", "mp"], "mr"),
        ),
        security=_SECURITY,
    )
    async def get(self, request: Request) -> Response:
        """A page of the favourites of a folder."""
        viewer, query = _require_viewer(request), request.query_params
        page = parse_whole_number(request.path_params["number"])
        order = _ORDERS.get(query.get("order", "mr"))
        if page is None or order is None:
            return detail_response(400, "page must be a number, order must be mr or mp")
        listed = await _site_accounts(request).favorites(viewer.user.id, query.get("folder_id", "0"), order, page)
        body = [FavoriteLine(aid=album.id, title=album.title) for album in listed.items]
        return json_response(body, headers={**_PRIVATE, "X-Total-Count": str(listed.total)})

    @operation(
        "Make an album a favourite",
        {200: returns_json("It is one.", FavoriteChanged), **_CHANGE_ERRORS},
        parameters=(path("number", _NUMBER, AlbumNumber, SAMPLE_ALBUM),),
        security=_SECURITY,
    )
    async def post(self, request: Request) -> Response:
        """Make an album a favourite; one that is stays one."""
        return await _set_favorite(request, is_favorite=True)

    @operation(
        "Make an album no favourite",
        {200: returns_json("It is none.", FavoriteChanged), **_CHANGE_ERRORS},
        parameters=(path("number", _NUMBER, AlbumNumber, SAMPLE_ALBUM),),
        security=_SECURITY,
    )
    async def delete(self, request: Request) -> Response:
        """Make an album no favourite; one that is none stays none."""
        return await _set_favorite(request, is_favorite=False)


async def _set_favorite(request: Request, *, is_favorite: bool) -> Response:
    viewer = _require_viewer(request, to_change=True)
    id = parse_album_id(request.path_params["number"], "aid")
    changed = await _site_accounts(request).set_favorite(viewer.user.id, id, is_favorite=is_favorite)
    body = FavoriteChanged(status="success", aid=changed.album.id, favorite=changed.is_favorite)
    return json_response(body, headers=_PRIVATE)


async def _read_login(request: Request) -> LoginBody | None:
    try:
        body = await read_body(request.headers.raw, request.receive, MAX_BODY_BYTES)
        return msgspec.json.decode(body, type=LoginBody)
    except (msgspec.MsgspecError, UnicodeDecodeError, BodyTooLarge, BodyIncomplete):
        return None


routes = [
    Route("/v1/login", Login),
    Route("/v1/logout", Logout),
    Route("/v1/favorites/folders", Folders),
    Route("/v1/favorites/{number:no_trailing_slash}", Favorites),
]

GROUP = Group(
    "Legacy favourites · 旧版收藏",
    "Favourites of an account of the site. Log in for a token, and send it as `Authorization: Bearer` or `X-Token`; "
    "on a server without accounts the one that its owner has connected is used without a token.",
    routes,
    Detail,
)
