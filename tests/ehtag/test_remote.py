"""The remote of the tag database, over HTTP with a token."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import shutil
import signal
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from services.ehtag import (
    FetchProgress,
    GitHubUser,
    Namespace,
    SyncOutcome,
    TagDatabase,
    open_tag_database,
)
from services.ehtag.git import public_address
from services.ehtag.remote import Remote
from services.errors import (
    Conflict,
    ErrorCode,
    RemoteRefused,
    StaleVersion,
    TagDatabaseBusy,
    UpstreamFailure,
    UpstreamReason,
)
from services.settings import Settings, read_settings
from tests.git_server import TOKEN, GitServer, refuse_pushes
from tests.tag_repositories import TagRepository
from tests.waiting import until

pytestmark = pytest.mark.anyio

COOK = GitHubUser("cook", 7)


def settings(data_dir: Path, remote: str, token: str = TOKEN) -> Settings:
    return read_settings(data_dir=data_dir, ehtag_remote=remote, ehtag_token=token, ehtag_push=True)


@pytest.fixture
async def tags(tmp_path: Path, git_server: GitServer) -> AsyncIterator[TagDatabase]:
    async with open_tag_database(settings(tmp_path / "data", git_server.url)) as database:
        await database.sync()
        yield database


@pytest.fixture
def local(tmp_path: Path) -> TagRepository:
    return TagRepository(tmp_path / "data/ehtag")


async def test_a_clone_shows_the_token_and_keeps_it_nowhere(
    tags: TagDatabase, git_server: GitServer, local: TagRepository
) -> None:
    assert set(git_server.credentials) == {"", f"x-access-token:{TOKEN}"}
    assert tags.state.sha == git_server.repository.head
    assert tags.state.snapshot.repo == git_server.url
    assert TOKEN not in "".join(
        path.read_text(errors="replace") for path in local.folder.rglob("*") if path.is_file()
    )
    local.check()


async def test_a_fetch_reports_its_progress(tags: TagDatabase, git_server: GitServer) -> None:
    git_server.repository.commit({"database/other.md": b"changed\n"})
    progress: list[FetchProgress] = []

    assert await tags.sync(progress.append) is SyncOutcome.MOVED

    assert progress[-1].received_objects == progress[-1].total_objects == 4
    assert progress[-1].received_bytes > 0


async def test_an_edit_is_pushed_with_the_token(tags: TagDatabase, git_server: GitServer) -> None:
    edit = await tags.remove(Namespace.FEMALE, "apron", if_match="*", user=COOK)

    assert git_server.repository.head == edit.sha


async def test_a_push_that_the_remote_declines_by_a_rule_undoes_the_edit_and_says_why(
    tags: TagDatabase, git_server: GitServer, local: TagRepository
) -> None:
    before = tags.state.sha
    refuse_pushes(git_server.repository, "GH006: Protected branch update failed.")

    with pytest.raises(Conflict, match="undone") as refused:
        await tags.remove(Namespace.FEMALE, "apron", if_match="*", user=COOK)

    assert refused.value.message.endswith("hook declined: GH006: Protected branch update failed.")
    assert not refused.value.retryable
    assert git_server.repository.head == local.head == tags.state.sha == before
    assert tags.state.snapshot.find(Namespace.FEMALE, "apron") is not None
    local.check()


async def test_a_push_over_a_moved_remote_undoes_the_edit_and_follows(
    tags: TagDatabase, git_server: GitServer, local: TagRepository
) -> None:
    newer = git_server.repository.commit({"README.md": b"moved\n"})

    with pytest.raises(StaleVersion) as refused:
        await tags.remove(Namespace.FEMALE, "apron", if_match="*", user=COOK)

    assert refused.value.head_sha == newer
    assert git_server.repository.head == local.head == tags.state.sha == newer


@pytest.mark.parametrize("token", ["", "gho_bad"])
async def test_a_push_with_a_token_that_the_remote_refuses_undoes_the_edit(
    tmp_path: Path, tags: TagDatabase, git_server: GitServer, local: TagRepository, token: str
) -> None:
    before = local.head
    async with open_tag_database(settings(tmp_path / "data", git_server.url, token)) as other:
        with pytest.raises(RemoteRefused, match="refuses this server's token") as refused:
            await other.remove(Namespace.FEMALE, "apron", if_match="*", user=COOK)

    assert (refused.value.error_code, refused.value.reason) == (
        ErrorCode.UPSTREAM_BROKEN,
        UpstreamReason.CREDENTIALS_REFUSED,
    )
    assert not refused.value.retryable
    assert local.head == git_server.repository.head == before


async def test_local_edits_that_the_remote_lacks_are_no_reason_to_read_again(
    tags: TagDatabase, git_server: GitServer, local: TagRepository
) -> None:
    mine = local.commit({"README.md": b"mine\n"})
    git_server.repository.commit({"README.md": b"theirs\n"})

    with pytest.raises(Conflict, match="undone"):
        await tags.remove(Namespace.FEMALE, "apron", if_match="*", user=COOK)

    assert local.head == mine


async def test_while_a_push_hangs_further_edits_are_refused_and_reads_go_on(
    tmp_path: Path, tags: TagDatabase, git_server: GitServer
) -> None:
    before = tags.state.sha
    git_server.takes_pushes.clear()
    async with open_tag_database(settings(tmp_path / "data", git_server.url)) as other:
        hanging = asyncio.create_task(tags.remove(Namespace.FEMALE, "apron", if_match="*", user=COOK))
        await until(lambda: git_server.pushes == 1)

        for database in (tags, other):
            with pytest.raises(TagDatabaseBusy) as busy:
                await database.remove(Namespace.FEMALE, "glasses", if_match="*", user=COOK)
            assert busy.value.retry_after_s == 5
            assert (await database.refresh()).sha == before
        assert not hanging.done()

        git_server.takes_pushes.set()
        assert (await hanging).sha == git_server.repository.head != before


@pytest.mark.parametrize("token", ["", "gho_bad"])
async def test_a_remote_that_wants_another_token_can_not_be_read(
    tmp_path: Path, git_server: GitServer, token: str
) -> None:
    async with open_tag_database(settings(tmp_path / "data", git_server.url, token)) as tags:
        with pytest.raises(UpstreamFailure) as failure:
            await tags.sync()

        assert tags.state.last_error == failure.value.message
        assert "token" in failure.value.message
        assert "gho_" not in failure.value.message


async def test_credentials_in_the_address_are_never_shown(tmp_path: Path, git_server: GitServer) -> None:
    address = git_server.url.replace("http://", f"http://x-access-token:{TOKEN}@")
    async with open_tag_database(settings(tmp_path / "data", address, "")) as tags:
        await tags.sync()

        assert tags.state.snapshot.repo == git_server.url
        assert TOKEN not in (tmp_path / "data/ehtag/config").read_text()
        git_server.repository.folder.rename(tmp_path / "gone")
        with pytest.raises(UpstreamFailure) as failure:
            await tags.sync()
        assert TOKEN not in failure.value.message


@pytest.mark.parametrize(
    ("address", "asking", "is_shown"),
    [
        ("https://git.example/tags.git", "https://git.example/tags.git", True),
        ("https://git.example/tags.git", "https://elsewhere.example/tags.git", False),
        ("https://git.example/tags.git", "http://git.example/tags.git", False),
        ("https://git.example/tags.git", "https://git.example:8443/tags.git", False),
        ("http://git.example/tags.git", "http://git.example/tags.git", False),
        ("http://127.0.0.1:8000/tags.git", "http://127.0.0.1:8000/tags.git", True),
    ],
)
def test_the_token_goes_to_its_own_host_and_never_unencrypted(address: str, asking: str, is_shown: bool) -> None:
    assert (Remote(address, TOKEN).credentials(asking) is not None) is is_shown


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://github.com/a/b.git", "https://github.com/a/b.git"),
        ("https://user:secret@github.com/a/b.git", "https://github.com/a/b.git"),
        ("https://secret@github.com:8443/a/b.git", "https://github.com:8443/a/b.git"),
        ("ssh://git@github.com/a/b.git", "ssh://git@github.com/a/b.git"),
        ("ssh://git:secret@github.com/a/b.git", "ssh://git@github.com/a/b.git"),
        ("git@github.com:a/b.git", "git@github.com:a/b.git"),
        ("/srv/tags.git", "/srv/tags.git"),
        ("", ""),
    ],
)
def test_an_address_is_shown_without_credentials(address: str, shown: str) -> None:
    assert public_address(address) == shown


def clone_for_ever(data_dir: Path, remote: str) -> None:
    async def clone() -> None:
        async with open_tag_database(settings(data_dir, remote)) as tags:
            while True:
                await tags.sync()
                shutil.rmtree(data_dir / "ehtag")

    asyncio.run(clone())


def has_asked(git_server: GitServer, times: int) -> bool:
    return len(git_server.credentials) >= times


async def test_a_clone_killed_at_any_moment_is_repaired_by_the_next(
    tmp_path: Path, git_server: GitServer, local: TagRepository
) -> None:
    context = multiprocessing.get_context("spawn")
    for round_ in range(3):
        cloner = context.Process(target=clone_for_ever, args=(tmp_path / "data", git_server.url))
        cloner.start()
        assert cloner.pid is not None
        asked = len(git_server.credentials) + 9 + 5 * round_
        await until(partial(has_asked, git_server, asked))
        os.kill(cloner.pid, signal.SIGKILL)
        cloner.join()

    async with open_tag_database(settings(tmp_path / "data", git_server.url)) as tags:
        await tags.sync()
        assert tags.state.sha == git_server.repository.head
    local.check()
    assert not (tmp_path / "data/.ehtag.partial").exists()
