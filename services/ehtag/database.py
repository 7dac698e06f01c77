"""The tag database: its newest state, which follows the head, and edits."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import structlog
from anyio import CapacityLimiter, to_thread

from services.ehtag.editing import (
    CellSources,
    EditPlan,
    RowPosition,
    plan_addition,
    plan_change,
    plan_comment,
    plan_removal,
)
from services.ehtag.folder_remote import FetchProgress, OnProgress
from services.ehtag.git import RepositoryUnreadable, translate_git_errors
from services.ehtag.identity import GitHubUser
from services.ehtag.records import Namespace, TagKind
from services.ehtag.repository import Edit, Repository
from services.ehtag.search import FoundTags
from services.ehtag.snapshot import TagRecord
from services.ehtag.state import DatabaseState, RecordCounts, StateReader
from services.ehtag.sync import SyncOutcome, SyncStatus, sync_repository
from services.errors import Conflict, JmgraphError, StaleVersion, TagDatabaseBusy
from services.http_semantics import etag_matches

if TYPE_CHECKING:
    from services.redis import Events, Watcher

log = structlog.get_logger("jmgraph.ehtag")

TOPIC = "ehtag"
"""Announced when the head moved or the remote was checked."""
POLL_S = 0.2
"""Seconds between reads of the head: a git command announces nothing."""

SYNC_CHECK_S = 60.0
"""Seconds between looks whether a scheduled sync is due."""

_AFTER_FAILURE_S = 5.0
_THREADS = 4
_COMPUTING_THREADS = 2
_STARTER_IS_READ_ONLY = (
    "Only the starter glossary is there, and it can't be edited: run `jmgraph ehtag sync`, or set "
    "JMGRAPH_EHTAG_REPOSITORY to a copy of the tag database."
)
_AT_END = RowPosition()

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class EditResult:
    """The result of an edit: the new version, the record (None when removed), whether anything changed."""

    sha: str
    record: TagRecord | None
    is_changed: bool = True


@dataclass(frozen=True, slots=True)
class FrequentTag:
    """A record, and in how many of the albums that this server has read its tag stands."""

    record: TagRecord
    album_count: int


class TagDatabase:
    """The tag database of this process; built by `open_tag_database`.

    Edits take `if_match`, a version as an ETag may be written (`*` for any), and their author. The check and the
    commit are atomic across processes. Each raises `StaleVersion` when the version is another one, here or at the
    remote, `InvalidInput` with one line for each problem, `Conflict` while only the starter glossary is there, the
    work tree has changes of its own, or the remote declines the push, `RemoteRefused` when it refuses this server's
    token, `UpstreamFailure` when it can't be reached, and `TagDatabaseBusy` while another edit waits for it.
    """

    def __init__(
        self,
        repository: Repository,
        reader: StateReader,
        sync_status: SyncStatus,
        state: DatabaseState,
        events: Events | None,
    ) -> None:
        self._repository = repository
        self._reader = reader
        self._sync_status = sync_status
        self.state = state
        """The newest state: snapshot, translator and search of one head. A moved head replaces it whole."""
        self.seen_names: Counter[tuple[TagKind, str]] = Counter()
        """In how many albums each tag of the site stands: whoever reads albums counts them here."""
        self._counts = RecordCounts(self.seen_names)
        self._events = events
        self._limiter = CapacityLimiter(_THREADS)
        self._computing = CapacityLimiter(_COMPUTING_THREADS)
        self._searching = CapacityLimiter(1)
        self._refreshing = asyncio.Lock()
        self._editing = asyncio.Lock()
        self._head_changed = asyncio.Condition()

    async def refresh(self) -> DatabaseState:
        """Read the head and the result of the last sync now, and return the state."""
        async with self._refreshing:
            before, self.state = self.state, await self._run(self._reader.read, self.state)
            if self.state.sha == before.sha:
                return self.state
        log.info("the tag database moved", sha=self.state.sha, tags=self.state.snapshot.count)
        async with self._head_changed:
            self._head_changed.notify_all()
        return self.state

    async def check_version(self, if_match: str) -> DatabaseState:
        """The newest state, when `if_match` names its version. Raises `StaleVersion` otherwise."""
        state = await self.refresh()
        if not etag_matches(if_match.lower(), state.sha):
            raise StaleVersion(state.sha)
        return state

    async def add(
        self,
        namespace: Namespace,
        raw: str,
        cells: CellSources,
        *,
        if_match: str,
        user: GitHubUser,
        position: RowPosition = _AT_END,
    ) -> EditResult:
        """Add a tag. Also raises `Conflict` when the tag exists."""
        plan = partial(plan_addition, namespace=namespace, raw=raw, sources=cells, position=position)
        return await self._edit(plan, if_match, user)

    async def update(
        self, namespace: Namespace, raw: str, cells: CellSources, *, if_match: str, user: GitHubUser
    ) -> EditResult:
        """Change a tag; `is_changed` is False when it says the same already. Also raises `TagNotFound`."""
        return await self._edit(partial(plan_change, namespace=namespace, raw=raw, sources=cells), if_match, user)

    async def remove(self, namespace: Namespace, raw: str, *, if_match: str, user: GitHubUser) -> EditResult:
        """Remove a tag. Also raises `TagNotFound`."""
        return await self._edit(partial(plan_removal, namespace=namespace, raw=raw), if_match, user)

    async def add_comment(
        self, namespace: Namespace, cells: CellSources, *, position: RowPosition, if_match: str, user: GitHubUser
    ) -> EditResult:
        """Add a comment row, one without a raw tag, before or after the row of a tag."""
        return await self._edit(
            partial(plan_comment, namespace=namespace, sources=cells, position=position), if_match, user
        )

    async def sync(self, on_progress: OnProgress | None = None) -> SyncOutcome:
        """Clone or fetch, fast-forward only; the result is recorded for every process.

        `on_progress` is called in another thread. Raises `UpstreamFailure` when the remote can't be read, `Conflict`,
        with nothing changed, when local edits or changes in the work tree prevent it.
        """
        stop = threading.Event()

        def report(progress: FetchProgress) -> None:
            if stop.is_set():
                raise _SyncCancelled
            if on_progress:
                on_progress(progress)

        error: str | None = "The sync ended before its time; the log says why."
        try:
            outcome = await self._run(sync_repository, self._repository, report, abandon=True)
            error = None
            return outcome
        except asyncio.CancelledError:
            error = "The sync was given up."
            stop.set()
            raise
        except JmgraphError as failure:
            error = failure.message
            log.warning("the tag database could not be synced", reason=error)
            raise
        finally:
            await self._run(self._sync_status.write, error)
            await self._announce_and_refresh()

    async def keep_synced(self, every_s: float) -> None:
        """Sync every `every_s` seconds, in one process of each data directory, until cancelled; 0: never.

        Every machine does so, those that have no worker too: each has its own copy.
        """
        while every_s > 0:
            if await self._run(self._sync_status.claim_sync, every_s):
                with suppress(JmgraphError):  # it is logged and recorded
                    await self.sync()
            await asyncio.sleep(min(every_s, SYNC_CHECK_S))

    async def compute(self, work: Callable[..., T], *arguments: object) -> T:
        """Run work on cells in a thread: hostile markdown of 64 KiB takes seconds of CPU."""
        return await to_thread.run_sync(partial(work, *arguments), limiter=self._computing)

    async def search(self, query: str | None, namespaces: Collection[Namespace] | None = None) -> FoundTags:
        """The tags that a query finds, see `TagSearch.find`. In a thread: the first search builds the index."""
        state = self.state
        if not query:
            return state.search.find(None, namespaces)
        return await to_thread.run_sync(self._search, state, query, namespaces, limiter=self._searching)

    async def frequent(self) -> Sequence[FrequentTag]:
        """The tags of the albums that this server has read, those of most albums first; the counts are a minute old
        at most. In a thread.
        """
        state = self.state
        return await to_thread.run_sync(self._frequent, state, limiter=self._searching)

    def _frequent(self, state: DatabaseState) -> Sequence[FrequentTag]:
        counts = self._counts.of(state.translator)
        keys = sorted(counts, key=lambda key: (-counts[key], key[1]))
        records = [(state.snapshot.find(*key), counts[key]) for key in keys]
        return [FrequentTag(record, count) for record, count in records if record is not None]

    def _search(self, state: DatabaseState, query: str, namespaces: Collection[Namespace] | None) -> FoundTags:
        return state.search.find(query, namespaces, self._counts.of(state.translator))

    async def watch(self) -> AsyncGenerator[DatabaseState, None]:
        """The state after each change of the head from now on; a slow reader gets the newest."""
        seen = self.state.sha
        while True:
            async with self._head_changed:
                while self.state.sha == seen:
                    await self._head_changed.wait()
            seen = self.state.sha
            yield self.state

    async def follow(self) -> None:
        """Keep the state up to date, whoever moves the head; never ends. `open_tag_database` starts it."""
        async with self._events.watch(TOPIC) if self._events else nullcontext() as watcher:
            await self._follow(watcher)

    async def _follow(self, watcher: Watcher | None) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_S):
                    await (watcher.changed() if watcher else asyncio.Event().wait())
            try:
                await self.refresh()
            except JmgraphError:  # logged where it was raised
                await asyncio.sleep(_AFTER_FAILURE_S)

    async def _edit(
        self, plan: Callable[[DatabaseState], EditPlan | None], if_match: str, user: GitHubUser
    ) -> EditResult:
        async with self._one_edit():
            state = await self.check_version(if_match)
            if state.is_starter:
                raise Conflict(_STARTER_IS_READ_ONLY)
            planned = await self._run(plan, state)
            if planned is None:
                return EditResult(state.sha, None, is_changed=False)
            edit = Edit(state.sha, planned.namespace, planned.data, planned.message, user.author)
            try:
                await self._run(self._repository.commit, edit)
            finally:
                await self._announce_and_refresh()
        log.info("the tag database was edited", sha=self.state.sha, by=user.login)
        return EditResult(self.state.sha, planned.record(self.state.snapshot))

    @asynccontextmanager
    async def _one_edit(self) -> AsyncIterator[None]:
        """One edit of this process at a time. Raises `TagDatabaseBusy` when another takes long."""
        try:
            async with asyncio.timeout(self._repository.edit_timeout_s):
                await self._editing.acquire()
        except TimeoutError:
            raise TagDatabaseBusy from None
        try:
            yield
        finally:
            self._editing.release()

    async def _announce_and_refresh(self) -> None:
        """Announce the change, then read it: other processes read the new head at the same time."""
        if self._events:
            await self._events.publish(TOPIC)
        await self.refresh()

    async def _run(self, work: Callable[..., T], *arguments: object, abandon: bool = False) -> T:
        return await to_thread.run_sync(
            partial(run_blocking, work, *arguments), limiter=self._limiter, abandon_on_cancel=abandon
        )


class _SyncCancelled(Exception):
    """Ends a fetch whose caller was cancelled."""


def run_blocking(work: Callable[..., T], *arguments: object) -> T:
    """Run blocking work on the repository; errors of git and of the disk become a `JmgraphError`."""
    try:
        with translate_git_errors():
            return work(*arguments)
    except RepositoryUnreadable as error:
        raise Conflict(f"The tag database can't be read: {error}") from error
