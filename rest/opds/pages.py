"""Covers and pages for reading apps: JPEG, whatever the site sent, since many of them read nothing else."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from rest.images import (
    COVER_CACHE_CONTROL,
    IF_NONE_MATCH,
    IMAGE_HEADERS,
    LAST_INDEX,
    PAGE_CACHE_CONTROL,
    check_not_blocked,
    check_pages_not_blocked,
    image_response,
)
from rest.operations import SAMPLE_ALBUM, AlbumNumber, Parameter, Returns, operation, path
from rest.parameters import parse_whole_number
from services.catalog import parse_album_id
from services.container import Services

NARROWEST, WIDEST = 16, 8192
"""Pixels. A wider request gets the page as wide as that, and no page is made wider than it is."""


_RESPONSES: dict[int, Returns | str] = {
    200: Returns("The picture.", {"image/jpeg": None}, IMAGE_HEADERS),
    304: Returns("You have it.", headers=IMAGE_HEADERS),
    400: "Not a number.",
    404: "There is none.",
    502: "The site sent no image.",
    504: "The site gave no answer.",
}


@operation(
    "A cover as JPEG",
    _RESPONSES,
    parameters=(
        path("id", "Number of the album.", AlbumNumber, SAMPLE_ALBUM),
        Parameter("size", "thumbnail is 300 pixels wide.", str, "thumbnail"),
        IF_NONE_MATCH,
    ),
)
async def cover(request: Request) -> Response:
    """A cover, whole or 300 pixels wide."""
    services: Services = request.app.state.services
    id = parse_album_id(request.path_params["id"])
    is_thumbnail = request.query_params.get("size") == "thumbnail"
    covers = services.covers
    await check_not_blocked(request, id)
    image = await (covers.thumbnail(id, "image/jpeg") if is_thumbnail else covers.as_jpeg(id))
    if image is None:
        raise HTTPException(404, f"Album not found: id={id}")
    return image_response(request, image, COVER_CACHE_CONTROL)


@operation(
    "A page as JPEG",
    _RESPONSES,
    parameters=(
        path("chapter_id", "Number of the chapter.", AlbumNumber, SAMPLE_ALBUM),
        path("number", "From 0.", Annotated[int, Meta(ge=0, lt=LAST_INDEX)], 0),
        Parameter("width", "Pixels at most; as it is without one.", str, "1072"),
        IF_NONE_MATCH,
    ),
)
async def page(request: Request) -> Response:
    """A page, counted from 0, at most `width` pixels wide. It moves the reader's progress."""
    services: Services = request.app.state.services
    chapter_id = parse_album_id(request.path_params["chapter_id"])
    number = parse_whole_number(request.path_params["number"])
    if number is None or not 0 <= number < LAST_INDEX:
        raise HTTPException(400, f"A page is a number from 0 to {LAST_INDEX - 1}.")
    await check_pages_not_blocked(request, chapter_id)
    image = await services.pages.as_jpeg(chapter_id, number + 1, _width(request))
    if image is None:
        raise HTTPException(404, f"Page not found: {chapter_id}/{number}")
    viewer = services.access.viewer(services.access.caller(request.scope))
    if viewer is not None and request.method == "GET":
        services.streamed.note(viewer.user.id, chapter_id, number + 1)
    return image_response(request, image, PAGE_CACHE_CONTROL)


def _width(request: Request) -> int | None:
    """The width asked for; None for the page as it is, also where a reader left the template's variable in place."""
    text = request.query_params.get("width", "")
    width = parse_whole_number(text)
    if width is None or width <= 0:
        return None
    return min(max(width, NARROWEST), WIDEST)
