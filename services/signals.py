"""How a process is asked to end: Ctrl-C, SIGTERM, or its terminal closing."""

from __future__ import annotations

import asyncio
import signal


def stop_signals() -> tuple[signal.Signals, ...]:
    """The signals that end a process; SIGHUP not where it is ignored, as nohup has it.

    SIGINT counts even where it is ignored: shells do that to what they run in the background, and who sends it
    to such a process means it.
    """
    hangs_up = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN
    return (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hangs_up else []))


def stop_on_signals(stop: asyncio.Event) -> None:
    """Set the event on any of them, in the running loop."""
    loop = asyncio.get_running_loop()
    for number in stop_signals():
        loop.add_signal_handler(number, stop.set)
