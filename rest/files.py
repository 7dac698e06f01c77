"""`/downloads/{id}/{file_name}`: the finished archive."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from rest.answers import error_response, response_of
from rest.operations import Address, Operation
from rest.rooms import routes_of
from rest.sending import MEDIA_TYPES, SentFile

_CODES = {404: "NOT_FOUND", 416: "INVALID_INPUT"}


def _refusal(status: int, words: str, headers: Mapping[str, str]) -> Response:
    return error_response(status, _CODES.get(status, "BAD_REQUEST"), words, headers=headers)


async def file(request: Request) -> SentFile:
    """The archive of a download while it lives."""
    params = request.path_params
    return SentFile(request.app.state.services, params["id"], params["name"], _refusal)


_HEADERS = {
    "Range": "One range of bytes.",
    "If-Range": "The ETag: the whole file when it is another by now.",
    "If-None-Match": "The ETag you have.",
}
_ANSWERS = {
    200: "The file.",
    206: "The part asked for.",
    304: "You have it.",
    404: "There is none, or its time is over.",
    416: "The range lies outside the file.",
    503: "Redis is away.",
}

ADDRESSES = (
    Address(
        "/downloads/{id}/{name}",
        {
            "GET": Operation(
                file, "A finished archive", _ANSWERS, headers=_HEADERS, produces=tuple(MEDIA_TYPES.values())
            )
        },
    ),
)

routes = routes_of(ADDRESSES, _refusal, response_of)
