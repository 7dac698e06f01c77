"""Servers to measure, each a process of its own on a free port of loopback."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

START_S = 60.0


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def process(arguments: list[str], environment: dict[str, str] | None = None) -> Iterator[subprocess.Popen[str]]:
    """A Python process; ended with SIGTERM and waited for."""
    command = [sys.executable, *arguments]
    inherited = {**os.environ, **(environment or {})}
    started = subprocess.Popen(command, env=inherited, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield started
    finally:
        started.terminate()
        started.wait(30)


def wait_for(url: str) -> None:
    """Until the address answers."""
    ends_at = time.monotonic() + START_S
    while time.monotonic() < ends_at:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.05)
    raise TimeoutError(url)


@contextmanager
def asgi(application: str) -> Iterator[tuple[str, int]]:
    """An ASGI application of this folder under uvicorn, one process."""
    port = free_port()
    arguments = ["-m", "uvicorn", application, "--port", str(port), "--no-access-log", "--log-level", "warning"]
    with process(arguments):
        wait_for(f"http://127.0.0.1:{port}/ready")
        yield "127.0.0.1", port


@contextmanager
def jmgraph(**settings: str) -> Iterator[tuple[str, int]]:
    """A whole `jmgraph up` on the sample site, one API process."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        site = stack.enter_context(process(["-m", "demo", "--port", "0", "--folder", str(folder / "site")]))
        addresses = json.loads(site.stdout.readline() if site.stdout else "{}")
        port = free_port()
        environment = {
            "JMGRAPH_PORT": str(port),
            "JMGRAPH_DATA_DIR": str(folder / "data"),
            "JMGRAPH_JM_METHOD": "api",
            "JMGRAPH_JM_API_URLS": ",".join(addresses["api"]),
            "JMGRAPH_JM_HTML_URLS": ",".join(addresses["html"]),
            "JMGRAPH_JM_IMAGE_URLS": ",".join(addresses["image"]),
            "JMGRAPH_DISK_FLOOR": "0",
            "JMGRAPH_LOG_LEVEL": "warning",
            **{f"JMGRAPH_{name.upper()}": value for name, value in settings.items()},
        }
        stack.enter_context(process(["-m", "cli", "up"], environment))
        wait_for(f"http://127.0.0.1:{port}/healthz")
        yield "127.0.0.1", port


def read_json(address: tuple[str, int], path: str, body: object = None) -> object:
    """What a server answers, read once."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        f"http://{address[0]}:{address[1]}{path}", data=data, headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        answer: object = json.load(response)
    return answer
