"""The limiter: at most so many requests to the site at once and so many a second to each host, over all processes.

Slots are leased in bulk: a background task tells Redis every few milliseconds, only while there is work, what this
process uses and wants, and hears what it may use. A slot is then a matter of this process alone, so a picture costs
no round trip. Tokens of the rate are asked for one by one. Without Redis the process limits itself.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

import structlog

from services.observability import Priority
from services.redis import RedisClient, RedisUnavailable
from services.upstream.limiter_redis import SharedStore
from services.upstream.limiter_store import Grant, LimiterStore, OwnStore
from services.upstream.slots import ConcurrencyLimiter
from services.upstream.tokens import HostQuiet, RateLimiter

log = structlog.get_logger("jmgraph.catalog")

T = TypeVar("T")

TICK_S = 0.04
"""Between two looks at Redis while there is work: so long may a person elsewhere go unnoticed by a download here."""

SOONEST_S = 0.005
"""Between two looks that something happened for."""

ANSWER_WITHIN_S = 1.0
"""A Redis that takes longer is done without."""

ALONE_S = 2.0
"""Redis is not asked again for so long after it failed."""


class Limiter:
    """One per gateway. `turn` is the way to the site."""

    def __init__(self, concurrency: int, rate_per_s: float, redis: RedisClient | None = None) -> None:
        self._concurrency = concurrency
        self._rate_per_s = rate_per_s
        self._own = OwnStore()
        self._shared: LimiterStore | None = SharedStore(redis) if redis else None
        self._alone_until = 0.0
        self._slots = ConcurrencyLimiter(0 if redis else concurrency, self._on_want, self._on_release)
        self._queues: dict[str, RateLimiter] = {}
        self._others_wait = False
        self._is_idle = False
        self._told = 0
        self._is_closed = False
        self._wake = asyncio.Event()
        self._sharing: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def turn(self, host: str, priority: Priority, *, is_paced: bool) -> AsyncIterator[None]:
        """Hold a slot for one request to `host`; with `is_paced` a token of its rate is spent first.

        Waits as long as it takes, persons before downloads before upkeep. Raises `HostQuiet` where the host asked
        any of our processes for fewer requests.
        """
        if quiet_s := self._own.quiet_left_s(host):
            raise HostQuiet(quiet_s)
        if is_paced:
            await self._queue(host).token(priority)
        await self._slots.acquire(priority)
        try:
            yield
        finally:
            self._slots.release(priority)

    async def quiet(self, host: str, seconds: float) -> None:
        """All processes leave this host alone for so long."""
        await self._own.quiet(host, seconds)
        if self._shared and not self._is_alone:
            await self._asked(self._shared.quiet(host, seconds))

    async def aclose(self) -> None:
        """Give the slots back."""
        self._is_closed = True
        for queue in self._queues.values():
            await queue.aclose()
        if self._sharing is None or self._shared is None:
            return
        self._sharing.cancel()
        with suppress(asyncio.CancelledError):
            await self._sharing
        if not self._is_alone:
            await self._asked(self._shared.leave())

    @property
    def _is_alone(self) -> bool:
        return self._shared is None or time.monotonic() < self._alone_until

    def _queue(self, host: str) -> RateLimiter:
        if host not in self._queues:
            self._queues[host] = RateLimiter(lambda priority: self._take(host, priority))
        return self._queues[host]

    async def _take(self, host: str, priority: Priority) -> float:
        """Seconds until a token may be there; 0 when one was taken."""
        # counted here too, so that the loss of Redis does not hand out a second burst
        own = await self._own.take(host, self._rate_per_s, priority)
        turn = own
        if self._shared and not self._is_alone:
            turn = await self._asked(self._shared.take(host, self._rate_per_s, priority)) or own
        if turn.quiet_s:
            await self._own.quiet(host, turn.quiet_s)
            raise HostQuiet(turn.quiet_s)
        return turn.wait_s

    async def _asked(self, question: Coroutine[Any, Any, T]) -> T | None:
        """The answer of Redis; None, and a while on our own, where there is none."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                return await question
        except Exception as error:
            # whatever is wrong with Redis, down, slow or without scripts: the site stays readable
            is_known = isinstance(error, RedisUnavailable | TimeoutError)
            if not self._is_alone or not is_known:
                log.warning("the limiter goes on without Redis, for this process alone", error=type(error).__name__)
            self._alone_until = time.monotonic() + ALONE_S
            return None

    def _on_want(self) -> None:
        if self._shared is None:
            return
        if self._sharing is None:
            self._sharing = asyncio.create_task(self._share(self._shared))
        could_have_more = self._told < min(self._slots.total_wanted, self._concurrency)
        if self._is_idle or (self._slots.is_short and could_have_more):
            self._wake.set()

    def _on_release(self) -> None:
        if self._others_wait:
            self._wake.set()

    async def _share(self, store: LimiterStore) -> None:
        while not self._is_closed:
            self._wake.clear()
            grant = await self._look(store)
            for host, seconds in grant.quiet_s.items():
                await self._own.quiet(host, seconds)
            self._others_wait = grant.others_wait
            self._slots.allow(grant.slots)
            await asyncio.sleep(SOONEST_S)
            self._is_idle = not self._slots.total_wanted
            with suppress(TimeoutError):
                # once Redis knows that nothing is under way there is nothing to say until something is
                async with asyncio.timeout(None if self._is_idle and not self._told else TICK_S):
                    await self._wake.wait()

    async def _look(self, store: LimiterStore) -> Grant:
        now = self._concurrency, self._slots.total_in_use, self._slots.wanted()
        self._told = sum(now[2].values())
        answer = None if self._is_alone else await self._asked(store.share(*now))
        return answer or await self._own.share(*now)
