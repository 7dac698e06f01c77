"""Slots of this process: how many requests may be under way, handed out by priority, then by arrival."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from itertools import count

from services.observability import Priority

_Waiter = tuple[int, int, "asyncio.Future[None]"]


class ConcurrencyLimiter:
    """As many requests at once as `allow` said last; more wait, persons first. For one event loop.

    `on_want` is told of every request that comes, `on_release` of every one that goes.
    """

    def __init__(
        self,
        allowed: int,
        on_want: Callable[[], None] = lambda: None,
        on_release: Callable[[], None] = lambda: None,
    ) -> None:
        self.allowed = allowed
        self.in_use = dict.fromkeys(Priority, 0)
        self._waiting: list[_Waiter] = []
        self._order = count()
        self._on_want = on_want
        self._on_release = on_release

    @property
    def total_in_use(self) -> int:
        """Requests under way."""
        return sum(self.in_use.values())

    @property
    def is_short(self) -> bool:
        """True while a request waits for a slot."""
        return any(not waiter.done() for _, _, waiter in self._waiting)

    @property
    def total_wanted(self) -> int:
        """Requests under way or waiting."""
        return self.total_in_use + len(self._waiting)

    def wanted(self) -> dict[Priority, int]:
        """Requests under way or waiting, by priority."""
        wanted = dict(self.in_use)
        for priority, _, waiter in self._waiting:
            wanted[Priority(priority)] += not waiter.done()
        return wanted

    async def acquire(self, priority: Priority) -> None:
        """Wait for a slot; `release` gives it back."""
        if self.total_in_use < self.allowed and not self._waiting:
            self.in_use[priority] += 1
            self._on_want()
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (priority, next(self._order), waiter))
        self._hand_out()
        self._on_want()
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self.release(priority)
            raise

    def release(self, priority: Priority) -> None:
        """Give the slot of a request of this priority back."""
        self.in_use[priority] -= 1
        self._hand_out()
        self._on_release()

    def allow(self, allowed: int) -> None:
        """Allow this many at once from now on; what is under way beyond it ends in its own time."""
        self.allowed = allowed
        self._hand_out()

    def _hand_out(self) -> None:
        while self._waiting and self.total_in_use < self.allowed:
            priority, _, waiter = heapq.heappop(self._waiting)
            if not waiter.done():
                self.in_use[Priority(priority)] += 1
                waiter.set_result(None)
        while self._waiting and self._waiting[0][2].done():
            heapq.heappop(self._waiting)
