"""Notifications of the legacy API: a WebSocket, and a long poll for clients that can't open one."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import aclosing, suppress
from typing import Any

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from rest.files import wait_for_disconnect
from rest.operations import Group, operation, returns_json
from rest.responses import json_response
from rest.v1.errors import detail_response
from rest.v1.schemas import (
    CLIENT_ID,
    MAX_CLIENT_ID_LENGTH,
    WAIT,
    Detail,
    NotificationBody,
    is_client_id,
    wait_seconds,
)
from services.access import Caller
from services.connection_limit import ConnectionSlot
from services.container import Services
from services.notifications import Notification, Notifications
from services.tasks import cancel_and_wait

log = structlog.get_logger("jmgraph.v1")

SEND_TIMEOUT_S = 10.0
"""A client that takes no message for so long does not read, and is disconnected."""

CLOSE_TIMEOUT_S = 10.0
"""For how long a client may take to close; then its connection is cut."""


FORBIDDEN = 4403
"""Close code of a client that may no longer have this."""
_REVOKED = "Forbidden"


async def socket(websocket: WebSocket) -> None:
    """Push a client's notifications until it disconnects."""
    client_id = websocket.path_params["client_id"]
    if not is_client_id(client_id):
        await websocket.send_denial_response(_invalid_client_id())
        return
    services: Services = websocket.app.state.services
    caller = services.access.caller(websocket.scope)
    client = services.access.ownership(caller).name_of(client_id)
    async with services.notifications.connections.slot(client) as slot:
        await websocket.accept()
        reason = await _serve(websocket, services, caller, client, slot)
    if reason:
        code = FORBIDDEN if reason == _REVOKED else 1008
        with suppress(WebSocketDisconnect, RuntimeError, OSError, TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await websocket.close(code, reason)


async def _serve(websocket: WebSocket, services: Services, caller: Caller, client: str, slot: ConnectionSlot) -> str:
    """Push until the client disconnects or must be disconnected; the reason why it must, or ""."""
    reading = asyncio.create_task(_read(websocket))
    pushing = asyncio.create_task(_push(websocket, services.notifications, client))
    evicted = asyncio.create_task(slot.evicted())
    revoked = asyncio.create_task(services.access.wait_until_revoked(caller))
    try:
        await asyncio.wait([reading, pushing, evicted, revoked], return_when=asyncio.FIRST_COMPLETED)
        if reading.done():
            return ""
        if revoked.done():
            return _REVOKED
        return "too many sockets of one client" if evicted.done() else "messages are not read"
    finally:
        for task in (reading, pushing, evicted, revoked):
            task.cancel()
            with suppress(asyncio.CancelledError, WebSocketDisconnect, RuntimeError, OSError):
                await task


async def _push(websocket: WebSocket, notifications: Notifications, client_id: str) -> None:
    async with aclosing(notifications.listen(client_id)) as incoming:
        async for notification in incoming:
            text = msgspec.json.encode(_body(notification)).decode()
            try:
                async with asyncio.timeout(SEND_TIMEOUT_S):
                    await websocket.send_text(text)
            except TimeoutError:
                log.info("a client that does not read is disconnected")
                return


async def _read(websocket: WebSocket) -> None:
    """Return when the client has disconnected: only reading shows it."""
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass


@operation(
    "Notifications of this client; waits for the first",
    {
        200: returns_json("The notifications, none when time is up.", list[NotificationBody]),
        400: "A bad client_id or wait.",
    },
    parameters=(CLIENT_ID, WAIT),
)
async def poll(request: Request) -> Response:
    """The same notifications, after a wait for the first."""
    client_id, wait_s = request.path_params["client_id"], wait_seconds(request)
    if not is_client_id(client_id):
        return _invalid_client_id()
    if wait_s is None:
        return detail_response(400, "wait must be between 0 and 60")
    if request.method == "HEAD":  # delivers no body, so nothing counts as delivered
        return _notifications([])
    services: Services = request.app.state.services
    caller = services.access.caller(request.scope)
    client = services.access.ownership(caller).name_of(client_id)
    waiting = _while_connected(request, services.notifications.wait(client, wait_s))
    return _notifications(await services.access.until_revoked(caller, waiting))


def _notifications(notifications: list[Notification]) -> Response:
    body = [_body(notification) for notification in notifications]
    return json_response(body, headers={"Cache-Control": "private, no-store"})


def _body(notification: Notification) -> NotificationBody:
    return msgspec.convert(notification, NotificationBody, from_attributes=True)


async def _while_connected(request: Request, waiting: Coroutine[Any, Any, list[Notification]]) -> list[Notification]:
    """The notifications; none, and none counted as delivered, when the client disconnects before."""
    result, disconnected = asyncio.create_task(waiting), asyncio.create_task(wait_for_disconnect(request.receive))
    try:
        await asyncio.wait([result, disconnected], return_when=asyncio.FIRST_COMPLETED)
        return result.result() if result.done() else []
    finally:
        await cancel_and_wait(result, disconnected)


def _invalid_client_id() -> Response:
    limits = f"1 to {MAX_CLIENT_ID_LENGTH} characters, none of them a control character"
    return detail_response(400, f"client_id must have {limits}")


socket_route = WebSocketRoute("/ws/notifications/{client_id:remainder}", socket)
routes = [Route("/v1/notifications/{client_id:remainder}", poll)]

GROUP = Group(
    "Legacy notifications · 旧版通知",
    "What became of a client's downloads. The same comes over the WebSocket `/ws/notifications/{client_id}`.",
    routes,
    Detail,
)
