"""An address whose answer may be any app: a response, or one that fails on purpose."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from inspect import isawaitable

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send


class Endpoint:
    """Asks a function for the app that answers. Starlette takes an object for an app, a function it would wrap."""

    def __init__(self, choose: Callable[[Request], ASGIApp | Awaitable[ASGIApp]]) -> None:
        self._choose = choose

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request."""
        chosen = self._choose(Request(scope, receive))
        app: ASGIApp = await chosen if isawaitable(chosen) else chosen
        await app(scope, receive, send)
