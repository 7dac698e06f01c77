"""Servers and workers as processes, as hosts run them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from demo.server import RunningDemo
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parent.parent
STOP_S = 30.0


@dataclass(frozen=True)
class Processes:
    """API processes and workers on one Valkey and one data directory; `ports` are those of the API processes."""

    ports: Sequence[int]
    workers: Sequence[subprocess.Popen[bytes]]
    data_dir: Path

    def url(self, number: int = 0) -> str:
        """Base address of an API process."""
        return f"http://127.0.0.1:{self.ports[number]}"

    def socket_url(self, client_id: str, number: int = 0) -> str:
        """URL of a client's notifications on an API process; `client_id` is already quoted for a path."""
        return f"ws://127.0.0.1:{self.ports[number]}/ws/notifications/{client_id}"


def free_port() -> int:
    """A port of the loopback on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def environment_of(demo: RunningDemo, redis_url: str, data_dir: Path) -> dict[str, str]:
    """Settings of processes on the demo site and this Valkey."""
    return {
        "JMGRAPH_DATA_DIR": str(data_dir),
        "JMGRAPH_REDIS_URL": redis_url,
        "JMGRAPH_JM_METHOD": "api",
        "JMGRAPH_JM_API_URLS": ",".join(demo.api_urls),
        "JMGRAPH_JM_HTML_URLS": ",".join(demo.html_urls),
        "JMGRAPH_JM_IMAGE_URLS": ",".join(demo.image_urls),
        "JMGRAPH_JM_TIMEOUT": "20",
        "JMGRAPH_JM_RETRIES": "1",
        "JMGRAPH_JM_RATE": "1000",
        "JMGRAPH_DISK_FLOOR": "0",
        "JMGRAPH_CLIENT_RATE": "0",
        "JMGRAPH_CLIENT_SITE_RATE": "0",
        "JMGRAPH_LOG_LEVEL": "warning",
        "JMGRAPH_LOG_FORMAT": "json",
    }


@contextmanager
def process(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A Python process with its output in `log`; at the end of the block it is stopped, if need be killed."""
    with log.open("ab") as words:
        started = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=words,
            stderr=words,
            stdin=subprocess.DEVNULL,
        )
    try:
        yield started
    finally:
        started.send_signal(signal.SIGTERM)
        try:
            started.wait(STOP_S)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


@contextmanager
def start_processes(environment: Mapping[str, str], logs: Path, *, apis: int, workers: int) -> Iterator[Processes]:
    """Start API processes and workers; all are ready when the block begins."""
    ports = [free_port() for _ in range(apis)]
    with ExitStack() as stack:
        for number, port in enumerate(ports):
            own = {**environment, "JMGRAPH_PORT": str(port)}
            stack.enter_context(process(["-m", "cli", "serve"], own, logs / f"api-{number}.log"))
        running = [
            stack.enter_context(process(["-m", "cli", "worker"], environment, logs / f"worker-{number}.log"))
            for number in range(workers)
        ]
        started = Processes(ports, running, Path(environment["JMGRAPH_DATA_DIR"]))
        for number in range(apis):
            wait_until(lambda number=number: _is_alive(started.url(number)))  # type: ignore[misc]
        wait_until(lambda: workers == 0 or _workers(started.url()) == workers)
        yield started


def _is_alive(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz").is_success
    except httpx.TransportError:
        return False


def _workers(url: str) -> int:
    count: int = httpx.get(f"{url}/readyz").json()["checks"]["worker"].get("workers", 0)
    return count
