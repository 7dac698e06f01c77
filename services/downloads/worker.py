"""A worker: takes downloads from the queue as long as it has room, and says all the while that it lives."""

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
from services.downloads.runner import Runner
from services.downloads.store import IllegalTransition
from services.errors import DownloadNotFound
from services.redis import RedisUnavailable
from services.tasks import end_tasks

log = structlog.get_logger("jmgraph.worker")

WIND_UP_S = 0.2
"""Before a download is offered again whose first run here is not yet wound up."""


class DownloadWorker:
    """Runs up to `jobs` downloads at once, first come first served."""

    def __init__(self, engine: DownloadComponents, pipeline: PagePipeline, *, jobs: int) -> None:
        self.id = new_worker_id()
        self._events = engine.events
        self._store = engine.store
        self._leases = engine.leases
        self._reconciler = engine.reconciler
        self._timings = engine.timings
        self._runner = Runner(engine, pipeline)
        self._jobs = jobs
        self._running: dict[str, asyncio.Task[None]] = {}
        self._claiming: set[str] = set()
        self._doorbell = asyncio.Event()
        self._source = QueueConsumer(
            engine.link, accept=self._accept, free_slots=self._free_slots, doorbell=self._doorbell
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; then hand over at once what is under way."""
        log.info("The worker is ready", worker=self.id, jobs=self._jobs)
        loops = [
            asyncio.create_task(self._keep(self._source.run_until_lost, 0.0), name="queue"),
            asyncio.create_task(self._keep(self._beat, self._timings.heartbeat_s), name="heartbeat"),
            asyncio.create_task(self._listen(), name="doorbell"),
        ]
        try:
            await stop.wait()
        finally:
            await end_tasks(*loops)
            await self._hand_over()
            log.info("The worker has ended", worker=self.id)

    async def _keep(self, step: Callable[[], Awaitable[None]], every_s: float) -> None:
        """Do it again and again; where Redis is away, or something unforeseen happens, after a short wait."""
        while True:
            try:
                await step()
                await asyncio.sleep(every_s)
                continue
            except RedisUnavailable:
                log.debug("Redis is away; the worker waits")
            except Exception:
                log.exception("A loop of the worker failed and is started again")
            await asyncio.sleep(random.uniform(self._timings.retry_s / 2, self._timings.retry_s))

    async def _beat(self) -> None:
        await self._leases.beat(self.id)
        await self._reconciler.free_forgotten(self.id, self._is_here)

    async def _listen(self) -> None:
        async with self._events.watch("queue") as watcher:
            while True:
                await watcher.changed()
                self._doorbell.set()

    def _is_here(self, download_id: str) -> bool:
        return download_id in self._running or download_id in self._claiming

    def _free_slots(self) -> int:
        return self._jobs - len(self._running) - len(self._claiming)

    async def _accept(self, download_id: str, job_id: str) -> None:
        """Claim a download and start on it. Raises `RetryLater`, `RedisUnavailable` to be offered it again."""
        if self._free_slots() <= 0:
            raise RetryLater
        if self._is_here(download_id):  # cancelled, queued again, and its first run not yet wound up
            raise RetryLater(WIND_UP_S)
        self._claiming.add(download_id)
        try:
            entry, is_ours = await self._store.change(
                download_id, lambda entry: transitions.claimed(entry, job_id, self.id)
            )
        except (DownloadNotFound, IllegalTransition):
            return
        else:
            if is_ours:
                self._start(entry)
        finally:
            self._claiming.discard(download_id)

    def _start(self, entry: DownloadRow) -> None:
        id = entry.download.id
        self._running[id] = asyncio.create_task(self._run(entry), name=f"download {id}")

    async def _run(self, entry: DownloadRow) -> None:
        try:
            await self._runner.run(entry)
        except Exception:
            log.exception("A download's run ended unforeseen", download=entry.download.id)
        finally:
            self._running.pop(entry.download.id, None)
            self._doorbell.set()

    async def _hand_over(self) -> None:
        running = list(self._running.values())
        for task in running:
            task.cancel()  # once: a second time would cut the handing over short
        await asyncio.gather(*running, return_exceptions=True)
        try:
            await self._leases.leave(self.id)
        except RedisUnavailable:
            log.debug("Redis is away; the lease runs out by itself")
