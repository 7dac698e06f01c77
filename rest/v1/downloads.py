"""The downloads of the legacy API: started here, told by notice, fetched by name."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import aclosing
from typing import Any

import orjson
import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp

from rest.answers import json_response
from rest.file_response import FILE_ANSWERS, FILE_HEADERS, FILE_NOTES, MEDIA_TYPES, SentFile
from rest.numbers import finite_number
from rest.operations import Address, Operation, Parameter, Section
from rest.rooms import routes_of
from rest.schemas import BYTES, SAMPLE_ALBUM, TEXT
from rest.v1 import schemas
from rest.v1.clients import LONGEST_CLIENT_ID, is_client_id
from rest.v1.errors import detail, response_of
from services.catalog import parse_album_id
from services.container import Services
from services.downloads import ArchiveFormat, Download, DownloadRequest, DownloadState, is_safe_stem
from services.errors import AlbumNotFound, BlockedByPolicy, InvalidInput, JmgraphError, QueueUnavailable

log = structlog.get_logger("jmgraph.v1")

LARGEST_BODY_BYTES = 64 * 1024
LONGEST_WAIT_S = 60.0
WAIT_S = 25.0
"""What the oldest clients wait when they do not say."""
PATIENCE_S = 60.0
"""So long a start waits for Redis to come back."""
RETRY_S = 0.5

PROCESSING = {
    "status": "processing",
    "message": "下载任务已在后台启动，请通过 WebSocket 监听 'download_ready' 通知。",
}
_running: set[asyncio.Task[Any]] = set()
"""Starts under way; the event loop alone would forget them."""


async def start(request: Request) -> Response:
    """Start a download; whatever the site then says comes as a notice."""
    _require_write_access(request)
    client_id = await _client_id(request)
    if client_id is None:
        return detail(400, f"client_id must be a string of 1 to {LONGEST_CLIENT_ID} characters")
    _in_background(_start(request.app.state.services, request.path_params["album_id"], client_id))
    return json_response(PROCESSING, 202)


async def start_and_wait(request: Request) -> Response:
    """Start a download and wait for its end; when time is up, the answer of the POST."""
    _require_write_access(request)
    client_id = request.query_params.get("client_id")
    wait_s = wait_seconds(request)
    if not is_client_id(client_id) or wait_s is None:
        return detail(400, f"client_id must be a string of 1 to {LONGEST_CLIENT_ID} characters, wait 0 to 60")
    if request.method == "HEAD":  # who only looks starts nothing
        return json_response(PROCESSING, 202)
    services: Services = request.app.state.services
    ends_at = time.monotonic() + wait_s
    task = _in_background(_start(services, request.path_params["album_id"], str(client_id)))
    await asyncio.wait([task], timeout=wait_s)
    download = task.result() if task.done() else None
    ended = download and await _ended(services, download, ends_at - time.monotonic())
    if not ended or ended.state is not DownloadState.READY or ended.file is None:
        return json_response(PROCESSING, 202)
    name = ended.file.name.removesuffix(".zip")
    return json_response({"status": "success", "msg": "download_ready", "file_name": name})


async def file(request: Request) -> ASGIApp:
    """The zip of this name."""
    name = request.path_params["file_name"]
    if not is_safe_stem(name):
        return json_response({"status": "error", "msg": "Invalid file name."}, 400)
    services: Services = request.app.state.services
    download = await services.downloads.find_named(name, ArchiveFormat.ZIP)
    if download is None or download.file is None:
        return _refusal(404, "", {})
    return SentFile(services, download.id, download.file.name, _refusal)


def _refusal(status: int, words: str, headers: Mapping[str, str]) -> Response:
    if status == 404:
        return json_response({"status": "error", "msg": "File not found or has expired."}, 404, headers)
    return json_response({"status": "error", "msg": words}, status, headers)


def _require_write_access(request: Request) -> None:
    access = request.app.state.services.access
    access.require_write_access(access.caller(request.scope))


def wait_seconds(request: Request) -> float | None:
    """The `wait` of the query, 0 to 60 seconds; None when it is none."""
    wait_s = finite_number(request.query_params.get("wait", str(WAIT_S)))
    return wait_s if wait_s is not None and 0 <= wait_s <= LONGEST_WAIT_S else None


async def _client_id(request: Request) -> str | None:
    try:
        body = await _body(request)
        data = orjson.loads(body)
    except (orjson.JSONDecodeError, ClientDisconnect):
        return None
    client_id = data.get("client_id") if isinstance(data, dict) else None
    return client_id if is_client_id(client_id) else None


async def _body(request: Request) -> bytes:
    """The body, or its beginning where it is longer than any that has an answer."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY_BYTES:
            return b""
    return body


def _in_background(start: Any) -> asyncio.Task[Download | None]:
    task = asyncio.create_task(start)
    _running.add(task)
    task.add_done_callback(_running.discard)
    return task


async def _start(services: Services, album_id: str, client_id: str) -> Download | None:
    """Queue it and let the client wait for its notice; what stands in the way is a notice too.

    The client was told that it will hear: while Redis is away, this goes on trying for a while.
    """
    gives_up_at = time.monotonic() + PATIENCE_S
    while True:
        try:
            return await _try_to_start(services, album_id, client_id)
        except QueueUnavailable as error:
            if time.monotonic() > gives_up_at:
                log.warning("A download was asked for and not started", reason=error.message)
                return None
            await asyncio.sleep(RETRY_S)


async def _try_to_start(services: Services, album_id: str, client_id: str) -> Download | None:
    try:
        request = DownloadRequest(parse_album_id(album_id, "album_id"), archive=ArchiveFormat.ZIP)
        download = await services.downloads.start(request)
    except QueueUnavailable:
        raise
    except JmgraphError as error:
        await services.notices.fail(client_id, _reason(error))
        return None
    await services.notices.expect(client_id, download.id)
    return download


def _reason(error: JmgraphError) -> str:
    if isinstance(error, (AlbumNotFound, BlockedByPolicy, InvalidInput)):
        return "Album not found"
    return error.message


async def _ended(services: Services, download: Download, wait_s: float) -> Download | None:
    """The download at its end; None when it does not come in time."""
    try:
        async with asyncio.timeout(max(0.0, wait_s)), aclosing(services.downloads.watch(download.id)) as changes:
            async for change in changes:
                download = change
    except (TimeoutError, JmgraphError):
        return None
    return download


_NOTICE = "Started; listen for the notice."
_REFUSED = {400: "No client_id.", 401: "An API key is needed.", 403: "A foreign page."}
_KEYS = ("apiKey", "apiKeyAsBearer", "")

ADDRESSES = (
    Address(
        "/v1/download/album/{album_id}",
        {
            "POST": Operation(
                start,
                "Start a download; its end comes as a notice",
                {202: _NOTICE, **_REFUSED},
                takes=schemas.CLIENT,
                tells={202: schemas.PROCESSING},
                keys=_KEYS,
            ),
            "GET": Operation(
                start_and_wait,
                "Start a download and wait for it",
                {200: "It is ready.", 202: _NOTICE, **_REFUSED},
                {
                    "client_id": Parameter("Who asks.", schemas.CLIENT_ID, "phone", required=True),
                    "wait": schemas.WAIT,
                },
                gives=schemas.READY,
                tells={202: schemas.PROCESSING},
                keys=_KEYS,
            ),
        },
        {"album_id": Parameter("Number of the album.", TEXT, SAMPLE_ALBUM)},
    ),
    Address(
        "/v1/download/{file_name:remainder}",
        {
            "GET": Operation(
                file,
                "The zip of this name",
                {**FILE_ANSWERS, 400: "An unsafe name."},
                headers=FILE_HEADERS,
                gives={MEDIA_TYPES["zip"]: BYTES},
                tells=dict.fromkeys((400, 404, 416), schemas.FILE_ERROR),
                notes=FILE_NOTES,
            )
        },
        {"file_name": schemas.FILE_NAME},
    ),
)

SECTION = Section(
    "Legacy downloads · 旧版下载",
    "Start one, hear of its end, fetch the file by its name.",
    ADDRESSES,
    schemas.DETAIL,
)

routes = routes_of(ADDRESSES, detail, response_of)
