"""Limits requests to the site over all processes: how many at once, and how many a second to each host.

Slots are leased in bulk: while there is work, a background task reports to Redis every few milliseconds what this
process uses and wants, and learns how many slots it may use. Taking one is then local, so a picture costs no round
trip. Tokens of a host's rate are taken one by one. Without Redis the process limits itself.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TypeVar

import structlog

from services.observability import Priority
from services.redis import RedisClient, RedisUnavailable

log = structlog.get_logger("jmgraph.upstream")

T = TypeVar("T")

BURST = 100
"""Page and API requests to a host at once, before its rate limit applies."""

TOKENS_LEFT = {Priority.INTERACTIVE: 0, Priority.DOWNLOAD: 10, Priority.BACKGROUND: 20}
"""Tokens that each priority leaves for higher ones."""

LONGEST_TOKEN_WAIT_S = 0.5
"""Each priority gets a token so often, however many requests of higher ones wait: it then takes one in advance."""

LONGEST_SLOT_WAIT_S = 0.25
"""Each priority gets a slot of its process so often. Over all processes `lease.lua` keeps some for each."""

LEASE_MS = 3000
"""A process that does not report for this long holds no slots."""

REPORT_INTERVAL_S = 0.04
"""Between two reports while there is work: a request waits this long for a slot that another process released."""

MIN_REPORT_INTERVAL_S = 0.005
"""Least time between two reports."""

REDIS_TIMEOUT_S = 1.0
"""Of a command; after it the process limits itself."""

_PREFIX = "jmgraph:limiter"
_SCRIPTS = Path(__file__).with_name("lua")


class HostRateLimited(Exception):
    """The host limits its rate; it gets no requests for `seconds`."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no requests for {seconds:.1f} s")
        self.seconds = seconds


class Limiter:
    """One per process. Every request to the site goes through `acquire`."""

    def __init__(self, concurrency: int, rate_per_s: float, redis: RedisClient | None = None) -> None:
        """`concurrency` requests at once over all processes that share `redis`; `rate_per_s` to each host."""
        self._concurrency = concurrency
        self._rate_per_s = rate_per_s
        self._local = LocalLimits()
        self._redis_limits = RedisLimits(redis) if redis else None
        self._slots = ConcurrencyLimiter(0 if redis else concurrency, self._on_request, self._on_release)
        self._token_queues: defaultdict[tuple[str, Priority], asyncio.Lock] = defaultdict(asyncio.Lock)
        self._reporting: asyncio.Task[None] | None = None
        self._wake_up = asyncio.Event()
        self._reported_wanted = 0
        self._others_wait = False
        self._is_idle = False
        self._is_closed = False

    @asynccontextmanager
    async def acquire(self, host: str, priority: Priority, *, takes_token: bool) -> AsyncIterator[None]:
        """Hold a slot for one request to `host`; with `takes_token` it also takes a token of the host's rate.

        Waits as long as it takes, by priority. Raises `HostRateLimited` where the host limits the rate of any of our
        processes.
        """
        self._local.check_pause(host)
        if takes_token:
            await self._acquire_token(host, priority)
        await self._slots.acquire(priority)
        try:
            yield
        finally:
            self._slots.release(priority)

    async def pause_host(self, host: str, seconds: float) -> None:
        """Let no process send requests to this host for so long."""
        self._local.pause_host(host, seconds)
        await self._try_redis(lambda redis: redis.pause_host(host, seconds))

    async def aclose(self) -> None:
        """Release the slots of this process."""
        self._is_closed = True
        if self._reporting is None:
            return
        self._reporting.cancel()
        with suppress(asyncio.CancelledError):
            await self._reporting
        await self._try_redis(lambda redis: redis.leave())

    async def _acquire_token(self, host: str, priority: Priority) -> None:
        # one of each priority waits for a token, the others queue in order; `TOKENS_LEFT` prefers higher priorities
        async with self._token_queues[host, priority]:
            overdue_at = time.monotonic() + LONGEST_TOKEN_WAIT_S
            tokens_left = TOKENS_LEFT[priority]
            while wait_s := await self._take_token(host, tokens_left):
                left_s = overdue_at - time.monotonic()
                if left_s <= 0 <= tokens_left:
                    tokens_left = -1
                    continue
                await asyncio.sleep(min(wait_s, left_s) if left_s > 0 else wait_s)

    async def _take_token(self, host: str, tokens_left: int) -> float:
        # taken locally too, so that the loss of Redis does not allow a second burst
        local_wait_s = self._local.take_token(host, self._rate_per_s, tokens_left)
        try:
            wait_s = await self._try_redis(lambda redis: redis.take_token(host, self._rate_per_s, tokens_left))
        except HostRateLimited as limited:
            self._local.pause_host(host, limited.seconds)
            raise
        return local_wait_s if wait_s is None else wait_s

    async def _try_redis(self, command: Callable[[RedisLimits], Awaitable[T]]) -> T | None:
        """The answer of Redis; None where there is none. Raises `HostRateLimited` where that is the answer."""
        if self._redis_limits is None:
            return None
        try:
            return await command(self._redis_limits)
        except HostRateLimited:
            raise
        except RedisUnavailable:
            return None
        except Exception as error:  # a Redis without scripts, say: the site stays readable even so
            log.warning("the limits hold for this process alone", error=type(error).__name__)
            return None

    def _on_request(self) -> None:
        if self._redis_limits is None:
            return
        if self._reporting is None:
            self._reporting = asyncio.create_task(self._report_forever())
        could_have_more = self._reported_wanted < min(sum(self._slots.wanted().values()), self._concurrency)
        if self._is_idle or (self._slots.has_waiting and could_have_more):
            self._wake_up.set()

    def _on_release(self) -> None:
        if self._others_wait:
            self._wake_up.set()

    async def _report_forever(self) -> None:
        while not self._is_closed:
            self._wake_up.clear()
            await self._report()
            await asyncio.sleep(MIN_REPORT_INTERVAL_S)
            self._is_idle = not any(self._slots.wanted().values())
            with suppress(TimeoutError):
                # once Redis knows that nothing is under way there is nothing to report until something is
                async with asyncio.timeout(
                    None if self._is_idle and not self._reported_wanted else REPORT_INTERVAL_S
                ):
                    await self._wake_up.wait()

    async def _report(self) -> None:
        in_use, wanted = self._slots.total_in_use, self._slots.wanted()
        self._reported_wanted = sum(wanted.values())
        answer = await self._try_redis(lambda redis: redis.lease(self._concurrency, in_use, wanted))
        slots, self._others_wait, paused_s = answer or (self._concurrency, False, {})
        for host, seconds in paused_s.items():
            self._local.pause_host(host, seconds)
        self._slots.resize(slots)


class ConcurrencyLimiter:
    """The slots of this process, granted by priority, then by arrival. For one event loop.

    A priority that has waited for `LONGEST_SLOT_WAIT_S` comes first. `on_request` is called for every request that
    comes, `on_release` for every one that ends.
    """

    def __init__(
        self,
        size: int,
        on_request: Callable[[], None] = lambda: None,
        on_release: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._size = size
        self._in_use = dict.fromkeys(Priority, 0)
        self._waiting: dict[Priority, deque[asyncio.Future[None]]] = {priority: deque() for priority in Priority}
        self._waits_since = dict.fromkeys(Priority, 0.0)
        """When each priority last got a slot, or began to wait for one."""
        self._on_request = on_request
        self._on_release = on_release
        self._clock = clock

    @property
    def total_in_use(self) -> int:
        """Requests under way."""
        return sum(self._in_use.values())

    @property
    def has_waiting(self) -> bool:
        """True while a request waits for a slot."""
        return any(not waiter.done() for waiters in self._waiting.values() for waiter in waiters)

    def wanted(self) -> dict[Priority, int]:
        """Requests under way or waiting, by priority."""
        return {
            priority: self._in_use[priority] + sum(not waiter.done() for waiter in waiters)
            for priority, waiters in self._waiting.items()
        }

    async def acquire(self, priority: Priority) -> None:
        """Wait for a slot; `release` returns it."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if not self._waiting[priority]:
            self._waits_since[priority] = self._clock()
        self._waiting[priority].append(waiter)
        self._grant()
        self._on_request()
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled():
                self.release(priority)
            raise

    def release(self, priority: Priority) -> None:
        """Return the slot of a request of this priority."""
        self._in_use[priority] -= 1
        self._grant()
        self._on_release()

    def resize(self, size: int) -> None:
        """Allow `size` at once from now on; requests under way beyond it are not interrupted."""
        self._size = size
        self._grant()

    def _grant(self) -> None:
        while self.total_in_use < self._size and (priority := self._next_priority()) is not None:
            self._in_use[priority] += 1
            self._waits_since[priority] = self._clock()
            self._waiting[priority].popleft().set_result(None)

    def _next_priority(self) -> Priority | None:
        """Whose request gets the next slot; None when none waits."""
        for waiters in self._waiting.values():
            while waiters and waiters[0].done():
                waiters.popleft()
        waiting = [priority for priority, waiters in self._waiting.items() if waiters]
        overdue_since = self._clock() - LONGEST_SLOT_WAIT_S
        overdue = [priority for priority in waiting if self._waits_since[priority] <= overdue_since]
        return min(overdue, key=self._waits_since.__getitem__) if overdue else next(iter(waiting), None)


class LocalLimits:
    """Tokens and pauses as this process alone counts them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}
        self._paused_until: dict[str, float] = {}

    def take_token(self, host: str, rate_per_s: float, tokens_left: int) -> float:
        """Seconds until a token may be there, 0 when one was taken, leaving `tokens_left`. Raises `HostRateLimited`.

        -1 takes a token in advance, unless one already is.
        """
        self.check_pause(host)
        now = self._clock()
        tokens, counted_at = self._buckets.get(host, (float(BURST), now))
        tokens = min(BURST, tokens + (now - counted_at) * rate_per_s)
        missing = tokens_left + 1 - tokens
        self._buckets[host] = (tokens if missing > 0 else tokens - 1, now)
        return missing / rate_per_s if missing > 0 else 0.0

    def pause_host(self, host: str, seconds: float) -> None:
        """Send the host no requests for so long; a longer pause stays."""
        self._paused_until[host] = max(self._paused_until.get(host, 0.0), self._clock() + seconds)

    def check_pause(self, host: str) -> None:
        """Raises `HostRateLimited` while the host is paused."""
        if (left_s := self._paused_until.get(host, 0.0) - self._clock()) > 0:
            raise HostRateLimited(left_s)


class RedisLimits:
    """Slots, tokens and pauses of all processes that share a Redis, by its clock. Each script describes its data."""

    def __init__(self, redis: RedisClient) -> None:
        self._member = secrets.token_hex(8)
        self._redis = redis.with_timeout(REDIS_TIMEOUT_S)
        self._lease, self._take_token, self._pause_host = (
            self._redis.register_script((_SCRIPTS / f"{name}.lua").read_text("utf-8"))
            for name in ("lease", "take_token", "pause_host")
        )

    async def lease(
        self, limit: int, in_use: int, wanted: Mapping[Priority, int]
    ) -> tuple[int, bool, dict[str, float]]:
        """Report; slots this process may use, whether others wait for some, and seconds of pause by host."""
        slots, others_wait, *paused = await self._lease(
            keys=[f"{_PREFIX}:members", f"{_PREFIX}:quiet"],
            args=[self._member, limit, LEASE_MS, in_use, *(wanted[priority] for priority in Priority)],
        )
        pairs = zip(paused[::2], paused[1::2], strict=True)
        return int(slots), bool(others_wait), {host.decode(): int(ms) / 1000 for host, ms in pairs}

    async def take_token(self, host: str, rate_per_s: float, tokens_left: int) -> float:
        """As `LocalLimits.take_token`."""
        wait_ms, paused_ms = await self._take_token(
            keys=[f"{_PREFIX}:bucket:{host}", f"{_PREFIX}:quiet"],
            args=[host, rate_per_s, BURST, tokens_left],
        )
        if paused_ms:
            raise HostRateLimited(int(paused_ms) / 1000)
        return int(wait_ms) / 1000

    async def pause_host(self, host: str, seconds: float) -> None:
        """Each process learns of it with its next `lease` or `take_token`."""
        await self._pause_host(keys=[f"{_PREFIX}:quiet"], args=[host, round(seconds * 1000)])

    async def leave(self) -> None:
        """Release the slots at once, not when the lease ends."""
        await self._redis.hdel(f"{_PREFIX}:members", self._member)  # type: ignore[misc]
