"""Fetches from a repository in a folder of this machine, as one pack of what is missing.

libgit2's own way knows no depth there, takes minutes for 30,000 commits, and forgets of a shallow repository that it
is one. What a fetch from anywhere deals in stands here too: depths, branches, progress.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pygit2
from pygit2.enums import ReferenceType

from services.ehtag.git import HEAD, common_folder, head_commit, open_git

SINCE_OWN, NEWEST_ONLY, TO_COMMON = 0, 1, 2**31 - 1
"""Depths of a fetch, in commits: what the repository lacks; a clone without history; back to a commit in common.

A server that is asked for the last gives the whole history. Of the official database (30,000 commits) the newest is
1.7 MB, the whole history 186 MB.
"""

BRANCHES = "refs/heads/"

_TRACKED = "refs/remotes/origin/"
_SHALLOW_FILE = "shallow"
"""Git's own list of the commits whose parents are not here."""
_PARENT = re.compile(rb"^parent ([0-9a-f]{40})$", re.MULTILINE)

Commits = Mapping[pygit2.Oid, pygit2.Commit]


@dataclass(frozen=True, slots=True)
class FetchProgress:
    """How far a fetch is; totals are 0 until the remote has sent them."""

    received_objects: int
    total_objects: int
    received_bytes: int
    indexed_deltas: int
    total_deltas: int


OnProgress = Callable[[FetchProgress], None]


@dataclass(frozen=True, slots=True)
class Heads:
    """The branches of a remote ("refs/heads/master") with their newest commits; `default` may be none of them."""

    shas: Mapping[str, str]
    default: str

    def find(self, own: str) -> tuple[str, str]:
        """Name and commit of the branch named like our `own`, else the default. Raises `ValueError` for neither."""
        branch = own if own in self.shas else self.default
        if branch not in self.shas:
            raise ValueError("it has no branch with commits")
        return branch, self.shas[branch]


def tracking(branch: str) -> str:
    """Where a fetch leaves a remote's branch: "refs/remotes/origin/master"."""
    return _TRACKED + branch.removeprefix(BRANCHES)


def own_branch(git: pygit2.Repository) -> str:
    """The branch HEAD names ("refs/heads/master"), whether it has commits or not; empty when HEAD is detached."""
    head = git.lookup_reference(HEAD)
    return str(head.target) if head.type == ReferenceType.SYMBOLIC else ""


class FolderRemote:
    """A repository in a folder; raises `ValueError` for none, and what git raises for a broken one."""

    def __init__(self, folder: Path) -> None:
        source = open_git(folder)
        if source is None:
            raise ValueError("there is no repository")
        self._source = source

    def heads(self) -> Heads:
        """Its branches; the default is what HEAD names, or has, where it is detached."""
        references = self._source.references
        shas = {name: str(references[name].resolve().target) for name in references if name.startswith(BRANCHES)}
        head = head_commit(self._source)
        same = (name for name, sha in shas.items() if head and sha == str(head.id))
        return Heads(shas, own_branch(self._source) or next(same, ""))

    def fetch(self, git: pygit2.Repository, depth: int, on_progress: OnProgress | None) -> str:
        """The newest commit of the branch that corresponds to the repository's own, fetched with what it needs."""
        branch, sha = self.heads().find(own_branch(git))
        commits = self._missing(git, sha, depth)
        if commits:
            progress = self._copy(git, commits)
            if on_progress:
                on_progress(progress)
        git.references.create(tracking(branch), sha, force=True)
        return sha

    def _missing(self, git: pygit2.Repository, sha: str, depth: int) -> Commits:
        newest = self._source[sha].peel(pygit2.Commit)
        if depth == NEWEST_ONLY:
            return {newest.id: newest}
        known = [commit for commit in _known_commits(git) if commit in self._source]
        missing = self._since(known, [newest.id])
        if depth == TO_COMMON:
            return {**missing, **self._since([newest.id], known), **self._common(known, newest.id)}
        # one that the remote went back to may be from before our own
        return missing or ({} if newest.id in git else {newest.id: newest})

    def _since(self, old: Sequence[pygit2.Oid], new: Sequence[pygit2.Oid]) -> Commits:
        """The new commits and what is before them, without the old ones and what is before those."""
        walker = self._source.walk(None)
        for commit in new:
            walker.push(commit)
        for commit in old:
            walker.hide(commit)
        return {commit.id: commit for commit in walker}

    def _common(self, known: Sequence[pygit2.Oid], newest: pygit2.Oid) -> Commits:
        bases = (self._source.merge_base(commit, newest) for commit in known)
        return {base: self._source[base].peel(pygit2.Commit) for base in bases if base is not None}

    def _copy(self, git: pygit2.Repository, commits: Commits) -> FetchProgress:
        """The objects first, then which commits lack their parents: no reference names any of them before that."""
        folder = common_folder(git)
        packs = folder / "objects" / "pack"
        objects = {*commits, *self._trees_and_blobs(git, commits)}

        def choose(pack: pygit2.PackBuilder) -> None:
            for id in objects:
                pack.add(id)

        before = {*packs.glob("*.pack")}
        count = self._source.pack(packs, pack_delegate=choose)
        size_bytes = sum(path.stat().st_size for path in {*packs.glob("*.pack")} - before)
        self._mark_shallow(folder, git, commits)
        return FetchProgress(count, count, size_bytes, 0, 0)

    def _trees_and_blobs(self, git: pygit2.Repository, commits: Commits) -> Iterator[pygit2.Oid]:
        seen: set[pygit2.Oid] = set()
        waiting = [commit.tree_id for commit in commits.values()]
        while waiting:
            id = waiting.pop()
            if id in seen or id in git:
                continue
            seen.add(id)
            yield id
            found = self._source[id]
            if isinstance(found, pygit2.Tree):
                waiting += [entry.id for entry in found if entry.type_str != "commit"]  # which is a submodule's

    def _mark_shallow(self, folder: Path, git: pygit2.Repository, commits: Commits) -> None:
        file = folder / _SHALLOW_FILE
        before = set(file.read_text().split()) if file.exists() else set()
        ids = before | {str(id) for id in commits}
        shallow = sorted(id for id in ids if self._lacks_parents(git, id, commits))
        if not shallow:
            file.unlink(missing_ok=True)
            return
        temporary = file.with_name(f"{_SHALLOW_FILE}.jmgraph")
        temporary.write_text("".join(f"{id}\n" for id in shallow))
        temporary.replace(file)

    def _lacks_parents(self, git: pygit2.Repository, id: str, commits: Commits) -> bool:
        if id not in self._source:
            return True  # it was shallow before, and stays so
        head = self._source[id].read_raw().partition(b"\n\n")[0]  # a shallow source shows no parents otherwise
        parents = [pygit2.Oid(hex=parent.decode()) for parent in _PARENT.findall(head)]
        return any(parent not in commits and parent not in git for parent in parents)


def _known_commits(git: pygit2.Repository) -> Iterator[pygit2.Oid]:
    head = head_commit(git)
    if head:
        yield head.id
    for name in git.references:
        if name.startswith((BRANCHES, _TRACKED)):
            with suppress(KeyError):  # it names a branch that is not here
                yield pygit2.Oid(hex=str(git.references[name].resolve().target))
