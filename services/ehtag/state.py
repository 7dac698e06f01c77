"""The state of the tag database: one head with its snapshot, translator and search; and counts of its tags."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from services.ehtag.git import RepositoryUnreadable
from services.ehtag.records import Namespace, TagKey, TagKind
from services.ehtag.repository import Contents, Repository
from services.ehtag.snapshot import TagSnapshot
from services.ehtag.sync import SyncStatus
from services.ehtag.table import TagTable, parse_table

if TYPE_CHECKING:
    from services.ehtag.search import TagSearch
    from services.ehtag.translator import Translator

RECOUNT_S = 60.0
"""Seconds for which the counts of records stay as they are: pages of one search are in one order."""

log = structlog.get_logger("jmgraph.ehtag")


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """The tag database at one moment; snapshot, translator and search are of the same head.

    `is_starter` while only the built-in glossary is there; `last_checked_at` and `last_error` are about the remote;
    `unknown` has a line for each thing of the database that this server does not know.
    """

    sha: str
    """The version: sha1 of the head."""
    snapshot: TagSnapshot
    tables: Mapping[Namespace, TagTable]
    translator: Translator
    search: TagSearch
    is_starter: bool
    unknown: Sequence[str] = ()
    last_checked_at: datetime | None = None
    last_error: str | None = None


class StateReader:
    """Reads the newest state from disk. Blocks; not for concurrent calls."""

    def __init__(
        self,
        repository: Repository,
        starter: Callable[[], Repository],
        sync_status: SyncStatus,
        translator_of: Callable[[TagSnapshot], Translator],
        search_of: Callable[[TagSnapshot], TagSearch],
    ) -> None:
        self._repository = repository
        self._starter = starter
        self._sync_status = sync_status
        self._translator_of = translator_of
        self._search_of = search_of
        self._tables: dict[Namespace, TagTable] = {}
        self._unknown: Sequence[str] = ()
        self._bad_head = ""
        self._problem: str | None = None

    def read(self, known: DatabaseState | None) -> DatabaseState:
        """The state now; `known` itself while nothing changes.

        While the head is no tag database the known state stays, with the reason as its last error.
        """
        check = self._sync_status.read()
        state = self._read_head(known)
        error = self._problem or check.error
        if (state.last_checked_at, state.last_error) == (check.checked_at, error):
            return state
        return replace(state, last_checked_at=check.checked_at, last_error=error)

    def _read_head(self, known: DatabaseState | None) -> DatabaseState:
        sha = self._head()
        if sha and known and sha == known.sha:
            return known
        if sha and sha != self._bad_head:
            try:
                return self._build(self._repository, is_starter=False)
            except RepositoryUnreadable as error:
                log.warning("the head is no tag database", sha=sha, reason=str(error))
                self._bad_head, self._problem = sha, str(error)
        return known or self._build(self._starter(), is_starter=True)

    def _head(self) -> str | None:
        try:
            sha = self._repository.head_sha()
        except RepositoryUnreadable as error:
            if str(error) != self._problem:
                log.warning("the tag database can't be read", reason=str(error))
            self._problem = str(error)
            return None
        if sha != self._bad_head:
            self._problem = None
        return sha

    def _build(self, repository: Repository, *, is_starter: bool) -> DatabaseState:
        contents = repository.read()
        if contents is None:
            raise RepositoryUnreadable(f"{repository.folder} has no commit")
        snapshot = self._snapshot(contents, repository.address)
        translator, search = self._translator_of(snapshot), self._search_of(snapshot)
        self._warn_of_unknown(contents)
        sha, unknown = contents.commit.sha, contents.unknown
        return DatabaseState(sha, snapshot, self._tables, translator, search, is_starter, unknown)

    def _warn_of_unknown(self, contents: Contents) -> None:
        """Once for each thing, not again after every edit."""
        for line in contents.unknown:
            if line not in self._unknown:
                log.warning("the tag database has something that this server does not know", what=line)
        self._unknown = contents.unknown

    def _snapshot(self, contents: Contents, address: str) -> TagSnapshot:
        """Unchanged files are not parsed again: an edit changes one of thirteen."""
        self._tables = {namespace: self._table(namespace, contents.files) for namespace in contents.files}
        return TagSnapshot(self._tables, contents.version, contents.commit, address)

    def _table(self, namespace: Namespace, files: Mapping[Namespace, bytes]) -> TagTable:
        before = self._tables.get(namespace)
        return before if before and before.data == files[namespace] else parse_table(files[namespace])


class RecordCounts:
    """In how many albums each record's tag stands, by counts of the site's names. For the order of found tags."""

    def __init__(self, names: Mapping[tuple[TagKind, str], int]) -> None:
        """`names` may change at any time, in another thread too."""
        self._names = names
        self._counts: dict[TagKey, int] = {}
        self._translator: Translator | None = None
        self._counted_at = 0.0

    def of(self, translator: Translator) -> Mapping[TagKey, int]:
        """The counts, a minute old at most."""
        if translator is not self._translator or time.monotonic() > self._counted_at + RECOUNT_S:
            counts: Counter[TagKey] = Counter()
            for kind, names in _by_kind(dict(self._names)).items():
                for translation in translator.translate_many(list(names), kind):
                    if record := translation.record:
                        counts[record.namespace, record.raw] += names[translation.name]
            self._counts, self._translator, self._counted_at = dict(counts), translator, time.monotonic()
        return self._counts


def _by_kind(counts: Mapping[tuple[TagKind, str], int]) -> dict[TagKind, dict[str, int]]:
    by_kind: dict[TagKind, dict[str, int]] = {}
    for (kind, name), count in counts.items():
        by_kind.setdefault(kind, {})[name] = count
    return by_kind
