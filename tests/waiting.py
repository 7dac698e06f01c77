"""Waiting for what must come, with a deadline, in place of sleeping and hoping."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

STEP_S = 0.005


async def until(condition: Callable[[], bool], timeout_s: float = 5.0) -> None:
    """Return as soon as the condition holds; raises `TimeoutError` when it does not in time."""
    for _ in range(round(timeout_s / STEP_S)):
        if condition():
            return
        await asyncio.sleep(STEP_S)
    raise TimeoutError("it did not happen in time")
