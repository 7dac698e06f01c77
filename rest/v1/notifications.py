"""Notices of the legacy API: a socket a client keeps open, and a long poll for those that can't."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import aclosing, suppress
from typing import Any

import orjson
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from rest.answers import json_response
from rest.file_response import gone
from rest.operations import Address, Operation, Parameter, Section
from rest.rooms import routes_of
from rest.v1 import schemas
from rest.v1.clients import LONGEST_CLIENT_ID, is_client_id
from rest.v1.downloads import wait_seconds
from rest.v1.errors import detail, response_of
from services.connection_limit import Seat
from services.notifications import Notification, Notifications
from services.tasks import end_tasks

log = structlog.get_logger("jmgraph.v1")

SEND_S = 10.0
"""A client that takes no message for so long does not read, and is dropped."""

CLOSE_S = 10.0
"""So long a client has to take leave; then its connection is cut."""


async def socket(websocket: WebSocket) -> None:
    """Push this client's notices until it leaves."""
    client_id = websocket.path_params["client_id"]
    if not is_client_id(client_id):
        await websocket.send_denial_response(_bad_client_id())
        return
    notices: Notifications = websocket.app.state.services.notices
    await websocket.accept()
    async with notices.seats.taken(client_id) as seat:
        reason = await _serve(websocket, notices, client_id, seat)
    if reason:
        with suppress(WebSocketDisconnect, RuntimeError, OSError, TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await websocket.close(1008, reason)


async def _serve(websocket: WebSocket, notices: Notifications, client_id: str, seat: Seat) -> str:
    """Until the client leaves, or must; why it must, or nothing."""
    reading = asyncio.create_task(_read(websocket))
    pushing = asyncio.create_task(_push(websocket, notices, client_id))
    losing = asyncio.create_task(seat.lost())
    try:
        await asyncio.wait([reading, pushing, losing], return_when=asyncio.FIRST_COMPLETED)
        if reading.done():
            return ""
        return "too many sockets of one client" if losing.done() else "messages are not read"
    finally:
        for task in (reading, pushing, losing):
            task.cancel()
            with suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError, OSError):
                await task


async def _push(websocket: WebSocket, notices: Notifications, client_id: str) -> None:
    async with aclosing(notices.listen(client_id)) as coming:
        async for notice in coming:
            text = orjson.dumps(notice.as_json()).decode()
            try:
                async with asyncio.timeout(SEND_S):
                    await websocket.send_text(text)
            except TimeoutError:
                log.info("A client that does not read is dropped")
                return


async def _read(websocket: WebSocket) -> None:
    """Until the client leaves: a socket learns of its end only by reading."""
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass


async def poll(request: Request) -> Response:
    """The same notices, for clients that can't open a socket."""
    client_id, wait_s = request.path_params["client_id"], wait_seconds(request)
    if not is_client_id(client_id):
        return _bad_client_id()
    if wait_s is None:
        return detail(400, "wait must be between 0 and 60")
    if request.method == "HEAD":  # who only looks hears nothing, so nothing is told
        return _told([])
    return _told(await _while_there(request, request.app.state.services.notices.wait(client_id, wait_s)))


def _told(notices: list[Notification]) -> Response:
    return json_response([notice.as_json() for notice in notices], headers={"Cache-Control": "no-store"})


async def _while_there(request: Request, waiting: Coroutine[Any, Any, list[Notification]]) -> list[Notification]:
    """The notices; none, and none counted as told, for who hung up while waiting for them."""
    coming, leaving = asyncio.create_task(waiting), asyncio.create_task(gone(request.receive))
    try:
        await asyncio.wait([coming, leaving], return_when=asyncio.FIRST_COMPLETED)
        return coming.result() if coming.done() else []
    finally:
        await end_tasks(coming, leaving)


def _bad_client_id() -> Response:
    return detail(400, f"client_id must have 1 to {LONGEST_CLIENT_ID} characters, none of them a control character")


ADDRESSES = (
    Address(
        "/v1/notifications/{client_id:remainder}",
        {
            "GET": Operation(
                poll,
                "Notices of this client; waits for the first",
                {200: "The notices, none when time is up.", 400: "A bad client_id or wait."},
                {"wait": schemas.WAIT},
                gives=schemas.NOTICES,
            )
        },
        {"client_id": Parameter("The id that the client gave itself.", schemas.CLIENT_ID, "phone")},
    ),
)

SECTION = Section(
    "Legacy notices · 旧版通知",
    "What became of a client's downloads. The same comes over the WebSocket `/ws/notifications/{client_id}`.",
    ADDRESSES,
    schemas.DETAIL,
)

routes: list[BaseRoute] = [
    WebSocketRoute("/ws/notifications/{client_id:remainder}", socket),
    *routes_of(ADDRESSES, detail, response_of),
]
