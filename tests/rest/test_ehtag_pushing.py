"""Edits of the tag database that are pushed to a remote, over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.settings import Settings, read_settings
from tests.ehtag_api import EhtagApi, etag_of, open_ehtag_api
from tests.git_server import TOKEN, GitServer, refuse_pushes
from tests.github import GitHub
from tests.tag_repositories import TagRepository
from tests.waiting import until

pytestmark = pytest.mark.anyio


def settings(tmp_path: Path, remote: str, token: str = TOKEN) -> Settings:
    return read_settings(data_dir=tmp_path / "data", ehtag_remote=remote, ehtag_token=token, ehtag_push=True)


@pytest.fixture
async def api(tmp_path: Path, git_server: GitServer, github: GitHub) -> AsyncIterator[EhtagApi]:
    local = TagRepository(tmp_path / "data/ehtag")
    async with open_ehtag_api(settings(tmp_path, git_server.url), local, github) as opened:
        await opened.services.tags.sync()
        yield opened


async def test_an_edit_that_is_pushed_is_a_version_of_the_remote(api: EhtagApi, git_server: GitServer) -> None:
    answer = await api.edit("DELETE", "/database/female/apron")

    assert answer.status_code == 204
    assert etag_of(answer) == git_server.repository.head


async def test_a_protected_branch_is_409_in_its_own_words(api: EhtagApi, git_server: GitServer) -> None:
    before = api.repository.head
    refuse_pushes(git_server.repository, "GH006: Protected branch update failed.")

    answer = await api.edit("DELETE", "/database/female/apron")

    assert answer.status_code == 409
    assert (answer.json()["code"], answer.json()["retryable"]) == ("CONFLICT", False)
    assert "Protected branch" in answer.json()["message"]
    assert api.repository.head == before
    assert (await api.request("HEAD", "/database/female/apron")).status_code == 204


async def test_a_push_token_that_is_refused_is_502(
    tmp_path: Path, api: EhtagApi, git_server: GitServer, github: GitHub
) -> None:
    before = api.repository.head
    async with open_ehtag_api(settings(tmp_path, git_server.url, "gho_old"), api.repository, github) as other:
        answer = await other.edit("DELETE", "/database/female/apron")

    assert answer.status_code == 502
    assert (answer.json()["code"], answer.json()["retryable"]) == ("UPSTREAM_BROKEN", False)
    assert "refuses this server's token" in answer.json()["message"]
    assert "gho_old" not in answer.text
    assert api.repository.head == git_server.repository.head == before


async def test_a_remote_that_has_moved_is_412_with_its_version(api: EhtagApi, git_server: GitServer) -> None:
    newer = git_server.repository.commit({"README.md": b"moved\n"})

    answer = await api.edit("DELETE", "/database/female/apron")

    assert answer.status_code == 412
    assert etag_of(answer) == newer == api.repository.head


async def test_an_edit_while_a_push_hangs_is_503_with_when_to_try_again(api: EhtagApi, git_server: GitServer) -> None:
    git_server.takes_pushes.clear()
    hanging = asyncio.create_task(api.edit("DELETE", "/database/female/apron"))
    await until(lambda: git_server.pushes == 1)

    answer = await api.edit("DELETE", "/database/female/glasses")
    was_hanging = not hanging.done()
    git_server.takes_pushes.set()

    assert was_hanging
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert (answer.json()["code"], answer.json()["retryable"]) == ("BUSY", True)
    assert (await hanging).status_code == 204
