"""Repeats steps, cancels tasks, and shields work from the cancellation of its caller."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")
K = TypeVar("K")

CANCEL_AGAIN_S = 1.0
"""Before a task that has not ended is cancelled once more."""


async def repeat(
    step: Callable[[], Awaitable[None]],
    *,
    pause_s: Callable[[], float],
    retry_s: Callable[[], float],
    on_error: Callable[[Exception], None],
) -> None:
    """Run a step again and again until cancelled: `pause_s()` after it returned, `retry_s()` after it raised.

    `on_error` logs the exception.
    """
    while True:
        try:
            await step()
        except Exception as error:
            on_error(error)
            await asyncio.sleep(retry_s())
        else:
            await asyncio.sleep(pause_s())


async def gather_bounded(call: Callable[[K], Awaitable[T]], values: Iterable[K], limit: int) -> list[T]:
    """What `call` gives for each value, in order, at most `limit` at once. Cancels the others when one raises."""
    slots = asyncio.Semaphore(limit)

    async def bounded(value: K) -> T:
        async with slots:
            return await call(value)

    tasks = [asyncio.create_task(bounded(value)) for value in values]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        await cancel_and_wait(*tasks)


async def cancel_and_wait(*tasks: asyncio.Task[Any]) -> None:
    """Cancel these tasks and wait until each has ended; their exceptions are dropped.

    Cancelled again and again: a library that waits with `asyncio.wait_for` loses a cancellation that comes together
    with what it waits for (Python 3.11).
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=CANCEL_AGAIN_S)
    for task in tasks:
        if not task.cancelled():
            task.exception()


async def shield_until_done(work: Awaitable[T], try_cancel: Callable[[], bool] = lambda: False) -> T:
    """Await what must not stop halfway (a thread can't); a caller that is cancelled still waits for its end.

    `try_cancel` is called then, and returns True where the work had not begun and will not: nothing to wait for.
    """
    future = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        if not try_cancel():
            await _wait_through_cancellations(future)
        raise


async def _wait_through_cancellations(future: asyncio.Future[Any]) -> None:
    """Wait for the end of a future. A task group cancels its tasks once more while they already end."""
    while not future.done():
        with suppress(asyncio.CancelledError):
            await asyncio.wait([future])
    if not future.cancelled():
        future.exception()
