"""Commands of `jmgraph` as processes, as a user starts them."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.waiting import DEADLINE_S, wait_until

Environment = Mapping[str, str]


@dataclass
class CompletedCommand:
    """Exit code and output of a command that has ended."""

    code: int
    out: str
    err: str


@dataclass
class Command:
    """A running command, with its output in files."""

    process: subprocess.Popen[bytes]
    folder: Path
    environment: Environment

    @property
    def base(self) -> str:
        """Base URL of its API."""
        return f"http://127.0.0.1:{self.environment['JMGRAPH_PORT']}"

    @property
    def out(self) -> str:
        """Its stdout so far."""
        return (self.folder / "out").read_text("utf-8")

    @property
    def err(self) -> str:
        """Its stderr so far."""
        return (self.folder / "err").read_text("utf-8")

    def events(self, name: str) -> list[dict[str, Any]]:
        """The lines of its log with this event."""
        lines = [json.loads(line) for line in self.err.splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == name]

    def send(self, number: signal.Signals) -> None:
        """Send a signal to this process alone, as `kill` does."""
        self.process.send_signal(number)

    def wait(self) -> CompletedCommand:
        """Wait until it has ended."""
        code = self.process.wait(DEADLINE_S)
        return CompletedCommand(code, self.out, self.err)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> CompletedCommand:
        """Send it a signal to end, and wait."""
        self.send(number)
        return self.wait()

    def is_ready(self) -> bool:
        """True once its API responds."""
        assert self.process.poll() is None, self.err
        try:
            return bool(get(f"{self.base}/healthz") == {"status": "ok"})
        except OSError:
            return False


@contextmanager
def command(
    folder: Path, *arguments: str, program: Sequence[str] = (sys.executable, "-m", "cli"), **environment: str
) -> Iterator[Command]:
    """`jmgraph ARGUMENTS`; at the end of the block it and its child processes are killed."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        process = subprocess.Popen(
            [*program, *arguments],
            env=_environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
    with _killed_at_end(process):
        yield Command(process, folder, environment)


@contextmanager
def command_on_terminal(terminal: int, folder: Path, *arguments: str, **environment: str) -> Iterator[Command]:
    """The same, with this terminal as its controlling terminal."""
    login = partial(os.login_tty, terminal)
    words = [sys.executable, "-m", "cli", *arguments]
    process = subprocess.Popen(words, env=_environment(environment), preexec_fn=login)
    with _killed_at_end(process):
        yield Command(process, folder, environment)


def run_on_terminal(folder: Path, *arguments: str, typed: str = "", **environment: str) -> CompletedCommand:
    """Run `jmgraph ARGUMENTS` on a terminal, with this typed, until it ends; `out` is all that the terminal got."""
    controller, terminal = pty.openpty()
    output = bytearray()
    with command_on_terminal(terminal, folder, *arguments, **environment) as started:
        os.close(terminal)
        os.write(controller, typed.encode())
        with suppress(OSError):  # raised once no process has the terminal open
            while data := os.read(controller, 4096):
                output += data
        code = started.process.wait(DEADLINE_S)
    os.close(controller)
    return CompletedCommand(code, output.decode(), "")


@contextmanager
def _killed_at_end(process: subprocess.Popen[bytes]) -> Iterator[None]:
    try:
        yield
    finally:
        left = [process.pid, *descendants(process.pid)]
        for pid in left:
            _kill(pid)
        process.wait()


def run(folder: Path, *arguments: str, **environment: str) -> CompletedCommand:
    """Run `jmgraph ARGUMENTS` until it ends."""
    with command(folder, *arguments, **environment) as started:
        return started.wait()


def _environment(own: Environment) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("JMGRAPH_")}
    unlimited = {"JMGRAPH_CLIENT_RATE": "0", "JMGRAPH_CLIENT_SITE_RATE": "0"}
    return {**kept, **unlimited, "JMGRAPH_LOG_FORMAT": "json", "NO_COLOR": "1", **own}


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def descendants(pid: int) -> list[int]:
    """Child processes, and their children."""
    found = [child for child, parent in _parents().items() if parent == pid]
    return [*found, *(below for child in found for below in descendants(child))]


def _parents() -> dict[int, int]:
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text("utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            parents[int(stat.parent.name)] = int(fields[1])
    return parents


def is_alive(pid: int) -> bool:
    """True while the process runs; a zombie does not."""
    return pid in _parents()


def command_line(pid: int) -> str:
    """Command line of a process; empty once it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def wait_until_ready(*commands: Command) -> None:
    """Wait until the API of each responds."""
    for one in commands:
        wait_until(one.is_ready)


def wait_until_exited(pids: list[int]) -> None:
    """Wait until none of them runs."""
    wait_until(lambda: not set(pids) & set(_parents()))


def get(url: str) -> Any:
    """The JSON response to a GET, whatever its status."""
    return _json(urllib.request.Request(url))


def ask(base: str, query: str, **variables: Any) -> Any:
    """The data of a GraphQL response that must have no errors."""
    body = json.dumps({"query": query, "variables": variables}).encode()
    answer = _json(urllib.request.Request(f"{base}/graphql", body, {"Content-Type": "application/json"}))
    assert "errors" not in answer, answer
    return answer["data"]


def _json(request: urllib.request.Request) -> Any:
    try:
        with urllib.request.urlopen(request, timeout=DEADLINE_S) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return json.load(error)
