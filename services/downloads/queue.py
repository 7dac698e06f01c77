"""The adapter to arq: how a job is written, and a consumer that is woken instead of polling.

An arq job is short: it only hands a download to this process, which then has a lease on it. So neither arq's
timeouts, nor its retries, nor its keys of jobs in progress, nor an error that ends its worker can lose a download.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import orjson
import redis.exceptions
import structlog
from arq.connections import ArqRedis
from arq.constants import in_progress_key_prefix, job_key_prefix, retry_key_prefix
from arq.jobs import serialize_job
from arq.worker import Retry, Worker, func

from services.errors import QueueUnavailable
from services.redis import RedisClient, RedisUnavailable, translate_redis_errors

log = structlog.get_logger("jmgraph.queue")

QUEUE = "jmgraph:queue"
FUNCTION = "run_download"
POLL_S = 1.0
"""The queue is read this often without an event; an event wakes the worker at once."""
POLL_TIMEOUT_S = 10.0
"""Of one read of the queue, and of hand-overs under way; a Redis that takes longer is unavailable."""
JOB_TIMEOUT_S = 10
"""Of handing over, not of a download. arq hides a job for 10 s more after its worker was killed."""
MAX_TRIES = 1_000_000
"""Never reached: every restart counts as a try of arq, and we count attempts ourselves."""
READ_LIMIT = 10_000
"""Jobs per read, jobs of other workers included."""
RETRY_S = 1.0
"""Before a job is offered again whose hand-over failed because of Redis."""
HEALTH_S = 3600
"""Nobody reads arq's health key: a worker's heartbeat is our own."""


def job_fields(job_id: str, download_id: str, queued_at_ms: int) -> dict[str, Any]:
    """What our scripts need to write or drop an arq job; the earliest `queued_at_ms` is served first."""
    blob = serialize_job(FUNCTION, (download_id,), {}, None, queued_at_ms, serializer=_to_json)
    return {
        "queue": QUEUE,
        "id": job_id,
        "score": queued_at_ms,
        "blob": blob.decode(),
        "key": job_key_prefix + job_id,
        "mark": in_progress_key_prefix + job_id,
        "tries": retry_key_prefix + job_id,
    }


def _to_json(value: object) -> bytes:
    """arq encodes its own errors too, for results that are not kept: their text is enough."""
    return orjson.dumps(value, default=str)


def in_turn(jobs: Sequence[bytes], owners: Sequence[bytes], served: Mapping[bytes, int]) -> list[bytes]:
    """The jobs, of which each owner's are in order, so that owners take turns; least recently served first.

    `owners` are those of the jobs, `served` has the number of each owner's last turn. In a queue a1 a2 a3 b1, where
    nobody was served yet: a1 b1 a2 a3.
    """
    turns_of: defaultdict[bytes, int] = defaultdict(int)
    places: list[tuple[int, int, int, bytes]] = []
    for job, owner in zip(jobs, owners, strict=True):
        places.append((turns_of[owner], served.get(owner, 0), len(places), job))
        turns_of[owner] += 1
    return [job for *_, job in sorted(places)]


class RetryLater(Exception):
    """A job that is to be offered again, to any worker: at once, or after so many seconds."""

    def __init__(self, after_s: float = 0.0) -> None:
        super().__init__(after_s)
        self.after_s = after_s


class QueueConsumer:
    """Hands queued downloads to `accept` while `free_slots` is above 0, in the order that `order` gives jobs."""

    def __init__(
        self,
        redis: RedisClient,
        *,
        accept: Callable[[str, str], Awaitable[None]],
        free_slots: Callable[[], int],
        order: Callable[[list[bytes]], Awaitable[list[bytes]]],
        wake_up: asyncio.Event,
    ) -> None:
        """`accept(download_id, job_id)` returns once it is claimed. Raises `RetryLater`, `RedisUnavailable`.

        `wake_up` is set when there may be work.
        """
        self._redis = redis
        self._accept = accept
        self._free_slots = free_slots
        self._order = order
        self._wake_up = wake_up

    async def run_until_lost(self) -> None:
        """Serve the queue until Redis is unavailable: raises `RedisUnavailable`; call it again then."""
        pool = ArqRedis(
            self._redis.new_pool(4),
            job_serializer=_to_json,
            job_deserializer=orjson.loads,
            default_queue_name=QUEUE,
        )
        worker = _EventDrivenWorker(
            functions=[func(self._take, name=FUNCTION, keep_result=0, max_tries=MAX_TRIES)],
            queue_name=QUEUE,
            redis_pool=pool,
            handle_signals=False,
            job_timeout=JOB_TIMEOUT_S,
            health_check_interval=HEALTH_S,
            keep_result=0,
            queue_read_limit=READ_LIMIT,
            job_serializer=_to_json,
            job_deserializer=orjson.loads,
            log_results=False,
        )
        try:
            with translate_redis_errors():
                await worker.serve(self._free_slots, self._order, self._wake_up)
        finally:
            await worker.finish_hand_overs()
            await pool.connection_pool.disconnect()

    async def _take(self, ctx: dict[str, Any], download_id: str) -> None:
        try:
            await self._accept(download_id, ctx["job_id"])
        except RetryLater as refusal:
            raise Retry(defer=refusal.after_s or None) from None
        except RedisUnavailable:
            raise Retry(defer=RETRY_S) from None


class _EventDrivenWorker(Worker):
    """arq's worker, reading the queue when `wake_up` is set (arq itself polls every half second)."""

    free_slots: Callable[[], int]
    order: Callable[[list[bytes]], Awaitable[list[bytes]]]
    wake_up: asyncio.Event

    @property
    def max_jobs(self) -> int:
        """Hand-overs that may be under way at once: arq reads it before each."""
        return self.free_slots()

    @max_jobs.setter
    def max_jobs(self, value: int) -> None:
        """Ignored: arq sets its own constant, ours changes all the time."""

    async def serve(
        self,
        free_slots: Callable[[], int],
        order: Callable[[list[bytes]], Awaitable[list[bytes]]],
        wake_up: asyncio.Event,
    ) -> None:
        self.free_slots, self.order, self.wake_up = free_slots, order, wake_up
        while True:
            wake_up.clear()
            async with asyncio.timeout(POLL_TIMEOUT_S):
                await self._poll_iteration()
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_S):
                    await wake_up.wait()

    async def start_jobs(self, job_ids: list[bytes]) -> None:
        await super().start_jobs(await self.order(job_ids))

    def _release_sem_dec_counter_on_complete(self) -> None:
        super()._release_sem_dec_counter_on_complete()
        self.wake_up.set()

    async def finish_hand_overs(self) -> None:
        """Wait for the hand-overs that are under way; they end in a moment, unless Redis does not answer."""
        tasks = list(self.tasks.values())
        if tasks:
            await asyncio.wait(tasks, timeout=POLL_TIMEOUT_S)
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception) and not isinstance(result, redis.exceptions.RedisError):
                log.error("a job could not be handed over", reason=repr(result))


UNAVAILABLE_RETRY_S = 5
"""Redis may be back after this."""


@contextmanager
def translate_queue_errors() -> Iterator[None]:
    """Turn `RedisUnavailable` into `QueueUnavailable`, with when to retry."""
    try:
        yield
    except RedisUnavailable:
        raise QueueUnavailable("The queue can't be reached.", retry_after_s=UNAVAILABLE_RETRY_S) from None
