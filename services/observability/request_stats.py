"""Statistics of one request: upstream calls against a budget, cache hits, age of its parts.

An endpoint opens one `RequestStats` for each operation; code below finds it through a context variable, which tasks
inherit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import IntEnum


class Priority(IntEnum):
    """Order of requests to the site: a person before a download, a download before background work."""

    PERSON = 0
    DOWNLOAD = 1
    UPKEEP = 2


@dataclass(slots=True)
class RequestStats:
    """Counters of one operation; mutable."""

    priority: Priority = Priority.PERSON
    upstream_calls: int = 0
    cache_hits: int = 0
    stale: bool = False
    age_s: float = 0.0
    """Age of the oldest part, in seconds."""
    fresh_for_s: float | None = None
    """Seconds until the first of its parts is no longer fresh; None while no part was noted."""
    is_personal: bool = False
    """True once something was read that must not be in a shared cache (a download, say)."""

    def note_part(self, *, age_s: float, fresh_for_s: float, stale: bool) -> None:
        """Note one cached or fetched part of the answer: its age, how long it stays fresh, whether it is stale."""
        self.age_s = max(self.age_s, age_s)
        self.fresh_for_s = fresh_for_s if self.fresh_for_s is None else min(self.fresh_for_s, fresh_for_s)
        self.stale = self.stale or stale


_current: ContextVar[RequestStats | None] = ContextVar("jmgraph_request_stats", default=None)


def current_stats() -> RequestStats:
    """Those of the running operation; where none were opened, an object that is not read."""
    return _current.get() or RequestStats()


def join_stats() -> RequestStats:
    """Those that are open, or new ones for the rest of this task."""
    stats = _current.get()
    if stats is None:
        _current.set(stats := RequestStats())
    return stats


@contextmanager
def open_stats(priority: Priority = Priority.PERSON) -> Iterator[RequestStats]:
    """Open new statistics for the block, tasks started in it included."""
    stats = RequestStats(priority=priority)
    token = _current.set(stats)
    try:
        yield stats
    finally:
        _current.reset(token)
