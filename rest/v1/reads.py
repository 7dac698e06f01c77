"""The reads of the legacy JMComic server API: shapes, key names and value types as old clients know them."""

from __future__ import annotations

import re
import time

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from rest.answers import json_response, stale_headers
from rest.images import CONDITIONAL, IMAGE_NOTES, image_response
from rest.middleware.response_cache import LONGEST_S, keep, keep_for
from rest.numbers import finite_number, whole_number
from rest.operations import Address, Operation, Parameter, Section
from rest.rooms import routes_of
from rest.schemas import BYTES, TEXT
from rest.v1 import schemas
from rest.v1.errors import APP, VERSION, album_not_found, detail, response_of
from services.catalog import (
    Catalog,
    CommentPageRecord,
    CommentRecord,
    Period,
    RankingQuery,
    SearchQuery,
    parse_album_id,
)
from services.errors import BlockedByPolicy, InvalidInput
from services.observability import open_usage

MOST_PAGES = 100
_NUMBER = re.compile(r"\s*[0-9]{1,12}\s*")
_PERIODS = {"month": Period.MONTH, "week": Period.WEEK, "day": Period.DAY}


def _catalog(request: Request) -> Catalog:
    catalog: Catalog = request.app.state.services.catalog
    return catalog


def _album_id(request: Request) -> str | None:
    try:
        return parse_album_id(request.path_params["aid"])
    except InvalidInput:
        return None


async def health(_: Request) -> Response:
    """The old server's health."""
    return Response(_HEALTH, media_type="application/json")


_HEALTH = b'{"status":"ok","app":"%b","version":"%b"}' % (APP.encode(), VERSION.encode())


async def clock(request: Request) -> Response:
    """How long the request was under way, by the client's own clock."""
    sent_ms = finite_number(request.path_params["timestamp"])
    if sent_ms is None:
        return detail(422, "timestamp must be a number: milliseconds since 1970")
    latency_ms = round(time.time() * 1000 - sent_ms)
    body = b'{"status":"ok","app":"%b","latency":"%d","version":"%b"}' % (APP.encode(), latency_ms, VERSION.encode())
    return Response(body, media_type="application/json")


async def rank(request: Request) -> Response:
    """The first page of a ranking."""
    period = _PERIODS.get(request.path_params["time"], Period.ALL)
    with open_usage() as usage:
        page = await _catalog(request).ranking(RankingQuery(period=period))
    body = [{"aid": line.album.id, "title": line.album.title} for line in page.entries]
    return keep(request, json_response(body, headers=stale_headers(usage)), usage)


async def search(request: Request) -> Response:
    """A page of a search; every word must be contained, but a number leads to its album."""
    tag, number = request.path_params["tag"], whole_number(request.path_params["num"])
    if number is None or not 1 <= number <= MOST_PAGES:
        return detail(400, f"num must be between 1 and {MOST_PAGES}")
    text = tag if _NUMBER.fullmatch(tag) else f"+{tag}"
    with open_usage() as usage:
        page = await _catalog(request).search(SearchQuery(text, number))
    body = [{"album_id": album.id, "title": album.title} for album in page.items]
    return keep(request, json_response(body, headers=stale_headers(usage)), usage)


async def info(request: Request) -> Response:
    """What the old clients show of an album."""
    aid = request.path_params["aid"]
    id = _album_id(request)
    with open_usage() as usage:
        album = await _catalog(request).find_album(id) if id else None
    if album is None:
        return album_not_found(aid)
    body = {
        "status": "success",
        "tag": list(album.tags),
        "view_count": str(album.view_count),
        "like_count": str(album.like_count),
        "page_count": str(album.page_count),
        "method": album.source.lower(),
    }
    return keep(request, json_response(body, headers=stale_headers(usage)), usage)


async def cover(request: Request) -> Response:
    """The cover as JPEG, whatever the site sent."""
    aid = request.path_params["aid"]
    id = _album_id(request)
    if id is None:
        is_number = aid.isascii() and aid.isdigit()
        return album_not_found(aid) if is_number else detail(400, "aid must be an album number")
    try:
        image = await request.app.state.services.covers.as_jpeg(id)
    except BlockedByPolicy:
        image = None
    if image is None:
        return album_not_found(aid)
    headers = {"Content-Disposition": 'inline; filename="cover.jpg"'}
    return keep_for(request, image_response(request, image, "public, max-age=3600", headers), LONGEST_S)


async def comments(request: Request) -> Response:
    """A page of comments, read by the API method."""
    number = whole_number(request.query_params.get("page", "1"))
    if number is None or number < 1:
        return detail(400, "page must be >= 1")
    id = _album_id(request)
    with open_usage() as usage:
        album = await _catalog(request).find_album(id) if id else None
        if id is None or album is None:
            return album_not_found(request.path_params["aid"])
        page = await _catalog(request).comments(id, number)
    return Response(_dumped(page, id), headers=stale_headers(usage), media_type="application/json")


def _dumped(page: CommentPageRecord, aid: str) -> bytes:
    return orjson.dumps(
        {
            "aid": aid,
            "page": page.page,
            "page_size": page.page_size,
            "total": page.total,
            "page_count": page.page_count,
            "comment_count": page.comment_count,
            "comments": [_comment(comment) for comment in page.items],
        }
    )


def _comment(comment: CommentRecord) -> dict[str, object]:
    return {
        "comment_id": comment.id,
        "album_id": comment.album_id,
        "user_id": comment.user_id,
        "parent_comment_id": comment.parent_id,
        "content": comment.text,
        "username": comment.username,
        "nickname": comment.nickname,
        "is_spoiler": comment.is_spoiler,
        "created_at": comment.posted_at,
        "likes": comment.likes,
        "replies": [_comment(reply) for reply in comment.replies],
    }


_FAILURES = {
    404: "No such album, or one that this host withholds.",
    502: "The site sent nonsense.",
    504: "The site gave no answer.",
}
_ABOUT_AID = {"aid": schemas.AID}

ADDRESSES = (
    Address(
        "/v1/health",
        {"GET": Operation(health, "Whether the server is there", {200: "It is."}, gives=schemas.HEALTH)},
    ),
    Address(
        "/v1/rank/{time}",
        {
            "GET": Operation(
                rank,
                "First page of a ranking",
                {200: "The albums, at most 80.", **_FAILURES},
                gives=schemas.RANKING,
            )
        },
        {"time": Parameter("month, week or day; anything else is the all-time list.", TEXT, "week")},
    ),
    Address(
        "/v1/search/{tag:remainder}/{num}",
        {
            "GET": Operation(
                search,
                "Keyword search",
                {200: "The albums.", 400: "num is not 1 to 100, or the text can't be searched for.", **_FAILURES},
                gives=schemas.FOUND,
            )
        },
        {
            "tag": Parameter(
                "What must be contained; a number leads to that album.",
                {"type": "string", "maxLength": 199, "pattern": r"^[^\u0000-\u001f\u007f-\u009f]*$"},
                "雨林",
            ),
            "num": Parameter("Page.", {"type": "integer", "minimum": 1, "maximum": MOST_PAGES}, 1),
        },
    ),
    Address(
        "/v1/info/{aid}",
        {"GET": Operation(info, "An album", {200: "The album.", **_FAILURES}, gives=schemas.ALBUM_INFO)},
        _ABOUT_AID,
    ),
    Address(
        "/v1/get/cover/{aid:unended}",
        {
            "GET": Operation(
                cover,
                "An album's cover as JPEG",
                {200: "The picture.", 304: "You have it.", 400: "No album number.", **_FAILURES},
                headers=CONDITIONAL,
                gives={"image/jpeg": BYTES},
                notes=IMAGE_NOTES,
            )
        },
        _ABOUT_AID,
    ),
    Address(
        "/v1/comments/{aid}",
        {
            "GET": Operation(
                comments,
                "A page of an album's comments",
                {200: "The comments.", 400: "page is less than 1, or more than the site can have.", **_FAILURES},
                {"page": Parameter("1-based.", {"type": "integer", "minimum": 1, "maximum": 10000}, 1)},
                gives=schemas.COMMENTS,
            )
        },
        _ABOUT_AID,
    ),
)

CLOCK = Address(
    "/v1/{timestamp}",
    {
        "GET": Operation(
            clock,
            "How long the request took to arrive",
            {200: "The latency in whole milliseconds.", 422: "Not a number."},
            gives=schemas.CLOCK,
        )
    },
    {"timestamp": Parameter("Milliseconds since 1970, by the client's clock.", {"type": "number"}, 1780000000000)},
)
"""Last of all addresses below /v1: it would answer for each of one part."""

SECTION = Section("Legacy reads · 旧版读取", "The old JMComic server API.", (*ADDRESSES, CLOCK), schemas.DETAIL)


routes = routes_of(ADDRESSES, detail, response_of)
last_routes: list[BaseRoute] = [
    *routes_of([CLOCK, Address("/v1/", {}), Address("/v1/{nothing:unended}", {})], detail, response_of),
]
"""The clock, and what answers below /v1 where there is nothing."""
