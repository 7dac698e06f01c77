"""Notices of the legacy API: a socket a client keeps open, and a long poll for those that can't."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from contextlib import aclosing, suppress

import orjson
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from rest import v1_shapes
from rest.answers import json_response
from rest.clients import LONGEST_CLIENT_ID, is_client_id
from rest.operations import Address, Operation, Parameter, Section
from rest.rooms import routes_of
from rest.v1_answers import detail, response_of
from rest.v1_downloads import wait_seconds
from services.notices import Notices

log = structlog.get_logger("jmgraph.v1")

MOST_SOCKETS = 20
"""Of one client, in one process; one more closes the oldest."""

SEND_S = 10.0
"""A client that takes no message for so long does not read, and is dropped."""

_sockets: defaultdict[str, deque[WebSocket]] = defaultdict(deque)


async def socket(websocket: WebSocket) -> None:
    """Push this client's notices until it leaves."""
    client_id = websocket.path_params["client_id"]
    if not is_client_id(client_id):
        await websocket.close(1008, "client_id")
        return
    await websocket.accept()
    await _make_room(client_id, websocket)
    pushing = asyncio.create_task(_push(websocket, websocket.app.state.services.notices, client_id))
    reading = asyncio.create_task(_read(websocket))
    try:
        await asyncio.wait([pushing, reading], return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (pushing, reading):
            task.cancel()
            with suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError, OSError):
                await task
        _leave(client_id, websocket)


async def _make_room(client_id: str, websocket: WebSocket) -> None:
    sockets = _sockets[client_id]
    sockets.append(websocket)
    while len(sockets) > MOST_SOCKETS:
        with suppress(RuntimeError, OSError):
            await sockets.popleft().close(1008, "too many sockets of one client")


def _leave(client_id: str, websocket: WebSocket) -> None:
    sockets = _sockets[client_id]
    with suppress(ValueError):
        sockets.remove(websocket)
    if not sockets:
        del _sockets[client_id]


async def _push(websocket: WebSocket, notices: Notices, client_id: str) -> None:
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
        return detail(400, f"client_id must have 1 to {LONGEST_CLIENT_ID} characters")
    if wait_s is None:
        return detail(400, "wait must be between 0 and 60")
    notices = await request.app.state.services.notices.wait(client_id, wait_s)
    return json_response([notice.as_json() for notice in notices], headers={"Cache-Control": "no-store"})


ADDRESSES = (
    Address(
        "/v1/notifications/{client_id:remainder}",
        {
            "GET": Operation(
                poll,
                "Notices of this client; waits for the first",
                {200: "The notices, none when time is up.", 400: "A bad client_id or wait."},
                {"wait": v1_shapes.WAIT},
                gives=v1_shapes.NOTICES,
            )
        },
        {"client_id": Parameter("The id that the client gave itself.", v1_shapes.CLIENT_ID, "phone")},
    ),
)

SECTION = Section(
    "Legacy notices · 旧版通知",
    "What became of a client's downloads. The same comes over the WebSocket `/ws/notifications/{client_id}`.",
    ADDRESSES,
    v1_shapes.DETAIL,
)

routes: list[BaseRoute] = [
    WebSocketRoute("/ws/notifications/{client_id:remainder}", socket),
    *routes_of(ADDRESSES, detail, response_of),
]
