"""How a worker writes the record of its download: few writes of progress, and one for each change of state."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace

import structlog

from services.downloads.ports import PagesProgress, Timings
from services.downloads.records import DownloadProgressRecord, DownloadState
from services.downloads.row import ChapterProgress, DownloadRow
from services.downloads.store import DownloadStore, RevisionConflict
from services.downloads.transitions import WORK_STATES
from services.redis import RedisUnavailable

log = structlog.get_logger("jmgraph.writer")

RATE_WINDOW_S = 10.0
"""The time left is estimated from the pages of the last so many seconds."""
RATE_LEAST_S = 0.4
"""Less than this is too short to estimate a rate."""


class LeaseLost(Exception):
    """This worker no longer has the download: it was cancelled, removed, or taken over."""


class RecordWriter:
    """The one writer of a running download. Waits while Redis is unavailable; never overwrites another writer."""

    def __init__(self, store: DownloadStore, row: DownloadRow, timings: Timings) -> None:
        self.row = row
        """The row as last written."""
        self._store = store
        self._timings = timings
        self._lock = asyncio.Lock()
        self._latest: PagesProgress | None = None
        self._has_progress = asyncio.Event()
        self._throughput = ThroughputMeter()

    def note(self, progress: PagesProgress) -> None:
        """Store how far it is; it is written soon, together with later progress."""
        self._latest = progress
        self._throughput.note(progress.pages_done)
        self._has_progress.set()

    async def write_progress_forever(self) -> None:
        """Write what was noted, not more often than the timings say. Ends with `LeaseLost`."""
        while True:
            await self._has_progress.wait()
            self._has_progress.clear()
            await self.change(_packing_when_complete)
            await asyncio.sleep(self._timings.progress_s)

    async def change(self, step: Callable[[DownloadRow], DownloadRow]) -> DownloadRow:
        """Write this step with the latest progress, waiting while Redis is unavailable. Nothing once it has ended.

        Raises `LeaseLost`, and what `DownloadStore.save` raises but for `RevisionConflict`.
        """
        async with self._lock:
            while self.row.state in WORK_STATES:
                new = step(self._with_progress(self.row))
                try:
                    self.row = await self._store.save(self.row, new)
                    return self.row
                except RevisionConflict:
                    if await self._was_written(new):
                        return self.row
                except RedisUnavailable:
                    log.debug("waiting for Redis", download=new.download.id)
                    await asyncio.sleep(random.uniform(self._timings.retry_s / 2, self._timings.retry_s))
            return self.row

    async def settled_row(self) -> DownloadRow:
        """The row as last written, once no write is under way."""
        async with self._lock:
            return self.row

    async def check_lease(self) -> None:
        """Raise `LeaseLost` where the record says that it is no longer ours; nothing while Redis is unavailable."""
        try:
            stored = await self._store.find(self.row.download.id)
        except RedisUnavailable:
            return
        if stored is None or stored.lease != self.row.lease:
            raise LeaseLost

    async def _was_written(self, new: DownloadRow) -> bool:
        """Whether the change was written, and only the answer lost. False: the step must run again."""
        stored = await self._store.find(new.download.id)
        if stored is None:
            raise LeaseLost
        written = new.replace(download=replace(new.download, revision=self.row.download.revision + 1))
        if stored == written:
            self.row = stored
            return True
        if stored.lease != self.row.lease or stored.state not in WORK_STATES:
            raise LeaseLost
        self.row = stored
        return False

    def _with_progress(self, row: DownloadRow) -> DownloadRow:
        latest = self._latest
        if latest is None:
            return row
        done, is_running = latest.pages_done, row.state is DownloadState.RUNNING
        progress = DownloadProgressRecord(
            pages_done=done,
            pages_total=latest.pages_total,
            bytes_done=latest.bytes_done,
            eta_s=self._throughput.eta_s(latest.pages_total - done) if is_running else None,
        )
        gained = done > row.download.progress.pages_done
        return row.replace(
            download=replace(row.download, progress=progress),
            crash_count=0 if gained else row.crash_count,
            chapters=tuple(
                ChapterProgress(chapter.id, latest.done_of.get(chapter.id, 0), chapter.pages_total)
                for chapter in row.chapters
            ),
        )


def _packing_when_complete(row: DownloadRow) -> DownloadRow:
    progress = row.download.progress
    if not progress.pages_total or progress.pages_done < progress.pages_total:
        return row
    return row.with_state(DownloadState.PACKING, progress=replace(progress, eta_s=None))


class ThroughputMeter:
    """Pages a second over the last seconds, to estimate the time left."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._marks: deque[tuple[float, int]] = deque()

    def note(self, pages_done: int) -> None:
        """So many pages are done now."""
        now = self._clock()
        self._marks.append((now, pages_done))
        while now - self._marks[0][0] > RATE_WINDOW_S:
            self._marks.popleft()

    def eta_s(self, pages_left: int) -> float | None:
        """Seconds until so many more are done; None while it is unknown."""
        if pages_left <= 0:
            return 0.0
        if len(self._marks) < 2:
            return None
        began, first = self._marks[0]
        span_s, gained = self._clock() - began, self._marks[-1][1] - first
        if span_s < RATE_LEAST_S or gained <= 0:
            return None
        return round(pages_left * span_s / gained, 1)
