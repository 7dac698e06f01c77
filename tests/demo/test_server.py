"""The demo site starts and ends cleanly: in a thread, in a loop, as a process."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from demo.server import running_demo, serve_demo


@contextmanager
def _process(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "demo", "--folder", str(folder), *arguments]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_process_prints_its_addresses_responds_and_ends_cleanly(
    tmp_path: Path, http: httpx.Client, number: signal.Signals
) -> None:
    with _process(tmp_path) as process:
        assert process.stdout is not None
        addresses: dict[str, Any] = json.loads(process.stdout.readline())
        status = http.get(addresses["html"][0] + "/album/350234/").status_code

        process.send_signal(number)
        rest, errors = process.communicate(timeout=20)

    assert (status, process.returncode, rest, errors) == (200, 0, "", "")
    assert sorted(addresses) == ["admin", "api", "dead", "domains", "html", "image"]


def test_a_process_ends_when_its_stdin_closes(tmp_path: Path) -> None:
    with _process(tmp_path, "--until-stdin-closes") as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("{")

        _, errors = process.communicate(timeout=20)

    assert (process.returncode, errors) == (0, "")


def test_a_port_in_use_is_reported_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with _process(tmp_path, "--port", str(taken.getsockname()[1])) as process:
            output, errors = process.communicate(timeout=20)

    assert (process.returncode, output, errors.count("\n")) == (1, "", 1)


def test_a_thread_that_can_not_start_raises_the_reason(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"), running_demo(tmp_path, port=taken.getsockname()[1]):
            pytest.fail("the site must not start")


def test_hanging_requests_do_not_delay_the_end(tmp_path: Path, http: httpx.Client) -> None:
    failed: list[httpx.HTTPError] = []

    def ask(url: str) -> None:
        try:
            http.get(url)
        except httpx.HTTPError as error:
            failed.append(error)

    with running_demo(tmp_path) as demo:
        demo.knobs.set("html", failure="hang")
        asking = Thread(target=ask, args=(demo.html_url + "/",))
        asking.start()
        demo.requests.wait_for(1)

    asking.join(5)
    assert not asking.is_alive()
    assert len(failed) == 1


@pytest.mark.anyio
async def test_it_runs_inside_an_event_loop(tmp_path: Path) -> None:
    async with (
        serve_demo(tmp_path, hosts_each=1) as one,
        serve_demo(tmp_path, hosts_each=3) as other,
        httpx.AsyncClient(trust_env=False) as http,
    ):
        one.knobs.set("html", failure="region")
        statuses = [(await http.get(demo.html_url + "/")).status_code for demo in (one, other)]

    assert statuses == [403, 200]
    assert (len(one.html_urls), len(other.image_urls)) == (1, 3)


def test_an_album_can_be_drawn_before_it_is_measured(tmp_path: Path) -> None:
    with running_demo(tmp_path) as demo:
        demo.warm(600100)

    assert len([path for path in tmp_path.rglob("*.webp") if path.is_file()]) == 8
