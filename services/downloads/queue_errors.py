"""The border of the queue: where Redis is away, the caller is told so in the words of the error tree."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from services.errors import QueueUnavailable
from services.redis import RedisUnavailable

AWAY_RETRY_S = 5
"""Seconds after which Redis may well be back."""


@contextmanager
def translate_queue_errors() -> Iterator[None]:
    """Turn `RedisUnavailable` into `QueueUnavailable`, with when to come again."""
    try:
        yield
    except RedisUnavailable:
        raise QueueUnavailable("The queue can't be reached.", retry_after_s=AWAY_RETRY_S) from None
