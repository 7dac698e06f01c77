"""Newest states for whoever looks on: one read of a changed record for the whole process, however many watch it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress

import structlog

from services.downloads.row import DownloadRow
from services.downloads.store import Store
from services.redis import Events, RedisUnavailable
from services.tasks import end_tasks

log = structlog.get_logger("jmgraph.live")

FAMILY = "download:"


class Subscriber:
    """The newest state of what it follows that was not taken yet: a slow one skips what was in between."""

    __slots__ = ("_ended", "_event", "_fresh", "_has_missed")

    def __init__(self) -> None:
        self._fresh: dict[str, DownloadRow | None] = {}
        self._has_missed = False
        self._event = asyncio.Event()
        self._ended = asyncio.Event()

    async def rest(self, seconds: float) -> None:
        """Wait so long; less when something it follows ends or is removed, which is news that can't wait."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ended.wait()

    async def changed(self) -> dict[str, DownloadRow | None]:
        """Wait for a change; the newest entries by id, None for one that was removed."""
        await self._event.wait()
        self._event.clear()
        self._ended.clear()
        fresh, self._fresh = self._fresh, {}
        return fresh

    def take_missed(self) -> bool:
        """True once after an outage, to a follower of everything: what it knows has to be read again."""
        missed, self._has_missed = self._has_missed, False
        return missed

    def tell(self, id: str, entry: DownloadRow | None) -> None:
        """Note this state and wake who waits."""
        self._fresh[id] = entry
        self._event.set()
        if entry is None or not entry.state.is_active:
            self._ended.set()

    def tell_missed(self) -> None:
        """Note that changes may have been missed."""
        self._has_missed = True
        self._event.set()


class UpdateHub:
    """Reads each record that changed once and tells its followers; built by `open_update_hub`."""

    def __init__(self, store: Store, events: Events, *, retry_s: float) -> None:
        self._store = store
        self._events = events
        self._retry_s = retry_s
        self._by_id: dict[str, set[Subscriber]] = {}
        self._of_all: set[Subscriber] = set()

    @contextmanager
    def follow(self, ids: Sequence[str]) -> Iterator[Subscriber]:
        """Follow these downloads. What changed before is the follower's own to read, once it follows."""
        follower = Subscriber()
        for id in ids:
            self._by_id.setdefault(id, set()).add(follower)
        try:
            yield follower
        finally:
            for id in set(ids):
                self._by_id[id].discard(follower)
                if not self._by_id[id]:
                    del self._by_id[id]

    @contextmanager
    def follow_all(self) -> Iterator[Subscriber]:
        """Follow every download there is."""
        follower = Subscriber()
        self._of_all.add(follower)
        try:
            yield follower
        finally:
            self._of_all.discard(follower)

    @property
    def follower_count(self) -> int:
        """How many follow anything now."""
        return len({*self._of_all}.union(*self._by_id.values()))

    async def read_forever(self) -> None:
        """Read what changed and is followed; run once, by `open_update_hub`."""
        async with self._events.watch(f"{FAMILY}*") as watcher:
            due: set[str] = set()
            while True:
                if not due:
                    due |= self._ids_of(await watcher.changed())
                try:
                    await self._read(sorted(due))
                    due.clear()
                except RedisUnavailable:
                    log.debug("Changed downloads can't be read, Redis is away", count=len(due))
                    await asyncio.sleep(random.uniform(self._retry_s / 2, self._retry_s))
                except Exception:
                    log.exception("Changed downloads can't be read", count=len(due))
                    due.clear()

    def _ids_of(self, topics: frozenset[str]) -> set[str]:
        if f"{FAMILY}*" in topics:  # something may have been missed
            for follower in self._of_all:
                follower.tell_missed()
            return set(self._by_id)
        changed = {topic.removeprefix(FAMILY) for topic in topics}
        return changed if self._of_all else changed & self._by_id.keys()

    async def _read(self, ids: Sequence[str]) -> None:
        for id, entry in zip(ids, await self._store.find_many(ids), strict=True):
            for follower in (*self._by_id.get(id, ()), *self._of_all):
                follower.tell(id, entry)


@asynccontextmanager
async def open_update_hub(store: Store, events: Events, *, retry_s: float) -> AsyncIterator[UpdateHub]:
    """The board of this process; its reader ends with the block."""
    board = UpdateHub(store, events, retry_s=retry_s)
    reader = asyncio.create_task(board.read_forever(), name="downloads reader")
    try:
        yield board
    finally:
        await end_tasks(reader)
