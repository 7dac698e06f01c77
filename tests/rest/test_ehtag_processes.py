"""The EhTag API served by several processes over one repository."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from rest.ehtag import routes
from services.ehtag import TagKind, open_identity, open_tag_database
from services.settings import read_settings
from tests.github import GOOD_TOKEN, GitHub
from tests.tag_repositories import FEMALE, MakeTagRepository, TagRepository
from tests.waiting import until

pytestmark = pytest.mark.anyio

PROCESSES = 3
HAT = {"name": "高帽", "intro": "见`apron`。", "links": ""}


def serve(data_dir: Path, repository: Path, github_url: str, sender: Connection) -> None:
    """One server process; sends its port through the pipe."""
    asyncio.run(_serve(data_dir, repository, github_url, sender))


async def _serve(data_dir: Path, repository: Path, github_url: str, sender: Connection) -> None:
    settings = read_settings(data_dir=data_dir, ehtag_repository=repository)
    async with open_tag_database(settings) as tags, open_identity(github_url) as identity:
        app = Starlette(routes=routes)
        app.state.services = SimpleNamespace(tags=tags, identity=identity, settings=settings)
        config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        await until(lambda: server.started)
        sender.send(server.servers[0].sockets[0].getsockname()[1])
        await serving


@contextlib.contextmanager
def processes(tmp_path: Path, repository: TagRepository, github: GitHub) -> Iterator[list[tuple[str, int]]]:
    """Address and pid of each server."""
    context = multiprocessing.get_context("spawn")
    started = []
    for number in range(PROCESSES):
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(
            target=serve, args=(tmp_path / f"data-{number}", repository.folder, github.url, sender)
        )
        process.start()
        started.append((process, receiver))
    try:
        yield [(f"http://127.0.0.1:{receiver.recv()}", process.pid or 0) for process, receiver in started]
    finally:
        for process, _ in started:
            process.kill()
            process.join()


@pytest.fixture
def repository(make_tag_repository: MakeTagRepository) -> TagRepository:
    return make_tag_repository()


@asynccontextmanager
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False, timeout=60) as opened:
        yield opened


async def test_twelve_writers_in_three_processes_are_one_created_and_eleven_refused(
    tmp_path: Path, repository: TagRepository, github: GitHub
) -> None:
    version = repository.head
    headers = {"If-Match": version, "X-Token": GOOD_TOKEN}
    with processes(tmp_path, repository, github) as servers:
        async with client() as http:
            answers = await asyncio.gather(
                *(
                    http.post(f"{servers[n % PROCESSES][0]}/api/database/female/hat {n}", headers=headers, json=HAT)
                    for n in range(12)
                )
            )

    assert sorted(answer.status_code for answer in answers) == [201, *[412] * 11]
    assert {answer.headers["etag"] for answer in answers} == {f'"{repository.head}"'}
    assert repository.git("rev-list", "--count", f"{version}..HEAD").strip() == "1"
    repository.check()


async def has_version(http: httpx.AsyncClient, address: str, etag: str) -> None:
    """Return when a server has this version."""
    answer = await http.head(f"{address}/api/database")
    if answer.headers["etag"] != etag:
        await asyncio.sleep(0.01)
        await has_version(http, address, etag)


async def test_an_edit_in_one_process_is_seen_in_the_others_within_a_second(
    tmp_path: Path, repository: TagRepository, github: GitHub
) -> None:
    settings = read_settings(data_dir=tmp_path / "data", ehtag_repository=repository.folder)
    headers = {"If-Match": "*", "X-Token": GOOD_TOKEN}
    with processes(tmp_path, repository, github) as servers:
        async with client() as http, open_tag_database(settings) as tags:
            changes = tags.watch()
            seen = asyncio.ensure_future(anext(changes))
            answer = await http.put(f"{servers[0][0]}/api/database/female/apron", headers=headers, json=HAT)
            assert answer.status_code == 200

            async with asyncio.timeout(1):
                state = await seen
                for address, _ in servers[1:]:
                    await has_version(http, address, answer.headers["etag"])

            found = state.translator.translate("高帽", TagKind.GENRE)
            assert found.record
            assert found.record.id == "female:apron"
            others = [await http.get(f"{address}/api/database/female/apron") for address, _ in servers[1:]]
            assert [other.json()["name"]["raw"] for other in others] == ["高帽", "高帽"]


async def test_a_version_made_by_another_process_a_moment_ago_is_current(
    tmp_path: Path, repository: TagRepository, github: GitHub
) -> None:
    version = repository.head
    with processes(tmp_path, repository, github) as servers:
        async with client() as http:
            for number in range(9):
                address = servers[number % PROCESSES][0]
                answer = await http.post(
                    f"{address}/api/database/female/hat {number}",
                    headers={"If-Match": version, "X-Token": GOOD_TOKEN},
                    json=HAT,
                )
                assert answer.status_code == 201
                version = answer.headers["etag"]

    assert repository.show("database/female.md").decode().startswith(FEMALE)


def edits_of(repository: TagRepository) -> int:
    return int(repository.git("rev-list", "--count", "HEAD").strip()) - 1


def has_edits(repository: TagRepository, least: int) -> bool:
    return edits_of(repository) >= least


async def test_servers_killed_while_they_write_leave_a_whole_repository(
    tmp_path: Path, repository: TagRepository, github: GitHub
) -> None:
    headers = {"If-Match": "*", "X-Token": GOOD_TOKEN}

    async def write(http: httpx.AsyncClient, address: str, name: str) -> int:
        written = 0
        with contextlib.suppress(httpx.TransportError):
            while True:
                body = {**HAT, "intro": str(written)}
                answer = await http.post(
                    f"{address}/api/database/female/{name} {written}", headers=headers, json=body
                )
                written += answer.status_code == 201
        return written

    with processes(tmp_path, repository, github) as servers:
        async with client() as http:
            writers = [asyncio.ensure_future(write(http, url, f"hat {n}")) for n, (url, _) in enumerate(servers)]
            for number, (_, pid) in enumerate(servers, 1):
                await until(partial(has_edits, repository, 4 * number))
                os.kill(pid, signal.SIGKILL)
            written = await asyncio.gather(*writers)

    repository.check()
    commits = edits_of(repository)
    assert sum(written) <= commits <= sum(written) + PROCESSES
    async with open_tag_database(
        read_settings(data_dir=tmp_path / "data", ehtag_repository=repository.folder)
    ) as tags:
        assert tags.state.snapshot.count == 7 + commits
