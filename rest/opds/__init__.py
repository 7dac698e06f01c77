"""The catalogue for reading apps: OPDS 1.2 with page streaming at `/opds`, OPDS 2.0 at `/opds/v2`.

No redirects, absolute links, and HEAD wherever there is GET, as old readers need.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rest.opds.atom import ACQUISITION, NAVIGATION, SEARCH_DESCRIPTION, atom_feed, media_type_of, search_description
from rest.opds.catalog import FEEDS, LAST_PAGE, Opds
from rest.opds.feeds import Feed
from rest.opds.json_feed import (
    AUTHENTICATION,
    DIVINA,
    FEED,
    PUBLICATION,
    Json,
    how_to_authenticate,
    json_feed,
    json_publication,
)
from rest.opds.links import Links
from rest.opds.pages import cover, page
from rest.operations import SAMPLE_ALBUM, AlbumNumber, Group, Parameter, Returns, operation, path
from rest.responses import Problem
from services.catalog import ImageInfo
from services.container import Services
from services.http_semantics import is_not_modified, quote_etag

__all__ = ["AUTHENTICATION", "GROUP", "authentication_document", "routes"]

ROOT, ROOT_V2 = "/opds", "/opds/v2"

Build = Callable[[Opds], Awaitable[Feed]]
Handler = Callable[[Request], Awaitable[Response]]


_NUMBER = path("id", "Number of the album or chapter.", AlbumNumber, SAMPLE_ALBUM)
_PAGE = Parameter("page", "1-based.", Annotated[int, Meta(ge=1, le=LAST_PAGE)], 1)
_PARAMETERS: dict[str, tuple[Parameter, ...]] = {
    "/rankings/{name}": (path("name", "Which ranking.", Literal["day", "week", "month", "all"], "week"), _PAGE),
    "/newest": (_PAGE,),
    "/search": (_PAGE, Parameter("q", "What to search for; `query` is understood too.", str, "雨林")),
    "/albums/{id}": (_NUMBER, _PAGE),
    "/library": (_PAGE,),
    "/files": (_PAGE,),
}
_ERRORS: dict[int, Returns | str] = {
    400: "A page or a number that can't be.",
    404: "There is no such thing, or this host withholds it.",
    502: "The site sent an unreadable answer.",
    504: "The site gave no answer.",
}


def _atom(path: str, title: str, build: Build) -> Handler:
    returns = Returns("As Atom.", {NAVIGATION: None, ACQUISITION: None})

    @operation(title, {200: returns, **_ERRORS}, parameters=_PARAMETERS.get(path, ()))
    async def handle(request: Request) -> Response:
        feed = await build(Opds(request))
        text = atom_feed(feed, _links(request, ROOT))
        return _document(request, text.encode(), f"{media_type_of(feed)};charset=utf-8")

    return handle


def _json(path: str, title: str, build: Build) -> Handler:
    @operation(title, {200: Returns("As JSON.", {FEED: None}), **_ERRORS}, parameters=_PARAMETERS.get(path, ()))
    async def handle(request: Request) -> Response:
        feed = await build(Opds(request))
        known = await _covers(request, [entry.cover_id for entry in feed.entries if entry.cover_id])
        return _json_document(request, json_feed(feed, _links(request, ROOT_V2), known), FEED)

    return handle


def _publication(media_type: str) -> Handler:
    @operation(
        "A chapter with its pages", {200: Returns("As JSON.", {media_type: None}), **_ERRORS}, parameters=(_NUMBER,)
    )
    async def handle(request: Request) -> Response:
        entry = await Opds(request).publication()
        known = await _covers(request, [entry.cover_id] if entry.cover_id else [])
        return _json_document(
            request, json_publication(entry, _links(request, ROOT_V2), known, media_type), media_type
        )

    return handle


@operation("How to search", {200: Returns("As OpenSearch 1.1.", {SEARCH_DESCRIPTION: None})})
async def _search_description(request: Request) -> Response:
    return _document(request, search_description(_links(request, ROOT)).encode(), SEARCH_DESCRIPTION)


@operation("How to log in", {200: Returns("As JSON.", {AUTHENTICATION: None})})
async def _authentication(request: Request) -> Response:
    base_url = request.app.state.services.access.base_url(request.scope)
    return _document(request, authentication_document(base_url), AUTHENTICATION)


def authentication_document(base_url: str) -> bytes:
    """How to log in, for a 401 (Authentication for OPDS 1.0)."""
    return msgspec.json.encode(how_to_authenticate(Links(base_url, ROOT_V2)))


async def _covers(request: Request, album_ids: list[str]) -> dict[str, ImageInfo]:
    """What is known of these covers; nothing is fetched for it."""
    services: Services = request.app.state.services
    infos = await services.covers.infos(album_ids)
    return {id: info for id, info in zip(album_ids, infos, strict=True) if info is not None}


def _links(request: Request, root: str) -> Links:
    return Links(request.app.state.services.access.base_url(request.scope), root)


def _json_document(request: Request, document: Json, media_type: str) -> Response:
    return _document(request, msgspec.json.encode(document), media_type)


def _document(request: Request, body: bytes, media_type: str) -> Response:
    """A document with its ETag; it is for its reader alone, since it says what they have read and downloaded."""
    etag = quote_etag(hashlib.sha256(body).hexdigest()[:32])
    headers = {"ETag": etag, "Cache-Control": "private, no-store", "Content-Type": media_type}
    if is_not_modified(request.headers.raw, etag):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers)


def _with_slash(handler: Handler) -> Handler:
    """The same at the address with a slash behind it, which some readers add: a redirect would lose them."""

    async def handle(request: Request) -> Response:
        return await handler(request)

    return handle


_ATOM = {feed: _atom(feed, title, build) for feed, (title, build) in FEEDS.items()}
_JSON = {feed: _json(feed, title, build) for feed, (title, build) in FEEDS.items()}

routes = [
    *(Route(ROOT_V2 + feed, handler) for feed, handler in _JSON.items()),
    Route(ROOT_V2 + "/", _with_slash(_JSON[""])),
    Route(ROOT_V2 + "/publications/{id}", _publication(PUBLICATION)),
    Route(ROOT_V2 + "/publications/{id}/manifest.json", _publication(DIVINA)),
    Route(ROOT_V2 + "/auth", _authentication),
    *(Route(ROOT + feed, handler) for feed, handler in _ATOM.items()),
    Route(ROOT + "/", _with_slash(_ATOM[""])),
    Route(ROOT + "/search.xml", _search_description),
    Route(ROOT + "/covers/{id}", cover),
    Route(ROOT + "/pages/{chapter_id}/{number}", page),
]

GROUP = Group("OPDS · 阅读器", "The catalogue for reading apps.", routes, Problem)
