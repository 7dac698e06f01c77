"""Nothing of a person is lost: a server that is killed, a full disk, a database that is away."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from shutil import which
from subprocess import run
from typing import Any

import httpx
import pytest
from anyio import fail_after, sleep

from demo.server import RunningDemo
from services.settings import Settings
from tests.e2e.conftest import Environ
from tests.e2e_processes import Command, ask, command, descendants, wait_until_ready
from tests.graphql_client import GraphQLClient, graphql_client
from tests.postgresql import PostgreSQL
from tests.waiting import DEADLINE_S, STEP_S, until

pytestmark = pytest.mark.anyio

ALBUM = "350234"
PAGES = 24
REPORT = """mutation ($album: ID!, $page: Int!, $readAt: DateTime) {
  setReadingProgress(input: {albumId: $album, chapterId: $album, page: $page, readAt: $readAt}) {
    ... on ReadingProgress { page } ... on Error { code } } }"""
PROGRESS = "query ($album: String!) { album(id: $album) { title progress { page } } }"
ALBUMS = ("118204", "145590", "156821", "163348", "171905", "183462", "194713", "214586", "226941", "231875")
"""Single albums of ten pages or more."""


def answer(server: Command, query: str, **variables: Any) -> dict[str, Any]:
    """The whole body of a response."""
    response = httpx.post(f"{server.base}/graphql", json={"query": query, "variables": variables}, timeout=30)
    body: dict[str, Any] = response.json()
    return body


def report(server: Command, page: int) -> dict[str, Any]:
    """What the server answers to a report of a page."""
    return answer(server, REPORT, album=ALBUM, page=page)


async def until_accepted(server: GraphQLClient, page: int) -> dict[str, Any]:
    """The answer to a report that is sent until it is accepted."""
    with fail_after(DEADLINE_S):
        while "errors" in (body := await server.answer(REPORT, album=ALBUM, page=page)):  # noqa: ASYNC110
            await sleep(STEP_S)
    return body


# ── a server that is killed ──


async def test_every_acknowledged_report_outlives_a_kill(environ: Environ, tmp_path: Path, redis_url: str) -> None:
    """kill -9 in the middle of reports of ten albums at once: what was acknowledged is there after the next start."""
    environment = environ(JMGRAPH_REDIS_URL=redis_url)
    acknowledged: dict[str, int] = {}

    async def read(http: httpx.AsyncClient, album: str, first_second: int) -> None:
        for second in range(first_second, 10_000):
            page = second % 10 + 1
            read_at = datetime.fromtimestamp(1_700_000_000 + second, UTC).isoformat()
            body = {"query": REPORT, "variables": {"album": album, "page": page, "readAt": read_at}}
            answer = (await http.post("/graphql", json=body)).json()
            assert answer["data"]["setReadingProgress"] == {"page": page}
            acknowledged[album] = second

    for round in range(3):
        with command(tmp_path / f"server-{round}", "serve", **environment) as server:
            wait_until_ready(server)
            async with httpx.AsyncClient(base_url=server.base, timeout=30) as http:
                before = sum(acknowledged.values())
                readers = [asyncio.create_task(read(http, album, acknowledged.get(album, 0) + 1)) for album in ALBUMS]
                await until(lambda before=before: sum(acknowledged.values()) > before + 200)  # type: ignore[misc]
                for pid in (server.process.pid, *descendants(server.process.pid)):
                    os.kill(pid, signal.SIGKILL)
                outcomes = await asyncio.gather(*readers, return_exceptions=True)
        assert all(isinstance(outcome, httpx.TransportError) for outcome in outcomes), outcomes

    with command(tmp_path / "server", "serve", **environment) as server:
        wait_until_ready(server)
        found = {
            album: ask(server.base, f'{{ album(id: "{album}") {{ progress {{ readAt }} }} }}')["album"]
            for album in ALBUMS
        }
    read_at = {album: datetime.fromisoformat(each["progress"]["readAt"]) for album, each in found.items()}
    seconds = {album: int(time.timestamp()) - 1_700_000_000 for album, time in read_at.items()}
    lost = {album: second for album, second in acknowledged.items() if seconds[album] < second}
    assert lost == {}
    # a report that was under way may have been committed, the next one was never sent
    assert all(seconds[album] <= second + 1 for album, second in acknowledged.items())


# ── a full disk ──


@contextmanager
def small_disk(folder: Path) -> Iterator[tuple[str, ...]]:
    """A program that runs its arguments with this folder on a disk of 24 MB of their own."""
    if which("unshare") is None or run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode:
        pytest.skip("a file system of a test's own can't be mounted here (unshare -rm)")
    folder.mkdir()
    yield ("unshare", "-rm", "sh", "-c", f'mount -t tmpfs -o size=24m tmpfs "{folder}" && exec "$@"', "sh")


def fill(disk: Path) -> Path:
    """Write a file that leaves nothing of a disk."""
    filler = disk / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while file.write(b"\0" * 4096):
            pass
    return filler


def test_a_full_disk_refuses_reports_until_there_is_room(
    environ: Environ, demo: RunningDemo, tmp_path: Path, redis_url: str
) -> None:
    environment = environ(JMGRAPH_REDIS_URL=redis_url)
    folder = Path(environment["JMGRAPH_DATA_DIR"])
    with small_disk(folder) as program:
        python = [*program, sys.executable, "-m", "cli"]
        with command(tmp_path / "server", "serve", program=python, **environment) as server:
            wait_until_ready(server)
            disk = Path(f"/proc/{server.process.pid}/root{folder}")
            assert report(server, 3)["data"] == {"setReadingProgress": {"page": 3}}
            filler = fill(disk)

            acknowledged, refused = 3, report(server, 4)
            while "errors" not in refused:  # it fitted into what the database had of the disk already
                acknowledged += 1
                refused = report(server, acknowledged + 1)

            error = refused["errors"][0]
            assert (error["extensions"]["code"], error["extensions"]["retryable"]) == ("STORAGE_UNAVAILABLE", True)
            assert str(folder) not in str(refused)
            # what was read before is still shown, and so is the catalogue
            shown = ask(server.base, PROGRESS, album=ALBUM)
            assert shown["album"] == {"title": "雨林深處的一天", "progress": {"page": acknowledged}}

            filler.unlink()
            assert report(server, PAGES)["data"] == {"setReadingProgress": {"page": PAGES}}
            assert ask(server.base, PROGRESS, album=ALBUM)["album"]["progress"] == {"page": PAGES}
            with sqlite3.connect(disk / "jmgraph.sqlite3") as database:
                assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


# ── a database that is away ──


@pytest.fixture
async def with_postgresql(
    make_settings: Callable[..., Settings], postgresql: PostgreSQL
) -> AsyncIterator[GraphQLClient]:
    """A server on PostgreSQL."""
    async with graphql_client(make_settings(database_url=postgresql.new_database())) as client:
        yield client


async def test_the_catalogue_works_on_while_the_database_is_away(
    with_postgresql: GraphQLClient, postgresql: PostgreSQL
) -> None:
    server = with_postgresql
    assert await server.ask(REPORT, album=ALBUM, page=3) == {"setReadingProgress": {"page": 3}}

    postgresql.stop()
    try:
        refused = await server.error(REPORT, album=ALBUM, page=4)
        album = await server.answer(PROGRESS, album=ALBUM)
        ranking = await server.ask("{ ranking { entries { album { title } } } }")
        added = await server.error(f'mutation {{ addToLibrary(input: {{albumId: "{ALBUM}"}}) {{ __typename }} }}')
    finally:
        postgresql.start()

    for error in (refused, added):
        assert (error["code"], error["retryable"]) == ("STORAGE_UNAVAILABLE", True)
    assert album["data"]["album"] == {"title": "雨林深處的一天", "progress": None}
    assert [(error["path"], error["extensions"]["code"]) for error in album["errors"]] == [
        (["album", "progress"], "STORAGE_UNAVAILABLE")
    ]
    assert len(ranking["ranking"]["entries"]) > 40
    # the same process works as before, and has lost nothing
    assert await server.ask(PROGRESS, album=ALBUM) == {"album": {"title": "雨林深處的一天", "progress": {"page": 3}}}
    assert await server.ask(REPORT, album=ALBUM, page=4) == {"setReadingProgress": {"page": 4}}


async def test_a_server_that_starts_without_its_database_takes_it_up_later(
    make_settings: Callable[..., Settings], postgresql: PostgreSQL
) -> None:
    settings = make_settings(database_url=postgresql.new_database())
    is_stopped = True
    postgresql.stop()
    try:
        async with graphql_client(settings) as server:
            refused = await server.error(REPORT, album=ALBUM, page=3)
            title = await server.ask(f'{{ album(id: "{ALBUM}") {{ title }} }}')
            postgresql.start()
            is_stopped = False
            accepted = await until_accepted(server, page=3)
    finally:
        if is_stopped:
            postgresql.start()

    assert refused["code"] == "STORAGE_UNAVAILABLE"
    assert title == {"album": {"title": "雨林深處的一天"}}
    assert accepted["data"] == {"setReadingProgress": {"page": 3}}
