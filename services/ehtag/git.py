"""What several modules need of git: setting up libgit2, opening repositories, reading commits, a file lock."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pygit2
import structlog
from pygit2.enums import RepositoryOpenFlag

from services.ehtag.records import CommitRecord, Signature
from services.errors import Internal, TagDatabaseBusy

log = structlog.get_logger("jmgraph.ehtag")

HEAD = "HEAD"

_CONNECT_TIMEOUT_MS = 15_000
_RESPONSE_TIMEOUT_MS = 60_000  # a server that packs a large clone sends nothing for a while
_RETRY_S = 0.01  # an edit holds the lock for some tens of milliseconds


class RepositoryUnreadable(Exception):
    """The folder exists, but no tag database can be read from it; the message says what is missing."""


def set_up_libgit2() -> None:
    """Set what libgit2 has per process; nothing else in the process uses git."""
    # The path comes from the settings, and libgit2 runs no hooks: the owner of the folder can't make us run anything.
    # With the check, a volume of another user (every container) could not be opened.
    pygit2.settings.owner_validation = False
    # A commit whose reference is on disk and whose objects are not would break the repository after a power failure.
    pygit2.settings.enable_fsync_gitdir(True)
    pygit2.settings.server_connect_timeout = _CONNECT_TIMEOUT_MS
    pygit2.settings.server_timeout = _RESPONSE_TIMEOUT_MS


@contextmanager
def translate_git_errors() -> Iterator[None]:
    """Turn errors of libgit2 and of the disk into `Internal`; their text is logged."""
    try:
        yield
    except (pygit2.GitError, OSError) as error:
        log.error("git failed", reason=str(error))
        raise Internal("The tag database's repository could not be read or written.") from error


@contextmanager
def translate_read_errors(folder: Path) -> Iterator[None]:
    """Turn errors of reading into `RepositoryUnreadable`: a broken repository must not stop the server."""
    try:
        yield
    except (pygit2.GitError, KeyError, OSError) as error:
        raise RepositoryUnreadable(f"{folder} can't be read: {error}") from error


def open_git(folder: Path) -> pygit2.Repository | None:
    """The repository in this folder, bare or with a work tree; None when the folder is missing or empty.

    Parents are not searched, or a missing folder inside a checkout would give that checkout. Raises
    `RepositoryUnreadable` for a folder that holds something else.
    """
    try:
        return pygit2.Repository(str(folder), RepositoryOpenFlag.NO_SEARCH)
    except pygit2.GitError as error:
        if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
            return None
        raise RepositoryUnreadable(f"{folder} is no git repository: {error}") from None


def common_folder(git: pygit2.Repository) -> Path:
    """Where references live: the git directory, or that of the main checkout for a linked work tree."""
    own = Path(git.path)
    with suppress(OSError):
        return (own / (own / "commondir").read_text().strip()).resolve()
    return own


def head_reference(git: pygit2.Repository) -> pygit2.Reference | None:
    """The branch that HEAD names, or HEAD itself when it is detached; None while there is no commit."""
    try:
        return git.lookup_reference(HEAD).resolve()
    except (KeyError, pygit2.GitError):
        return None


def head_commit(git: pygit2.Repository) -> pygit2.Commit | None:
    """The commit at the head; None while there is none."""
    reference = head_reference(git)
    return reference.peel(pygit2.Commit) if reference else None


def commit_record(commit: pygit2.Commit) -> CommitRecord:
    """A commit as other packages read it; bytes that are not UTF-8 become U+FFFD."""
    return CommitRecord(
        sha=str(commit.id),
        message=_text(commit.raw_message),
        author=_signature(commit.author),
        committer=_signature(commit.committer),
    )


def public_address(address: str) -> str:
    """The address of a remote without user name and password: "https://github.com/a/b.git"."""
    if "://" not in address:
        return address
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    user = parts.username if parts.scheme == "ssh" else None
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{user}@{host}" if user else host))


def _signature(signature: pygit2.Signature) -> Signature:
    zone = timezone(timedelta(minutes=signature.offset)) if abs(signature.offset) < 24 * 60 else UTC
    try:
        when = datetime.fromtimestamp(signature.time, zone)
    except (OverflowError, ValueError, OSError):
        when = datetime.fromtimestamp(0, zone)
    return Signature(_text(signature.raw_name), _text(signature.raw_email), when)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


class FileLock:
    """A lock that is held. `unfinished` is the intent of a holder that died before it was done; None as a rule."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.unfinished = self._read_intent()

    def write_intent(self, **intent: str) -> None:
        """Record what the holder is about to do, before its first step."""
        self._write(json.dumps(intent).encode())

    def clear_intent(self) -> None:
        """Every step is done or undone: the next holder has nothing to finish."""
        self._write(b"")

    def _read_intent(self) -> dict[str, str] | None:
        data = os.pread(self._descriptor, 4096, 0)
        try:
            found = json.loads(data) if data else None
        except ValueError:
            return {}
        return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else None

    def _write(self, data: bytes) -> None:
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, data, 0)


@contextmanager
def file_lock(path: Path, timeout_s: float) -> Iterator[FileLock]:
    """Hold the lock of this file within the block; threads of one process exclude each other too.

    Blocks its thread. Raises `TagDatabaseBusy` when another holder keeps it for longer than `timeout_s`.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        _acquire(descriptor, time.monotonic() + timeout_s)
        yield FileLock(descriptor)
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, deadline: float) -> None:
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise TagDatabaseBusy from None
        time.sleep(_RETRY_S)
