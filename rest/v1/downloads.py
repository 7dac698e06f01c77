"""Downloads of the legacy API: started here, reported by notification, fetched by name."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from contextlib import aclosing
from typing import Any

import orjson
import structlog
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rest.files import FILE_PARAMETERS, MEDIA_TYPES, ArchiveResponse, file_responses, visible_downloads
from rest.operations import JSON, SAMPLE_ALBUM, Group, Parameter, operation, path, returns_json
from rest.responses import json_response
from rest.v1.errors import detail_response, file_error, file_exception_handlers, file_not_found
from rest.v1.schemas import (
    MAX_CLIENT_ID_LENGTH,
    WAIT,
    ClientId,
    Detail,
    DownloadClient,
    DownloadFinished,
    DownloadStarted,
    FileError,
    FileName,
    is_client_id,
    wait_seconds,
)
from services.access import Access, Caller
from services.catalog import parse_number
from services.container import Services
from services.downloads import ArchiveFormat, DownloadRecord, DownloadRequest, DownloadState, is_safe_stem
from services.errors import AlbumNotFound, BlockedByPolicy, InvalidInput, JmgraphError, QueueUnavailable
from services.http_semantics import BodyIncomplete, BodyTooLarge, read_body

log = structlog.get_logger("jmgraph.v1")

MAX_BODY_BYTES = 64 * 1024
QUEUE_WAIT_S = 60.0
"""For how long a start waits for Redis to come back."""
QUEUE_RETRY_S = 0.5

_STARTED = DownloadStarted(
    status="processing",
    message="下载任务已在后台启动，请通过 WebSocket 监听 'download_ready' 通知。",
)
_STARTED_RESPONSE = returns_json("Started; a notification follows.", DownloadStarted)
_REFUSALS = {400: "No client_id.", 401: "An API key is needed.", 403: "A page of a foreign origin."}
_SECURITY = ("apiKey", "apiKeyAsBearer", "")
_ALBUM_ID = path("album_id", "Number of the album, or of a chapter to download alone.", str, SAMPLE_ALBUM)

_tasks: set[asyncio.Task[Any]] = set()
"""Starts under way; the event loop keeps only weak references to its tasks."""


class AlbumDownload(HTTPEndpoint):
    """Starts the download of an album."""

    @operation(
        "Start a download and wait for it",
        {200: returns_json("It is ready.", DownloadFinished), 202: _STARTED_RESPONSE, **_REFUSALS},
        parameters=(
            _ALBUM_ID,
            Parameter("client_id", "Who gets the notification.", ClientId, "phone", required=True),
            WAIT,
        ),
        security=_SECURITY,
    )
    async def get(self, request: Request) -> Response:
        """Start a download and wait for its end; when time is up, the answer of the POST."""
        caller = _require_write_access(request)
        client_id = request.query_params.get("client_id")
        wait_s = wait_seconds(request)
        if not is_client_id(client_id) or wait_s is None:
            limits = f"client_id must be a string of 1 to {MAX_CLIENT_ID_LENGTH} characters, wait 0 to 60"
            return detail_response(400, limits)
        if request.method == "HEAD":  # changes nothing, so it starts nothing
            return json_response(_STARTED, 202)
        services: Services = request.app.state.services
        task = _in_background(_start(services, caller, request.path_params["album_id"], str(client_id)))
        waiting = _wait_for_end(services, task, wait_s)
        ended = await services.access.until_revoked(caller, waiting)
        if not ended or ended.state is not DownloadState.READY or ended.file is None:
            return json_response(_STARTED, 202)
        name = ended.file.name.removesuffix(".zip")
        return json_response(DownloadFinished(status="success", msg="download_ready", file_name=name))

    @operation(
        "Start a download; its end is reported by notification",
        {202: _STARTED_RESPONSE, **_REFUSALS},
        parameters=(_ALBUM_ID,),
        body={JSON: DownloadClient},
        security=_SECURITY,
    )
    async def post(self, request: Request) -> Response:
        """Start a download; its outcome is sent as a notification."""
        caller = _require_write_access(request)
        client_id = await _read_client_id(request)
        if client_id is None:
            return detail_response(400, f"client_id must be a string of 1 to {MAX_CLIENT_ID_LENGTH} characters")
        _in_background(_start(request.app.state.services, caller, request.path_params["album_id"], client_id))
        return json_response(_STARTED, 202)


_FILE_ERROR = {
    400: returns_json("An unsafe name.", FileError),
    404: returns_json("There is none, or it has expired.", FileError),
    416: returns_json("The range lies outside the file.", FileError),
}


@operation(
    "The zip of this name",
    {**file_responses(MEDIA_TYPES["zip"]), **_FILE_ERROR},
    parameters=(path("file_name", "Name that a notification gave.", FileName), *FILE_PARAMETERS),
)
async def file(request: Request) -> Response:
    """The zip of this name."""
    name = request.path_params["file_name"]
    if not is_safe_stem(name):
        return file_error(400, "Invalid file name.")
    services: Services = request.app.state.services
    downloads = visible_downloads(request)
    download = await downloads.find_named(name, ArchiveFormat.ZIP)
    if download is None or download.file is None:
        return file_not_found()
    return ArchiveResponse(services, downloads, download.id, download.file.name)


def _require_write_access(request: Request) -> Caller:
    access: Access = request.app.state.services.access
    caller = access.caller(request.scope)
    access.require_write_access(caller)
    return caller


async def _read_client_id(request: Request) -> str | None:
    try:
        body = orjson.loads(await read_body(request.headers.raw, request.receive, MAX_BODY_BYTES))
    except (orjson.JSONDecodeError, BodyTooLarge, BodyIncomplete):
        return None
    client_id = body.get("client_id") if isinstance(body, dict) else None
    return client_id if is_client_id(client_id) else None


def _in_background(start: Coroutine[Any, Any, DownloadRecord | None]) -> asyncio.Task[DownloadRecord | None]:
    task = asyncio.create_task(start)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
    return task


async def _start(services: Services, caller: Caller, album_id: str, client_id: str) -> DownloadRecord | None:
    """Queue the download and register the client for its notification; an error becomes a notification too.

    The client was promised a notification: while Redis is unavailable, this keeps trying for a while.
    """
    gives_up_at = time.monotonic() + QUEUE_WAIT_S
    while True:
        try:
            return await _try_to_start(services, caller, album_id, client_id)
        except QueueUnavailable as error:
            if time.monotonic() > gives_up_at:
                log.warning("a requested download could not be started", reason=error.message)
                return None
            await asyncio.sleep(QUEUE_RETRY_S)


async def _try_to_start(services: Services, caller: Caller, album_id: str, client_id: str) -> DownloadRecord | None:
    ownership = services.access.ownership(caller)
    client = ownership.name_of(client_id)
    try:
        number = parse_number(album_id, "album_id")
        request = DownloadRequest(number.digits, archive=ArchiveFormat.ZIP)
        albums = services.catalog.blocking(services.access.blocked_tags(caller))
        download = await services.downloads.owned(ownership, albums).start(request, number.kind)
    except QueueUnavailable:
        raise
    except JmgraphError as error:
        await services.notifications.fail(client, _reason_for_client(error))
        return None
    await services.notifications.expect(client, download.id)
    return download


def _reason_for_client(error: JmgraphError) -> str:
    if isinstance(error, (AlbumNotFound, BlockedByPolicy, InvalidInput)):
        return "Album not found"
    return error.message


async def _wait_for_end(
    services: Services, start: asyncio.Task[DownloadRecord | None], wait_s: float
) -> DownloadRecord | None:
    """The download that is being started, when it has ended; None when it does not end in time."""
    try:
        async with asyncio.timeout(wait_s):
            if (download := await asyncio.shield(start)) is None:
                return None
            async with aclosing(services.downloads.watch(download.id)) as revisions:
                async for revision in revisions:
                    download = revision
            return download
    except (TimeoutError, JmgraphError):
        return None


routes = [
    Route("/v1/download/album/{album_id:no_trailing_slash}", AlbumDownload, methods=["GET", "POST"]),
    Route(
        "/v1/download/{file_name:remainder}",
        file,
        middleware=[Middleware(ExceptionMiddleware, handlers=file_exception_handlers)],
    ),
]

GROUP = Group(
    "Legacy downloads · 旧版下载",
    "Start one, get a notification of its end, fetch the file by its name.",
    routes,
    Detail,
)
