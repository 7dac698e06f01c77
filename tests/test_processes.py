"""How a process is asked to end."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import asyncio, os, signal
from services.processes import stop_on_signals

async def main():
    stop = asyncio.Event()
    stop_on_signals(stop)
    os.kill(os.getpid(), signal.{name})
    try:
        await asyncio.wait_for(stop.wait(), 0.2)
        print("ended")
    except TimeoutError:
        print("went on")

signal.signal(signal.{name}, signal.SIG_IGN)  # as what started it left it
asyncio.run(main())
"""


@pytest.mark.parametrize(("name", "outcome"), [("SIGINT", "ended"), ("SIGTERM", "ended"), ("SIGHUP", "went on")])
def test_a_signal_that_the_parent_ignored_ends_the_process_except_sighup(name: str, outcome: str) -> None:
    program = PROGRAM.format(name=name)
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert ended.stdout == f"{outcome}\n"
