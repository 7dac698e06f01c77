"""Tells long streams that the process was asked to end; servers alone would wait for them forever."""

from __future__ import annotations

import asyncio
import signal
import threading
from types import FrameType
from typing import Any


def stop_on_signals(stopping: asyncio.Event) -> None:
    """Set the event on SIGINT and SIGTERM, then do what was done before; nothing outside the main thread."""
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        before = signal.getsignal(number)
        if callable(before):
            signal.signal(number, _both(loop, stopping, before))


def _both(loop: asyncio.AbstractEventLoop, stopping: asyncio.Event, before: Any) -> Any:
    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stopping.set)
        before(number, frame)

    return handle
