"""Syncs the tag database with its remote: clone, fast-forward, the result of the last sync, whose turn is next."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import msgspec
import pygit2
import structlog

from services.ehtag.folder_remote import NEWEST_ONLY, TO_COMMON, OnProgress
from services.ehtag.git import RepositoryUnreadable, common_folder, file_lock, head_commit, open_git, public_address
from services.ehtag.head import Diverged, drop_stale_locks
from services.ehtag.remote import Remote
from services.ehtag.repository import ORIGIN, Repository

log = structlog.get_logger("jmgraph.ehtag")

_LOCK_FILE = "jmgraph-sync.lock"
_TIMEOUT_S = 1800.0  # a first clone by another process over a slow connection


@dataclass(frozen=True, slots=True)
class SyncCheck:
    """When the remote was last checked (None: never), and what went wrong then (None: nothing)."""

    checked_at: datetime | None = None
    error: str | None = None


class SyncStatus:
    """The last check, in a JSON file that all processes share; each write replaces the whole file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> SyncCheck:
        """The last check; an unreadable file counts as none."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=SyncCheck)
        except (FileNotFoundError, msgspec.DecodeError):
            return SyncCheck()

    def write(self, error: str | None) -> SyncCheck:
        """Record that the remote was checked just now."""
        check = SyncCheck(datetime.now(UTC), error)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        temporary.write_bytes(msgspec.json.encode(check))
        temporary.replace(self._path)
        return check

    def claim_sync(self, every_s: float) -> bool:
        """True for one of the processes that share this file when the last claim is `every_s` seconds old. Blocks."""
        claim = self._path.with_suffix(".claim")
        claim.parent.mkdir(parents=True, exist_ok=True)
        with file_lock(claim.with_suffix(".lock"), _TIMEOUT_S):
            if claim.exists() and 0 <= time.time() - claim.stat().st_mtime < every_s:
                return False
            claim.touch()
            return True


class SyncOutcome(StrEnum):
    """What a sync did."""

    CLONED = "CLONED"
    MOVED = "MOVED"
    UP_TO_DATE = "UP_TO_DATE"


def sync_repository(repository: Repository, on_progress: OnProgress | None = None) -> SyncOutcome:
    """Clone the remote's newest version where there is no repository yet, else fetch and fast-forward. Blocks.

    Raises `UpstreamFailure` when the remote can't be read, `Conflict`, with nothing changed, when there are local
    edits it does not have or a work tree with changes, `RepositoryUnreadable` when the folder is no repository.
    """
    folder = repository.folder
    if open_git(folder) is None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with file_lock(folder.with_name(f"{folder.name}.{_LOCK_FILE}"), _TIMEOUT_S):
            if open_git(folder) is None:  # no other process has cloned it meanwhile
                _clone(folder, repository.remote(None), on_progress)
                return SyncOutcome.CLONED
    return _fetch(repository, on_progress)


def _fetch(repository: Repository, on_progress: OnProgress | None) -> SyncOutcome:
    git = open_git(repository.folder)
    if git is None:
        raise RepositoryUnreadable(f"{repository.folder} has gone")
    with _fetching(git):
        remote = repository.remote(git)
        sha = remote.fetch(git, on_progress)
        try:
            is_moved = repository.fast_forward(sha)
        except Diverged:
            if not _lacks_history(repository.folder, sha):
                raise
            log.info("fetching the history of the tag database, to compare it with the remote's")
            remote.fetch(git, on_progress, depth=TO_COMMON)
            is_moved = repository.fast_forward(sha)
    return SyncOutcome.MOVED if is_moved else SyncOutcome.UP_TO_DATE


def _lacks_history(folder: Path, sha: str) -> bool:
    """True when the commit that the head and the other have in common may be one that is not here."""
    git = open_git(folder)
    head = git and head_commit(git)
    return bool(git and head and git.is_shallow and git.merge_base(head.id, sha) is None)


@contextmanager
def _fetching(git: pygit2.Repository) -> Iterator[None]:
    """One fetch at a time; what a killed one has locked is free again."""
    with file_lock(common_folder(git) / _LOCK_FILE, _TIMEOUT_S) as lock:
        if lock.unfinished is not None:
            drop_stale_locks(git)
        lock.write_intent()
        try:
            yield
        finally:
            lock.clear_intent()


def _clone(folder: Path, remote: Remote, on_progress: OnProgress | None) -> None:
    """Clone one branch, without a work tree, into a temporary folder, which is renamed when it is complete.

    Without its history, which reading, edits and pushes need not.
    """
    address = public_address(remote.address)
    log.info("cloning the tag database", remote=address, folder=str(folder))
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)  # left by a process that died; we hold the lock
    try:
        git = pygit2.init_repository(str(partial), bare=True)
        branch = remote.default_branch(git)
        git.set_head(branch)
        sha = remote.fetch(git, on_progress, depth=NEWEST_ONLY)
        name = branch.removeprefix("refs/heads/")
        git.remotes.create(ORIGIN, address, f"+refs/heads/{name}:refs/remotes/{ORIGIN}/{name}")
        git.references.create(branch, sha)
        partial.replace(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
