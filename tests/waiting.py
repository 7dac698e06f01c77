"""Waiting for a condition, with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable

import anyio

DEADLINE_S = 30.0
STEP_S = 0.003


def wait_until(condition: Callable[[], bool]) -> None:
    """Return as soon as the condition is true; fail after `DEADLINE_S`."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "the condition never held"
        time.sleep(STEP_S)


async def until(condition: Callable[[], bool], timeout_s: float = DEADLINE_S) -> None:
    """As `wait_until`, while other tasks run; raises `TimeoutError` after the deadline."""
    with anyio.fail_after(timeout_s):
        while not condition():  # noqa: ASYNC110 (what is waited for mostly happens in another process or thread)
            await anyio.sleep(STEP_S)
