"""Moving the head of a repository, in steps that a killed process may leave at any point."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pygit2

from services.ehtag.git import HEAD, common_folder, head_commit, head_reference
from services.ehtag.lock import HeldLock
from services.ehtag.worktree import WorkTree
from services.errors import Conflict, StaleVersion

_STALE_LOCK_S = 2.0  # git holds its own lock files for milliseconds
_OUTWAIT_STEP_S = 0.05


def fast_forward(git: pygit2.Repository, lock: HeldLock, new: pygit2.Commit) -> bool:
    """Move the head to a newer commit; False when it is there already, or further.

    Raises `Conflict`, and changes nothing, when the head has commits beside it or the work tree has changes.
    """
    head = head_commit(git)
    if head and (head.id == new.id or git.descendant_of(head.id, new.id)):
        return False
    if head and not git.descendant_of(new.id, head.id):
        raise Conflict(
            "The tag database has edits that the remote does not have; merge them by hand, then sync again."
        )
    WorkTree(git).refuse_changes(head and head.tree, new.tree)
    move_head(git, lock, head, new, "jmgraph: fast-forward")
    return True


def move_head(
    git: pygit2.Repository, lock: HeldLock, old: pygit2.Commit | None, new: pygit2.Commit, message: str
) -> None:
    """Move the head, then index and files; written down first, for whoever comes after a killed process."""
    lock.note(old=str(old.id) if old else "", new=str(new.id))
    _set_head(git, old, new, message.partition("\n")[0])
    WorkTree(git).move(old and old.tree, new.tree)


def _set_head(git: pygit2.Repository, old: pygit2.Commit | None, new: pygit2.Commit, message: str) -> None:
    reference = head_reference(git)
    if reference is None:
        git.references.create(str(git.lookup_reference(HEAD).target), new.id)
        return
    if old is None or reference.target != old.id:
        # a plain git moved it since it was read: that one asks no lock of ours
        raise StaleVersion(str(reference.target))
    try:
        reference.set_target(new.id, message)
    except pygit2.GitError:
        now = head_commit(git)
        raise StaleVersion(str(now.id) if now else "") from None


def finish_move(git: pygit2.Repository, intent: Mapping[str, str]) -> None:
    """Put right what a process left that died between its first step and its last."""
    _drop_stale_locks(git)
    head, old, new = head_commit(git), intent.get("old", ""), intent.get("new", "")
    if head and str(head.id) == new:
        before = git[old].peel(pygit2.Tree) if old else None
        WorkTree(git).move(before, head.tree)


def _drop_stale_locks(git: pygit2.Repository) -> None:
    """Remove the lock files of git that the dead process held: without this nobody could ever write again.

    One that is young may be a living git's: it is given time to go by itself.
    """
    own, shared = Path(git.path), common_folder(git)
    in_references = (shared / "refs").rglob("*.lock")  # no reference may be named so
    for lock in (own / "HEAD.lock", own / "index.lock", shared / "packed-refs.lock", *in_references):
        _outwait(lock)
        lock.unlink(missing_ok=True)


def _outwait(lock: Path) -> None:
    with suppress(FileNotFoundError):
        while time.time() - lock.stat().st_mtime < _STALE_LOCK_S:
            time.sleep(_OUTWAIT_STEP_S)
