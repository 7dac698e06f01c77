"""How a worker writes the record it holds: few writes while pages come in, exact ones when the state moves."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace

import structlog

from services.downloads.ports import PagesProgress
from services.downloads.records import DownloadProgress, DownloadState
from services.downloads.row import ChapterProgress, DownloadRow
from services.downloads.store import RevisionConflict, Store
from services.downloads.timings import Timings
from services.downloads.transitions import WORK_STATES
from services.redis import RedisUnavailable

log = structlog.get_logger("jmgraph.writer")

RATE_WINDOW_S = 10.0
"""The time left is told by the pages of the last so many seconds."""
RATE_LEAST_S = 0.4
"""In less than this too little has come to tell a rate by."""


class LeaseLost(Exception):
    """The download is no longer this worker's: it was cancelled, removed, or taken over."""


class RecordWriter:
    """The one writer of a running download. Waits for Redis where it is away; never writes over somebody else."""

    def __init__(self, store: Store, entry: DownloadRow, timings: Timings) -> None:
        self.entry = entry
        """As last written."""
        self._store = store
        self._timings = timings
        self._lock = asyncio.Lock()
        self._latest: PagesProgress | None = None
        self._has_news = asyncio.Event()
        self._pace = Pace()

    def note(self, progress: PagesProgress) -> None:
        """Remember how far it is; written soon, together with what comes meanwhile."""
        self._latest = progress
        self._pace.note(progress.pages_done)
        self._has_news.set()

    async def write_progress_forever(self) -> None:
        """Write what was noted, not more often than the timings say. Ends with `LeaseLost`."""
        while True:
            await self._has_news.wait()
            self._has_news.clear()
            await self.move(_packing_once_all_are_there)
            await asyncio.sleep(self._timings.progress_s)

    async def move(self, step: Callable[[DownloadRow], DownloadRow]) -> DownloadRow:
        """Write this step, with the latest progress in it, however long Redis is away. Nothing, once it has ended.

        Raises `LeaseLost`, and what `Store.save` raises but for `RevisionConflict`.
        """
        async with self._lock:
            while self.entry.state in WORK_STATES:
                new = step(self._with_progress(self.entry))
                try:
                    self.entry = await self._store.save(self.entry, new)
                    return self.entry
                except RevisionConflict:
                    if await self._was_written(new):
                        return self.entry
                except RedisUnavailable:
                    log.debug("Waiting for Redis", download=new.download.id)
                    await asyncio.sleep(random.uniform(self._timings.retry_s / 2, self._timings.retry_s))
            return self.entry

    async def check_held(self) -> None:
        """Raise `LeaseLost` where the record says that it is no longer ours; where Redis is away, nobody can say."""
        try:
            there = await self._store.find(self.entry.download.id)
        except RedisUnavailable:
            return
        if there is None or there.lease != self.entry.lease:
            raise LeaseLost

    async def _was_written(self, new: DownloadRow) -> bool:
        """Whether the change is there, its answer lost with the connection. False: the step is to be taken anew."""
        there = await self._store.find(new.download.id)
        if there is None:
            raise LeaseLost
        written = replace(new, download=replace(new.download, revision=self.entry.download.revision + 1))
        if there == written:
            self.entry = there
            return True
        if there.lease != self.entry.lease or there.state not in WORK_STATES:
            raise LeaseLost
        self.entry = there
        return False

    def _with_progress(self, entry: DownloadRow) -> DownloadRow:
        latest = self._latest
        if latest is None:
            return entry
        done, is_running = latest.pages_done, entry.state is DownloadState.RUNNING
        progress = DownloadProgress(
            pages_done=done,
            pages_total=latest.pages_total,
            bytes_done=latest.bytes_done,
            eta_s=self._pace.eta_s(latest.pages_total - done) if is_running else None,
        )
        gained = done > entry.download.progress.pages_done
        return replace(
            entry,
            download=replace(entry.download, progress=progress),
            crashes=0 if gained else entry.crashes,
            chapters=tuple(
                ChapterProgress(chapter.id, latest.done_of.get(chapter.id, 0), chapter.pages_total)
                for chapter in entry.chapters
            ),
        )


def _packing_once_all_are_there(entry: DownloadRow) -> DownloadRow:
    progress = entry.download.progress
    if not progress.pages_total or progress.pages_done < progress.pages_total:
        return entry
    return entry.at(DownloadState.PACKING, progress=replace(progress, eta_s=None))


class Pace:
    """Pages a second of late, to tell the time left by."""

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
        """Seconds until so many more are done; None while that can't be told."""
        if pages_left <= 0:
            return 0.0
        if len(self._marks) < 2:
            return None
        began, first = self._marks[0]
        span_s, gained = self._clock() - began, self._marks[-1][1] - first
        if span_s < RATE_LEAST_S or gained <= 0:
            return None
        return round(pages_left * span_s / gained, 1)
