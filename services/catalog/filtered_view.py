"""Views: what the policy left of an entry, kept beside it until a verdict may have changed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from services.cache import CacheEntry, View
from services.catalog.policy import ContentPolicy
from services.catalog.tag_cache import TagCache

T = TypeVar("T")

LIST_S = 30.0
"""A list is judged again after so long: by then other processes may have seen labels of what stands in it."""


class FilteredView:
    """Finds and keeps views for the state the world is in: the policy's words and the verdicts known."""

    def __init__(self, policy: ContentPolicy, seen: TagCache, clock: Callable[[], float] = time.time) -> None:
        self._policy = policy
        self._seen = seen
        self._clock = clock

    @property
    def state(self) -> Hashable:
        """Another one when a view may be another than before."""
        return (self._policy.version, self._seen.revision)

    def find(self, entry: CacheEntry[Any]) -> View | None:
        """The view of an entry, while it is true."""
        view = entry.view
        if view is None or view.state != self.state or self._clock() > view.good_until:
            return None
        return view

    def keep(self, entry: CacheEntry[Any], value: T, keep_s: float = math.inf) -> T:
        """Keep a view, made just now. It is the object of the last view where that was equal: who made something
        of that object may go on with it.
        """
        if entry.view is not None and entry.view.value == value:
            value = entry.view.value
        entry.view = View(value, self.state, self._clock() + keep_s)
        return value
