"""Runs a command to its end, to a signal, or to the end of its parent process."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
from collections.abc import Callable, Coroutine
from typing import Any

from services.processes import stop_signals

PARENT_PIPE = "JMGRAPH_PARENT_PIPE"
"""Environment variable with the number of a pipe's read end; it closes when the parent is gone."""


def end_with_parent() -> bool:
    """Send SIGTERM to this process once the pipe of `PARENT_PIPE` closes; False without one."""
    number = os.environ.pop(PARENT_PIPE, "")
    if number:
        threading.Thread(target=_watch, args=(int(number),), name="parent-watch", daemon=True).start()
    return bool(number)


def _watch(pipe: int) -> None:
    os.set_inheritable(pipe, False)
    try:
        os.read(pipe, 1)
    except OSError:
        return
    os.kill(os.getpid(), signal.SIGTERM)


LoopFactory = Callable[[], asyncio.AbstractEventLoop]


def run_command(work: Coroutine[Any, Any, int], loop_factory: LoopFactory | None = None) -> int:
    """The exit code of `work`; cancelled by a signal it cleans up first, and the code is 128 plus the signal's."""
    gc.freeze()  # what is imported stays: it is not looked through again
    gc.enable()
    # inherited: child processes in the background may write to the terminal
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        return runner.run(_until_signal(work))


async def _until_signal(work: Coroutine[Any, Any, int]) -> int:
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)
    came: list[int] = []

    def stop(number: int) -> None:
        if not came:  # a second one would interrupt the clean-up
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
