"""Waiting for something to come about, with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable

import anyio

DEADLINE_S = 30.0
STEP_S = 0.003


def wait_until(is_so: Callable[[], bool]) -> None:
    """Return as soon as it is so; fails after half a minute."""
    deadline = time.monotonic() + DEADLINE_S
    while not is_so():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(STEP_S)


async def until(is_so: Callable[[], bool], timeout_s: float = DEADLINE_S) -> None:
    """As `wait_until`, while other tasks run; raises `TimeoutError` past the deadline."""
    with anyio.fail_after(timeout_s):
        while not is_so():  # noqa: ASYNC110 (what is waited for mostly happens in another process or thread)
            await anyio.sleep(STEP_S)
