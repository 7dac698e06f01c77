"""A worker: takes downloads from the queue while it has free slots, and sends heartbeats."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import structlog

from services.downloads import transitions
from services.downloads.components import DownloadComponents
from services.downloads.leases import new_worker_id
from services.downloads.ports import PagePipeline
from services.downloads.queue import QueueConsumer, RetryLater
from services.downloads.row import DownloadRow
from services.downloads.runner import DownloadRunner
from services.downloads.store import IllegalTransition
from services.errors import DownloadNotFound
from services.redis import RedisUnavailable
from services.tasks import cancel_and_wait, repeat

log = structlog.get_logger("jmgraph.worker")

STILL_RUNNING_RETRY_S = 0.2
"""Before a download is offered again whose earlier run here has not ended yet."""


class DownloadWorker:
    """Runs up to `jobs` downloads at once: people are served in turn, each person's in the order of asking."""

    def __init__(self, components: DownloadComponents, pipeline: PagePipeline, *, jobs: int) -> None:
        self.id = new_worker_id()
        self._events = components.events
        self._store = components.store
        self._leases = components.leases
        self._reconciler = components.reconciler
        self._timings = components.timings
        self._runner = DownloadRunner(components, pipeline)
        self._jobs = jobs
        self._running: dict[str, asyncio.Task[None]] = {}
        self._claiming: set[str] = set()
        self._wake_up = asyncio.Event()
        self._consumer = QueueConsumer(
            components.redis,
            accept=self._accept,
            free_slots=self._free_slots,
            order=self._store.in_turn,
            wake_up=self._wake_up,
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; then hand over at once what is under way."""
        log.info("the worker is ready", worker=self.id, jobs=self._jobs)
        loops = [
            asyncio.create_task(self._repeat(self._consumer.run_until_lost, 0.0), name="queue"),
            asyncio.create_task(self._repeat(self._heartbeat, self._timings.heartbeat_s), name="heartbeat"),
            asyncio.create_task(self._listen(), name="wake-up"),
        ]
        try:
            await stop.wait()
        finally:
            await cancel_and_wait(*loops)
            await self._hand_over()
            log.info("the worker has ended", worker=self.id)

    async def _repeat(self, step: Callable[[], Awaitable[None]], every_s: float) -> None:
        retry_s = self._timings.retry_s
        await repeat(
            step,
            pause_s=lambda: every_s,
            retry_s=lambda: random.uniform(retry_s / 2, retry_s),
            on_error=_log_error,
        )

    async def _heartbeat(self) -> None:
        await self._leases.heartbeat(self.id)
        await self._reconciler.requeue_unclaimed(self.id, self._is_running)

    async def _listen(self) -> None:
        async with self._events.watch("queue") as watcher:
            while True:
                await watcher.changed()
                self._wake_up.set()

    def _is_running(self, download_id: str) -> bool:
        return download_id in self._running or download_id in self._claiming

    def _free_slots(self) -> int:
        return self._jobs - len(self._running) - len(self._claiming)

    async def _accept(self, download_id: str, job_id: str) -> None:
        """Claim a download and start on it. Raises `RetryLater`, `RedisUnavailable` to be offered it again."""
        if self._free_slots() <= 0:
            raise RetryLater
        if self._is_running(download_id):  # cancelled, queued again, and its first run not ended yet
            raise RetryLater(STILL_RUNNING_RETRY_S)
        self._claiming.add(download_id)
        try:
            row, is_ours = await self._store.change(
                download_id, lambda row: transitions.claimed(row, job_id, self.id)
            )
        except (DownloadNotFound, IllegalTransition):
            return
        else:
            if is_ours:
                self._start(row)
        finally:
            self._claiming.discard(download_id)

    def _start(self, row: DownloadRow) -> None:
        id = row.download.id
        self._running[id] = asyncio.create_task(self._run(row), name=f"download {id}")

    async def _run(self, row: DownloadRow) -> None:
        try:
            await self._runner.run(row)
        except Exception:
            log.exception("a download's run failed unexpectedly", download=row.download.id)
        finally:
            self._running.pop(row.download.id, None)
            self._wake_up.set()

    async def _hand_over(self) -> None:
        running = list(self._running.values())
        for task in running:
            task.cancel()  # once: a second cancellation would cut the hand-over short
        await asyncio.gather(*running, return_exceptions=True)
        try:
            await self._leases.leave(self.id)
        except RedisUnavailable:
            log.debug("the lease will expire by itself, Redis is unavailable")


def _log_error(error: Exception) -> None:
    if isinstance(error, RedisUnavailable):
        log.debug("the worker waits, Redis is unavailable")
    else:
        log.error("a loop of the worker failed and is started again", exc_info=error)
