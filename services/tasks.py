"""Ending tasks for certain."""

from __future__ import annotations

import asyncio
from typing import Any

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
