"""What one request costs: upstream calls against a budget, cache hits, and how old its parts are.

A door opens a `Usage` per operation; whatever runs below finds it through a context variable, which tasks inherit.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import IntEnum


class Priority(IntEnum):
    """Who waits for the site: a person goes before a download, a download before upkeep."""

    PERSON = 0
    DOWNLOAD = 1
    UPKEEP = 2


@dataclass(slots=True)
class Usage:
    """Running figures of one operation; mutable, one per request."""

    priority: Priority = Priority.PERSON
    upstream_calls: int = 0
    cache_hits: int = 0
    stale: bool = False
    age_s: float = 0.0
    """Age of the oldest part, in seconds."""
    fresh_for_s: float | None = None
    """Seconds until the first of its parts is no longer fresh; None while no part was noted."""
    is_personal: bool = False
    """True once something was read that no shared cache may keep (a download, say)."""

    def note_part(self, *, age_s: float, fresh_for_s: float, stale: bool) -> None:
        """Note one cached or fetched part of the answer: its age, how long it stays fresh, whether it is stale."""
        self.age_s = max(self.age_s, age_s)
        self.fresh_for_s = fresh_for_s if self.fresh_for_s is None else min(self.fresh_for_s, fresh_for_s)
        self.stale = self.stale or stale


_current: ContextVar[Usage | None] = ContextVar("jmgraph_usage", default=None)


def current_usage() -> Usage:
    """The usage of the running operation; one that nobody reads where none was opened."""
    return _current.get() or Usage()


def join_usage() -> Usage:
    """The usage that is open, or a new one for the rest of this task."""
    usage = _current.get()
    if usage is None:
        _current.set(usage := Usage())
    return usage


@contextmanager
def open_usage(priority: Priority = Priority.PERSON) -> Iterator[Usage]:
    """Open a fresh usage for everything inside, tasks started there included."""
    usage = Usage(priority=priority)
    token = _current.set(usage)
    try:
        yield usage
    finally:
        _current.reset(token)
