"""The remote of the tag database: fetching and pushing over https, with a token, or from and to a local folder."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

import pygit2

from services.ehtag.folder_remote import (
    BRANCHES,
    SINCE_OWN,
    FetchProgress,
    FolderRemote,
    Heads,
    OnProgress,
    own_branch,
    tracking,
)
from services.ehtag.git import HEAD, RepositoryUnreadable, public_address
from services.errors import Conflict, RemoteRefused, UpstreamFailure, UpstreamReason
from services.network import is_loopback

_PUSH = 1  # GIT_DIRECTION_PUSH
_USER = "x-access-token"  # GitHub takes any name with a token for a password

# git_error_t of the transport (OS, NET, SSL, SSH, HTTP); anything else is the remote's own answer
_TRANSPORT_ERRORS = frozenset({2, 12, 16, 23, 34})
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_MOST_WORDS = 500  # characters of what a remote says

_REFUSED_STATUSES = ("status code: 401", "status code: 403")


@dataclass(frozen=True, slots=True)
class RemoteSettings:
    """The remote of the settings: `chosen` is empty when `default` is used."""

    chosen: str
    default: str
    token: str = field(default="", repr=False)

    def open(self, origin: str) -> Remote:
        """The remote of a repository whose `origin` this is (empty: it has none)."""
        return Remote(self.address(origin), self.token)

    def address(self, origin: str) -> str:
        """Its address; with credentials, where they are part of it."""
        return self.chosen or origin or self.default


class Remote:
    """One address; `token` goes to no other host than the address's, and only encrypted or within this machine."""

    def __init__(self, address: str, token: str = "") -> None:
        self.address = address if _is_url(address) else str(Path(address).resolve())
        self._token = token

    def fetch(self, git: pygit2.Repository, on_progress: OnProgress | None = None, *, depth: int = SINCE_OWN) -> str:
        """Fetch the branch that corresponds to the repository's own, else the remote's default; its newest commit.

        Moves `refs/remotes/origin/…` only. Raises `UpstreamFailure`.
        """
        with self._translate_errors():
            if self._folder is not None:
                return FolderRemote(self._folder).fetch(git, depth, on_progress)
            remote, callbacks = self._open(git), _Callbacks(self, on_progress)
            remote.connect(callbacks, proxy=self._proxy)
            branch, sha = _heads(remote).find(own_branch(git))
            refspec = f"+{branch}:{tracking(branch)}"
            remote.fetch([refspec], callbacks=callbacks, proxy=self._proxy, depth=depth)
        return sha

    def default_branch(self, git: pygit2.Repository) -> str:
        """The branch a clone starts on ("refs/heads/master"). Raises `UpstreamFailure`."""
        with self._translate_errors():
            if self._folder is not None:
                return FolderRemote(self._folder).heads().find("")[0]
            remote = self._open(git)
            remote.connect(_Callbacks(self), proxy=self._proxy)
            return _heads(remote).find("")[0]

    def push(self, git: pygit2.Repository, source: str) -> None:
        """Push the commit of one reference to the branch that corresponds to the repository's own.

        Raises `Conflict` when the remote declines (it moved on, or protects its branch), `RemoteRefused` when it
        refuses the token, `UpstreamFailure` when it can't be reached.
        """
        remote, callbacks = self._open(git), _Callbacks(self)
        with self._translate_errors(is_push=True):
            remote.connect(callbacks, _PUSH, proxy=self._proxy)
            heads = _heads(remote)
            branch = heads.find(own_branch(git))[0] if heads.shas else own_branch(git)
            remote.push([f"{source}:{branch}"], callbacks=callbacks, proxy=self._proxy)
        if callbacks.refusal:
            raise _declined(": ".join(filter(None, (callbacks.refusal, callbacks.words))))

    def credentials(self, url: str) -> pygit2.UserPass | None:
        """The credentials for a URL that asks for some; None for a host that must not get the token."""
        asking, own = urlsplit(url), urlsplit(self.address)
        is_own = (asking.scheme, asking.hostname, asking.port) == (own.scheme, own.hostname, own.port)
        is_safe = own.scheme == "https" or is_loopback(own.hostname or "")
        return pygit2.UserPass(_USER, self._token) if self._token and is_own and is_safe else None

    def _open(self, git: pygit2.Repository) -> pygit2.remotes.Remote:
        with self._translate_errors():
            return git.remotes.create_anonymous(self.address)

    @property
    def _folder(self) -> Path | None:
        """Where the remote is, when it is on this machine."""
        if not _is_url(self.address):
            return Path(self.address)
        parts = urlsplit(self.address)
        return Path(unquote(parts.path)) if parts.scheme == "file" else None

    @property
    def _proxy(self) -> Literal[True] | None:
        """The system's proxy, except for loopback addresses."""
        host = urlsplit(self.address).hostname if _is_url(self.address) else None
        return True if host and not is_loopback(host) else None

    @contextmanager
    def _translate_errors(self, *, is_push: bool = False) -> Iterator[None]:
        try:
            yield
        except pygit2.GitError as error:
            reason = str(error).replace(self.address, self._public)
            is_refusal = isinstance(error, pygit2.AuthError) or any(status in reason for status in _REFUSED_STATUSES)
            if is_refusal:
                raise RemoteRefused(
                    f"The tag database's remote {self._public} refuses this server's token: {reason}"
                ) from None
            if is_push and getattr(error, "error_class", 0) not in _TRANSPORT_ERRORS:
                raise _declined(reason) from None
            raise self._unreachable(reason) from None
        except (KeyError, ValueError, RepositoryUnreadable) as error:
            raise self._unreachable(str(error)) from None

    def _unreachable(self, reason: str) -> UpstreamFailure:
        message = f"The tag database's remote {self._public} failed: {reason}"
        return UpstreamFailure(UpstreamReason.UNREACHABLE, message)

    @property
    def _public(self) -> str:
        return public_address(self.address)


class _Callbacks(pygit2.RemoteCallbacks):
    """The callbacks of one fetch or push: credentials, progress, refusal, and what the remote says of it."""

    def __init__(self, remote: Remote, on_progress: OnProgress | None = None) -> None:
        super().__init__()
        self.refusal = ""
        self._owner = remote
        self._on_progress = on_progress
        self._has_sent_token = False
        self._said = ""

    @property
    def words(self) -> str:
        """What the remote has said, on one line: "GH006: Protected branch update failed"."""
        return " ".join(_CONTROL.sub(" ", self._said).split())[:_MOST_WORDS]

    def sideband_progress(self, string: str) -> None:
        self._said += string

    def credentials(self, url: str, *_: object) -> pygit2.UserPass:
        found = self._owner.credentials(url)
        if found is None or self._has_sent_token:
            raise pygit2.AuthError("the remote asks for another token" if found else "the remote asks for a token")
        self._has_sent_token = True
        return found

    def transfer_progress(self, stats: pygit2.remotes.TransferProgress) -> None:
        if self._on_progress:
            self._on_progress(
                FetchProgress(
                    stats.received_objects,
                    stats.total_objects,
                    stats.received_bytes,
                    stats.indexed_deltas,
                    stats.total_deltas,
                )
            )

    def push_update_reference(self, refname: str, message: str | None) -> None:  # noqa: ARG002 (libgit2's signature)
        self.refusal = message or self.refusal


def _heads(remote: pygit2.remotes.Remote) -> Heads:
    """Of a remote that is connected. One too old to name its default branch has the one with the same commit."""
    heads = remote.list_heads(connect=False)
    shas = {head.name: str(head.oid) for head in heads if head.name and head.name.startswith(BRANCHES)}
    default = next((head for head in heads if head.name == HEAD), None)
    named = default.symref_target if default else None
    same = (name for name, sha in shas.items() if default and sha == str(default.oid))
    return Heads(shas, named if named in shas else next(same, ""))


def _declined(reason: str) -> Conflict:
    return Conflict(f"The remote does not take the edit, so it was undone: {reason}")


def _is_url(address: str) -> bool:
    is_scp_like = ":" in address.partition("/")[0]
    return "://" in address or is_scp_like
