"""Images kept on disk: fetched once, however many ask, in however many processes."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from services.cache import CachedFile, DiskCache, Flight, RedisTier, RefreshLock, SingleFlight
from services.errors import UpstreamFailure
from services.observability import current_usage

ABSENT_S = 60.0
"""For so long nobody asks again for an image that the site does not have."""
MOST_ABSENT = 4096
"""Remembered in this process."""


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image ready to be sent. `etag` is a digest of the bytes, hex, unquoted: a strong validator."""

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


Made = tuple[bytes, str]
"""An image's bytes and media type."""


class ImageCache:
    """Images by key ("cover/350234"), made when they are first asked for."""

    def __init__(self, disk: DiskCache, shared: RedisTier) -> None:
        self._disk = disk
        self._shared = shared
        self._flights: SingleFlight[StoredImage | None] = SingleFlight()
        self._absent: OrderedDict[str, float] = OrderedDict()

    async def get(
        self, key: str, make: Callable[[], Awaitable[Made | None]], fresh_s: float = math.inf
    ) -> StoredImage | None:
        """The image as it is on disk, else as `make` makes it; None when there is none.

        One older than `fresh_s` is made anew, and serves on when that fails. Raises what `make` raises.
        """
        if time.monotonic() < self._absent.get(key, 0.0):
            return None
        kept = await self._disk.find(key)
        if kept is not None and time.time() < kept.stored_at + fresh_s:
            return StoredImage.of(kept)

        async def work(_: Flight[StoredImage | None]) -> StoredImage | None:
            return await self._make(key, make, fresh_s)

        flight = self._flights.board(key, work, current_usage().priority)
        try:
            return await flight.landed()
        except UpstreamFailure:
            if kept is None:
                raise
            return StoredImage.of(kept)

    async def aclose(self) -> None:
        """Cancel what is under way."""
        await self._flights.aclose()

    async def _make(self, key: str, make: Callable[[], Awaitable[Made | None]], fresh_s: float) -> StoredImage | None:
        turn = RefreshLock(self._shared, f"jmgraph:image:{key}")
        while True:
            claim = await turn.look()
            # who had the turn before us may have written it, where processes share the disk
            kept = await self._disk.find(key)
            if kept is not None and time.time() < kept.stored_at + fresh_s:
                await turn.leave(claim)
                return StoredImage.of(kept)
            await turn.heed(claim)
            if claim.is_ours:
                break
        async with turn.taken():
            made = await make()
            stored = StoredImage.of(await self._disk.put(key, *made)) if made else None
        await turn.give_up()
        if stored is None:
            self._note_absence(key)
        return stored

    def _note_absence(self, key: str) -> None:
        self._absent[key] = time.monotonic() + ABSENT_S
        self._absent.move_to_end(key)
        if len(self._absent) > MOST_ABSENT:
            self._absent.popitem(last=False)
