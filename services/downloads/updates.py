"""Downloads as they change: one read of a changed row for the whole process, however many subscribe."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress

import structlog

from services.downloads.records import ACTIVE_STATES, DownloadRecord, DownloadState, FeedBatch, Ownership
from services.downloads.row import DownloadRow, in_state
from services.downloads.store import DownloadStore
from services.errors import DownloadNotFound
from services.redis import Events, RedisUnavailable
from services.tasks import cancel_and_wait

log = structlog.get_logger("jmgraph.live")

FAMILY = "download:"


class Subscriber:
    """Collects the newest states of the downloads it subscribes to; a slow one skips those in between."""

    __slots__ = ("_ended", "_event", "_has_missed", "_newest")

    def __init__(self) -> None:
        self._newest: dict[str, DownloadRow | None] = {}
        self._has_missed = False
        self._event = asyncio.Event()
        self._ended = asyncio.Event()

    async def pause(self, seconds: float) -> None:
        """Wait so long, or until one of its downloads ends or is removed: that is reported at once."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ended.wait()

    async def changed(self) -> dict[str, DownloadRow | None]:
        """Wait for a change; the newest rows by id, None for one that was removed."""
        await self._event.wait()
        self._event.clear()
        self._ended.clear()
        newest, self._newest = self._newest, {}
        return newest

    def pop_missed(self) -> bool:
        """True once after an outage, for a subscriber to all downloads: it has to read again what it knows."""
        missed, self._has_missed = self._has_missed, False
        return missed

    def publish(self, id: str, row: DownloadRow | None) -> None:
        """Store this state and wake the subscriber."""
        self._newest[id] = row
        self._event.set()
        if row is None or not row.state.is_active:
            self._ended.set()

    def publish_missed(self) -> None:
        """Mark that changes may have been missed."""
        self._has_missed = True
        self._event.set()


class UpdateHub:
    """Reads each record that changed once and publishes it to its subscribers; built by `open_update_hub`."""

    def __init__(self, store: DownloadStore, events: Events, *, retry_s: float) -> None:
        self._store = store
        self._events = events
        self._retry_s = retry_s
        self._subscribers_by_id: dict[str, set[Subscriber]] = {}
        self._subscribers_to_all: set[Subscriber] = set()

    @contextmanager
    def subscribe(self, ids: Sequence[str]) -> Iterator[Subscriber]:
        """Subscribe to these downloads. Earlier changes are for the subscriber to read, after this."""
        subscriber = Subscriber()
        for id in ids:
            self._subscribers_by_id.setdefault(id, set()).add(subscriber)
        try:
            yield subscriber
        finally:
            for id in set(ids):
                self._subscribers_by_id[id].discard(subscriber)
                if not self._subscribers_by_id[id]:
                    del self._subscribers_by_id[id]

    @contextmanager
    def subscribe_all(self) -> Iterator[Subscriber]:
        """Subscribe to every download."""
        subscriber = Subscriber()
        self._subscribers_to_all.add(subscriber)
        try:
            yield subscriber
        finally:
            self._subscribers_to_all.discard(subscriber)

    @property
    def subscriber_count(self) -> int:
        """Number of subscribers."""
        return len({*self._subscribers_to_all}.union(*self._subscribers_by_id.values()))

    async def read_forever(self) -> None:
        """Read changed rows that have subscribers; run once, by `open_update_hub`."""
        async with self._events.watch(f"{FAMILY}*") as watcher:
            due: set[str] = set()
            while True:
                if not due:
                    due |= self._changed_ids(await watcher.changed())
                try:
                    await self._read(sorted(due))
                    due.clear()
                except RedisUnavailable:
                    log.debug("changed downloads can't be read, Redis is unavailable", count=len(due))
                    await asyncio.sleep(random.uniform(self._retry_s / 2, self._retry_s))
                except Exception:
                    log.exception("changed downloads can't be read", count=len(due))
                    due.clear()

    def _changed_ids(self, topics: frozenset[str]) -> set[str]:
        if f"{FAMILY}*" in topics:  # something may have been missed
            for subscriber in self._subscribers_to_all:
                subscriber.publish_missed()
            return set(self._subscribers_by_id)
        changed = {topic.removeprefix(FAMILY) for topic in topics}
        return changed if self._subscribers_to_all else changed & self._subscribers_by_id.keys()

    async def _read(self, ids: Sequence[str]) -> None:
        for id, row in zip(ids, await self._store.find_many(ids), strict=True):
            for subscriber in (*self._subscribers_by_id.get(id, ()), *self._subscribers_to_all):
                subscriber.publish(id, row)


@asynccontextmanager
async def open_update_hub(store: DownloadStore, events: Events, *, retry_s: float) -> AsyncIterator[UpdateHub]:
    """The hub of this process; its reader ends with the block."""
    hub = UpdateHub(store, events, retry_s=retry_s)
    reader = asyncio.create_task(hub.read_forever(), name="downloads reader")
    try:
        yield hub
    finally:
        await cancel_and_wait(reader)


SNAPSHOT_LIMIT = 1000
"""Downloads in the first message of a feed, the newest ones."""
MAX_ENDED = 100
"""Ended downloads that one feed remembers."""


async def watch_one(
    store: DownloadStore, hub: UpdateHub, id: str, ownership: Ownership, *, interval_s: float
) -> AsyncGenerator[DownloadRecord, None]:
    """The download now, then every change, until it has ended or is removed.

    Raises `DownloadNotFound`, for one that `ownership` does not include too.
    """
    with hub.subscribe((id,)) as subscriber:
        row = await store.find(id)
        if row is None or not ownership.includes(row.download):
            raise DownloadNotFound(id)
        revision = 0
        while row is not None:
            if row.download.revision > revision:
                revision = row.download.revision
                yield row.download
                if not row.state.is_active:
                    return
                await subscriber.pause(interval_s)
            row = (await subscriber.changed()).get(id)


async def watch_many(
    store: DownloadStore,
    hub: UpdateHub,
    ids: Collection[str] | None,
    states: Collection[DownloadState] | None,
    ownership: Ownership,
    *,
    interval_s: float,
) -> AsyncGenerator[FeedBatch, None]:
    """A snapshot, then what changed, of the downloads that `ownership` includes.

    The snapshot has the active downloads, or those in `states`, or of `ids`. One that leaves `states` is reported as
    removed: it no longer belongs to the feed.
    """
    feed = _FeedState(store, ids, states, ownership)
    with hub.subscribe_all() if ids is None else hub.subscribe(tuple(ids)) as subscriber:
        yield FeedBatch(is_snapshot=True, downloads=tuple(feed.batch_of(await feed.read()).downloads))
        while True:
            await asyncio.sleep(interval_s)
            changes = await subscriber.changed()
            if subscriber.pop_missed():
                try:
                    changes = {**await feed.read(), **changes}
                except RedisUnavailable:
                    subscriber.publish_missed()
            batch = feed.batch_of(changes)
            if batch.downloads or batch.removed:
                yield batch


class _FeedState:
    """What a feed has sent, and which changes it has not sent yet."""

    def __init__(
        self,
        store: DownloadStore,
        ids: Collection[str] | None,
        states: Collection[DownloadState] | None,
        ownership: Ownership,
    ) -> None:
        self._store = store
        self._ids = ids
        self._states = states
        self._ownership = ownership
        self._sent: dict[str, int] = {}
        """Revision of unfinished downloads that were sent, by id."""
        self._ended: dict[str, int] = {}
        """The same of ended ones, the last of them, so that an end is not sent twice."""
        self._own_ids: set[str] = set()
        """Ids of the downloads that `ownership` includes, unless it includes all: of one that was removed, nothing
        else says whose it was.
        """

    async def read(self) -> dict[str, DownloadRow | None]:
        """Everything that belongs in the feed now, and everything that was sent."""
        if not self._ownership.sees_all:
            self._own_ids.update(await self._store.ids_of(self._ownership.owner_id))
        if self._ids is not None:
            return await self._read_ids(tuple(self._ids))
        lists = [in_state(state) for state in (ACTIVE_STATES if self._states is None else self._states)]
        page = await self._store.page(lists, count=SNAPSHOT_LIMIT, ownership=self._ownership)
        found: dict[str, DownloadRow | None] = {row.download.id: row for row in page.rows}
        return found | await self._read_ids([id for id in self._sent if id not in found])

    async def _read_ids(self, ids: Sequence[str]) -> dict[str, DownloadRow | None]:
        return dict(zip(ids, await self._store.find_many(ids), strict=True))

    def batch_of(self, changes: Mapping[str, DownloadRow | None]) -> FeedBatch:
        """The changes that were not sent yet."""
        downloads, removed = [], []
        for id, row in changes.items():
            if row is None:
                self._sent.pop(id, None)
                if self._ownership.sees_all or id in self._own_ids:
                    removed.append(id)
            elif not self._ownership.includes(row.download):
                continue
            elif self._is_included(row):
                if row.download.revision > max(self._sent.get(id, 0), self._ended.get(id, 0)):
                    downloads.append(row.download)
                self._note(row)
            elif self._sent.pop(id, None):
                removed.append(id)
        downloads.sort(key=lambda download: download.id, reverse=True)
        return FeedBatch(is_snapshot=False, downloads=tuple(downloads), removed=tuple(removed))

    def _is_included(self, row: DownloadRow) -> bool:
        return self._states is None or row.state in self._states

    def _note(self, row: DownloadRow) -> None:
        id, revision = row.download.id, row.download.revision
        self._own_ids.add(id)
        if row.state.is_active or self._states is not None:
            self._sent[id] = revision
            return
        self._sent.pop(id, None)
        self._ended[id] = revision
        if len(self._ended) > MAX_ENDED:
            del self._ended[next(iter(self._ended))]
