"""Flights: one piece of work a key, however many ask for it meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Generic, TypeVar

from services.observability import Priority, Usage, current_usage, open_usage

T = TypeVar("T")


class Flight(Generic[T]):
    """Work under way, with a usage of its own; it outlives the asker who started it."""

    def __init__(self, work: Callable[[Flight[T]], Awaitable[T]], priority: Priority) -> None:
        self.usage = Usage(priority=priority)
        self._found: asyncio.Future[T | None] = asyncio.get_running_loop().create_future()
        self._work = work
        self.task = asyncio.create_task(self._run())
        self.task.add_done_callback(_look_at)

    async def _run(self) -> T:
        with open_usage(self.usage.priority) as usage:
            # one object: an asker who joins later may raise the priority of what is still waiting
            self.usage = usage
            return await self._work(self)

    def join(self, priority: Priority) -> None:
        """One more waits for it: the most urgent asker says how urgent it is."""
        self.usage.priority = min(self.usage.priority, priority)

    def found(self, something: T | None) -> None:
        """Called by the work: what there is to go on with while it lasts. Only the first call counts."""
        if not self._found.done():
            self._found.set_result(something)

    async def first_find(self) -> T | None:
        """What there is to go on with while the work lasts, as soon as that is known; None for nothing."""
        either: set[asyncio.Future[Any]] = {self._found, self.task}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        return self._found.result() if self._found.done() else None

    async def landed(self) -> T:
        """The outcome; an asker who is cancelled leaves the flight alone. Raises what the work raised.

        Every asker who waits is charged for the calls of the flight: each of them would have made them.
        """
        try:
            return await asyncio.shield(self.task)
        finally:
            current_usage().upstream_calls += self.usage.upstream_calls


class SingleFlight(Generic[T]):
    """The flights under way, by key."""

    def __init__(self) -> None:
        self._flights: dict[Hashable, Flight[T]] = {}

    def board(self, key: Hashable, work: Callable[[Flight[T]], Awaitable[T]], priority: Priority) -> Flight[T]:
        """The flight of this key: the one under way, else a new one that does `work`."""
        flight = self._flights.get(key)
        if flight is not None:
            flight.join(priority)
            return flight
        flight = self._flights[key] = Flight(work, priority)
        flight.task.add_done_callback(lambda _: self._flights.pop(key, None))
        return flight

    async def aclose(self) -> None:
        """Cancel what is under way and wait for its end."""
        tasks = [flight.task for flight in self._flights.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _look_at(task: asyncio.Task[T]) -> None:
    """Take note of an outcome that perhaps nobody awaits, or the loop would report it."""
    if not task.cancelled():
        task.exception()
