"""Signals that end a process, and lower priorities for work that fills the cores."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path


def stop_signals() -> tuple[signal.Signals, ...]:
    """The signals that end a process; SIGHUP not where it is ignored, as nohup has it.

    SIGINT counts even where it is ignored: shells ignore it for what they run in the background, but a SIGINT sent to
    such a process is meant to end it.
    """
    hangs_up = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN
    return (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hangs_up else []))


def stop_on_signals(stop: asyncio.Event) -> None:
    """Set the event on any of these signals, in the running loop."""
    loop = asyncio.get_running_loop()
    for number in stop_signals():
        loop.add_signal_handler(number, stop.set)


_NICE = 10
"""Nice value, 0 to 19: a tenth of the processor time of an ordinary thread while both want the core."""


def lower_thread_priority() -> None:
    """Lower the priority of this thread; on Linux only, since elsewhere it would be that of the whole process."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


def lower_session_priority() -> None:
    """Lower the priority of this process's session where it leads one, on kernels that schedule by session."""
    if sys.platform == "linux" and os.getsid(0) == os.getpid():
        with suppress(OSError):  # no such kernel, or a container that may not
            Path("/proc/self/autogroup").write_text(str(_NICE))
