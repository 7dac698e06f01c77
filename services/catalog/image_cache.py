"""Images cached on disk: each fetched once, however many callers and processes request it."""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from cachetools import TTLCache

from services.cache import CachedFile, DiskCache, InFlightCall, RedisTier, RefreshLock, SingleFlight
from services.errors import UpstreamFailure
from services.observability import current_stats

ABSENT_S = 60.0
"""An image that the site does not have is not requested again for so long."""
MAX_ABSENT = 4096
"""Remembered in this process."""


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image ready to send. `etag` is a digest of the bytes, hex, unquoted: a strong validator."""

    data: bytes
    media_type: str
    etag: str

    @property
    def size_bytes(self) -> int:
        """Bytes to send."""
        return len(self.data)

    @classmethod
    def of(cls, file: CachedFile) -> StoredImage:
        """The image in a cached file."""
        return cls(file.data, file.media_type, file.etag)


ImageData = tuple[bytes, str]
"""An image's bytes and media type."""


class ImageCache:
    """Images by key ("cover/350234"), made when they are first requested."""

    def __init__(self, disk: DiskCache, redis: RedisTier) -> None:
        self._disk = disk
        self._redis = redis
        self._calls: SingleFlight[StoredImage | None] = SingleFlight()
        self._absent: TTLCache[str, bool] = TTLCache(MAX_ABSENT, ABSENT_S)

    async def get(
        self, key: str, make: Callable[[], Awaitable[ImageData | None]], fresh_s: float = math.inf
    ) -> StoredImage | None:
        """The image as it is on disk, else as `make` makes it; None when there is none.

        One older than `fresh_s` is made again, and still used when that fails. Raises what `make` raises.
        """
        if key in self._absent:
            return None
        cached = await self._disk.find(key)
        if cached is not None and time.time() < cached.stored_at + fresh_s:
            return StoredImage.of(cached)

        async def work(_: InFlightCall[StoredImage | None]) -> StoredImage | None:
            return await self._make(key, make, fresh_s)

        stats = current_stats()
        call = self._calls.join(key, work, stats.priority)
        try:
            with stats.paying_for(call.stats):
                return await call.result()
        except UpstreamFailure:
            if cached is None:
                raise
            return StoredImage.of(cached)

    async def aclose(self) -> None:
        """Cancel the calls in flight."""
        await self._calls.aclose()

    async def _make(
        self, key: str, make: Callable[[], Awaitable[ImageData | None]], fresh_s: float
    ) -> StoredImage | None:
        lock = RefreshLock(self._redis, f"jmgraph:image:{key}")
        while True:
            state = await lock.poll()
            # the last holder of the lock may have written it, where processes share the disk
            cached = await self._disk.find(key)
            if cached is not None and time.time() < cached.stored_at + fresh_s:
                await lock.release_if_ours(state)
                return StoredImage.of(cached)
            await lock.raise_failure(state)
            if state.is_ours:
                break
        async with lock.held():
            made = await make()
            stored = StoredImage.of(await self._disk.put(key, *made)) if made else None
        await lock.release()
        if stored is None:
            self._absent[key] = True
        return stored
