"""Those who wait for a token of a host's rate: persons first, then as they came."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Coroutine
from contextlib import suppress
from itertools import count
from typing import Any

from services.observability import Priority


class HostQuiet(Exception):
    """The host asked for fewer requests; not before `seconds` have passed."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"quiet for {seconds:.1f} s")
        self.seconds = seconds


class RateLimiter:
    """The queue of one host. `take` tries to take a token and gives the seconds until one may be there, or 0."""

    def __init__(self, take: Callable[[Priority], Coroutine[Any, Any, float]]) -> None:
        self._take = take
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = count()
        self._arrived = asyncio.Event()
        self._serving: asyncio.Task[None] | None = None

    async def token(self, priority: Priority) -> None:
        """Wait for a token. Raises `HostQuiet`."""
        if not self._waiting and not await self._take(priority):
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (priority, next(self._order), waiter))
        self._arrived.set()
        if self._serving is None or self._serving.done():
            self._serving = asyncio.create_task(self._serve())
        await waiter

    async def aclose(self) -> None:
        """Nobody is served any more."""
        if self._serving:
            self._serving.cancel()
            with suppress(asyncio.CancelledError):
                await self._serving

    async def _serve(self) -> None:
        while self._first():
            self._arrived.clear()
            try:
                wait_s = await self._take(Priority(self._waiting[0][0]))
            except HostQuiet as quiet:
                self._send_away(quiet)
                return
            if not wait_s:
                # somebody better may have come, or this one gone, while Redis was asked
                if first := self._first():
                    heapq.heappop(self._waiting)
                    first.set_result(None)
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._arrived.wait()

    def _first(self) -> asyncio.Future[None] | None:
        while self._waiting and self._waiting[0][2].done():
            heapq.heappop(self._waiting)
        return self._waiting[0][2] if self._waiting else None

    def _send_away(self, quiet: HostQuiet) -> None:
        for _, _, waiter in self._waiting:
            if not waiter.done():
                waiter.set_exception(HostQuiet(quiet.seconds))
        self._waiting.clear()
