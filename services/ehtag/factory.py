"""Opens the tag database of the settings, or the starter glossary where there is none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import pygit2
from pygit2.enums import FileMode

from services.ehtag.database import TagDatabase, run_blocking
from services.ehtag.git import RepositoryUnreadable, file_lock, head_commit, open_git, translate_git_errors
from services.ehtag.remote import RemoteSettings
from services.ehtag.repository import DATABASE_FOLDER, VERSION_FILE, Author, Repository
from services.ehtag.search import TagSearch
from services.ehtag.snapshot import TagSnapshot
from services.ehtag.state import StateReader
from services.ehtag.sync import SyncStatus
from services.ehtag.translator import Translator
from services.errors import ConfigurationError
from services.settings import OFFICIAL_EHTAG_REMOTE, Settings

if TYPE_CHECKING:
    from services.redis import Events

_STARTER_FOLDER = "ehtag-starter"
_SYNC_STATUS_FILE = "ehtag-sync.json"
_TIMEOUT_S = 30.0

_WRITTEN_AT = 1_735_689_600  # 2025-01-01; a fixed time and author give one sha1 in every process and on every machine
_AUTHOR = ("jmgraph", "jmgraph@localhost")
_MESSAGE = "The starter glossary of jmgraph\n"
_VERSION = b"7\n"


@asynccontextmanager
async def open_tag_database(
    settings: Settings,
    events: Events | None = None,
    *,
    translator_of: Callable[[TagSnapshot], Translator] = Translator,
    search_of: Callable[[TagSnapshot], TagSearch] = TagSearch,
) -> AsyncIterator[TagDatabase]:
    """The tag database of these settings, followed until the block ends.

    Without a repository, or with one that can't be read, it is the starter glossary. `events` tell other
    processes of edits at once; without them they poll the head.
    """
    repository = _repository(settings)
    sync_status = SyncStatus(settings.data_dir / _SYNC_STATUS_FILE)
    reader = StateReader(repository, lambda: _starter(settings), sync_status, translator_of, search_of)
    state = await asyncio.to_thread(run_blocking, reader.read, None)
    tags = TagDatabase(repository, reader, sync_status, state, events)
    follower = asyncio.create_task(tags.follow(), name="tag database follower")
    try:
        yield tags
    finally:
        follower.cancel()
        with suppress(asyncio.CancelledError):
            await follower


def require_usable_repository(settings: Settings) -> None:
    """Check that a tag database can be read from the repository, where one is set or exists.

    Raises `ConfigurationError` in one line: a command that writes a database must not write the starter glossary
    in place of it.
    """
    folder = settings.ehtag_folder
    try:
        exists = folder.exists() and not (folder.is_dir() and not any(folder.iterdir()))
        is_used = settings.ehtag_repository is not None or exists
        problem = "" if not is_used or _repository(settings).read() else "there is no tag database in it yet"
    except (OSError, RepositoryUnreadable) as error:
        problem = str(error)
    if problem:
        raise ConfigurationError(f"JMGRAPH_EHTAG_REPOSITORY={str(folder)!r}: {problem}")


def _repository(settings: Settings) -> Repository:
    remote = settings.ehtag_remote
    chosen = "" if remote == OFFICIAL_EHTAG_REMOTE else remote
    return Repository(
        settings.ehtag_folder,
        Author.parse(settings.ehtag_committer),
        RemoteSettings(chosen, OFFICIAL_EHTAG_REMOTE, settings.ehtag_token.get_secret_value()),
        pushes=settings.ehtag_push,
    )


def _starter(settings: Settings) -> Repository:
    folder = settings.data_dir / _STARTER_FOLDER
    write_starter(folder)
    return Repository(folder, Author.parse(settings.ehtag_committer), RemoteSettings("", ""))


def write_starter(folder: Path) -> None:
    """Write the built-in glossary into the repository at `folder`; mostly it is there already.

    Raises `Internal` when the folder can't be written.
    """
    with translate_git_errors():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with file_lock(folder.with_name(f"{folder.name}.lock"), _TIMEOUT_S):
            git = open_git(folder) or pygit2.init_repository(str(folder), bare=True)
            commit = _commit(git)
            head = head_commit(git)
            if head is None or head.id != commit:
                git.set_head(git.references.create("refs/heads/main", commit, force=True).name)


def _commit(git: pygit2.Repository) -> pygit2.Oid:
    """The commit of the glossary; writing one that exists changes nothing."""
    namespaces = git.TreeBuilder()
    for file in (files("services.ehtag") / "glossary").iterdir():
        if file.name.endswith(".md"):
            namespaces.insert(file.name, git.create_blob(file.read_bytes()), FileMode.BLOB)
    root = git.TreeBuilder()
    root.insert(DATABASE_FOLDER, namespaces.write(), FileMode.TREE)
    root.insert(VERSION_FILE, git.create_blob(_VERSION), FileMode.BLOB)
    author = pygit2.Signature(*_AUTHOR, _WRITTEN_AT, 0)
    return git.create_commit(None, author, author, _MESSAGE, root.write(), [])
