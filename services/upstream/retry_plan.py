"""The course of one call through the hosts: who is next, how long to pause before, when it is enough."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter

from services.errors import UpstreamReason
from services.upstream.failures import AttemptError
from services.upstream.hosts import Host, Hosts

FIRST_PAUSE_S = 0.25
"""Before a host is asked again; doubles, give or take half."""

LONGEST_PAUSE_S = 4.0

_HOPELESS = frozenset({UpstreamReason.REGION_BLOCKED, UpstreamReason.CHALLENGED})
"""The same host gives the same answer: only another one is worth a try."""

_ENOUGH_ABSENT = 2
"""So many hosts of a CDN that don't have a file are believed."""


class Deadline:
    """When a call has to be over; time spent waiting for our own turn is not the site's and does not count."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    @property
    def left_s(self) -> float:
        """Seconds left, 0 when it has passed."""
        return max(0.0, self._ends - time.monotonic())

    def extend(self, seconds: float) -> None:
        """Put it off."""
        self._ends += seconds


class RetryPlan:
    """What one call has tried and may still try. `failed` is what it ends with when no host answers."""

    def __init__(self, hosts: Hosts, deadline: Deadline, *, tries: int, patience_s: float) -> None:
        self.failed = AttemptError(UpstreamReason.UNREACHABLE, "no host is known")
        self._hosts = hosts
        self._deadline = deadline
        self._left = hosts.tries(tries)
        self._asked: Counter[str] = Counter()
        self._absent = 0
        self._patience_s = patience_s

    def next_host(self) -> Host | None:
        """The host to ask now; None when all has been tried."""
        return None if self._absent >= _ENOUGH_ABSENT else self._hosts.choose(self._left)

    async def pause_for(self, host: Host) -> bool:
        """Back off before a host is asked again, sit out its quiet. False when that takes too long."""
        quiet_s = self._hosts.rest_left_s(host) if host.reason is UpstreamReason.RATE_LIMITED else 0.0
        if quiet_s > self._patience_s:
            self.failed = AttemptError(UpstreamReason.RATE_LIMITED, "too long a quiet", retry_after_s=quiet_s)
            self._left[host.url] = 0
            return False
        self._patience_s -= quiet_s
        self._deadline.extend(quiet_s)
        pause_s = max(quiet_s, _pause_s(self._asked[host.url]))
        if pause_s >= self._deadline.left_s:
            self._left.clear()
            return False
        await asyncio.sleep(pause_s)
        return True

    def note(self, host: Host, failed: AttemptError) -> None:
        """The host failed a try."""
        self.failed = failed
        self._asked[host.url] += 1
        self._absent += failed.is_absent
        is_hopeless = failed.is_absent or failed.reason in _HOPELESS
        self._left[host.url] = 0 if is_hopeless else self._left[host.url] - 1


def _pause_s(times_asked: int) -> float:
    if not times_asked:
        return 0.0
    return float(min(FIRST_PAUSE_S * 2 ** (times_asked - 1), LONGEST_PAUSE_S) * random.uniform(0.5, 1.5))
