"""`jmgraph demo`: what it prints works when it is pasted."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from tests.doors_processes import command, descendants, free_port, is_alive
from tests.waiting import wait_until


@contextmanager
def pasted(line: str) -> Iterator[IO[str]]:
    """A line in a shell, and its words."""
    shell = subprocess.Popen(["sh", "-c", line], stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert shell.stdout
    with shell.stdout:
        try:
            yield shell.stdout
        finally:
            shell.kill()
            shell.wait()


@pytest.mark.skipif(not shutil.which("curl"), reason="the lines to paste are for curl")
def test_the_three_things_to_try_work_and_ctrl_c_leaves_nothing(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    data = tmp_path / "數據 folder"
    (data / "site").parent.mkdir()
    (data / "site").symlink_to(pytestconfig.cache.mkdir("demo"))  # drawn once for all tests
    settings = {"JMGRAPH_PORT": str(free_port()), "JMGRAPH_DATA_DIR": str(data), "JMGRAPH_DISK_FLOOR": "0"}
    with command(tmp_path / "demo", "demo", **settings) as demo:
        wait_until(lambda: "Ctrl-C ends it" in demo.out)
        ranking, start, watch = [line.strip() for line in demo.out.splitlines() if "curl" in line]

        with pasted(ranking) as words:
            entries = json.load(words)["data"]["ranking"]["entries"]
        with pasted(start) as words:
            started = json.load(words)["data"]["startDownload"]
        with pasted(watch) as words:
            events = (json.loads(line[6:]) for line in words if line.startswith("data: {"))
            downloads = (one for event in events for one in event["data"]["downloadFeed"]["downloads"])
            ready = next(one for one in downloads if one["state"] == "READY")

        assert len(entries) == 80
        assert sum(bool(tag["translation"]) for tag in entries[0]["album"]["tags"]) > 0
        assert started["state"] == "QUEUED"
        assert ready["progress"]["percent"] == 100
        assert ready["file"]["url"].startswith(f"{demo.base}/downloads/{started['id']}/")
        pids = descendants(demo.process.pid)
        assert demo.stop(signal.SIGINT).code == 0
        assert [pid for pid in pids if is_alive(pid)] == []
