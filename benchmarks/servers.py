"""Servers to measure, each on a free port of loopback."""

from __future__ import annotations

import json
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.processes import free_port, process, wait_for
from benchmarks.site import demo_site


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
    """`jmgraph up` on the demo site, one API process."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        site = stack.enter_context(demo_site(folder / "site"))
        port = free_port()
        environment = site.environment | {
            "JMGRAPH_PORT": str(port),
            "JMGRAPH_DATA_DIR": str(folder / "data"),
            "JMGRAPH_LOG_LEVEL": "warning",
            # counted, as for any client, but never refused
            "JMGRAPH_CLIENT_RATE": "1000000000",
            "JMGRAPH_CLIENT_SITE_RATE": "1000000000",
            **{f"JMGRAPH_{name.upper()}": value for name, value in settings.items()},
        }
        stack.enter_context(process(["-m", "cli", "up"], environment))
        wait_for(f"http://127.0.0.1:{port}/healthz")
        yield "127.0.0.1", port


def read_json(address: tuple[str, int], path: str, body: object = None, **headers: str) -> object:
    """The JSON response of a server to one request."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        f"http://{address[0]}:{address[1]}{path}", data=data, headers={"Content-Type": "application/json", **headers}
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        answer: object = json.load(response)
    return answer
