"""`jmgraph up`: all processes in one terminal, and none left at its end."""

from __future__ import annotations

import asyncio
import os
import pty
import signal
import termios
import threading
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from commands.supervisor import ChildProcess, Supervisor
from demo.server import RunningDemo
from tests.e2e.conftest import Environ
from tests.e2e_processes import (
    ask,
    command,
    command_line,
    command_on_terminal,
    descendants,
    get,
    is_alive,
    wait_until_exited,
    wait_until_ready,
)
from tests.waiting import DEADLINE_S, wait_until

START = 'mutation { startDownload(input: { albumId: "%s", archive: CBZ }) { ... on Download { id state } } }'
STATE = "query ($id: ID!) { download(id: $id) { state progress { pagesDone } } }"


def _child(pid: int, name: str) -> int:
    """The child process of `pid` that runs this command."""
    return next(below for below in descendants(pid) if command_line(below).rstrip().endswith(f"cli {name}"))


def test_each_signal_ends_it_and_leaves_nothing_running(environ: Environ, tmp_path: Path) -> None:
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    with ExitStack() as stack:
        ups = [
            stack.enter_context(
                command(tmp_path / number.name, "up", **environ(JMGRAPH_DATA_DIR=str(tmp_path / number.name)))
            )
            for number in signals
        ]
        wait_until_ready(*ups)
        for up in ups:
            wait_until(lambda up=up: len(up.events("the worker is ready")) == 1)  # type: ignore[misc]
        pids = [descendants(up.process.pid) for up in ups]

        ended = [up.stop(number) for up, number in zip(ups, signals, strict=True)]

        assert [end.code for end in ended] == [0, 0, 0]
        assert all(len(of_one) >= 3 for of_one in pids)
        assert [command_line(pid) for of_one in pids for pid in of_one if is_alive(pid)] == []


def test_after_kill_9_the_children_end_and_the_next_start_finds_everything(environ: Environ, tmp_path: Path) -> None:
    settings = environ()
    with command(tmp_path / "first", "up", **settings) as first:
        wait_until_ready(first)
        id = ask(first.base, START % "163348")["startDownload"]["id"]
        wait_until(lambda: ask(first.base, STATE, id=id)["download"]["state"] == "READY")
        children = [_child(first.process.pid, "serve"), _child(first.process.pid, "worker")]

        first.stop(signal.SIGKILL)
        wait_until_exited(children)

    with command(tmp_path / "second", "up", **settings) as second:
        wait_until_ready(second)
        left = descendants(second.process.pid)

        assert ask(second.base, STATE, id=id)["download"]["state"] == "READY"
        assert second.stop().code == 0
        assert [command_line(pid) for pid in left if is_alive(pid)] == []


def test_child_processes_share_a_session_so_that_the_workers_niceness_counts_beside_the_api(
    environ: Environ, tmp_path: Path
) -> None:
    with command(tmp_path / "up", "up", **environ()) as up:
        wait_until_ready(up)
        wait_until(lambda: len(up.events("the worker is ready")) == 1)
        children = [_child(up.process.pid, "serve"), _child(up.process.pid, "worker")]

        assert {os.getsid(pid) for pid in children} == {os.getsid(up.process.pid)}
        assert {os.getpgid(pid) for pid in children} == set(children)  # and Ctrl-C reaches the `up` alone
        assert _session_niceness(up.process.pid) == 0


def test_child_processes_can_write_to_a_terminal_that_stops_background_output(
    environ: Environ, tmp_path: Path
) -> None:
    controller, terminal = pty.openpty()
    modes = termios.tcgetattr(terminal)
    modes[3] |= termios.TOSTOP
    termios.tcsetattr(terminal, termios.TCSANOW, modes)
    output = bytearray()
    reading = threading.Thread(target=_read_all, args=(controller, output), daemon=True)
    reading.start()
    with command_on_terminal(terminal, tmp_path, "up", **environ()) as up:
        os.close(terminal)
        wait_until(lambda: b"the worker is ready" in output)
        wait_until_ready(up)

        os.write(controller, b"\x03")  # Ctrl-C

        assert up.process.wait(DEADLINE_S) == 0
    reading.join()
    os.close(controller)


def _read_all(terminal: int, output: bytearray) -> None:
    with suppress(OSError):  # raised once no process has the terminal open
        while data := os.read(terminal, 4096):
            output += data


@pytest.mark.anyio
async def test_a_child_that_cannot_be_started_raises() -> None:
    supervisor = Supervisor([ChildProcess("odd", ["worker"], {"ODD": "a\0b"})], asyncio.Event())
    try:
        with pytest.raises(ValueError, match="null byte"):
            await supervisor.run()
    finally:
        await supervisor.end()


def test_a_worker_with_a_session_of_its_own_lowers_the_priority_of_the_session(
    environ: Environ, tmp_path: Path, redis_url: str
) -> None:
    if not Path("/proc/self/autogroup").exists():
        pytest.skip("this kernel does not schedule by session")
    with command(tmp_path / "worker", "worker", **environ(JMGRAPH_REDIS_URL=redis_url)) as worker:
        wait_until(lambda: len(worker.events("the worker is ready")) == 1)

        assert _session_niceness(worker.process.pid) == 10


def _session_niceness(pid: int) -> int:
    """Niceness of a process's session; 0 where the kernel has none."""
    file = Path(f"/proc/{pid}/autogroup")
    return int(file.read_text().rpartition(" ")[2]) if file.exists() else 0


def test_a_killed_worker_is_restarted_and_continues(environ: Environ, tmp_path: Path, demo: RunningDemo) -> None:
    with command(tmp_path / "up", "up", **environ()) as up:
        wait_until_ready(up)
        wait_until(lambda: len(up.events("the worker is ready")) == 1)
        demo.knobs.set("image", latency_s=0.1)
        id = ask(up.base, START % "350234")["startDownload"]["id"]
        wait_until(lambda: ask(up.base, STATE, id=id)["download"]["progress"]["pagesDone"] > 0)
        worker = _child(up.process.pid, "worker")

        demo.knobs.reset()
        os.kill(worker, signal.SIGKILL)

        wait_until(lambda: len(up.events("the worker is ready")) == 2)
        assert _child(up.process.pid, "worker") != worker
        [event] = up.events("a process ended and is restarted")
        assert (event["process"], event["exit_code"]) == ("worker", -9)
        assert get(f"{up.base}/healthz") == {"status": "ok"}
