"""The cache of what the site says: objects in this process, in front of bytes in Redis.

An answer is fresh, then stale while it is refreshed, then stale for as long as the host allows while the site
fails. One flight a key asks the site, over every asker and every process.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from services.cache.keys import CacheEntry, CacheKey
from services.cache.memory import MemoryTier, Place
from services.cache.redis_tier import RedisTier
from services.cache.refresh_lock import RefreshLock
from services.cache.single_flight import Flight, SingleFlight
from services.errors import UpstreamFailure
from services.observability import Priority, current_usage

T = TypeVar("T")
Fetch = Callable[[], Awaitable[T | None]]
ReadWatcher = Callable[[str, str], None]

MOST_ENTRIES = 8192
MOST_BYTES = 12 << 20
"""Of objects in one process. Redis holds the rest."""
PATIENCE_S = 2.0
"""Who could do with a stale answer waits no longer than this for a better one."""
RETRY_S = 2.0
"""After the site failed for a key, its stale answer serves for so long before the site is asked again."""


class Cache:
    """Answers by kind and key. `on_read` is told the kind of each read and how it went: "memory", "redis",
    "fetched", "stale", "failed".
    """

    def __init__(
        self,
        shared: RedisTier,
        *,
        stale_s: float,
        memory: MemoryTier | None = None,
        patience_s: float = PATIENCE_S,
        retry_s: float = RETRY_S,
        clock: Callable[[], float] = time.time,
        on_read: ReadWatcher = lambda *_: None,
    ) -> None:
        self._on_read = on_read
        self._shared = shared
        self._memory = memory or MemoryTier(MOST_ENTRIES, MOST_BYTES)
        self._stale_s = stale_s
        self._patience_s = patience_s
        self._retry_s = retry_s
        self._clock = clock
        self._flights: SingleFlight[CacheEntry[Any]] = SingleFlight()

    async def read(self, kind: CacheKey[T], key: str, fetch: Fetch[T]) -> CacheEntry[T]:
        """The answer for a key; `fetch` asks the site for it, None when it has nothing there.

        Its age goes into the current usage, so do the calls of the flight that fetched it. Raises what `fetch`
        raised when there is no stale answer to stand in.
        """
        entry = self.peek(kind, key)
        if entry is not None:
            return entry
        place = (kind.name, key)
        known = self._memory.get(place)
        if known is not None and self._clock() < known.retry_at and self._can_stand_in(known):
            return self._hand_out(kind, known, "stale")
        return await self._read_by_flight(kind, key, fetch, known)

    def peek(self, kind: CacheKey[T], key: str) -> CacheEntry[T] | None:
        """The answer when this process has it fresh. Counts as a read."""
        entry: CacheEntry[T] | None = self._memory.get((kind.name, key))
        if entry is None:
            return None
        now = self._clock()
        if now >= entry.fresh_until:
            return None
        usage = current_usage()
        usage.cache_hits += 1
        usage.note_part(age_s=max(0.0, now - entry.fetched_at), fresh_for_s=entry.fresh_until - now, stale=False)
        self._on_read(kind.name, "memory")
        return entry

    def has_fresh(self, kind: CacheKey[Any], key: str) -> bool:
        """True when `peek` would find it. Counts as nothing."""
        entry = self._memory.get((kind.name, key))
        return entry is not None and self._clock() < entry.fresh_until

    async def warm(self, kind: CacheKey[T], keys: Sequence[str]) -> None:
        """Bring what Redis has of many keys into this process, in one call."""
        missing = [key for key in keys if self._memory.get((kind.name, key)) is None]
        found = await self._shared.get_many([kind.shared_key(key) for key in missing])
        for key, data in zip(missing, found, strict=True):
            if data is not None and (entry := kind.read(data)) is not None:
                self._memory.put((kind.name, key), entry)

    async def aclose(self) -> None:
        """Cancel what is under way."""
        await self._flights.aclose()

    async def _read_by_flight(
        self, kind: CacheKey[T], key: str, fetch: Fetch[T], known: CacheEntry[T] | None
    ) -> CacheEntry[T]:
        nobody_waits = known is not None and self._is_refreshing(kind, known)
        priority = Priority.UPKEEP if nobody_waits else current_usage().priority
        flight: Flight[CacheEntry[T]] = self._flights.board(
            (kind.name, key), lambda flight: self._work(kind, key, fetch, flight), priority
        )
        stand_in = await flight.first_find() or known
        if stand_in is None or not self._can_stand_in(stand_in):
            return self._hand_out_fetched(kind, await flight.landed(), flight)
        if self._is_refreshing(kind, stand_in) and not flight.task.done():
            return self._hand_out(kind, stand_in, "stale")
        return await self._better_than(kind, stand_in, flight)

    async def _better_than(
        self, kind: CacheKey[T], stand_in: CacheEntry[T], flight: Flight[CacheEntry[T]]
    ) -> CacheEntry[T]:
        """What the flight brings, if it does so in time; else the stale answer."""
        try:
            async with asyncio.timeout(self._patience_s):
                return self._hand_out_fetched(kind, await flight.landed(), flight)
        except (TimeoutError, UpstreamFailure):
            return self._hand_out(kind, stand_in, "stale")

    def _can_stand_in(self, entry: CacheEntry[Any]) -> bool:
        return entry.value is not None and self._clock() < entry.fresh_until + self._stale_s

    def _is_refreshing(self, kind: CacheKey[Any], entry: CacheEntry[Any]) -> bool:
        """True in the span after freshness, as long again, in which nobody waits for the refresh."""
        return self._can_stand_in(entry) and self._clock() < entry.fresh_until + kind.fresh_s

    def _hand_out_fetched(
        self, kind: CacheKey[T], entry: CacheEntry[T], flight: Flight[CacheEntry[T]]
    ) -> CacheEntry[T]:
        return self._hand_out(kind, entry, "fetched" if flight.usage.upstream_calls else "redis")

    def _hand_out(self, kind: CacheKey[T], entry: CacheEntry[T], outcome: str) -> CacheEntry[T]:
        now = self._clock()
        usage = current_usage()
        usage.cache_hits += outcome != "fetched"
        usage.note_part(
            age_s=max(0.0, now - entry.fetched_at),
            fresh_for_s=max(0.0, entry.fresh_until - now),
            stale=outcome == "stale",
        )
        self._on_read(kind.name, outcome)
        return entry

    async def _work(
        self, kind: CacheKey[T], key: str, fetch: Fetch[T], flight: Flight[CacheEntry[T]]
    ) -> CacheEntry[T]:
        place = (kind.name, key)
        try:
            entry = await self._obtain(kind, key, fetch, flight)
        except UpstreamFailure:
            self._on_read(kind.name, "failed")
            self._postpone(place)
            raise
        self._memory.put(place, entry)
        return entry

    async def _obtain(
        self, kind: CacheKey[T], key: str, fetch: Fetch[T], flight: Flight[CacheEntry[T]]
    ) -> CacheEntry[T]:
        """The answer, from whichever process has it first: ours asks the site when the turn is ours."""
        turn = RefreshLock(self._shared, kind.shared_key(key))
        before: CacheEntry[T] | None = None
        while True:
            claim = await turn.look()
            entry = kind.read(claim.data) if claim.data is not None else None
            if entry is not None and (claim.is_fresh or (before and entry.fetched_at > before.fetched_at)):
                await turn.leave(claim)
                return entry
            await turn.heed(claim)
            if before is None:
                before = self._keep_newer((kind.name, key), entry)
                flight.found(before)
            if claim.is_ours:
                return await self._ask_site(kind, fetch, turn)
            if claim.is_fresh:
                await turn.discard()  # it says that it is fresh, and can't be read

    async def _ask_site(self, kind: CacheKey[T], fetch: Fetch[T], turn: RefreshLock) -> CacheEntry[T]:
        async with turn.taken():
            value = await fetch()
        entry, data = kind.write(value, self._clock())
        await turn.settle(data, kind.fresh_s + self._stale_s if value is not None else kind.absent_s)
        return entry

    def _keep_newer(self, place: Place, entry: CacheEntry[T] | None) -> CacheEntry[T] | None:
        """The newer one of this and what this process has, which is then both."""
        known = self._memory.get(place)
        if entry is None or (known is not None and known.fetched_at >= entry.fetched_at):
            return known
        self._memory.put(place, entry)
        return entry

    def _postpone(self, place: Place) -> None:
        if (entry := self._memory.get(place)) is not None:
            entry.retry_at = self._clock() + self._retry_s
