"""The starter glossary: our own words for the commonest tags, in a small git repository of its own."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pygit2
from pygit2.enums import FileMode

from services.ehtag.git import git_failures, head_commit, open_git
from services.ehtag.lock import hold_lock
from services.ehtag.repository import DATABASE_FOLDER, VERSION_FILE

_WRITTEN_AT = 1_735_689_600  # 2025-01-01; a fixed time and author give one sha1 in every process and on every machine
_AUTHOR = ("jmgraph", "jmgraph@localhost")
_MESSAGE = "The starter glossary of jmgraph\n"
_VERSION = b"7\n"
_TIMEOUT_S = 30.0


def write_starter(folder: Path) -> None:
    """Write the glossary that comes with this version into the repository at `folder`; nothing to do as a rule.

    Raises `Internal` when the folder can't be written.
    """
    with git_failures():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with hold_lock(folder.with_name(f"{folder.name}.lock"), _TIMEOUT_S):
            git = open_git(folder) or pygit2.init_repository(str(folder), bare=True)
            commit = _commit(git)
            head = head_commit(git)
            if head is None or head.id != commit:
                git.set_head(git.references.create("refs/heads/main", commit, force=True).name)


def _commit(git: pygit2.Repository) -> pygit2.Oid:
    """The commit of the glossary; writing one that is there already changes nothing."""
    namespaces = git.TreeBuilder()
    for file in (files("services.ehtag") / "glossary").iterdir():
        if file.name.endswith(".md"):
            namespaces.insert(file.name, git.create_blob(file.read_bytes()), FileMode.BLOB)
    root = git.TreeBuilder()
    root.insert(DATABASE_FOLDER, namespaces.write(), FileMode.TREE)
    root.insert(VERSION_FILE, git.create_blob(_VERSION), FileMode.BLOB)
    author = pygit2.Signature(*_AUTHOR, _WRITTEN_AT, 0)
    return git.create_commit(None, author, author, _MESSAGE, root.write(), [])
