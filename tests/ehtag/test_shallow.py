"""Clones of the newest version alone: what is fetched, and that edits, pushes and syncs need no more."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.ehtag import FetchProgress, GitHubUser, Namespace, SyncOutcome, TagDatabase, open_tag_database
from services.errors import Conflict
from services.settings import read_settings
from tests.git_server import TOKEN, GitServer
from tests.tag_databases import tag_settings
from tests.tag_repositories import FEMALE, TagRepository

pytestmark = pytest.mark.anyio

COOK = GitHubUser("cook", 7)
COMMITS = 6


@pytest.fixture
def remote(git_server: GitServer) -> TagRepository:
    """The served repository, with a history."""
    for number in range(1, COMMITS):
        git_server.repository.commit({"database/female.md": FEMALE.replace("围裙", f"围裙{number}").encode()})
    return git_server.repository


@pytest.fixture
def local(tmp_path: Path) -> TagRepository:
    return TagRepository(tmp_path / "data/ehtag")


@pytest.fixture(params=["http", "folder", "file"])
def address(request: pytest.FixtureRequest, git_server: GitServer) -> str:
    """Where it is fetched from and pushed to."""
    folder = git_server.repository.folder
    return {"http": git_server.url, "folder": str(folder), "file": f"file://{folder}"}[request.param]


@pytest.fixture
async def tags(tmp_path: Path, address: str, remote: TagRepository) -> AsyncIterator[TagDatabase]:
    """A clone of it, by the first sync."""
    settings = read_settings(data_dir=tmp_path / "data", ehtag_remote=address, ehtag_token=TOKEN, ehtag_push=True)
    async with open_tag_database(settings) as database:
        await database.sync()
        yield database


def history(repository: TagRepository, revision: str = "HEAD") -> int:
    """Number of commits that are here."""
    return int(repository.git("rev-list", "--count", revision))


async def test_the_first_sync_fetches_the_newest_version_without_its_history(
    tags: TagDatabase, remote: TagRepository, local: TagRepository
) -> None:
    assert (history(remote), history(local)) == (COMMITS, 1)
    assert tags.state.sha == local.head == remote.head
    assert tags.state.snapshot.count == 7
    local.check()


async def test_edits_pushes_and_syncs_need_no_history(
    tags: TagDatabase, remote: TagRepository, local: TagRepository
) -> None:
    edited = await tags.remove(Namespace.FEMALE, "glasses", if_match="*", user=COOK)
    assert remote.head == edited.sha
    remote.check()

    newer = remote.commit({"README.md": b"newer\n"})
    progress: list[FetchProgress] = []
    assert await tags.sync(progress.append) is SyncOutcome.MOVED
    assert await tags.sync() is SyncOutcome.UP_TO_DATE

    assert tags.state.sha == local.head == newer
    assert progress[-1].received_objects == 3  # a commit, its tree and one file
    assert (history(remote), history(local)) == (COMMITS + 2, 3)
    local.check()


async def test_a_branch_that_began_before_the_clone_is_followed_when_it_is_merged(
    tags: TagDatabase, remote: TagRepository, local: TagRepository
) -> None:
    old = remote.git("rev-parse", "HEAD~4").strip()
    tree = remote.git("rev-parse", "HEAD^{tree}").strip()
    side = remote.git("commit-tree", tree, "-p", old, "-m", "side").strip()
    merged = remote.git("commit-tree", tree, "-p", "HEAD", "-p", side, "-m", "merge").strip()
    remote.git("update-ref", "HEAD", merged)

    assert await tags.sync() is SyncOutcome.MOVED

    assert local.head == merged
    local.check()


async def test_where_the_head_and_the_remote_seem_to_differ_the_history_decides(
    tags: TagDatabase, remote: TagRepository, local: TagRepository
) -> None:
    before = tags.state.sha
    remote.git("update-ref", "HEAD", "HEAD~3")

    assert await tags.sync() is SyncOutcome.UP_TO_DATE

    assert local.head == before
    assert local.git("merge-base", before, remote.head).strip() == remote.head
    local.check()


async def test_a_remote_with_another_past_is_a_conflict_that_can_be_merged(
    tags: TagDatabase, remote: TagRepository, local: TagRepository
) -> None:
    before, base = tags.state.sha, remote.git("rev-parse", "HEAD~3").strip()
    remote.git("update-ref", "HEAD", base)
    other = remote.commit({"README.md": b"another past\n"})

    with pytest.raises(Conflict, match="merge them by hand"):
        await tags.sync()

    assert local.head == before
    assert local.git("merge-base", before, other).strip() == base
    local.check()


async def test_edits_that_must_be_merged_by_hand_have_what_a_merge_needs(
    tags: TagDatabase, remote: TagRepository, local: TagRepository
) -> None:
    mine = local.commit({"README.md": b"mine\n"})
    base = remote.head
    theirs = remote.commit({"README.md": b"theirs\n"})

    with pytest.raises(Conflict, match="merge them by hand"):
        await tags.sync()

    assert local.head == mine
    assert local.git("merge-base", mine, theirs).strip() == base
    assert history(local) == 2
    local.check()


async def test_what_a_killed_fetch_has_locked_is_free_for_the_next(
    tags: TagDatabase, remote: TagRepository, local: TagRepository
) -> None:
    newer = remote.commit({"README.md": b"newer\n"})
    (local.folder / "jmgraph-sync.lock").write_text("{}")
    for name in ("shallow.lock", "refs/remotes/origin/master.lock"):
        (local.folder / name).touch()
        os.utime(local.folder / name, (1_700_000_000, 1_700_000_000))

    assert await tags.sync() is SyncOutcome.MOVED

    assert local.head == newer
    local.check()


async def test_the_clone_of_a_shallow_clone_is_shallow_and_follows_it(
    tmp_path: Path, tags: TagDatabase, remote: TagRepository, local: TagRepository
) -> None:
    settings = tag_settings(tmp_path / "other", ehtag_remote=str(local.folder))
    async with open_tag_database(settings) as other:
        assert await other.sync() is SyncOutcome.CLONED
        newer = remote.commit({"README.md": b"newer\n"})
        await tags.sync()

        assert await other.sync() is SyncOutcome.MOVED

    clone = TagRepository(tmp_path / "other/data/ehtag")
    assert clone.head == newer
    assert history(clone) == 2
    clone.check()


async def test_a_shallow_clone_stays_whole_when_its_remote_becomes_a_folder(
    tmp_path: Path, tags: TagDatabase, remote: TagRepository, local: TagRepository
) -> None:
    newer = remote.commit({"README.md": b"newer\n"})
    async with open_tag_database(tag_settings(tmp_path, ehtag_remote=str(remote.folder))) as other:
        assert await other.sync() is SyncOutcome.MOVED

    assert local.head == newer
    assert history(local) == 2
    local.check()
