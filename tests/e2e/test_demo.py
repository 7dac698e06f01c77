"""`jmgraph demo`: what it prints works when it is pasted."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from tests.e2e_processes import Command, ask, command, descendants, is_alive
from tests.processes import free_port
from tests.waiting import wait_until

README = Path(__file__).resolve().parents[2] / "README.md"


@contextmanager
def pasted(line: str) -> Iterator[IO[str]]:
    """Runs a line in a shell; yields its stdout."""
    shell = subprocess.Popen(["sh", "-c", line], stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert shell.stdout
    with shell.stdout:
        try:
            yield shell.stdout
        finally:
            shell.kill()
            shell.wait()


def _the_readme_works_too(demo: Command) -> None:
    """The operations and the curl line of the README, as they are."""
    readme = README.read_text("utf-8")
    change, watch = re.findall(r"```graphql\n(.*?)```", readme, re.DOTALL)
    [line] = [line for line in readme.splitlines() if line.startswith("curl ")]

    with pasted(line.replace("http://127.0.0.1:11111", demo.base)) as output:
        assert len(json.load(output)["data"]["ranking"]["entries"]) == 80
    id = ask(demo.base, change)["startDownload"]["id"]
    body = shlex.quote(json.dumps({"query": watch.replace("…", id)}))
    kinds = "-H 'Content-Type: application/json' -H 'Accept: text/event-stream'"
    with pasted(f"curl -sN {demo.base}/graphql {kinds} -d {body}") as output:
        events = [json.loads(line[6:])["data"]["downloadStatus"] for line in output if line.startswith("data: {")]
    assert events[-1]["state"] == "READY"
    assert events[-1]["progress"]["pagesDone"] == events[-1]["progress"]["pagesTotal"] == 24


@pytest.mark.skipif(not shutil.which("curl"), reason="the lines to paste are for curl")
def test_the_three_things_to_try_work_and_ctrl_c_leaves_nothing(tmp_path: Path, pictures: Path) -> None:
    data = tmp_path / "數據 folder"
    (data / "site").parent.mkdir()
    (data / "site").symlink_to(pictures)  # drawn once for all tests
    settings = {"JMGRAPH_PORT": str(free_port()), "JMGRAPH_DATA_DIR": str(data), "JMGRAPH_DISK_FLOOR": "0"}
    with command(tmp_path / "demo", "demo", **settings) as demo:
        wait_until(lambda: "Ctrl-C ends it" in demo.out)
        ranking, start, watch = [line.strip() for line in demo.out.splitlines() if "curl" in line]

        with pasted(ranking) as output:
            entries = json.load(output)["data"]["ranking"]["entries"]
        with pasted(start) as output:
            started = json.load(output)["data"]["startDownload"]
        with pasted(watch) as output:
            events = (json.loads(line[6:]) for line in output if line.startswith("data: {"))
            downloads = (one for event in events for one in event["data"]["downloadFeed"]["downloads"])
            ready = next(one for one in downloads if one["state"] == "READY")

        _the_readme_works_too(demo)

        assert len(entries) == 80
        assert sum(bool(tag["translation"]) for tag in entries[0]["album"]["tags"]) > 0
        assert started["state"] == "QUEUED"
        assert ready["progress"]["percent"] == 100
        assert ready["file"]["url"].startswith(f"{demo.base}/downloads/{started['id']}/")
        pids = descendants(demo.process.pid)
        assert demo.stop(signal.SIGINT).code == 0
        assert [pid for pid in pids if is_alive(pid)] == []
