"""Syncing with the remote and pushing to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from services.ehtag import (
    Namespace,
    SyncOutcome,
    TagDatabase,
    open_tag_database,
)
from services.ehtag.sync import SyncStatus
from services.errors import Conflict, StaleVersion, UpstreamFailure
from services.tasks import cancel_and_wait
from tests.tag_databases import COOK, tag_settings
from tests.tag_repositories import FEMALE, FILES, MakeTagRepository, TagRepository
from tests.waiting import until

pytestmark = pytest.mark.anyio


async def test_a_sync_leaves_a_folder_that_is_no_repository_alone(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters/letter.txt").write_text("dear")
    async with open_tag_database(tag_settings(tmp_path, tmp_path / "letters")) as tags:
        with pytest.raises(Conflict, match="no git repository"):
            await tags.sync()

    assert [path.name for path in (tmp_path / "letters").iterdir()] == ["letter.txt"]


@asynccontextmanager
async def pushing(
    tmp_path: Path, make_tag_repository: MakeTagRepository
) -> AsyncIterator[tuple[TagDatabase, TagRepository, TagRepository]]:
    remote = make_tag_repository("remote")
    local = TagRepository(tmp_path / "local")
    push = tag_settings(tmp_path, local.folder, ehtag_remote=str(remote.folder), ehtag_push=True)
    async with open_tag_database(push) as tags:
        await tags.sync()
        yield tags, local, remote


async def test_an_edit_is_pushed_when_the_setting_says_so(
    tmp_path: Path, make_tag_repository: MakeTagRepository
) -> None:
    async with pushing(tmp_path, make_tag_repository) as (tags, local, remote):
        edit = await tags.remove(Namespace.FEMALE, "apron", if_match="*", user=COOK)

        assert edit.sha == local.head == remote.head


async def test_a_refused_push_undoes_the_edit_and_shows_what_the_remote_has(
    tmp_path: Path, make_tag_repository: MakeTagRepository
) -> None:
    async with pushing(tmp_path, make_tag_repository) as (tags, local, remote):
        version = tags.state.sha
        newer = remote.commit({"database/female.md": FEMALE.replace("围裙", "长围裙").encode()})

        with pytest.raises(StaleVersion) as refused:
            await tags.remove(Namespace.FEMALE, "glasses", if_match=version, user=COOK)

        assert refused.value.head_sha == newer
        assert local.head == remote.head == tags.state.sha == newer
        assert "refs/jmgraph" not in local.git("for-each-ref")
        local.check()
        edit = await tags.remove(Namespace.FEMALE, "glasses", if_match=newer, user=COOK)
        assert remote.head == edit.sha


async def test_an_edit_that_can_not_be_pushed_is_no_edit(
    tmp_path: Path, make_tag_repository: MakeTagRepository
) -> None:
    async with pushing(tmp_path, make_tag_repository) as (tags, local, remote):
        version = tags.state.sha
        remote.folder.rename(tmp_path / "elsewhere")

        with pytest.raises(UpstreamFailure):
            await tags.remove(Namespace.FEMALE, "glasses", if_match=version, user=COOK)

        assert local.head == version


async def test_a_sync_clones_then_fast_forwards_then_has_nothing_to_do(
    tmp_path: Path, make_tag_repository: MakeTagRepository
) -> None:
    remote = make_tag_repository("remote")
    progress: list[int] = []
    async with open_tag_database(tag_settings(tmp_path, ehtag_remote=str(remote.folder))) as tags:
        assert tags.state.is_starter

        outcomes = [await tags.sync(lambda update: progress.append(update.received_objects))]
        assert not tags.state.is_starter
        assert tags.state.snapshot.repo == str(remote.folder)
        sha = remote.commit(
            {"database/other.md": FILES["database/other.md"].replace("火车".encode(), "列车".encode())}
        )
        outcomes += [await tags.sync(), await tags.sync()]

        assert outcomes == [SyncOutcome.CLONED, SyncOutcome.MOVED, SyncOutcome.UP_TO_DATE]
        assert tags.state.sha == sha
        assert tags.state.last_error is None
        assert tags.state.last_checked_at is not None
    assert not (tmp_path / "data/.ehtag.partial").exists()
    TagRepository(tmp_path / "data/ehtag").check()


async def test_every_machine_syncs_by_itself_and_the_processes_of_one_take_turns(
    tmp_path: Path, make_tag_repository: MakeTagRepository
) -> None:
    remote = make_tag_repository("remote")
    async with AsyncExitStack() as stack:
        machines = [tag_settings(tmp_path / name, ehtag_remote=str(remote.folder)) for name in ("one", "other")]
        databases = [await stack.enter_async_context(open_tag_database(settings)) for settings in machines]
        tasks = [asyncio.create_task(tags.keep_synced(3600)) for tags in databases]
        await until(lambda: not any(tags.state.is_starter for tags in databases))
        await cancel_and_wait(*tasks)

    other_process = SyncStatus(tmp_path / "one/data/ehtag-sync.json")
    assert [other_process.claim_sync(3600), other_process.claim_sync(0.001), other_process.claim_sync(3600)] == [
        False,
        True,
        False,
    ]


async def test_a_sync_never_overwrites_local_edits(tmp_path: Path, make_tag_repository: MakeTagRepository) -> None:
    remote = make_tag_repository("remote")
    async with open_tag_database(tag_settings(tmp_path, ehtag_remote=str(remote.folder))) as tags:
        await tags.sync()
        edit = await tags.remove(Namespace.FEMALE, "apron", if_match="*", user=COOK)
        assert await tags.sync() is SyncOutcome.UP_TO_DATE
        remote.commit({"README.md": b"elsewhere\n"})

        with pytest.raises(Conflict):
            await tags.sync()

        assert tags.state.sha == edit.sha == TagRepository(tmp_path / "data/ehtag").head
        assert tags.state.last_error is not None
        assert "edits that the remote does not have" in tags.state.last_error


async def test_an_unreachable_remote_is_reported_by_every_process(tmp_path: Path) -> None:
    gone = tag_settings(tmp_path, ehtag_remote=str(tmp_path / "gone"))
    async with open_tag_database(gone) as tags, open_tag_database(gone) as other:
        with pytest.raises(UpstreamFailure):
            await tags.sync()

        state = await other.refresh()
        assert tags.state.is_starter
        assert state.last_error == tags.state.last_error
        assert state.last_error is not None
        assert str(tmp_path / "gone") in state.last_error


async def test_a_sync_moves_a_clean_work_tree_and_no_other(
    tmp_path: Path, make_tag_repository: MakeTagRepository
) -> None:
    remote = make_tag_repository("remote")
    work = TagRepository(tmp_path / "work")
    remote.git("clone", "-q", str(remote.folder), str(work.folder))
    async with open_tag_database(tag_settings(tmp_path, work.folder)) as tags:
        assert tags.state.snapshot.repo == str(remote.folder)
        remote.commit({"database/new.txt": b"new\n", "README.md": b"changed\n"})
        await tags.sync()
        assert (work.folder / "README.md").read_bytes() == b"changed\n"
        assert work.git("status", "--porcelain") == ""

        (work.folder / "README.md").write_text("mine")
        before = work.head
        remote.commit({"database/new.txt": b"newer\n"})
        with pytest.raises(Conflict):
            await tags.sync()
        assert work.head == before
        assert (work.folder / "database/new.txt").read_bytes() == b"new\n"
