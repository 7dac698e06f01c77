"""The reads of the legacy JMComic server API."""

from __future__ import annotations

import time
from typing import Annotated

from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rest.images import IF_NONE_MATCH, IMAGE_HEADERS, catalog_of, check_not_blocked, image_response
from rest.operations import Group, Parameter, Returns, operation, path, returns_json
from rest.parameters import parse_finite_number, parse_whole_number
from rest.responses import cache_headers, json_response
from rest.v1.errors import album_not_found, detail_response
from rest.v1.schemas import (
    ALBUM_ID,
    APP,
    VERSION,
    AlbumInfo,
    Clock,
    CommentBody,
    CommentsBody,
    Detail,
    FoundAlbum,
    Health,
    RankedAlbum,
    SearchText,
)
from services.catalog import CommentRecord, Period, RankingQuery, SearchQuery, number_of, parse_album_id
from services.errors import BlockedByPolicy, InvalidInput
from services.observability import open_stats

MAX_SEARCH_PAGE = 100
COVER_CACHE_CONTROL = "public, max-age=3600"

_PERIODS = {"month": Period.MONTH, "week": Period.WEEK, "day": Period.DAY}
_HEALTH = Health(status="ok", app=APP, version=VERSION)

_UPSTREAM_ERRORS = {
    404: "No such album, or one that this host withholds.",
    502: "The site sent an unreadable answer.",
    504: "The site gave no answer.",
}


def _album_id(request: Request) -> str | None:
    try:
        return parse_album_id(request.path_params["aid"])
    except InvalidInput:
        return None


@operation("Whether the server runs", {200: returns_json("It does.", Health)})
async def health(_: Request) -> Response:
    """The server runs."""
    return json_response(_HEALTH)


@operation(
    "First page of a ranking",
    {200: returns_json("The albums, at most 80.", list[RankedAlbum]), **_UPSTREAM_ERRORS},
    parameters=(path("time", "month, week or day; anything else is the all-time list.", str, "week"),),
)
async def rank(request: Request) -> Response:
    """The first page of a ranking."""
    period = _PERIODS.get(request.path_params["time"], Period.ALL)
    with open_stats() as stats:
        page = await catalog_of(request).ranking(RankingQuery(period=period))
    body = [RankedAlbum(aid=entry.album.id, title=entry.album.title) for entry in page.entries]
    return json_response(body, headers=cache_headers(stats))


@operation(
    "Keyword search",
    {
        200: returns_json("The albums.", list[FoundAlbum]),
        400: "num is not 1 to 100, or the text can't be searched for.",
        **_UPSTREAM_ERRORS,
    },
    parameters=(
        path("tag", "What must be contained; a number leads to that album.", SearchText, "雨林"),
        path("num", "Page.", Annotated[int, Meta(ge=1, le=MAX_SEARCH_PAGE)], 1),
    ),
)
async def search(request: Request) -> Response:
    """A page of a search; every word must be contained, but a number leads to its album."""
    tag, number = request.path_params["tag"], parse_whole_number(request.path_params["num"])
    if number is None or not 1 <= number <= MAX_SEARCH_PAGE:
        return detail_response(400, f"num must be between 1 and {MAX_SEARCH_PAGE}")
    text = number_of(tag) or f"+{tag}"
    with open_stats() as stats:
        page = await catalog_of(request).search(SearchQuery(text, number))
    body = [FoundAlbum(album_id=album.id, title=album.title) for album in page.items]
    return json_response(body, headers=cache_headers(stats))


@operation("An album", {200: returns_json("The album.", AlbumInfo), **_UPSTREAM_ERRORS}, parameters=(ALBUM_ID,))
async def info(request: Request) -> Response:
    """An album's tags and counts, and the method that read it."""
    aid, id = request.path_params["aid"], _album_id(request)
    with open_stats() as stats:
        album = await catalog_of(request).find_album(id) if id else None
    if album is None:
        return album_not_found(aid)
    body = AlbumInfo(
        status="success",
        tag=tuple(album.tags),
        view_count=str(album.view_count),
        like_count=str(album.like_count),
        page_count=str(album.page_count),
        method="html" if album.source.lower() == "html" else "api",
    )
    return json_response(body, headers=cache_headers(stats))


@operation(
    "An album's cover as JPEG",
    {
        200: Returns("The image.", {"image/jpeg": None}, IMAGE_HEADERS),
        304: Returns("You have it.", headers=IMAGE_HEADERS),
        400: "Not an album number.",
        **_UPSTREAM_ERRORS,
    },
    parameters=(ALBUM_ID, IF_NONE_MATCH),
)
async def cover(request: Request) -> Response:
    """The cover as JPEG, whatever the site sent."""
    aid, id = request.path_params["aid"], _album_id(request)
    if id is None:
        is_number = aid.isascii() and aid.isdigit()
        return album_not_found(aid) if is_number else detail_response(400, "aid must be an album number")
    try:
        await check_not_blocked(request, id)
        image = await request.app.state.services.covers.as_jpeg(id)
    except BlockedByPolicy:
        image = None
    if image is None:
        return album_not_found(aid)
    headers = {"Content-Disposition": 'inline; filename="cover.jpg"'}
    return image_response(request, image, COVER_CACHE_CONTROL, headers)


@operation(
    "A page of an album's comments",
    {
        200: returns_json("The comments.", CommentsBody),
        400: "page is less than 1, or more than the site can have.",
        **_UPSTREAM_ERRORS,
    },
    parameters=(ALBUM_ID, Parameter("page", "1-based.", Annotated[int, Meta(ge=1, le=10000)], 1)),
)
async def comments(request: Request) -> Response:
    """A page of comments, read by the API method."""
    number = parse_whole_number(request.query_params.get("page", "1"))
    if number is None or number < 1:
        return detail_response(400, "page must be >= 1")
    id = _album_id(request)
    with open_stats() as stats:
        album = await catalog_of(request).find_album(id) if id else None
        if id is None or album is None:
            return album_not_found(request.path_params["aid"])
        page = await catalog_of(request).comments(id, number)
    body = CommentsBody(
        aid=id,
        page=page.page,
        page_size=page.page_size,
        total=page.total,
        page_count=page.page_count,
        comment_count=page.comment_count,
        comments=[_comment_body(comment) for comment in page.items],
    )
    return json_response(body, headers=cache_headers(stats))


def _comment_body(comment: CommentRecord) -> CommentBody:
    return CommentBody(
        comment_id=comment.id,
        album_id=comment.album_id,
        user_id=comment.user_id,
        parent_comment_id=comment.parent_id,
        content=comment.text,
        username=comment.username,
        nickname=comment.nickname,
        is_spoiler=comment.is_spoiler,
        created_at=comment.posted_at,
        likes=comment.likes,
        replies=[_comment_body(reply) for reply in comment.replies],
    )


@operation(
    "How long the request took to arrive",
    {200: returns_json("The latency in whole milliseconds.", Clock), 422: "Not a number."},
    parameters=(path("timestamp", "Milliseconds since 1970, by the client's clock.", float, 1780000000000),),
)
async def clock(request: Request) -> Response:
    """How long the request took to arrive, by the client's own clock."""
    sent_ms = parse_finite_number(request.path_params["timestamp"])
    if sent_ms is None:
        return detail_response(422, "timestamp must be a number: milliseconds since 1970")
    latency_ms = round(time.time() * 1000 - sent_ms)
    return json_response(Clock(status="ok", app=APP, latency=str(latency_ms), version=VERSION))


routes = [
    Route("/v1/health", health),
    Route("/v1/rank/{time}", rank),
    Route("/v1/search/{tag:remainder}/{num}", search),
    Route("/v1/info/{aid:no_trailing_slash}", info),
    Route("/v1/get/cover/{aid:no_trailing_slash}", cover),
    Route("/v1/comments/{aid:no_trailing_slash}", comments),
]
clock_route = Route("/v1/{timestamp}", clock)
"""Comes after all other routes: it matches every path of one part."""

GROUP = Group("Legacy reads · 旧版读取", "The old JMComic server API.", [*routes, clock_route], Detail)
