"""The first tier: objects in this process, bounded in number and bytes, least recently used out first."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from services.cache.keys import CacheEntry

Place = tuple[str, str]
"""Kind and key."""


class MemoryTier:
    """Entries by place; of one event loop, so no locks."""

    def __init__(self, most_entries: int, most_bytes: int) -> None:
        self._entries: OrderedDict[Place, CacheEntry[Any]] = OrderedDict()
        self._most_entries = most_entries
        self._most_bytes = most_bytes
        self.size_bytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, place: Place) -> CacheEntry[Any] | None:
        """The entry, now the most recently used."""
        entry = self._entries.get(place)
        if entry is not None:
            self._entries.move_to_end(place)
        return entry

    def put(self, place: Place, entry: CacheEntry[Any]) -> None:
        """Keep an entry; others may go for it. One that is larger than all the room is not kept."""
        self.drop(place)
        if entry.size_bytes > self._most_bytes:
            return
        self._entries[place] = entry
        self.size_bytes += entry.size_bytes
        while len(self._entries) > self._most_entries or self.size_bytes > self._most_bytes:
            _, oldest = self._entries.popitem(last=False)
            self.size_bytes -= oldest.size_bytes

    def drop(self, place: Place) -> None:
        """Forget an entry."""
        if (entry := self._entries.pop(place, None)) is not None:
            self.size_bytes -= entry.size_bytes
