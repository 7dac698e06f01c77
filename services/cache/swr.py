"""A stale-while-revalidate cache: objects in this process, in front of bytes in Redis.

An entry is fresh, then stale while it is refreshed, then stale for as long as is allowed while the refresh fails. One
process at a time fetches a key, and one caller in it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from services.cache.single_flight import InFlightCall, RefreshLock, SingleFlight
from services.cache.tiers import CacheEntry, CacheKey, MemoryTier, RedisTier
from services.errors import JmgraphError, OperationTooCostly, RateLimited, UpstreamFailure
from services.observability import Priority, current_stats, metrics

T = TypeVar("T")
Fetch = Callable[[], Awaitable[T | None]]
ReadObserver = Callable[[str, str], None]

READ_FAILURES = (UpstreamFailure, OperationTooCostly, RateLimited)
"""The site failed, or may not be called for this caller now: a stale entry is used where there is one."""

MAX_ENTRIES = 8192
MAX_BYTES = 12 << 20
"""Of objects in one process. Redis holds the rest."""
REFRESH_WAIT_S = 2.0
"""A caller that has a stale entry waits no longer than this for the refresh."""
RETRY_S = 2.0
"""After a failed refresh the stale entry is used for so long before the next one."""


class Cache:
    """Entries by kind and key. `on_read` is called with the kind and the outcome of each read: "memory", "redis",
    "fetched", "stale" or "failed".
    """

    def __init__(
        self,
        redis: RedisTier,
        *,
        stale_s: float,
        memory: MemoryTier | None = None,
        refresh_wait_s: float = REFRESH_WAIT_S,
        retry_s: float = RETRY_S,
        clock: Callable[[], float] = time.time,
        on_read: ReadObserver | None = None,
    ) -> None:
        """`stale_s` is how long an entry may be used after its freshness while refreshes fail."""
        self._on_read = on_read or record_read
        self._redis = redis
        self._memory = memory or MemoryTier(MAX_ENTRIES, MAX_BYTES)
        self._stale_s = stale_s
        self._refresh_wait_s = refresh_wait_s
        self._retry_s = retry_s
        self._clock = clock
        self._calls: SingleFlight[CacheEntry[Any]] = SingleFlight()

    async def read(self, kind: CacheKey[T], key: str, fetch: Fetch[T]) -> CacheEntry[T]:
        """The entry of a key; `fetch` gets its value where no tier has it fresh, None for what does not exist.

        Its age, and the upstream calls of the fetch, go into the current request's statistics. Raises what `fetch`
        raised when there is no stale entry to use instead.
        """
        entry = self.peek(kind, key)
        if entry is not None:
            return entry
        known = self._memory.get(kind.name, key)
        if known is not None and self._clock() < known.retry_at and self._is_usable(known):
            return self._return(kind, known, "stale")
        return await self._join_refresh(kind, key, fetch, known)

    def peek(self, kind: CacheKey[T], key: str) -> CacheEntry[T] | None:
        """The entry when this process has it fresh. Counts as a read."""
        entry: CacheEntry[T] | None = self._memory.get(kind.name, key)
        if entry is None:
            return None
        now = self._clock()
        if now >= entry.fresh_until:
            return None
        stats = current_stats()
        stats.cache_hits += 1
        stats.record_part(age_s=max(0.0, now - entry.fetched_at), fresh_for_s=entry.fresh_until - now, stale=False)
        self._on_read(kind.name, "memory")
        return entry

    async def gather_bounded(
        self, kind: CacheKey[Any], keys: Sequence[str], read: Callable[[str], Awaitable[T]], concurrency: int
    ) -> list[T | JmgraphError]:
        """What `read` returns for each key, in order; a failure in place of its value.

        What Redis has is loaded in one call. Of the rest at most `concurrency` are read at once, each key once.
        """
        unique = dict.fromkeys(keys)
        await self.load(kind, list(unique))
        missing = [key for key in unique if not self.has_fresh(kind, key)]
        found: dict[str, T | JmgraphError] = {key: await _outcome(read, key) for key in unique.keys() - set(missing)}
        slots = asyncio.Semaphore(concurrency)

        async def bounded(key: str) -> T | JmgraphError:
            async with slots:
                return await _outcome(read, key)

        outcomes = await asyncio.gather(*map(bounded, missing))
        found.update(zip(missing, outcomes, strict=True))
        return [found[key] for key in keys]

    def has_fresh(self, kind: CacheKey[Any], key: str) -> bool:
        """True when `peek` would return an entry. Does not count as a read."""
        entry = self._memory.get(kind.name, key)
        return entry is not None and self._clock() < entry.fresh_until

    async def load(self, kind: CacheKey[T], keys: Sequence[str]) -> None:
        """Load what Redis has of many keys into this process, in one call."""
        missing = [key for key in keys if self._memory.get(kind.name, key) is None]
        found = await self._redis.get_many([kind.redis_key(key) for key in missing])
        for key, data in zip(missing, found, strict=True):
            if data is not None and (entry := kind.decode(data)) is not None:
                self._memory.put(kind.name, key, entry)

    async def put(self, kind: CacheKey[T], key: str, value: T) -> None:
        """Keep a value that was read past the cache, here and in Redis."""
        entry, data = kind.encode(value, self._clock())
        self._memory.put(kind.name, key, entry)
        await self._redis.put_many({kind.redis_key(key): data}, kind.fresh_s + self._stale_s)

    async def aclose(self) -> None:
        """Cancel the refreshes in flight."""
        await self._calls.aclose()

    async def _join_refresh(
        self, kind: CacheKey[T], key: str, fetch: Fetch[T], known: CacheEntry[T] | None
    ) -> CacheEntry[T]:
        is_background = known is not None and self._is_revalidating(kind, known)
        priority = Priority.BACKGROUND if is_background else current_stats().priority
        call: InFlightCall[CacheEntry[T]] = self._calls.join(
            (kind.name, key), lambda started: self._refresh(kind, key, fetch, started), priority
        )
        stats = current_stats()
        with stats.paying_for(call.stats):
            stale = await call.stale_value() or known
            if stale is None or not self._is_usable(stale):
                return self._return_fetched(kind, await call.result(), call)
            if self._is_revalidating(kind, stale) and not call.task.done():
                stats.refund(call.stats)
                return self._return(kind, stale, "stale")
            return await self._refreshed_or_stale(kind, stale, call)

    async def _refreshed_or_stale(
        self, kind: CacheKey[T], stale: CacheEntry[T], call: InFlightCall[CacheEntry[T]]
    ) -> CacheEntry[T]:
        """The refreshed entry if it comes in time, else the stale one."""
        try:
            async with asyncio.timeout(self._refresh_wait_s):
                return self._return_fetched(kind, await call.result(), call)
        except (TimeoutError, *READ_FAILURES):
            return self._return(kind, stale, "stale")

    def _is_usable(self, entry: CacheEntry[Any]) -> bool:
        return entry.value is not None and self._clock() < entry.fresh_until + self._stale_s

    def _is_revalidating(self, kind: CacheKey[Any], entry: CacheEntry[Any]) -> bool:
        """True for as long after freshness as the entry was fresh: then nobody waits for the refresh."""
        return self._is_usable(entry) and self._clock() < entry.fresh_until + kind.fresh_s

    def _return_fetched(
        self, kind: CacheKey[T], entry: CacheEntry[T], call: InFlightCall[CacheEntry[T]]
    ) -> CacheEntry[T]:
        return self._return(kind, entry, "fetched" if call.stats.upstream_calls else "redis")

    def _return(self, kind: CacheKey[T], entry: CacheEntry[T], outcome: str) -> CacheEntry[T]:
        now = self._clock()
        stats = current_stats()
        stats.cache_hits += outcome != "fetched"
        stats.record_part(
            age_s=max(0.0, now - entry.fetched_at),
            fresh_for_s=max(0.0, entry.fresh_until - now),
            stale=outcome == "stale",
        )
        self._on_read(kind.name, outcome)
        return entry

    async def _refresh(
        self, kind: CacheKey[T], key: str, fetch: Fetch[T], call: InFlightCall[CacheEntry[T]]
    ) -> CacheEntry[T]:
        try:
            entry = await self._fetch_or_wait(kind, key, fetch, call)
        except UpstreamFailure:
            self._on_read(kind.name, "failed")
            if (known := self._memory.get(kind.name, key)) is not None:
                known.retry_at = self._clock() + self._retry_s
            raise
        self._memory.put(kind.name, key, entry)
        return entry

    async def _fetch_or_wait(
        self, kind: CacheKey[T], key: str, fetch: Fetch[T], call: InFlightCall[CacheEntry[T]]
    ) -> CacheEntry[T]:
        """The entry, from whichever process has it first: this one fetches when it gets the lock."""
        lock = RefreshLock(self._redis, kind.redis_key(key))
        before: CacheEntry[T] | None = None
        while True:
            state = await lock.poll()
            entry = kind.decode(state.data) if state.data is not None else None
            if entry is not None and (state.is_fresh or (before and entry.fetched_at > before.fetched_at)):
                await lock.release_if_ours(state)
                return entry
            await lock.raise_failure(state)
            if before is None:
                before = self._keep_newer(kind, key, entry)
                call.set_stale_value(before)
            if state.is_ours:
                return await self._fetch(kind, fetch, lock)
            if state.is_fresh:
                await lock.delete()  # stored as fresh, but can't be decoded

    async def _fetch(self, kind: CacheKey[T], fetch: Fetch[T], lock: RefreshLock) -> CacheEntry[T]:
        async with lock.held():
            value = await fetch()
        entry, data = kind.encode(value, self._clock())
        await lock.store(data, kind.fresh_s + self._stale_s if value is not None else kind.absent_s)
        return entry

    def _keep_newer(self, kind: CacheKey[T], key: str, entry: CacheEntry[T] | None) -> CacheEntry[T] | None:
        """The newer one of this entry and the one in memory, which then holds it."""
        known = self._memory.get(kind.name, key)
        if entry is None or (known is not None and known.fetched_at >= entry.fetched_at):
            return known
        self._memory.put(kind.name, key, entry)
        return entry


def record_read(kind: str, outcome: str) -> None:
    """Add a read to the metrics."""
    metrics.CACHE_READS.labels(kind, outcome).inc()


async def _outcome(read: Callable[[str], Awaitable[T]], key: str) -> T | JmgraphError:
    try:
        return await read(key)
    except READ_FAILURES as failure:
        return failure
