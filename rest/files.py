"""Finished archives: `/downloads/{id}/{name}`, and the response that both APIs send them with.

A file that is being sent does not expire.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from rest.operations import Group, Returns, header, operation, path
from rest.responses import Problem
from services.container import Services
from services.downloads import LIBRARY, DownloadFileRecord, Downloads
from services.errors import AlbumNotFound, BlockedByPolicy, UpstreamFailure
from services.http_semantics import (
    ByteRange,
    RangeNotSatisfiable,
    is_not_modified,
    quote_etag,
    requested_range,
)

MEDIA_TYPES = {"zip": "application/zip", "cbz": "application/vnd.comicbook+zip", "pdf": "application/pdf"}

FILE_PARAMETERS = (
    header("Range", "One range of bytes."),
    header("If-Range", "The ETag you have: the whole file when it is another by now."),
    header("If-None-Match", "The ETag you have: 304 when it is still that."),
)
FILE_HEADERS = {
    "ETag": "SHA-256 of the file.",
    "Accept-Ranges": "bytes",
    "Content-Disposition": "Its name.",
    "Cache-Control": "private: it expires.",
}


def file_responses(*media_types: str) -> dict[int, Returns | str]:
    """What the OpenAPI document says of an archive of one of these types."""
    body = dict.fromkeys(media_types)
    return {
        200: Returns("The file.", body, FILE_HEADERS),
        206: Returns("The range asked for.", body, FILE_HEADERS),
        304: Returns("You have it.", headers=FILE_HEADERS),
        404: "There is none, or it has expired.",
        416: "The range lies outside the file.",
        503: "Redis is unavailable.",
    }


@operation(
    "A finished archive",
    file_responses(*MEDIA_TYPES.values()),
    parameters=(
        path("id", "The download."),
        path("name", "Name of its file, with the ending."),
        *FILE_PARAMETERS,
    ),
)
async def file(request: Request) -> ArchiveResponse:
    """The archive of a download until it expires."""
    parameters = request.path_params
    services: Services = request.app.state.services
    return ArchiveResponse(services, visible_downloads(request), parameters["id"], parameters["name"])


def visible_downloads(request: Request) -> Downloads:
    """The downloads that the sender of this request sees."""
    services: Services = request.app.state.services
    return services.downloads.owned(services.access.ownership(services.access.caller(request.scope)))


class ArchiveResponse(Response):
    """Sends a finished archive: ranges, validators, exact lengths.

    The file is looked up when the response is sent; raises `HTTPException` 404 when it is gone by then, or withheld
    by the policy, and 416 for a range outside of it.
    """

    def __init__(self, services: Services, downloads: Downloads, download_id: str, name: str) -> None:
        self._services = services
        self._downloads = downloads
        self._download_id = download_id
        self._name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Open the file, then answer."""
        async with self._downloads.lock_file(self._download_id, self._name) as file:
            if file is None or await self._is_withheld():
                raise _not_found()
            await self._send(Request(scope, receive), file, send)

    async def _is_withheld(self) -> bool:
        """Whether the policy forbids the album by now; if the site can't be read, the check at its start stands."""
        download = await self._downloads.find(self._download_id)
        if download is None:
            return False
        try:
            await self._services.catalog.check_album(download.album_id)
        except BlockedByPolicy:
            return True
        except (AlbumNotFound, UpstreamFailure):
            return False
        return False

    async def _send(self, request: Request, file: DownloadFileRecord, send: Send) -> None:
        file = await self._as_it_is_now(file)
        headers = _headers(file)
        if is_not_modified(request.headers.raw, headers["ETag"]):
            await Response(status_code=304, headers=headers)(request.scope, request.receive, send)
            return
        part = _requested_part(request, file, headers["ETag"])
        opened = await self._services.archives.open_range(file.key, *_bounds(part, file.size_bytes))
        if opened is None:
            raise _not_found()
        if part:
            headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{file.size_bytes}"
        headers["Content-Length"] = str(part.end - part.start if part else file.size_bytes)
        raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": 206 if part else 200, "headers": raw})
        await _send_body(request, opened.chunks, send)

    async def _as_it_is_now(self, file: DownloadFileRecord) -> DownloadFileRecord:
        """The file with its present size: programs that tag comics change kept ones."""
        if not file.key.startswith(LIBRARY):
            return file
        stored = await self._services.archives.stat(file.key)
        if stored is None:
            raise _not_found()
        if stored.size_bytes == file.size_bytes:
            return file
        etag = f"{file.sha256}-{stored.size_bytes}-{stored.modified_at.timestamp():.0f}"
        return replace(file, size_bytes=stored.size_bytes, sha256=etag)


def _not_found() -> HTTPException:
    return HTTPException(404, "The file does not exist or has expired.")


def _requested_part(request: Request, file: DownloadFileRecord, etag: str) -> ByteRange | None:
    if request.method != "GET":  # ranges are defined for GET alone (RFC 9110, 14.2)
        return None
    try:
        return requested_range(request.headers.raw, etag, file.size_bytes)
    except RangeNotSatisfiable:
        headers = {"Content-Range": f"bytes */{file.size_bytes}", "Accept-Ranges": "bytes"}
        raise HTTPException(416, "The range lies outside the file.", headers) from None


def _bounds(part: ByteRange | None, size_bytes: int) -> tuple[int, int | None]:
    if part is not None:
        return part.start, part.end
    return (0, size_bytes) if size_bytes else (0, None)


def _headers(file: DownloadFileRecord) -> dict[str, str]:
    ending = file.name.rpartition(".")[2]
    ascii_name = "".join(
        letter if letter.isascii() and letter.isprintable() and letter not in '"\\%' else "_" for letter in file.name
    )
    encoded_name = quote(file.name, safe="")
    return {
        "ETag": quote_etag(file.sha256),
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "Content-Type": MEDIA_TYPES.get(ending, "application/octet-stream"),
        "Content-Disposition": f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{encoded_name}",
        "X-Content-Type-Options": "nosniff",
    }


async def _send_body(request: Request, chunks: AsyncIterator[bytes], send: Send) -> None:
    if request.method == "HEAD":
        await send({"type": "http.response.body", "body": b""})
        return
    disconnected = asyncio.ensure_future(wait_for_disconnect(request.receive))
    try:
        async for chunk in chunks:
            if disconnected.done():
                return
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        disconnected.cancel()


async def wait_for_disconnect(receive: Receive) -> None:
    """Return when the client has disconnected; servers discard what is sent after that without an error."""
    while (await receive())["type"] != "http.disconnect":
        pass


routes = [Route("/downloads/{id}/{name}", file)]

GROUP = Group("Files · 文件", "Finished archives, until they expire.", routes, Problem)
