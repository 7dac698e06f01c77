"""Covers and readable pages, cached on disk by the services; here they get their HTTP."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from resolvers.headers import qualities
from rest.answers import error_response, is_known, refusal, response_of
from rest.middleware.response_cache import LONGEST_S, keep_for
from rest.numbers import whole_number
from rest.operations import Address, Operation, Parameter, Section
from rest.rooms import routes_of
from rest.schemas import ALBUM, BYTES, PROBLEM, SAMPLE_ALBUM
from services.catalog import StoredImage, parse_album_id

COVER_CACHE = "public, max-age=86400"
"""The site changes a cover now and then."""

PAGE_CACHE = "public, max-age=31536000, immutable"
"""A page never changes."""


LAST_INDEX = 999_999
"""More than any chapter has pages."""


async def cover(request: Request) -> Response:
    """The cover of an album, full or 300 pixels wide."""
    id = parse_album_id(request.path_params["album_id"], "album_id")
    size = request.query_params.get("size", "full").lower()
    if size not in ("full", "thumbnail"):
        return error_response(400, "INVALID_INPUT", "size is full or thumbnail.")
    covers = request.app.state.services.covers
    if size == "full":
        image, vary = await covers.find(id), {}
    else:
        image, vary = await covers.thumbnail(id, _thumbnail_type(request)), {"Vary": "Accept"}
    if image is None:
        return error_response(404, "NOT_FOUND", f"Album not found: id={id}")
    return keep_for(request, image_response(request, image, COVER_CACHE, vary), LONGEST_S)


def _thumbnail_type(request: Request) -> str:
    """WebP for who takes it, by name or as any image; JPEG for the rest."""
    wanted = qualities(request.headers.get("accept", "*/*"))
    webp = wanted.get("image/webp", wanted.get("image/*", wanted.get("*/*", 0.0)))
    return "image/webp" if webp > 0 and webp >= wanted.get("image/jpeg", 0.0) else "image/jpeg"


async def page(request: Request) -> Response:
    """A readable page of a chapter."""
    chapter_id = parse_album_id(request.path_params["chapter_id"], "chapter_id")
    index = whole_number(request.path_params["index"])
    if index is None or not 1 <= index <= LAST_INDEX:
        return error_response(400, "INVALID_INPUT", f"index is a number from 1 to {LAST_INDEX}.")
    image = await request.app.state.services.pages.find(chapter_id, index)
    if image is None:
        return error_response(404, "NOT_FOUND", f"Page not found: {chapter_id}/{index}")
    return image_response(request, image, PAGE_CACHE, {})


def image_response(request: Request, image: StoredImage, cache_control: str, headers: Mapping[str, str]) -> Response:
    """An image with its validator; 304 when the client has it."""
    etag = f'"{image.etag}"'
    described = {
        "ETag": etag,
        "Cache-Control": cache_control,
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "cross-origin",
        **headers,
    }
    if is_known(request, etag):
        return Response(status_code=304, headers=described)
    body = b"" if request.method == "HEAD" else image.data
    response = Response(body, headers=described, media_type=image.media_type)
    response.headers["Content-Length"] = str(image.size_bytes)
    return response


CONDITIONAL = {"If-None-Match": Parameter("The ETag you have: 304 when it is still that.")}
IMAGE_NOTES = {"ETag": "Digest of the picture.", "Cache-Control": "For how long to keep it."}
_ANSWERS = {
    200: "The picture.",
    304: "You have it.",
    400: "No number, or a size that there is not.",
    404: "There is none.",
    502: "The site sent no image.",
    504: "The site gave no answer.",
}
_PICTURES = dict.fromkeys(("image/webp", "image/jpeg", "image/png", "image/gif"), BYTES)

ADDRESSES = (
    Address(
        "/images/covers/{album_id}",
        {
            "GET": Operation(
                cover,
                "The cover of an album",
                _ANSWERS,
                {
                    "size": Parameter(
                        "thumbnail is 300 pixels wide, WebP or JPEG by Accept.",
                        {"type": "string", "enum": ["full", "thumbnail"]},
                        "thumbnail",
                    )
                },
                CONDITIONAL,
                gives=_PICTURES,
                notes=IMAGE_NOTES,
            )
        },
        {"album_id": Parameter("Number of the album.", ALBUM, SAMPLE_ALBUM)},
    ),
    Address(
        "/images/pages/{chapter_id}/{index}",
        {
            "GET": Operation(
                page,
                "A readable page of a chapter",
                _ANSWERS,
                headers=CONDITIONAL,
                gives=_PICTURES,
                notes=IMAGE_NOTES,
            )
        },
        {
            "chapter_id": Parameter("Number of the chapter.", ALBUM, SAMPLE_ALBUM),
            "index": Parameter("1-based.", {"type": "integer", "minimum": 1, "maximum": LAST_INDEX}, 1),
        },
    ),
)

SECTION = Section("Images · 图片", "Covers and readable pages.", ADDRESSES, PROBLEM)

routes = routes_of(ADDRESSES, refusal, response_of)
