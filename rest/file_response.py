"""Sends finished archives: ranges, validators, exact lengths; a file that is being sent does not expire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from rest.answers import is_known
from rest.operations import Parameter
from rest.ranges import Part, Unsatisfiable, part_of
from services.container import Services
from services.downloads import DownloadFile
from services.errors import AlbumNotFound, BlockedByPolicy, UpstreamFailure

Refusal = Callable[[int, str, Mapping[str, str]], Response]

FILE_HEADERS = {
    "Range": Parameter("One range of bytes."),
    "If-Range": Parameter("The ETag you have: the whole file when it is another by now."),
    "If-None-Match": Parameter("The ETag you have: 304 when it is still that."),
}
FILE_ANSWERS = {
    200: "The file.",
    206: "The part asked for.",
    304: "You have it.",
    404: "There is none, or its time is over.",
    416: "The range lies outside the file.",
    503: "Redis is away.",
}
FILE_NOTES = {
    "ETag": "SHA-256 of the file.",
    "Accept-Ranges": "bytes",
    "Content-Disposition": "Its name.",
    "Cache-Control": "private: it goes some day.",
}

MEDIA_TYPES = {"zip": "application/zip", "cbz": "application/vnd.comicbook+zip", "pdf": "application/pdf"}


class SentFile:
    """An answer that is a finished archive; `refusal` makes the error bodies of its room."""

    def __init__(self, services: Services, download_id: str, name: str, refusal: Refusal) -> None:
        self._services = services
        self._download_id = download_id
        self._name = name
        self._refusal = refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Look, open, then answer: what is gone by then is a clean 404."""
        request = Request(scope, receive)
        async with self._services.downloads.hold_file(self._download_id, self._name) as file:
            if file is None or await self._is_withheld():
                await self._refusal(404, "The file does not exist or has expired.", {})(scope, receive, send)
                return
            await self._send(request, file, send)

    async def _is_withheld(self) -> bool:
        """Whether the policy forbids the album by now; one whose site can't be asked was judged at its start."""
        download = await self._services.downloads.find(self._download_id)
        if download is None:
            return False
        try:
            await self._services.catalog.check_album(download.album_id)
        except BlockedByPolicy:
            return True
        except (AlbumNotFound, UpstreamFailure):
            return False
        return False

    async def _send(self, request: Request, file: DownloadFile, send: Send) -> None:
        headers = _headers(file)
        if is_known(request, headers["ETag"]):
            await Response(status_code=304, headers=headers)(request.scope, request.receive, send)
            return
        try:
            part = _part(request, file, headers["ETag"])
        except Unsatisfiable:
            refused = {"Content-Range": f"bytes */{file.size_bytes}", "Accept-Ranges": "bytes"}
            await self._refusal(416, "The range lies outside the file.", refused)(
                request.scope, request.receive, send
            )
            return
        whole = Part(0, file.size_bytes)
        found = await self._services.archives.open_range(file.key, *_bounds(part or whole))
        if found is None:
            await self._refusal(404, "The file does not exist or has expired.", {})(
                request.scope, request.receive, send
            )
            return
        await _stream(request, found.chunks, part, file.size_bytes, headers, send)


def _bounds(part: Part) -> tuple[int, int | None]:
    return (part.start, part.end) if part.end > part.start else (0, None)


def _headers(file: DownloadFile) -> dict[str, str]:
    ending = file.name.rpartition(".")[2]
    plain = "".join(
        letter if letter.isascii() and letter.isprintable() and letter not in '"\\%' else "_" for letter in file.name
    )
    return {
        "ETag": f'"{file.sha256}"',
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "Content-Type": MEDIA_TYPES.get(ending, "application/octet-stream"),
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file.name, safe='')}",
        "X-Content-Type-Options": "nosniff",
    }


def _part(request: Request, file: DownloadFile, etag: str) -> Part | None:
    is_other = request.headers.get("if-range", etag).strip() != etag
    if is_other or request.method != "GET":  # a range means nothing to HEAD (RFC 9110, 14.2)
        return None
    return part_of(request.headers.get("range"), file.size_bytes)


async def _stream(
    request: Request,
    chunks: AsyncIterator[bytes],
    part: Part | None,
    size_bytes: int,
    headers: Mapping[str, str],
    send: Send,
) -> None:
    length = part.end - part.start if part else size_bytes
    described = {**headers, "Content-Length": str(length)}
    if part:
        described["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{size_bytes}"
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in described.items()]
    await send({"type": "http.response.start", "status": 206 if part else 200, "headers": raw})
    if request.method == "HEAD":
        await send({"type": "http.response.body", "body": b""})
        return
    leaving = asyncio.ensure_future(gone(request.receive))
    try:
        async for chunk in chunks:
            if leaving.done():
                return
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        leaving.cancel()


async def gone(receive: Receive) -> None:
    """Until the receiver has left: servers swallow what is sent to nobody."""
    while (await receive())["type"] != "http.disconnect":
        pass
