"""The connection a request came on, for answers that cut it or outlast the asker's patience."""

from __future__ import annotations

import asyncio

from starlette.types import Scope


class Connection:
    """One connection of the server; the protocol says when it has ended."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._ended = asyncio.Event()

    @staticmethod
    def of(scope: Scope) -> Connection:
        """The connection of a request, as the server hands it over."""
        connection: Connection = scope["extensions"]["demo"]["connection"]
        return connection

    def end(self) -> None:
        """Notes that the connection is no more."""
        self._ended.set()

    async def cut(self, *, flush: bool = False) -> None:
        """Ends it now; with `flush` after what was written has left."""
        if flush:
            self._transport.close()
        else:
            self._transport.abort()
        await self._ended.wait()

    async def outlasts(self, seconds: float) -> bool:
        """Waits, and tells whether the asker is still there; returns as soon as it is not."""
        if seconds <= 0:
            return not self._ended.is_set()
        try:
            await asyncio.wait_for(self._ended.wait(), seconds)
        except TimeoutError:
            return True
        return False
