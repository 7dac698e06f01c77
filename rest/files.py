"""`/downloads/{id}/{file_name}`: the finished archive."""

from __future__ import annotations

from starlette.requests import Request

from rest.answers import refusal, response_of
from rest.file_response import FILE_ANSWERS, FILE_HEADERS, FILE_NOTES, MEDIA_TYPES, SentFile
from rest.operations import Address, Operation, Parameter, Section
from rest.rooms import routes_of
from rest.schemas import BYTES, PROBLEM, TEXT


async def file(request: Request) -> SentFile:
    """The archive of a download while it lives."""
    params = request.path_params
    return SentFile(request.app.state.services, params["id"], params["name"], refusal)


ADDRESSES = (
    Address(
        "/downloads/{id}/{name}",
        {
            "GET": Operation(
                file,
                "A finished archive",
                FILE_ANSWERS,
                headers=FILE_HEADERS,
                gives=dict.fromkeys(MEDIA_TYPES.values(), BYTES),
                notes=FILE_NOTES,
            )
        },
        {
            "id": Parameter("The download.", TEXT),
            "name": Parameter("Name of its file, with the ending.", TEXT),
        },
    ),
)

SECTION = Section("Files · 文件", "Finished archives, for as long as they live.", ADDRESSES, PROBLEM)

routes = routes_of(ADDRESSES, refusal, response_of)
