"""Ends tasks, and runs work to its end although the caller is cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

T = TypeVar("T")

AGAIN_S = 1.0
"""Before a task that goes on is cancelled once more."""


async def end_tasks(*tasks: asyncio.Task[Any]) -> None:
    """Cancel these tasks and wait until each has ended; what they raised by then is theirs.

    Cancelled again and again: a library that waits with `asyncio.wait_for` loses a cancellation that comes together
    with what it waits for (Python 3.11).
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=AGAIN_S)
    for task in tasks:
        if not task.cancelled():
            task.exception()


async def to_its_end(work: Awaitable[T], give_up: Callable[[], bool] = lambda: False) -> T:
    """Await what must not stop halfway (a thread can't), and wait for its end even when the caller is cancelled.

    `give_up` may tell that it has not begun, and never will.
    """
    future = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        if not give_up():
            await asyncio.gather(future, return_exceptions=True)
        raise
