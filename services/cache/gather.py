"""Waves: many of one kind together, a bounded number at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from services.cache.cache import Cache
from services.cache.keys import CacheKey
from services.errors import UpstreamFailure

T = TypeVar("T")
Find = Callable[[str], Awaitable[T]]


class GatherBounded:
    """Finds many by id, each id once; at most `concurrency` ask the site at once (the limiter's own number)."""

    def __init__(self, cache: Cache, concurrency: int) -> None:
        self._cache = cache
        self._concurrency = concurrency

    async def find(self, kind: CacheKey[Any], ids: Sequence[str], find: Find[T]) -> list[T | UpstreamFailure]:
        """What `find` gives for each id, in the order asked; a failure stands in its place."""
        unique = dict.fromkeys(ids)
        await self._cache.warm(kind, list(unique))
        missing = [id for id in unique if not self._cache.has_fresh(kind, id)]
        found: dict[str, T | UpstreamFailure] = {id: await _outcome(find, id) for id in unique.keys() - set(missing)}
        room = asyncio.Semaphore(self._concurrency)
        outcomes = await asyncio.gather(*(_outcome_in(room, find, id) for id in missing))
        found.update(zip(missing, outcomes, strict=True))
        return [found[id] for id in ids]


async def _outcome_in(room: asyncio.Semaphore, find: Find[T], id: str) -> T | UpstreamFailure:
    async with room:
        return await _outcome(find, id)


async def _outcome(find: Find[T], id: str) -> T | UpstreamFailure:
    try:
        return await find(id)
    except UpstreamFailure as failure:
        return failure
