"""The files of a repository with a work tree: kept in step with the head, never at the cost of somebody's work."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pygit2
from pygit2.enums import DeltaStatus, FileMode, RepositoryState

from services.errors import Conflict

_DIRTY = "The work tree of the tag database has changes of its own; commit or discard them first."


class WorkTree:
    """Index and files beside a repository. A bare repository has none; then there is nothing to do."""

    def __init__(self, git: pygit2.Repository) -> None:
        self._git = git
        self._is_there = not git.is_bare
        self._folder = Path(git.workdir or "")

    def refuse_changes(self, old: pygit2.Tree | None, new: pygit2.Tree) -> None:
        """Return when index and files are as the head has them and nothing is in the way of `new`.

        Raises `Conflict` otherwise. Files git does not know about are nobody's business, unless `new` has them too.
        """
        if not self._is_there:
            return
        if self._git.state() != RepositoryState.NONE or self._git.status(untracked_files="no"):
            raise Conflict(_DIRTY)
        for delta in self._deltas(old, new):
            path = self._folder / delta.new_file.path
            is_in_the_way = delta.status == DeltaStatus.ADDED and (path.exists() or path.is_symlink())
            if is_in_the_way and self._id_on_disk(delta.new_file.path) != delta.new_file.id:
                raise Conflict(f"An untracked file is in the way: {delta.new_file.path}")

    def move(self, old: pygit2.Tree | None, new: pygit2.Tree) -> None:
        """Bring index and files from one tree to another; a second call after a killed one finishes its work.

        What is neither as the old nor as the new tree has it was changed by somebody since, and stays.
        """
        if not self._is_there:
            return
        index = self._git.index
        index.read()
        for delta in self._deltas(old, new):
            if self._is_ours(index, delta):
                self._move_file(index, delta)
        index.write()

    def _deltas(self, old: pygit2.Tree | None, new: pygit2.Tree) -> Iterator[pygit2.DiffDelta]:
        diff = old.diff_to_tree(new) if old else new.diff_to_tree(swap=True)
        return iter(diff.deltas)

    def _is_ours(self, index: pygit2.Index, delta: pygit2.DiffDelta) -> bool:
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
        """Write beside the file, then rename: whoever reads it sees the old bytes or the new ones."""
        beside = full.with_name(f".{full.name}.jmgraph")
        beside.unlink(missing_ok=True)
        blob = self._git[file.id].peel(pygit2.Blob)
        if file.mode == FileMode.LINK:
            beside.symlink_to(os.fsdecode(blob.data))
        else:
            with pygit2.BlobIO(blob, as_path=file.path) as content:
                beside.write_bytes(content.read())
            beside.chmod(0o755 if file.mode == FileMode.BLOB_EXECUTABLE else 0o644)
        beside.replace(full)


_ABSENT = pygit2.Oid(b"\0" * 20)
