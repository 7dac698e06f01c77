"""Failed starts: one line on stderr that says what to do, exit code 1, no process left."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.e2e.conftest import Environ
from tests.e2e_processes import run


@pytest.fixture
def taken_port() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield str(server.getsockname()[1])


def one_line(tmp_path: Path, *arguments: str, **settings: str) -> str:
    """The output of a command that can't start: exactly one line."""
    ended = run(tmp_path / "command", *arguments, **settings)
    assert (ended.code, ended.out) == (1, ""), ended
    [line] = ended.err.splitlines()
    return line


def test_a_port_in_use(environ: Environ, tmp_path: Path, taken_port: str) -> None:
    line = one_line(tmp_path, "up", **environ(JMGRAPH_PORT=taken_port))

    assert line == f"jmgraph: JMGRAPH_PORT={taken_port}: something else listens there; a free port, 0 for any"


def test_an_address_of_another_machine(environ: Environ, tmp_path: Path) -> None:
    line = one_line(tmp_path, "up", **environ(JMGRAPH_HOST="192.0.2.1"))

    assert line == "jmgraph: JMGRAPH_HOST='192.0.2.1': an address of this machine"


@pytest.mark.parametrize("arguments", [("up",), ("download", "350234")])
def test_a_data_directory_that_is_a_file(environ: Environ, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    file = tmp_path / "file"
    file.touch()

    line = one_line(tmp_path, *arguments, **environ(JMGRAPH_DATA_DIR=str(file)))

    assert line.startswith(f"jmgraph: JMGRAPH_DATA_DIR='{file}': ")


@pytest.mark.skipif(os.geteuid() == 0, reason="root can write everywhere")
def test_a_data_directory_that_may_not_be_written(environ: Environ, tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)

    line = one_line(tmp_path, "up", **environ(JMGRAPH_DATA_DIR=str(folder)))

    assert line.startswith(f"jmgraph: JMGRAPH_DATA_DIR='{folder}': ")


def test_a_bad_setting(environ: Environ, tmp_path: Path) -> None:
    line = one_line(tmp_path, "up", **environ(JMGRAPH_JM_METHOD="ftp"))

    assert line == "jmgraph: JMGRAPH_JM_METHOD='ftp': input should be 'auto', 'html' or 'api'"


@pytest.mark.parametrize("arguments", [("worker",), ("serve", "--workers", "2")])
def test_a_part_without_a_redis_or_an_up_to_join(
    environ: Environ, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    ended = run(tmp_path / "command", *arguments, **environ())

    lines = set(ended.err.splitlines())  # each of several processes may say it
    assert ended.code == 1
    assert lines == {
        f"jmgraph: JMGRAPH_REDIS_URL is empty and no Valkey runs on JMGRAPH_DATA_DIR='{tmp_path / 'data'}': "
        "start `jmgraph up` on this data directory, or set JMGRAPH_REDIS_URL"
    }


def test_a_redis_that_refuses_the_password(environ: Environ, tmp_path: Path, redis_url: str) -> None:
    url = redis_url.replace("redis://", "redis://:hidden@")

    line = one_line(tmp_path, "up", **environ(JMGRAPH_REDIS_URL=url))

    assert line == "jmgraph: JMGRAPH_REDIS_URL=**********: Redis refuses this user and password"


def test_records_of_a_newer_version(environ: Environ, tmp_path: Path, redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.set("jmgraph:downloads:version", 999)

    line = one_line(tmp_path, "serve", **environ(JMGRAPH_REDIS_URL=redis_url))

    assert line.startswith("jmgraph: the downloads in Redis were written by a newer jmgraph (records of version 999")


def test_a_store_that_can_not_be_opened(environ: Environ, tmp_path: Path, redis_url: str) -> None:
    line = one_line(tmp_path, "serve", **environ(JMGRAPH_REDIS_URL=redis_url, JMGRAPH_STORAGE_URL="s3://"))

    assert line.startswith("jmgraph: JMGRAPH_STORAGE_URL")
