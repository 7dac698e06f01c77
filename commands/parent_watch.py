"""A part of an `up` ends when its parent is gone, however that died."""

from __future__ import annotations

import os
import signal
import threading

PARENT_PIPE = "JMGRAPH_PARENT_PIPE"
"""Environment variable with the number of a pipe's read end; it closes when the parent is gone."""


def end_with_parent() -> None:
    """Send SIGTERM to this process once the pipe of `PARENT_PIPE` closes; nothing without one."""
    number = os.environ.pop(PARENT_PIPE, "")
    if number:
        threading.Thread(target=_watch, args=(int(number),), name="parent-watch", daemon=True).start()


def _watch(pipe: int) -> None:
    os.set_inheritable(pipe, False)
    try:
        os.read(pipe, 1)
    except OSError:
        return
    os.kill(os.getpid(), signal.SIGTERM)
