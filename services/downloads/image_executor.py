"""Threads that decode and encode pages: one for each core, shared by all downloads of a process.

Each download has few pages in the queue at once, so that a long one does not delay a short one.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from services.processes import lower_thread_priority
from services.tasks import shield_until_done

P = ParamSpec("P")
T = TypeVar("T")


class ImageExecutor:
    """Threads for pictures; `cores` None: as many as this process may use."""

    def __init__(self, cores: int | None = None) -> None:
        self.cores = cores or _usable_cores()
        self._threads = ThreadPoolExecutor(self.cores, "executor", initializer=lower_thread_priority)

    def job_slots(self) -> JobSlots:
        """The slots of one download."""
        return JobSlots(self._threads, asyncio.Semaphore(2 * self.cores))

    def close(self) -> None:
        """End the threads once the work that they have begun is done."""
        self._threads.shutdown(wait=True, cancel_futures=True)


class JobSlots:
    """The share of one download: as many pages at once as keep all cores busy, and no more."""

    def __init__(self, threads: ThreadPoolExecutor, slots: asyncio.Semaphore) -> None:
        self._threads = threads
        self._slots = slots

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work` in a thread; a caller that is cancelled still waits for work that has begun."""
        async with self._slots:
            job = self._threads.submit(work, *args, **kwargs)
            return await shield_until_done(asyncio.wrap_future(job), try_cancel=job.cancel)


def _usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
