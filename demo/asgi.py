"""ASGI helpers: routes whose response is any app, and the connection of a request."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from inspect import isawaitable

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Endpoint:
    """An app that asks a function for the app to respond with: a response, or one that fails on purpose.

    An object, since Starlette would wrap a function.
    """

    def __init__(self, choose: Callable[[Request], ASGIApp | Awaitable[ASGIApp]]) -> None:
        self._choose = choose

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to a request."""
        chosen = self._choose(Request(scope, receive))
        app: ASGIApp = await chosen if isawaitable(chosen) else chosen
        await app(scope, receive, send)


async def buffered(app: ASGIApp, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
    """What an app responds: the message that starts it, empty where it cut the connection, and the whole body."""
    start: Message = {}
    parts: list[bytes] = []

    async def keep(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        else:
            parts.append(message.get("body", b""))

    await app(scope, receive, keep)
    return start, b"".join(parts)


def host_of(scope: Scope) -> str:
    """The host a request came to, as the knobs name it ("api-1")."""
    host: str = scope["extensions"]["demo"]["host"]
    return host


def role_of(scope: Scope) -> str:
    """The role a request came for: "api", "html" or "image"."""
    role: str = scope["extensions"]["demo"]["role"]
    return role


class Connection:
    """One connection of the server, for responses that cut it or wait for its end."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._closed = asyncio.Event()

    @staticmethod
    def of(scope: Scope) -> Connection:
        """The connection of a request; the server's protocol puts it into the scope."""
        connection: Connection = scope["extensions"]["demo"]["connection"]
        return connection

    def mark_closed(self) -> None:
        """Record that the connection has ended."""
        self._closed.set()

    async def cut(self, *, flush: bool = False) -> None:
        """End the connection now; with `flush` after what was written has been sent."""
        if flush:
            self._transport.close()
        else:
            self._transport.abort()
        await self._closed.wait()

    async def stays_open(self, seconds: float) -> bool:
        """Wait this long; False, at once, when the client closes the connection meanwhile."""
        if seconds <= 0:
            return not self._closed.is_set()
        try:
            await asyncio.wait_for(self._closed.wait(), seconds)
        except TimeoutError:
            return True
        return False
