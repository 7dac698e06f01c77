"""The workshop: one thread a core for decoding and encoding, shared by all downloads of a process.

Each download takes turns: it has few pieces in the queue at once, so that a long one can't crowd out a short one.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from services.process_priority import lower_thread_priority
from services.tasks import to_its_end

P = ParamSpec("P")
T = TypeVar("T")


class ImageExecutor:
    """Threads for pictures. `cores` None takes those this process may use."""

    def __init__(self, cores: int | None = None) -> None:
        self.cores = cores or _usable_cores()
        self._threads = ThreadPoolExecutor(self.cores, "workshop", initializer=lower_thread_priority)

    def bench(self) -> JobSlots:
        """A place for one download."""
        return JobSlots(self._threads, asyncio.Semaphore(2 * self.cores))

    def close(self) -> None:
        """Let the threads end once they are done with what they have in hand."""
        self._threads.shutdown(wait=True, cancel_futures=True)


class JobSlots:
    """One download's place: as many pieces at once as keep all cores busy, and no more."""

    def __init__(self, threads: ThreadPoolExecutor, turns: asyncio.Semaphore) -> None:
        self._threads = threads
        self._turns = turns

    async def do(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work` in a thread of the workshop; what has begun is waited for even when the caller is cancelled."""
        async with self._turns:
            job = self._threads.submit(work, *args, **kwargs)
            return await to_its_end(asyncio.wrap_future(job), give_up=job.cancel)


def _usable_cores() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
