"""What the limiter keeps where all processes see it: slots in use, tokens of each host, hosts that want quiet.

The contract, and `OwnStore` for one process alone; `SharedStore` for all is in `limiter_redis`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from services.observability import Priority

BURST = 100
"""Page and API requests that a host takes at once before the rate holds."""

TOKENS_LEFT = {Priority.PERSON: 0, Priority.DOWNLOAD: 10, Priority.UPKEEP: 20}
"""Tokens that each priority leaves for those before it."""


@dataclass(frozen=True, slots=True)
class Grant:
    """Answer to `share`: slots this process may use, whether others wait, and seconds of quiet by host."""

    slots: int
    others_wait: bool = False
    quiet_s: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Admission:
    """Answer to `take`: go now (`wait_s` 0), ask again after `wait_s`, or the host wants quiet for `quiet_s`."""

    wait_s: float = 0.0
    quiet_s: float = 0.0


class LimiterStore(Protocol):
    """The contract. Calls raise `RedisUnavailable` where there is no answer."""

    async def share(self, limit: int, in_use: int, wanted: Mapping[Priority, int]) -> Grant:
        """Say what this process uses and wants; hear what it may use."""

    async def take(self, host: str, rate_per_s: float, priority: Priority) -> Admission:
        """Take a token of this host."""

    async def quiet(self, host: str, seconds: float) -> None:
        """No request to this host for so long, from any process."""

    async def leave(self) -> None:
        """Give everything back."""


class OwnStore:
    """One process alone. It keeps counting while Redis is in charge, so that its loss does not open the gates."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}
        self._quiet_until: dict[str, float] = {}

    async def share(self, limit: int, in_use: int, wanted: Mapping[Priority, int]) -> Grant:  # noqa: ARG002
        """All slots are ours."""
        return Grant(limit, quiet_s=self._quiet())

    async def take(self, host: str, rate_per_s: float, priority: Priority) -> Admission:
        """A token of a bucket of `BURST`."""
        if quiet_s := self.quiet_left_s(host):
            return Admission(quiet_s=quiet_s)
        now = self._clock()
        tokens, at = self._buckets.get(host, (float(BURST), now))
        tokens = min(BURST, tokens + (now - at) * rate_per_s)
        missing = TOKENS_LEFT[priority] + 1 - tokens
        self._buckets[host] = (tokens if missing > 0 else tokens - 1, now)
        return Admission(wait_s=missing / rate_per_s if missing > 0 else 0.0)

    async def quiet(self, host: str, seconds: float) -> None:
        """The host is left alone for so long."""
        self._quiet_until[host] = max(self._quiet_until.get(host, 0.0), self._clock() + seconds)

    async def leave(self) -> None:
        """Nothing is held anywhere."""

    def quiet_left_s(self, host: str) -> float:
        """Seconds that this host is still left alone."""
        return max(0.0, self._quiet_until.get(host, 0.0) - self._clock())

    def _quiet(self) -> dict[str, float]:
        now = self._clock()
        self._quiet_until = {host: until for host, until in self._quiet_until.items() if until > now}
        return {host: until - now for host, until in self._quiet_until.items()}
