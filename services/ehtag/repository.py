"""The tag database in git: reads the head's tree, commits one file's change; needs no work tree."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pygit2
from pygit2.enums import FileMode

from services.ehtag.git import (
    FileLock,
    RepositoryUnreadable,
    commit_record,
    common_folder,
    file_lock,
    head_commit,
    head_reference,
    open_git,
    public_address,
    set_up_libgit2,
    translate_read_errors,
)
from services.ehtag.head import WorkTree, fast_forward, finish_move, move_head
from services.ehtag.markup.syntax import SPACES
from services.ehtag.records import CommitRecord, Namespace
from services.ehtag.remote import Remote, RemoteSettings
from services.errors import Conflict, JmgraphError, StaleVersion, UpstreamFailure

set_up_libgit2()

DATABASE_FOLDER = "database"
VERSION_FILE = "version"
NEWEST_VERSION = 7
"""Of the data format that this server knows."""
ORIGIN = "origin"
BUSY_AFTER_S = 0.4
"""Waited for once within a process and once between processes: the answer comes within a second."""

_NUMBER = re.compile(r"[0-9]{1,9}")  # nine digits fit into GraphQL's Int
_LOCK_FILE = "jmgraph.lock"
_LOCK_TIMEOUT_S = 60.0
_PENDING = "refs/jmgraph/pending"  # a commit on its way to the remote


@dataclass(frozen=True, slots=True)
class Author:
    """Who made an edit, or who commits it: name and e-mail."""

    name: str
    email: str

    @classmethod
    def parse(cls, text: str) -> Author:
        """From "jmgraph <jmgraph@localhost>"."""
        name, _, email = text.rpartition(" <")
        return cls(name.strip(), email.rstrip(">").strip())


@dataclass(frozen=True, slots=True)
class Contents:
    """What one head holds: its commit, the number in `version`, and each namespace's file as bytes.

    `unknown`, a line for each: what this server does not know, and goes on without.
    """

    commit: CommitRecord
    version: int
    files: Mapping[Namespace, bytes]
    unknown: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Edit:
    """The new content of one namespace's file, to be committed on top of `parent`."""

    parent: str
    namespace: Namespace
    data: bytes
    message: str
    author: Author


class Repository:
    """A git repository with a tag database, bare or with a work tree.

    Every call opens it again (0.1 ms), so calls may come from any thread. All of them block.
    """

    def __init__(self, folder: Path, committer: Author, remote: RemoteSettings, *, pushes: bool = False) -> None:
        self.folder = folder
        self._committer = committer
        self._remote = remote
        self._pushes = pushes

    def head_sha(self) -> str | None:
        """The sha1 of the head's commit; None while there is no repository or no commit in it.

        Raises `RepositoryUnreadable` where the folder holds something else.
        """
        with translate_read_errors(self.folder):
            git = open_git(self.folder)
            reference = git and head_reference(git)
            return str(reference.target) if reference else None

    def read(self) -> Contents | None:
        """What the head holds; None while there is no repository or no commit in it.

        Raises `RepositoryUnreadable` where the head is no tag database.
        """
        with translate_read_errors(self.folder):
            git = open_git(self.folder)
            commit = head_commit(git) if git else None
            return _contents(git, commit) if git and commit else None

    @property
    def address(self) -> str:
        """The remote's address, without credentials: what `remote` gives; empty without a repository."""
        git = open_git(self.folder)
        return public_address(self._remote.address(_origin(git))) if git else ""

    def remote(self, git: pygit2.Repository | None) -> Remote:
        """Where to fetch from and push to: the setting, where it is the default the repository's `origin` first."""
        return self._remote.open(_origin(git) if git else "")

    @property
    def edit_timeout_s(self) -> float:
        """Seconds that an edit waits for another: where edits are pushed, it may wait for the remote for a minute."""
        return BUSY_AFTER_S if self._pushes else _LOCK_TIMEOUT_S

    def commit(self, edit: Edit) -> str:
        """Commit one file's change on top of `edit.parent` and move the head to it; the sha1 of the new head.

        Every other file stays as it is. Where edits are pushed, this one is pushed first, and the head moves only
        when the remote took it. Raises `StaleVersion` when the head or the remote's is another commit, `Conflict`
        when the work tree has changes of its own or the remote declines, `RemoteRefused` when it refuses our token,
        `UpstreamFailure` when it can't be reached, `TagDatabaseBusy` while another edit waits for it.
        """
        with self._locked(self.edit_timeout_s) as (git, lock):
            head = head_commit(git)
            if head is None or str(head.id) != edit.parent:
                raise StaleVersion(str(head.id) if head else "")
            new = self._write_commit(git, head, edit)
            WorkTree(git).require_clean(head.tree, new.tree)
            if self._pushes:
                self._push(git, head, new, lock)
            move_head(git, lock, head, new, edit.message)
            return str(new.id)

    def fast_forward(self, sha: str) -> bool:
        """Move the head to a commit that was fetched; False when the head has it already.

        Raises, and changes nothing, `Diverged` when the head has commits of its own beside it, `Conflict` when the
        work tree has changes.
        """
        with self._locked(_LOCK_TIMEOUT_S) as (git, lock):
            new = git[sha].peel(pygit2.Commit)
            return fast_forward(git, lock, new)

    def _push(self, git: pygit2.Repository, head: pygit2.Commit, new: pygit2.Commit, lock: FileLock) -> None:
        """Push a commit that the head does not have yet.

        Where the remote declines, the head follows it, so that the next edit is made on the newest version. When it
        has no newer one, it declines by a rule of its own, and would decline the same edit again.
        """
        remote = self.remote(git)
        pending = git.references.create(_PENDING, new.id, force=True)
        try:
            remote.push(git, _PENDING)
        except Conflict as declined:
            with suppress(Conflict, UpstreamFailure):
                newer = remote.fetch(git)
                git = self._opened()  # which commits have their parents here is read once
                fast_forward(git, lock, git[newer].peel(pygit2.Commit))
            now = head_commit(git) or head
            if now.id == head.id:
                raise
            raise StaleVersion(str(now.id), declined.message) from None
        finally:
            pending.delete()

    def _write_commit(self, git: pygit2.Repository, head: pygit2.Commit, edit: Edit) -> pygit2.Commit:
        """Write objects only: nothing refers to them yet, so a crash here changes nothing."""
        name = f"{edit.namespace.value}.md"
        folder = _tree(head.tree, DATABASE_FOLDER)
        if folder is None:
            raise RepositoryUnreadable(f"the head has no folder {DATABASE_FOLDER}")
        files = git.TreeBuilder(folder)
        entry = files.get(name)
        files.insert(name, git.create_blob(edit.data), entry.filemode if entry else FileMode.BLOB)
        root = git.TreeBuilder(head.tree)
        root.insert(DATABASE_FOLDER, files.write(), FileMode.TREE)
        message = edit.message.replace("\0", "\ufffd")  # libgit2 would end the message there
        now = int(time.time())
        author = pygit2.Signature(edit.author.name, edit.author.email, now, 0)
        committer = pygit2.Signature(self._committer.name, self._committer.email, now, 0)
        return git[git.create_commit(None, author, committer, message, root.write(), [head.id])].peel(pygit2.Commit)

    def _opened(self) -> pygit2.Repository:
        git = open_git(self.folder)
        if git is None:
            raise Conflict("There is no tag database yet; `jmgraph ehtag sync` gets one.")
        git.set_ident(self._committer.name, self._committer.email)  # for the reflog
        return git

    @contextmanager
    def _locked(self, timeout_s: float) -> Iterator[tuple[pygit2.Repository, FileLock]]:
        """The repository, with its lock held and the work of a killed writer finished."""
        git = self._opened()
        with file_lock(common_folder(git) / _LOCK_FILE, timeout_s) as lock:
            if lock.unfinished is not None:
                finish_move(git, lock.unfinished)
            lock.write_intent()
            try:
                yield git, lock
            except JmgraphError:  # expected, and nothing is half done
                lock.clear_intent()
                raise
            lock.clear_intent()


def _origin(git: pygit2.Repository) -> str:
    """The address of the remote `origin` in the configuration; empty where there is none."""
    try:
        return git.remotes[ORIGIN].url or ""
    except (KeyError, pygit2.GitError):
        return ""


def _contents(git: pygit2.Repository, commit: pygit2.Commit) -> Contents:
    folder = _tree(commit.tree, DATABASE_FOLDER)
    found = {namespace: _blob(folder, f"{namespace.value}.md") for namespace in Namespace}
    files = {namespace: blob.data for namespace, blob in found.items() if blob is not None}
    if not files:
        raise RepositoryUnreadable(f"{git.path} has no {DATABASE_FOLDER}/*.md in commit {commit.id}")
    blob = _blob(commit.tree, VERSION_FILE)
    version = _version(blob.data if blob else b"")
    return Contents(commit_record(commit), version, files, [*_unknown_version(version), *_unknown_files(folder)])


def _version(data: bytes) -> int:
    """The first number of the file, as the official tools read it: 7 of "7.1", with or without a BOM."""
    number = _NUMBER.match(data.decode("utf-8", "replace").strip(SPACES))
    if number is None:
        raise RepositoryUnreadable(f"the file {VERSION_FILE} holds no number")
    return int(number[0])


def _unknown_version(version: int) -> Iterator[str]:
    if version > NEWEST_VERSION:
        yield f"{VERSION_FILE}: {version} is newer than {NEWEST_VERSION}, the newest that this server knows"


def _unknown_files(folder: pygit2.Tree | None) -> Iterator[str]:
    known = {f"{namespace.value}.md" for namespace in Namespace}
    for entry in folder or ():
        if entry.name and entry.name.endswith(".md") and entry.name not in known:
            yield f"{DATABASE_FOLDER}/{entry.name}: a namespace that this server does not know; the file is left out"


def _tree(tree: pygit2.Tree, name: str) -> pygit2.Tree | None:
    found = tree[name] if name in tree else None  # noqa: SIM401 (a tree has no `get`)
    return found if isinstance(found, pygit2.Tree) else None


def _blob(tree: pygit2.Tree | None, name: str) -> pygit2.Blob | None:
    found = tree[name] if tree is not None and name in tree else None
    return found if isinstance(found, pygit2.Blob) else None
