"""A WebSocket client of an ASGI application in the same process."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from starlette.types import ASGIApp

WAIT_S = 20.0


class SocketClosed(Exception):
    """The server closed the socket."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Socket:
    """One open socket."""

    def __init__(self) -> None:
        self.to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.from_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def send_text(self, text: str) -> None:
        """Send one text frame."""
        await self.to_app.put({"type": "websocket.receive", "text": text})

    async def send(self, value: Any) -> None:
        """Send one frame of JSON."""
        await self.send_text(json.dumps(value))

    async def receive(self) -> Any:
        """The next frame of JSON; raises `SocketClosed`."""
        message = await asyncio.wait_for(self.from_app.get(), WAIT_S)
        if message["type"] == "websocket.close":
            raise SocketClosed(message.get("code", 1000))
        return json.loads(message["text"])

    async def close_code(self) -> int:
        """Read until the server closes; the close code."""
        while True:
            try:
                await self.receive()
            except SocketClosed as closed:
                return closed.code


@asynccontextmanager
async def connected(
    app: ASGIApp, path: str, *, protocol: str | None = None, headers: Mapping[str, str] | None = None
) -> AsyncIterator[Socket]:
    """An open socket; raises `SocketClosed` when the server refuses it."""
    socket = Socket()
    raw = [(b"host", b"127.0.0.1:11111")]
    raw += [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
    scope = {
        "type": "websocket",
        "asgi": {"version": "3.0"},
        "scheme": "ws",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": raw,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 11111),
        "subprotocols": [protocol] if protocol else [],
    }
    await socket.to_app.put({"type": "websocket.connect"})
    task = asyncio.ensure_future(app(scope, socket.to_app.get, socket.from_app.put))  # type: ignore[arg-type]
    try:
        answer = await asyncio.wait_for(socket.from_app.get(), WAIT_S)
        if answer["type"] != "websocket.accept":
            raise SocketClosed(answer.get("code", 1006))
        yield socket
    finally:
        await socket.to_app.put({"type": "websocket.disconnect", "code": 1000})
        with suppress(asyncio.CancelledError, TimeoutError):
            await asyncio.wait_for(task, WAIT_S)
