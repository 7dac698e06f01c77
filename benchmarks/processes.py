"""Python processes of a benchmark, and free ports for them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

START_S = 60.0


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def process(arguments: list[str], environment: dict[str, str] | None = None) -> Iterator[subprocess.Popen[str]]:
    """A Python process; stopped with SIGTERM at the end of the block."""
    command = [sys.executable, *arguments]
    inherited = {**os.environ, **(environment or {})}
    started = subprocess.Popen(command, env=inherited, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield started
    finally:
        started.terminate()
        started.wait(30)


def wait_for(url: str) -> None:
    """Wait until the address responds."""
    ends_at = time.monotonic() + START_S
    while time.monotonic() < ends_at:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(url)
