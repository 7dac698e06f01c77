"""Locks by name: held by one task at a time, over all processes that share a Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from weakref import WeakValueDictionary

import structlog
from redis.asyncio.lock import Lock
from redis.exceptions import LockError

from services.redis.client import RedisClient, RedisUnavailable
from services.tasks import cancel_and_wait

log = structlog.get_logger("jmgraph.redis")

LOCK_S = 5.0
"""A lock whose holder does not renew it for so long is free: its process was killed."""
_RENEW_S = 1.5
_POLL_S = 0.05
_PREFIX = "jmgraph:lock:"


class LockBusy(Exception):
    """The lock was held by others all the time."""


class Locks:
    """While Redis is unavailable a lock holds within this process alone."""

    def __init__(self, redis: RedisClient) -> None:
        self._redis = redis
        self._local: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def hold(self, name: str, *, wait_s: float) -> AsyncIterator[None]:
        """Hold the lock of this name during the block. Raises `LockBusy` after `wait_s`."""
        local = self._local.setdefault(name, asyncio.Lock())
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(wait_s):
                    await stack.enter_async_context(local)
                    await stack.enter_async_context(self._shared(name))
            except TimeoutError:
                raise LockBusy(name) from None
            yield

    @asynccontextmanager
    async def _shared(self, name: str) -> AsyncIterator[None]:
        lock = self._redis.client.lock(_PREFIX + name, timeout=LOCK_S, sleep=_POLL_S, thread_local=False)
        if not await _acquire(lock):
            yield
            return
        renewing = asyncio.create_task(_renew(lock))
        try:
            yield
        finally:
            await cancel_and_wait(renewing)
            with suppress(RedisUnavailable, LockError):
                await lock.release()


async def _acquire(lock: Lock) -> bool:
    """True with the lock; False while Redis is unavailable."""
    try:
        return bool(await lock.acquire())
    except RedisUnavailable:
        return False


async def _renew(lock: Lock) -> None:
    while True:
        await asyncio.sleep(_RENEW_S)
        try:
            await lock.reacquire()
        except RedisUnavailable:
            continue
        except LockError:
            log.warning("a lock was lost before its work was done")
            return
