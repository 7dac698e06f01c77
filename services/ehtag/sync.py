"""Keeps the tag database in step with its remote: clone, fast-forward fetches, and when they were done."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pygit2
import structlog

from services.ehtag.git import RepositoryUnreadable, common_folder, hold_lock, open_git, public_address
from services.ehtag.remote import OnProgress, Remote
from services.ehtag.repository import ORIGIN, Repository
from services.errors import JmgraphError

if TYPE_CHECKING:
    from services.redis import RedisClient

log = structlog.get_logger("jmgraph.ehtag")

_LOCK_FILE = "jmgraph-sync.lock"
_TIMEOUT_S = 1800.0  # somebody else's first clone over a slow line
_TURN_KEY = "jmgraph:ehtag:turn"


@dataclass(frozen=True, slots=True)
class SyncNote:
    """When the remote was last asked (None: never), and what went wrong then (None: nothing)."""

    checked_at: datetime | None = None
    error: str | None = None


class SyncStatus:
    """The file. Writing replaces it whole, so that no reader sees half of it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> SyncNote:
        """The last note; an unreadable file counts as none."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=SyncNote)
        except (FileNotFoundError, msgspec.DecodeError):
            return SyncNote()

    def write(self, error: str | None) -> SyncNote:
        """Note that the remote was asked just now."""
        note = SyncNote(datetime.now(UTC), error)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        beside.write_bytes(msgspec.json.encode(note))
        beside.replace(self._path)
        return note


class SyncOutcome(StrEnum):
    """What a sync did."""

    CLONED = "CLONED"
    MOVED = "MOVED"
    UP_TO_DATE = "UP_TO_DATE"


def sync_repository(repository: Repository, on_progress: OnProgress | None = None) -> SyncOutcome:
    """Clone the remote where there is no repository yet, else fetch and fast-forward. Blocks.

    Raises `UpstreamFailure` when the remote can't be read, `Conflict`, with nothing changed, when there are local
    edits it does not have or a work tree with changes, `RepositoryUnreadable` when the folder holds something else.
    """
    folder = repository.folder
    if open_git(folder) is None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with hold_lock(folder.with_name(f"{folder.name}.{_LOCK_FILE}"), _TIMEOUT_S):
            if open_git(folder) is None:  # nobody was quicker
                _clone(folder, repository.remote(None), on_progress)
                return SyncOutcome.CLONED
    return _fetch(repository, on_progress)


def _fetch(repository: Repository, on_progress: OnProgress | None) -> SyncOutcome:
    git = open_git(repository.folder)
    if git is None:
        raise RepositoryUnreadable(f"{repository.folder} has gone")
    with hold_lock(common_folder(git) / _LOCK_FILE, _TIMEOUT_S):
        sha = repository.remote(git).fetch(git, on_progress)
    return SyncOutcome.MOVED if repository.fast_forward(sha) else SyncOutcome.UP_TO_DATE


def _clone(folder: Path, remote: Remote, on_progress: OnProgress | None) -> None:
    """Clone one branch, without a work tree, beside the place; it moves there when it is whole."""
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)  # of a process that died; only the holder of the lock comes here
    try:
        git = pygit2.init_repository(str(partial), bare=True)
        branch = remote.default_branch(git)
        git.set_head(branch)
        sha = remote.fetch(git, on_progress)
        name = branch.removeprefix("refs/heads/")
        address = public_address(remote.address)
        git.remotes.create(ORIGIN, address, f"+refs/heads/{name}:refs/remotes/{ORIGIN}/{name}")
        git.references.create(branch, sha)
        partial.replace(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


async def keep_tags_synced(sync: Callable[[], Awaitable[object]], redis: RedisClient, every_s: float) -> None:
    """Call `sync` every `every_s` seconds, in one worker at a time; 0: never. Never ends by itself."""
    if every_s <= 0:
        return
    while True:
        if await _is_our_turn(redis, every_s):
            await _sync_or_log(sync)
        await asyncio.sleep(min(every_s, 60.0))


async def _is_our_turn(redis: RedisClient, every_s: float) -> bool:
    from services.redis import RedisUnavailable  # late: opening the tag database needs no Redis

    try:
        return bool(await redis.client.set(_TURN_KEY, b"1", nx=True, px=max(1, int(every_s * 1000))))
    except RedisUnavailable:
        return False


async def _sync_or_log(sync: Callable[[], Awaitable[object]]) -> None:
    try:
        await sync()
    except JmgraphError as error:
        log.warning("The tag database could not be fetched", reason=error.message)
