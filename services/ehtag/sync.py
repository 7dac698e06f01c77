"""Getting the tag database from its remote: a clone at first, then fetches that only ever fast-forward."""

from __future__ import annotations

import shutil
from enum import StrEnum
from pathlib import Path

import pygit2

from services.ehtag.git import RepositoryUnreadable, common_folder, open_git, public_address
from services.ehtag.lock import hold_lock
from services.ehtag.remote import OnProgress, Remote
from services.ehtag.repository import ORIGIN, Repository

_LOCK_FILE = "jmgraph-sync.lock"
_TIMEOUT_S = 1800.0  # somebody else's first clone over a slow line


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
