"""Downloads as they change, one or all that are asked for: a few messages a second, the newest wins."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence

from services.downloads.lists import in_state
from services.downloads.records import ACTIVE_STATES, Download, DownloadState, FeedBatch
from services.downloads.row import DownloadRow
from services.downloads.store import Store
from services.downloads.update_hub import UpdateHub
from services.errors import DownloadNotFound
from services.redis import RedisUnavailable

SNAPSHOT_LIMIT = 1000
"""Downloads in the first message of a feed, the newest ones."""
ENDED_KEPT = 100
"""Ends that one feed remembers."""


async def watch_one(store: Store, board: UpdateHub, id: str, *, gap_s: float) -> AsyncGenerator[Download, None]:
    """The download now, then every change, until it has ended or is removed. Raises `DownloadNotFound`."""
    with board.follow((id,)) as follower:
        entry = await store.find(id)
        if entry is None:
            raise DownloadNotFound(id)
        revision = 0
        while entry is not None:
            if entry.download.revision > revision:
                revision = entry.download.revision
                yield entry.download
                if not entry.state.is_active:
                    return
                await follower.rest(gap_s)
            entry = (await follower.changed()).get(id)


async def watch_many(
    store: Store,
    board: UpdateHub,
    ids: Collection[str] | None,
    states: Collection[DownloadState] | None,
    *,
    gap_s: float,
) -> AsyncGenerator[FeedBatch, None]:
    """A snapshot, then what changed.

    The snapshot has the active downloads, or those in `states`, or of `ids`. One that leaves `states` is told as
    removed: it is no longer part of what was asked for.
    """
    view = _View(store, ids, states)
    with board.follow_all() if ids is None else board.follow(tuple(ids)) as follower:
        yield FeedBatch(is_snapshot=True, downloads=tuple(view.take(await view.read()).downloads))
        while True:
            await asyncio.sleep(gap_s)
            changes = await follower.changed()
            if follower.take_missed():
                try:
                    changes = {**await view.read(), **changes}
                except RedisUnavailable:
                    follower.tell_missed()
            batch = view.take(changes)
            if batch.downloads or batch.removed:
                yield batch


class _View:
    """What a feed has shown, and what of a change is news to it."""

    def __init__(self, store: Store, ids: Collection[str] | None, states: Collection[DownloadState] | None) -> None:
        self._store = store
        self._ids = ids
        self._states = states
        self._shown: dict[str, int] = {}
        """Revision of what was shown and is still on its way, by id."""
        self._ended: dict[str, int] = {}
        """Likewise of what has ended; the last ones, so that the same end is not told twice."""

    async def read(self) -> dict[str, DownloadRow | None]:
        """All that belongs in the view now, and all that was shown in it."""
        if self._ids is not None:
            return await self._read_ids(tuple(self._ids))
        lists = [in_state(state) for state in self._states or ACTIVE_STATES]
        page = await self._store.page(lists, count=SNAPSHOT_LIMIT)
        found: dict[str, DownloadRow | None] = {entry.download.id: entry for entry in page.entries}
        return found | await self._read_ids([id for id in self._shown if id not in found])

    async def _read_ids(self, ids: Sequence[str]) -> dict[str, DownloadRow | None]:
        return dict(zip(ids, await self._store.find_many(ids), strict=True))

    def take(self, changes: Mapping[str, DownloadRow | None]) -> FeedBatch:
        """The part of these changes that is news."""
        downloads, removed = [], []
        for id, entry in changes.items():
            if entry is None:
                self._shown.pop(id, None)
                removed.append(id)
            elif self._is_asked_for(entry):
                if entry.download.revision > max(self._shown.get(id, 0), self._ended.get(id, 0)):
                    downloads.append(entry.download)
                self._note(entry)
            elif self._shown.pop(id, None):
                removed.append(id)
        downloads.sort(key=lambda download: download.id, reverse=True)
        return FeedBatch(is_snapshot=False, downloads=tuple(downloads), removed=tuple(removed))

    def _is_asked_for(self, entry: DownloadRow) -> bool:
        return self._states is None or entry.state in self._states

    def _note(self, entry: DownloadRow) -> None:
        id, revision = entry.download.id, entry.download.revision
        if entry.state.is_active or self._states is not None:
            self._shown[id] = revision
            return
        self._shown.pop(id, None)
        self._ended[id] = revision
        if len(self._ended) > ENDED_KEPT:
            del self._ended[next(iter(self._ended))]
