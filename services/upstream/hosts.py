"""The hosts of one role: which to ask next, and what is known of the health of each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from services.errors import UpstreamReason
from services.upstream.proxies import shown
from services.upstream.records import HostRole, UpstreamHost

FIRST_REST_S = 5.0
"""Rest of a host after its first failure; it doubles with every further one."""

LONGEST_REST_S = 300.0

FAILURES_BEFORE_REST = {UpstreamReason.GARBLED: 3}
"""Failures in a row until a host counts as ill: an unreadable answer is more often about one album than the host."""

SLOW_FACTOR = 4.0
SLOW_MARGIN_MS = 200.0
"""A host this much slower than the quickest is asked after the others ..."""

LATENCY_BELIEVED_S = 300.0
"""... for as long as its last measurement is this young."""

FAILURES_BEFORE_DOUBT = 5
"""After this many incidents in a row a resting host gets one try a call, not all of them."""

_WEIGHT_OF_LAST = 0.3

Clock = Callable[[], float]


@dataclass(slots=True, eq=False)
class Host:
    """One base URL and its record; `name` is the URL without credentials. Times are of the monotonic clock."""

    url: str
    name: str = field(init=False)
    failures: int = 0
    failed_at: float = 0.0
    rest_until: float = 0.0
    reason: UpstreamReason | None = None
    latency_ms: float | None = None
    measured_at: float = 0.0

    def __post_init__(self) -> None:
        self.name = shown(self.url)

    @property
    def is_healthy(self) -> bool:
        """False after failures that speak against the host."""
        return self.failures < FAILURES_BEFORE_REST.get(self.reason, 1) if self.reason else True

    def is_resting(self, now: float) -> bool:
        """True while it is only asked when no other is left."""
        return now < self.rest_until


class Hosts:
    """The hosts of one role, in the order they were given."""

    def __init__(self, role: HostRole, urls: Sequence[str] = (), clock: Clock = time.monotonic) -> None:
        self.role = role
        self._clock = clock
        self._hosts: dict[str, Host] = {}
        self.asked_at: datetime | None = None
        self.replace(urls)

    def __len__(self) -> int:
        return len(self._hosts)

    def __iter__(self) -> Iterator[Host]:
        return iter(tuple(self._hosts.values()))

    def replace(self, urls: Sequence[str]) -> None:
        """Take this list; a host that stays keeps its record."""
        self._hosts = {url: self._hosts.get(url) or Host(url) for url in urls}

    @property
    def are_all_ill(self) -> bool:
        """True when no healthy host is left, also when there is none at all."""
        return not any(host.is_healthy for host in self._hosts.values())

    def tries(self, each: int) -> dict[str, int]:
        """Tries that a call has at each host: `each`, but one where a host has failed again and again."""
        now = self._clock()
        return {
            host.url: 1 if host.is_resting(now) and host.failures >= FAILURES_BEFORE_DOUBT else each
            for host in self._hosts.values()
        }

    def choose(self, tries_left: Mapping[str, int]) -> Host | None:
        """The best host that has a try left; None when none has.

        Rested before resting, the one with the most tries left, quick before slow, then the given order. Among those
        that rest, the one whose rest ends first: the least bad is tried rather than none.
        """
        open_hosts = [host for host in self._hosts.values() if tries_left.get(host.url, 0) > 0]
        if not open_hosts:
            return None
        now = self._clock()
        slow_ms = self._slow_ms(now)

        def rank(host: Host) -> tuple[bool, int, float, bool]:
            is_resting = host.is_resting(now)
            is_slow = self._known_latency(host, now) > slow_ms
            return is_resting, -tries_left[host.url], host.rest_until if is_resting else 0.0, is_slow

        return min(open_hosts, key=rank)

    def rest_left_s(self, host: Host) -> float:
        """Seconds until the host has rested."""
        return max(0.0, host.rest_until - self._clock())

    def note_answer(self, host: Host, latency_s: float) -> None:
        """The host answered properly."""
        measured_ms = latency_s * 1000
        known = host.latency_ms if host.latency_ms is not None else measured_ms
        host.latency_ms = known + _WEIGHT_OF_LAST * (measured_ms - known)
        host.measured_at = self._clock()
        host.failures, host.rest_until, host.reason = 0, 0.0, None
        self.asked_at = datetime.now(UTC)

    def note_failure(
        self,
        host: Host,
        reason: UpstreamReason,
        *,
        began_at: float,
        rest_s: float | None = None,
        is_grave: bool = False,
    ) -> None:
        """The host failed a try that began at `began_at`; `rest_s` is the rest it asked for itself.

        Tries that were under way together fail together: they are one incident. `is_grave` marks a failure that can
        only be the host's, so that one is enough to call it ill.
        """
        now = self._clock()
        self.asked_at = datetime.now(UTC)
        is_same_incident = host.failures > 0 and began_at < host.failed_at
        if not is_same_incident:
            host.failures, host.failed_at = host.failures + 1, now
        host.reason = reason
        enough = FAILURES_BEFORE_REST.get(reason, 1)
        host.failures = max(host.failures, enough) if is_grave else host.failures
        times = host.failures - enough
        if rest_s is not None:
            host.rest_until = now + rest_s
        elif times >= 0 and not is_same_incident:
            host.rest_until = now + min(FIRST_REST_S * 2 ** min(times, 16), LONGEST_REST_S)

    def described(self) -> tuple[UpstreamHost, ...]:
        """Every host as the status shows it."""
        return tuple(self._described(host) for host in self._hosts.values())

    def _described(self, host: Host) -> UpstreamHost:
        rest_s = self.rest_left_s(host)
        return UpstreamHost(
            url=host.name,
            role=self.role,
            healthy=host.is_healthy,
            latency_ms=None if host.latency_ms is None else round(host.latency_ms, 1),
            reason=None if host.is_healthy else host.reason,
            resting_until=datetime.now(UTC) + timedelta(seconds=rest_s) if rest_s else None,
        )

    def _known_latency(self, host: Host, now: float) -> float:
        is_believed = host.latency_ms is not None and now - host.measured_at < LATENCY_BELIEVED_S
        return (host.latency_ms or 0.0) if is_believed else 0.0

    def _slow_ms(self, now: float) -> float:
        known = [latency for host in self._hosts.values() if (latency := self._known_latency(host, now))]
        return SLOW_FACTOR * min(known) + SLOW_MARGIN_MS if known else float("inf")
