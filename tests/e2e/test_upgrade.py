"""From version 2.0.0 to this one: its data opens, and during a rolling change both work on one queue.

Version 2.0.0 runs from its own source, in the environment of these tests, which has its packages at the same versions.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest

from demo.server import RunningDemo
from services.settings import Settings
from tests.e2e.conftest import Environ
from tests.e2e_processes import Command, ask, command, wait_until_ready
from tests.graphql_client import graphql_client, running_worker
from tests.tag_repositories import MakeTagRepository
from tests.waiting import until, wait_until

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).resolve().parents[2]
COMMIT = "5f980463a59b95d3d29bcdfc4fa23b2ef9cd7922"
"""The last of version 2.0.0."""
ALBUM, OTHER_ALBUM = "350234", "163348"
START = "mutation ($album: String!) { startDownload(input: {albumId: $album}) { ... on Download { id } } }"
READ = """query ($id: ID!) { download(id: $id) {
  state attempts progress { pagesDone pagesTotal } file { name url size sha256 } } }"""
TAG = '{ tag(namespace: FEMALE, raw: "apron") { raw } }'
HAS_PEOPLE = '{ __type(name: "Viewer") { name } }'
SLOW_PAGE = "/00010"


@pytest.fixture(scope="module")
def old_program(tmp_path_factory: pytest.TempPathFactory) -> Sequence[str]:
    """`jmgraph` of version 2.0.0."""
    source = subprocess.run(["git", "-C", ROOT, "archive", COMMIT], capture_output=True, check=False)
    if source.returncode:
        pytest.skip("this clone has no history back to version 2.0.0")
    folder = tmp_path_factory.mktemp("version-2.0.0")
    subprocess.run(["tar", "-x", "-C", folder], input=source.stdout, check=True)
    return "env", f"--chdir={folder}", sys.executable, "-m", "cli"


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
    environment = environ(JMGRAPH_REDIS_URL=redis_url)
    old = partial(command, program=old_program, **environment)
    demo.knobs.set("image", path=SLOW_PAGE, latency_s=4.0)
    with old(tmp_path / "api", "serve") as api, old(tmp_path / "worker", "worker") as old_worker:
        wait_until_ready(api)
        async with graphql_client(make_settings()) as new:
            of_old = ask(api.base, START, album=ALBUM)["startDownload"]["id"]
            await _until_one_page_is_left(api, of_old)
            async with running_worker(new.services):
                assert old_worker.stop().code == 0
                await _until_ready(api, of_old)
                of_new = (await new.ask(START, album=OTHER_ALBUM))["startDownload"]["id"]
                await _until_one_page_is_left(api, of_new)
            with old(tmp_path / "other-worker", "worker"):
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
    def is_one_left() -> bool:
        progress = ask(api.base, READ, id=id)["download"]["progress"]
        return bool(0 < progress["pagesTotal"] == progress["pagesDone"] + 1)

    await until(is_one_left)


async def _until_ready(api: Command, id: str) -> None:
    await until(lambda: ask(api.base, READ, id=id)["download"]["state"] == "READY")


def sha256_of(url: str) -> str:
    """SHA-256 of what this address serves."""
    with urllib.request.urlopen(url) as answer:
        return hashlib.sha256(answer.read()).hexdigest()
