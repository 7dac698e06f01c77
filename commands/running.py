"""Running a command to its end, or to the signal that ends it early."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from typing import Any

from services.signals import stop_signals

LoopFactory = Callable[[], asyncio.AbstractEventLoop]


def run_command(work: Coroutine[Any, Any, int], loop_factory: LoopFactory | None = None) -> int:
    """The exit code of `work`; cancelled by a signal it clears up first, and the code is 128 plus the signal's."""
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # inherited: our parts may write to the terminal from behind us
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        return runner.run(_until_signal(work))


async def _until_signal(work: Coroutine[Any, Any, int]) -> int:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)
    came: list[int] = []

    def stop(number: int) -> None:
        if not came:  # a second one would cut the clearing up short
            task.cancel()
        came.append(number)

    for number in stop_signals():
        loop.add_signal_handler(number, stop, number)
    try:
        return await task
    except asyncio.CancelledError:
        if not came:
            raise
        return 128 + came[0]
