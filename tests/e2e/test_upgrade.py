"""From version 2.0.0 to this one: its data opens, and during a rolling change both work on one queue.

Version 2.0.0 runs from its own source, in the environment of these tests, which has its packages.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import anyio
import pytest

from demo.server import RunningDemo
from services.settings import Settings
from tests.e2e.conftest import Environ
from tests.e2e_processes import Command, ask, command, wait_until_ready
from tests.graphql_client import graphql_client, running_worker
from tests.tag_repositories import MakeTagRepository
from tests.waiting import DEADLINE_S, wait_until

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).resolve().parents[2]
COMMIT = "5f980463a59b95d3d29bcdfc4fa23b2ef9cd7922"
"""The last of version 2.0.0."""
ALBUM, OTHER_ALBUM = "600100", "600107"
START = "mutation ($album: String!) { startDownload(input: {albumId: $album}) { ... on Download { id } } }"
READ = """query ($id: ID!) { download(id: $id) {
  state attempts progress { pagesDone pagesTotal } file { name url size sha256 } } }"""
TAG = '{ tag(namespace: FEMALE, raw: "apron") { raw } }'
HAS_PEOPLE = '{ __type(name: "Viewer") { name } }'
SLOW_PAGE = "/00005"
"""Of eight small ones: a worker, which gives way to everybody, is soon done with the others."""


@pytest.fixture(scope="module")
def old_program(tmp_path_factory: pytest.TempPathFactory) -> Sequence[str]:
    """`jmgraph` of version 2.0.0."""
    source = subprocess.run(["git", "-C", ROOT, "archive", COMMIT], capture_output=True, check=False)
    if source.returncode:
        pytest.skip("this clone has no history back to version 2.0.0")
    folder = tmp_path_factory.mktemp("version-2.0.0")
    subprocess.run(["tar", "-x", "-C", folder], input=source.stdout, check=True)
    # what it starts itself comes from there, too, before the package that is installed
    return "env", f"--chdir={folder}", f"PYTHONPATH={folder}", sys.executable, "-m", "cli"


def test_data_of_version_2_opens(
    old_program: Sequence[str], environ: Environ, make_tag_repository: MakeTagRepository, tmp_path: Path
) -> None:
    environment = environ()
    make_tag_repository("data/ehtag")
    with command(tmp_path / "old", "up", program=old_program, **environment) as old:
        wait_until_ready(old)
        assert ask(old.base, HAS_PEOPLE) == {"__type": None}
        id = ask(old.base, START, album=OTHER_ALBUM)["startDownload"]["id"]
        wait_until(lambda: ask(old.base, READ, id=id)["download"]["state"] == "READY")
        before = ask(old.base, READ, id=id)
        assert ask(old.base, TAG) == {"tag": {"raw": "apron"}}
        assert old.stop().code == 0

    with command(tmp_path / "new", "up", **environment) as new:
        wait_until_ready(new)
        after = ask(new.base, READ, id=id)

        assert ask(new.base, HAS_PEOPLE) == {"__type": {"name": "Viewer"}}
        assert after == before
        assert sha256_of(after["download"]["file"]["url"]) == after["download"]["file"]["sha256"]
        assert ask(new.base, TAG) == {"tag": {"raw": "apron"}}


async def test_a_rolling_change_loses_no_download_in_either_direction(
    old_program: Sequence[str],
    environ: Environ,
    make_settings: Callable[..., Settings],
    demo: RunningDemo,
    redis_url: str,
    tmp_path: Path,
) -> None:
    """What one version has begun is finished by the other, with the pages that are there, and served by both."""
    environment = environ(JMGRAPH_REDIS_URL=redis_url, JMGRAPH_JM_TIMEOUT=str(2 * DEADLINE_S))

    def old(name: str, *arguments: str) -> AbstractContextManager[Command]:
        return command(tmp_path / name, *arguments, program=old_program, **environment)

    with old("api", "serve") as api, old("worker", "worker") as old_worker:
        wait_until_ready(api)
        assert ask(api.base, HAS_PEOPLE) == {"__type": None}
        async with graphql_client(make_settings(jm_timeout_s=2 * DEADLINE_S)) as new:
            demo.knobs.set("image", path=SLOW_PAGE, latency_s=DEADLINE_S)
            of_old = ask(api.base, START, album=ALBUM)["startDownload"]["id"]
            await _until_one_page_is_left(api, of_old)
            async with running_worker(new.services):
                assert old_worker.stop().code == 0
                demo.knobs.reset()
                await _until_ready(api, of_old)
                demo.knobs.set("image", path=SLOW_PAGE, latency_s=DEADLINE_S)
                of_new = (await new.ask(START, album=OTHER_ALBUM))["startDownload"]["id"]
                await _until_one_page_is_left(api, of_new)
            demo.knobs.reset()
            with old("other-worker", "worker"):
                await _until_ready(api, of_new)

            for id, album in ((of_old, ALBUM), (of_new, OTHER_ALBUM)):
                by_old, by_new = ask(api.base, READ, id=id)["download"], (await new.ask(READ, id=id))["download"]
                content = (await new.http.get(by_new["file"]["url"])).content
                fetched = Counter(request.path for request in demo.requests.find(f"/{album}/", role="image"))
                slow = {path for path in fetched if SLOW_PAGE in path}

                assert by_old["attempts"] == by_new["attempts"] == 2
                assert by_old["file"]["sha256"] == by_new["file"]["sha256"] == hashlib.sha256(content).hexdigest()
                assert sha256_of(by_old["file"]["url"]) == by_old["file"]["sha256"]
                assert len(slow) == 1
                assert {path for path, times in fetched.items() if times > 1} <= slow


async def _until_one_page_is_left(api: Command, id: str) -> None:
    await _until(api, id, lambda now: now["progress"]["pagesTotal"] == now["progress"]["pagesDone"] + 1)


async def _until_ready(api: Command, id: str) -> None:
    await _until(api, id, lambda now: now["state"] == "READY")


async def _until(api: Command, id: str, condition: Callable[[dict[str, Any]], bool]) -> None:
    """Wait until a download is so; asked seldom, since a worker gives way to the API."""
    with anyio.fail_after(DEADLINE_S):
        while not condition(ask(api.base, READ, id=id)["download"]):  # noqa: ASYNC110 (it happens in another process)
            await anyio.sleep(0.1)


def sha256_of(url: str) -> str:
    """SHA-256 of what this address serves."""
    with urllib.request.urlopen(url) as answer:
        return hashlib.sha256(answer.read()).hexdigest()
