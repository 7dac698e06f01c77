"""Moves the head of a repository and the files of its work tree, in steps that survive a kill."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pygit2
from pygit2.enums import DeltaStatus, FileMode, RepositoryState

from services.ehtag.git import HEAD, FileLock, common_folder, head_commit, head_reference
from services.errors import Conflict, StaleVersion

_DIRTY = "The work tree of the tag database has changes of its own; commit or discard them first."
_ABSENT = pygit2.Oid(b"\0" * 20)

_STALE_LOCK_S = 2.0  # git holds its own lock files for milliseconds
_LOCK_POLL_S = 0.05


class WorkTree:
    """Index and files of a repository; a bare one has none, and every method returns at once."""

    def __init__(self, git: pygit2.Repository) -> None:
        self._git = git
        self._exists = not git.is_bare
        self._folder = Path(git.workdir or "")

    def require_clean(self, old: pygit2.Tree | None, new: pygit2.Tree) -> None:
        """Check that index and files are as the head has them and that no untracked file is where `new` has one.

        Raises `Conflict` otherwise. Other untracked files are ignored.
        """
        if not self._exists:
            return
        if self._git.state() != RepositoryState.NONE or self._git.status(untracked_files="no"):
            raise Conflict(_DIRTY)
        for delta in self._deltas(old, new):
            path = self._folder / delta.new_file.path
            is_obstacle = delta.status == DeltaStatus.ADDED and (path.exists() or path.is_symlink())
            if is_obstacle and self._id_on_disk(delta.new_file.path) != delta.new_file.id:
                raise Conflict(f"An untracked file is in the way: {delta.new_file.path}")

    def move(self, old: pygit2.Tree | None, new: pygit2.Tree) -> None:
        """Bring index and files from one tree to another; a second call after a killed one finishes its work.

        A file that equals neither tree was changed by somebody else meanwhile, and stays.
        """
        if not self._exists:
            return
        index = self._git.index
        index.read()
        for delta in self._deltas(old, new):
            if self._is_unchanged(index, delta):
                self._move_file(index, delta)
        index.write()

    def _deltas(self, old: pygit2.Tree | None, new: pygit2.Tree) -> Iterator[pygit2.DiffDelta]:
        diff = old.diff_to_tree(new) if old else new.diff_to_tree(swap=True)
        return iter(diff.deltas)

    def _is_unchanged(self, index: pygit2.Index, delta: pygit2.DiffDelta) -> bool:
        path = delta.new_file.path
        known = {delta.old_file.id, delta.new_file.id}  # an absent side is the zero id, as is an absent file
        staged = index[path].id if path in index else _ABSENT
        return staged in known and self._id_on_disk(path) in known

    def _id_on_disk(self, path: str) -> pygit2.Oid:
        full = self._folder / path
        if full.is_symlink():
            return pygit2.hash(os.fsencode(full.readlink()))
        return self._git.hashfile(path) if full.is_file() else _ABSENT

    def _move_file(self, index: pygit2.Index, delta: pygit2.DiffDelta) -> None:
        path, full = delta.new_file.path, self._folder / delta.new_file.path
        if delta.status == DeltaStatus.DELETED:
            full.unlink(missing_ok=True)
            if path in index:
                index.remove(path)
            return
        full.parent.mkdir(parents=True, exist_ok=True)
        self._write(full, delta.new_file)
        index.add(path)

    def _write(self, full: Path, file: pygit2.DiffFile) -> None:
        """Write a temporary file, then rename it: a reader sees the old bytes or the new ones."""
        temporary = full.with_name(f".{full.name}.jmgraph")
        temporary.unlink(missing_ok=True)
        blob = self._git[file.id].peel(pygit2.Blob)
        if file.mode == FileMode.LINK:
            temporary.symlink_to(os.fsdecode(blob.data))
        else:
            with pygit2.BlobIO(blob, as_path=file.path) as content:
                temporary.write_bytes(content.read())
            temporary.chmod(0o755 if file.mode == FileMode.BLOB_EXECUTABLE else 0o644)
        temporary.replace(full)


class Diverged(Conflict):
    """The head and the other commit each have commits that the other lacks, as far as the history is here."""


def fast_forward(git: pygit2.Repository, lock: FileLock, new: pygit2.Commit) -> bool:
    """Move the head to a newer commit; False when it is there already, or further.

    Raises, and changes nothing, `Diverged`, or `Conflict` when the work tree has changes.
    """
    head = head_commit(git)
    if head and (head.id == new.id or git.descendant_of(head.id, new.id)):
        return False
    if head and not git.descendant_of(new.id, head.id):
        raise Diverged(
            "The tag database has edits that the remote does not have; merge them by hand, then sync again."
        )
    WorkTree(git).require_clean(head and head.tree, new.tree)
    move_head(git, lock, head, new, "jmgraph: fast-forward")
    return True


def move_head(
    git: pygit2.Repository, lock: FileLock, old: pygit2.Commit | None, new: pygit2.Commit, message: str
) -> None:
    """Move the head, then index and files; the intent is recorded first, so that `finish_move` can complete it."""
    lock.write_intent(old=str(old.id) if old else "", new=str(new.id))
    _set_head(git, old, new, message.partition("\n")[0])
    WorkTree(git).move(old and old.tree, new.tree)


def _set_head(git: pygit2.Repository, old: pygit2.Commit | None, new: pygit2.Commit, message: str) -> None:
    reference = head_reference(git)
    if reference is None:
        git.references.create(str(git.lookup_reference(HEAD).target), new.id)
        return
    if old is None or reference.target != old.id:
        # moved by a git command since it was read: git does not take our lock
        raise StaleVersion(str(reference.target))
    try:
        reference.set_target(new.id, message)
    except pygit2.GitError:
        now = head_commit(git)
        raise StaleVersion(str(now.id) if now else "") from None


def finish_move(git: pygit2.Repository, intent: Mapping[str, str]) -> None:
    """Complete the move of a process that died between its first step and its last."""
    drop_stale_locks(git)
    head, old, new = head_commit(git), intent.get("old", ""), intent.get("new", "")
    if head and str(head.id) == new:
        before = git[old].peel(pygit2.Tree) if old else None
        WorkTree(git).move(before, head.tree)


def drop_stale_locks(git: pygit2.Repository) -> None:
    """Remove the lock files of git that the dead process held: with them nobody could write again.

    A recent one may belong to a running git: it gets time to disappear.
    """
    own, shared = Path(git.path), common_folder(git)
    in_references = (shared / "refs").rglob("*.lock")  # no reference may be named so
    files = (own / "HEAD.lock", own / "index.lock", shared / "packed-refs.lock", shared / "shallow.lock")
    for lock in (*files, *in_references):
        _wait_until_stale(lock)
        lock.unlink(missing_ok=True)


def _wait_until_stale(lock: Path) -> None:
    with suppress(FileNotFoundError):
        while time.time() - lock.stat().st_mtime < _STALE_LOCK_S:
            time.sleep(_LOCK_POLL_S)
