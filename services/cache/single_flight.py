"""One fetch for each key: within this process (`SingleFlight`) and over all processes (`RefreshLock`)."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from services.cache.tiers import TOKEN_BYTES, WITHOUT_REDIS, LockState, RedisTier
from services.errors import UpstreamFailure, UpstreamReason
from services.observability import Priority, RequestStats, use_stats

T = TypeVar("T")

LONGEST_WAIT_S = 90.0
"""A process that has waited for a lock for so long continues without it."""
FIRST_POLL_S = 0.015
LAST_POLL_S = 0.1
"""Between two polls of a lock that another process holds."""


class SingleFlight(Generic[T]):
    """Calls in flight, by key: a caller that requests a key in flight joins that call."""

    def __init__(self) -> None:
        self._calls: dict[Hashable, InFlightCall[T]] = {}

    def join(
        self, key: Hashable, work: Callable[[InFlightCall[T]], Awaitable[T]], priority: Priority
    ) -> InFlightCall[T]:
        """The call of this key: the one in flight, else a new one that runs `work`."""
        call = self._calls.get(key)
        if call is not None:
            call.raise_priority(priority)
            return call
        call = self._calls[key] = InFlightCall(work, priority)
        call.task.add_done_callback(lambda _: self._calls.pop(key, None))
        return call

    async def aclose(self) -> None:
        """Cancel the calls in flight and wait for their end."""
        tasks = [call.task for call in self._calls.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class InFlightCall(Generic[T]):
    """One call in flight, with its own request statistics; not cancelled with the caller that started it."""

    def __init__(self, work: Callable[[InFlightCall[T]], Awaitable[T]], priority: Priority) -> None:
        self.stats = RequestStats(priority=priority, meter=None)
        """Those of the work: a caller that joins later may raise its priority, and pays for its calls."""
        self._stale: asyncio.Future[T | None] = asyncio.get_running_loop().create_future()
        self._work = work
        self.task = asyncio.create_task(self._run())
        self.task.add_done_callback(_retrieve_exception)

    async def _run(self) -> T:
        with use_stats(self.stats):
            return await self._work(self)

    def raise_priority(self, priority: Priority) -> None:
        """Another caller waits: the call gets the highest priority of its callers."""
        self.stats.priority = min(self.stats.priority, priority)

    def set_stale_value(self, value: T | None) -> None:
        """Set, by the work, the value to use until the work is done. Only the first one counts."""
        if not self._stale.done():
            self._stale.set_result(value)

    async def stale_value(self) -> T | None:
        """The value to use until the work is done, as soon as it is known; None when there is none."""
        either: set[asyncio.Future[Any]] = {self._stale, self.task}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        return self._stale.result() if self._stale.done() else None

    async def result(self) -> T:
        """The result; raises what the work raised. A caller that is cancelled does not cancel the work."""
        return await asyncio.shield(self.task)


class RefreshLock:
    """The lock of one key over all processes: its holder fetches, the others wait, and take over when it dies."""

    def __init__(self, redis: RedisTier, key: str) -> None:
        self._redis = redis
        self._key = key
        self._token = secrets.token_bytes(TOKEN_BYTES)
        self._waited_for: bytes | None = None
        self._pause_s = 0.0
        self._deadline = time.monotonic() + LONGEST_WAIT_S

    async def poll(self) -> LockState:
        """Read the key, and take the lock if it is free. Call it again until the lock is ours or a value will do."""
        if self._pause_s:
            await asyncio.sleep(self._pause_s)
        if time.monotonic() > self._deadline:
            return WITHOUT_REDIS
        state = await self._redis.poll(self._key, self._token)
        self._pause_s = min(max(FIRST_POLL_S, self._pause_s * 1.4), LAST_POLL_S)
        return state

    async def raise_failure(self, state: LockState) -> None:
        """Raises the `UpstreamFailure` of the holder that we waited for, if it failed."""
        waited_for, self._waited_for = self._waited_for, state.holder
        if waited_for is None or state.failure is None or not state.failure.startswith(waited_for):
            return
        await self.release_if_ours(state)
        raise _failure_from_bytes(state.failure[TOKEN_BYTES:])

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Renew the lock during the work. A failure releases it and is passed on to those who wait for it;
        otherwise `store` or `release` ends it.
        """
        renewal = asyncio.create_task(self._renew_forever())
        try:
            yield
        except BaseException as error:
            await self.release(_failure_to_bytes(error))
            raise
        finally:
            renewal.cancel()

    async def store(self, data: bytes, ttl_s: float) -> None:
        """Store the value and release the lock."""
        await self._redis.store(self._key, self._token, data, ttl_s)

    async def release(self, failure: bytes = b"") -> None:
        """Release the lock without a value."""
        await self._redis.release(self._key, self._token, failure)

    async def release_if_ours(self, state: LockState) -> None:
        """Release the lock where that poll took it: another process has stored the value."""
        if state.is_ours:
            await self.release()

    async def delete(self) -> None:
        """Delete the bytes of the key."""
        await self._redis.delete(self._key)

    async def _renew_forever(self) -> None:
        while True:
            await asyncio.sleep(self._redis.lock_s / 3)
            await self._redis.renew(self._key, self._token)


@dataclass(frozen=True, slots=True)
class _StoredFailure:
    reason: UpstreamReason
    message: str
    retry_after_s: float | None


def _failure_to_bytes(error: BaseException) -> bytes:
    """An upstream failure for other processes; empty for any other error, which concerns this process alone."""
    if not isinstance(error, UpstreamFailure):
        return b""
    return msgspec.json.encode(_StoredFailure(error.reason, error.message, error.retry_after_s))


def _failure_from_bytes(data: bytes) -> UpstreamFailure:
    stored = msgspec.json.decode(data, type=_StoredFailure)
    return UpstreamFailure(stored.reason, stored.message, stored.retry_after_s)


def _retrieve_exception(task: asyncio.Task[T]) -> None:
    """Retrieve an exception that perhaps nobody awaits, or the event loop would report it."""
    if not task.cancelled():
        task.exception()
