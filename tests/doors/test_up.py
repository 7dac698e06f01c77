"""`jmgraph up`: all in one terminal, and nothing left of it."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from pathlib import Path

from demo.server import RunningDemo
from tests.doors.conftest import Environ
from tests.doors_processes import ask, command, descendants, get, is_alive, until_answers, until_gone, words_of
from tests.waiting import wait_until

START = 'mutation { startDownload(input: { albumId: "%s", archive: CBZ }) { ... on Download { id state } } }'
STATE = "query ($id: ID!) { download(id: $id) { state progress { pagesDone } } }"


def _part(pid: int, name: str) -> int:
    """The process of `pid`'s with this command line."""
    return next(below for below in descendants(pid) if words_of(below).rstrip().endswith(f"cli {name}"))


def test_every_way_to_end_it_leaves_nothing_running(environ: Environ, tmp_path: Path) -> None:
    ways = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    with ExitStack() as stack:
        ups = [
            stack.enter_context(
                command(tmp_path / way.name, "up", **environ(JMGRAPH_DATA_DIR=str(tmp_path / way.name)))
            )
            for way in ways
        ]
        until_answers(*ups)
        for up in ups:
            wait_until(lambda up=up: len(up.events("The worker is ready")) == 1)  # type: ignore[misc]
        pids = [descendants(up.process.pid) for up in ups]

        ended = [up.stop(way) for up, way in zip(ups, ways, strict=True)]

        assert [end.code for end in ended] == [0, 0, 0]
        assert all(len(of_one) >= 3 for of_one in pids)
        assert [words_of(pid) for of_one in pids for pid in of_one if is_alive(pid)] == []


def test_after_kill_9_the_parts_end_and_the_next_start_finds_everything(environ: Environ, tmp_path: Path) -> None:
    settings = environ()
    with command(tmp_path / "first", "up", **settings) as first:
        until_answers(first)
        id = ask(first.base, START % "163348")["startDownload"]["id"]
        wait_until(lambda: ask(first.base, STATE, id=id)["download"]["state"] == "READY")
        parts = [_part(first.process.pid, "serve"), _part(first.process.pid, "worker")]

        first.stop(signal.SIGKILL)
        until_gone(parts)

    with command(tmp_path / "second", "up", **settings) as second:
        until_answers(second)
        left = descendants(second.process.pid)

        assert ask(second.base, STATE, id=id)["download"]["state"] == "READY"
        assert second.stop().code == 0
        assert [words_of(pid) for pid in left if is_alive(pid)] == []


def test_a_killed_worker_is_started_again_and_goes_on(environ: Environ, tmp_path: Path, demo: RunningDemo) -> None:
    with command(tmp_path / "up", "up", **environ()) as up:
        until_answers(up)
        wait_until(lambda: len(up.events("The worker is ready")) == 1)
        demo.knobs.turn("image", latency_s=0.1)
        id = ask(up.base, START % "350234")["startDownload"]["id"]
        wait_until(lambda: ask(up.base, STATE, id=id)["download"]["progress"]["pagesDone"] > 0)
        worker = _part(up.process.pid, "worker")

        demo.knobs.reset()
        os.kill(worker, signal.SIGKILL)

        wait_until(lambda: len(up.events("The worker is ready")) == 2)
        assert _part(up.process.pid, "worker") != worker
        [event] = up.events("a part ended and is started again")
        assert (event["part"], event["exit_code"]) == ("worker", -9)
        assert get(f"{up.base}/healthz") == {"status": "ok"}
