"""Covers and readable pages; the services cache them on disk, here they get their headers."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Literal

from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rest.operations import SAMPLE_ALBUM, AlbumNumber, Group, Parameter, Returns, header, operation, path
from rest.parameters import parse_whole_number
from rest.responses import Problem, error_response
from services.catalog import Catalog, Pages, StoredImage, parse_album_id
from services.container import Services
from services.errors import AlbumNotFound, ChapterNotFound
from services.http_semantics import is_not_modified, quality_values, quote_etag

COVER_CACHE_CONTROL = "public, max-age=86400"
"""The site changes a cover now and then."""

PAGE_CACHE_CONTROL = "public, max-age=31536000, immutable"
"""A page never changes."""

THUMBNAIL_WIDTH_PX = 160
"""Of a page, for a strip of them: twice as wide as it is shown."""

LAST_INDEX = 999_999
"""More than any chapter has pages."""

IF_NONE_MATCH = header("If-None-Match", "The ETag you have: 304 when it is still that.")
IMAGE_HEADERS = {"ETag": "Digest of the image.", "Cache-Control": "For how long to keep it."}

_SIZES = ("full", "thumbnail")
_TYPES = ("image/webp", "image/jpeg", "image/png", "image/gif", "image/avif")
_IMAGE = Returns("The image.", dict.fromkeys(_TYPES), IMAGE_HEADERS)
_RESPONSES: dict[int, Returns | str] = {
    200: _IMAGE,
    304: Returns("You have it.", headers=IMAGE_HEADERS),
    400: "Not a number, or an unknown size.",
    404: "There is none.",
    502: "The site sent no image.",
    504: "The site gave no answer.",
}


@operation(
    "The cover of an album",
    _RESPONSES,
    parameters=(
        path("album_id", "Number of the album.", AlbumNumber, SAMPLE_ALBUM),
        Parameter(
            "size",
            "thumbnail is 300 pixels wide, WebP or JPEG by Accept.",
            Literal["full", "thumbnail"],
            "thumbnail",
        ),
        IF_NONE_MATCH,
    ),
)
async def cover(request: Request) -> Response:
    """The cover of an album, full or 300 pixels wide."""
    id = parse_album_id(request.path_params["album_id"], "album_id")
    size = request.query_params.get("size", "full").lower()
    if size not in _SIZES:
        return error_response(400, "INVALID_INPUT", "size is full or thumbnail.")
    await check_not_blocked(request, id)
    covers = request.app.state.services.covers
    if size == "full":
        image, vary = await covers.find(id), {}
    else:
        image, vary = await covers.thumbnail(id, _thumbnail_type(request)), {"Vary": "Accept"}
    if image is None:
        return error_response(404, "NOT_FOUND", f"Album not found: id={id}")
    return image_response(request, image, COVER_CACHE_CONTROL, vary)


def _thumbnail_type(request: Request) -> str:
    """WebP for clients that accept it, by name or as any image; JPEG for the rest."""
    qualities = quality_values(request.headers.get("accept", "*/*"))
    webp = qualities.get("image/webp", qualities.get("image/*", qualities.get("*/*", 0.0)))
    return "image/webp" if webp > 0 and webp >= qualities.get("image/jpeg", 0.0) else "image/jpeg"


@operation(
    "A readable page of a chapter",
    _RESPONSES,
    parameters=(
        path("chapter_id", "Number of the chapter.", AlbumNumber, SAMPLE_ALBUM),
        path("index", "1-based.", Annotated[int, Meta(ge=1, le=LAST_INDEX)], 1),
        Parameter(
            "size",
            f"thumbnail is JPEG, {THUMBNAIL_WIDTH_PX} pixels wide at most.",
            Literal["full", "thumbnail"],
            "thumbnail",
        ),
        IF_NONE_MATCH,
    ),
)
async def page(request: Request) -> Response:
    """A readable page of a chapter, full or 160 pixels wide."""
    chapter_id = parse_album_id(request.path_params["chapter_id"], "chapter_id")
    index = parse_whole_number(request.path_params["index"])
    if index is None or not 1 <= index <= LAST_INDEX:
        return error_response(400, "INVALID_INPUT", f"index is a number from 1 to {LAST_INDEX}.")
    size = request.query_params.get("size", "full").lower()
    if size not in _SIZES:
        return error_response(400, "INVALID_INPUT", "size is full or thumbnail.")
    await check_pages_not_blocked(request, chapter_id)
    pages: Pages = request.app.state.services.pages
    if size == "thumbnail":
        image = await pages.as_jpeg(chapter_id, index, THUMBNAIL_WIDTH_PX)
    else:
        image = await pages.find(chapter_id, index)
    if image is None:
        return error_response(404, "NOT_FOUND", f"Page not found: {chapter_id}/{index}")
    return image_response(request, image, PAGE_CACHE_CONTROL)


def catalog_of(request: Request) -> Catalog:
    """The catalog as the sender may see it, and wants to."""
    services: Services = request.app.state.services
    return services.catalog.blocking(services.access.blocked_tags(services.access.caller(request.scope)))


async def check_not_blocked(request: Request, album_id: str) -> None:
    """Return where the sender has no blocked tags, or the album none of them; raises `BlockedByPolicy`."""
    if (catalog := catalog_of(request)).is_personal:
        with suppress(AlbumNotFound):
            await catalog.check_album(album_id)


async def check_pages_not_blocked(request: Request, chapter_id: str) -> None:
    """As `check_not_blocked`, for the album of a chapter."""
    if (catalog := catalog_of(request)).is_personal:
        with suppress(ChapterNotFound):
            await catalog.get_chapter(chapter_id)


def image_response(
    request: Request, image: StoredImage, cache_control: str, headers: Mapping[str, str] | None = None
) -> Response:
    """An image with its ETag; 304 when the client has it."""
    etag = quote_etag(image.etag)
    described = {
        "ETag": etag,
        "Cache-Control": cache_control,
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "cross-origin",
        **(headers or {}),
    }
    if is_not_modified(request.headers.raw, etag):
        return Response(status_code=304, headers=described)
    body = b"" if request.method == "HEAD" else image.data
    response = Response(body, headers=described, media_type=image.media_type)
    response.headers["Content-Length"] = str(image.size_bytes)
    return response


routes = [
    Route("/images/covers/{album_id}", cover),
    Route("/images/pages/{chapter_id}/{index}", page),
]

GROUP = Group("Images · 图片", "Covers and readable pages.", routes, Problem)
