"""The hosts of every role: which are known, the health of each, and which to ask next."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from services.errors import UpstreamReason
from services.network import without_credentials
from services.upstream.host_lists import ListAddresses, ListReader, read_stored_lists, store_list
from services.upstream.jmcomic_state import built_in_api_urls, built_in_image_urls
from services.upstream.records import HostRole, HostStatus
from services.upstream.transport import Proxies

log = structlog.get_logger("jmgraph.upstream")

REFRESH_EVERY_S = 6 * 3600.0
"""Between two refreshes of a published list while hosts answer."""

REFRESH_AFTER_FAILURE_S = 300.0
"""Between two refreshes while no host of the role answers, and after a refresh that failed."""

FIRST_COOLDOWN_S = 5.0
"""Of a host after its first failure; doubles with every further one."""

LONGEST_COOLDOWN_S = 300.0

FAILURES_BEFORE_COOLDOWN = {UpstreamReason.GARBLED: 3}
"""Failures in a row until a host is unhealthy: an unreadable answer is more often about one album than the host."""

SLOW_FACTOR = 4.0
SLOW_MARGIN_MS = 200.0
"""A host this much slower than the quickest is asked after the others,"""

LATENCY_RECENT_S = 300.0
"""for as long as its last measurement is younger than this."""

FAILURES_BEFORE_DOUBT = 5
"""After so many incidents in a row, a host in cooldown gets one try a call, not all of them."""

_WEIGHT_OF_LATEST = 0.3

Clock = Callable[[], float]
ListOfHosts = Callable[[], Awaitable[tuple[str, ...]]]


@dataclass(slots=True, eq=False)
class Host:
    """One base URL and its health; `name` is the URL without credentials. Times are of the monotonic clock."""

    url: str
    name: str = field(init=False)
    failures: int = 0
    failed_at: float = 0.0
    cooldown_until: float = 0.0
    reason: UpstreamReason | None = None
    detail: str = ""
    latency_ms: float | None = None
    measured_at: float = 0.0

    def __post_init__(self) -> None:
        self.name = without_credentials(self.url)

    @property
    def is_healthy(self) -> bool:
        """False after failures that are the host's own."""
        return self.failures < FAILURES_BEFORE_COOLDOWN.get(self.reason, 1) if self.reason else True

    def is_cooling_down(self, now: float) -> bool:
        """True while it is asked only when no other is left."""
        return now < self.cooldown_until


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
        """Use this list; a host that stays keeps its health."""
        self._hosts = {url: self._hosts.get(url) or Host(url) for url in urls}

    @property
    def are_all_unhealthy(self) -> bool:
        """True when no healthy host is left, also when there is none at all."""
        return not any(host.is_healthy for host in self._hosts.values())

    def tries(self, each: int) -> dict[str, int]:
        """Tries that a call has at each host: `each`, but one where a host has failed again and again."""
        now = self._clock()
        return {
            host.url: 1 if host.is_cooling_down(now) and host.failures >= FAILURES_BEFORE_DOUBT else each
            for host in self._hosts.values()
        }

    def choose(self, tries_left: Mapping[str, int]) -> Host | None:
        """The best host that has a try left; None when none has.

        Hosts in cooldown come last; then by most tries left, quick before slow, and the given order. Among hosts in
        cooldown, the one whose cooldown ends first: the least bad is tried rather than none.
        """
        open_hosts = [host for host in self._hosts.values() if tries_left.get(host.url, 0) > 0]
        if not open_hosts:
            return None
        now = self._clock()
        slow_ms = self._slow_ms(now)

        def rank(host: Host) -> tuple[bool, int, float, bool]:
            is_cooling_down = host.is_cooling_down(now)
            is_slow = self._known_latency(host, now) > slow_ms
            return is_cooling_down, -tries_left[host.url], host.cooldown_until if is_cooling_down else 0.0, is_slow

        return min(open_hosts, key=rank)

    def cooldown_left_s(self, host: Host) -> float:
        """Seconds until the cooldown of the host ends."""
        return max(0.0, host.cooldown_until - self._clock())

    def note_answer(self, host: Host, latency_s: float) -> None:
        """The host answered properly."""
        measured_ms = latency_s * 1000
        known = host.latency_ms if host.latency_ms is not None else measured_ms
        host.latency_ms = known + _WEIGHT_OF_LATEST * (measured_ms - known)
        host.measured_at = self._clock()
        host.failures, host.cooldown_until, host.reason, host.detail = 0, 0.0, None, ""
        self.asked_at = datetime.now(UTC)

    def note_failure(
        self,
        host: Host,
        reason: UpstreamReason,
        *,
        began_at: float,
        detail: str = "",
        cooldown_s: float | None = None,
        is_grave: bool = False,
    ) -> None:
        """The host failed an attempt that began at `began_at`; `cooldown_s` is the one that it asked for itself.

        Attempts that were under way together fail together: they are one incident. `is_grave`: the failure can only
        be the host's, so that one is enough to call it unhealthy.
        """
        now = self._clock()
        self.asked_at = datetime.now(UTC)
        is_same_incident = host.failures > 0 and began_at < host.failed_at
        if not is_same_incident:
            host.failures, host.failed_at = host.failures + 1, now
        host.reason, host.detail = reason, detail
        enough = FAILURES_BEFORE_COOLDOWN.get(reason, 1)
        host.failures = max(host.failures, enough) if is_grave else host.failures
        times = host.failures - enough
        if cooldown_s is not None:
            host.cooldown_until = now + cooldown_s
        elif times >= 0 and not is_same_incident:
            host.cooldown_until = now + min(FIRST_COOLDOWN_S * 2 ** min(times, 16), LONGEST_COOLDOWN_S)

    def statuses(self) -> tuple[HostStatus, ...]:
        """The status of every host."""
        return tuple(self._status(host) for host in self._hosts.values())

    def _status(self, host: Host) -> HostStatus:
        cooldown_s = self.cooldown_left_s(host)
        return HostStatus(
            url=host.name,
            role=self.role,
            healthy=host.is_healthy,
            latency_ms=None if host.latency_ms is None else round(host.latency_ms, 1),
            reason=None if host.is_healthy else host.reason,
            cooldown_until=datetime.now(UTC) + timedelta(seconds=cooldown_s) if cooldown_s else None,
            detail="" if host.is_healthy else host.detail,
        )

    def _known_latency(self, host: Host, now: float) -> float:
        is_recent = host.latency_ms is not None and now - host.measured_at < LATENCY_RECENT_S
        return (host.latency_ms or 0.0) if is_recent else 0.0

    def _slow_ms(self, now: float) -> float:
        known = [latency for host in self._hosts.values() if (latency := self._known_latency(host, now))]
        return SLOW_FACTOR * min(known) + SLOW_MARGIN_MS if known else float("inf")


class HostLists:
    """The hosts of every role: `given` by the settings, else from the lists that the site publishes, refreshed here.

    A list that was read is stored for the next start. One that could not be read changes nothing: the list in use
    stays, and is requested again after a while. The built-in hosts of the CDN stay behind those that are published:
    the app's settings name only one of them.
    """

    def __init__(
        self,
        given: Mapping[HostRole, Sequence[str]],
        *,
        file: Path,
        session: Any,
        proxies: Proxies,
        addresses: ListAddresses | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        self._given = given
        self._file = file
        self._file_lock = asyncio.Lock()
        self._clock = clock
        reader = ListReader(session, proxies, addresses or ListAddresses())
        self._refreshed_at: dict[HostRole, float] = {}
        self._succeeded_at: dict[HostRole, float] = {}
        self._refreshing: dict[HostRole, asyncio.Task[None]] = {}
        known = read_stored_lists(file)
        self._of = {
            role: Hosts(role, given.get(role) or _to_use(role, known.get(role, ())), clock) for role in HostRole
        }
        self._readers: dict[HostRole, ListOfHosts] = {}
        self.add_reader(HostRole.API, reader.read_api)
        self.add_reader(HostRole.HTML, reader.read_html)

    def add_reader(self, role: HostRole, read: ListOfHosts) -> None:
        """Refresh the list of this role with what `read` returns, unless the settings gave its hosts.

        `read` returns base URLs, none where the list can't be read; it raises nothing.
        """
        if not self._given.get(role):
            self._readers[role] = read

    def of(self, role: HostRole) -> Hosts:
        """The hosts of a role as they are known; starts no refresh."""
        return self._of[role]

    def known_hosts(self, role: HostRole) -> Hosts:
        """The hosts of a role as they are known, perhaps none; starts a refresh in the background when one is due."""
        if role in self._readers and self._is_due(role):
            self._start_refresh(role)
        return self._of[role]

    async def ready(self, role: HostRole) -> Hosts:
        """As `known_hosts`, but waits for a first list where no host is known."""
        hosts = self.known_hosts(role)
        if not len(hosts) and role in self._refreshing:
            await asyncio.wait([self._refreshing[role]])
        return hosts

    async def refresh(self) -> None:
        """Read every published list now."""
        for role in self._readers:
            self._start_refresh(role)
        await self.settled()

    async def settled(self) -> None:
        """Return once no refresh is under way."""
        if self._refreshing:
            await asyncio.wait(self._refreshing.values())

    async def aclose(self) -> None:
        """Cancel refreshes that are under way."""
        refreshing = list(self._refreshing.values())
        for task in refreshing:
            task.cancel()
        await asyncio.gather(*refreshing, return_exceptions=True)

    def _is_due(self, role: HostRole) -> bool:
        now = self._clock()
        refreshed_at, succeeded_at = self._refreshed_at.get(role), self._succeeded_at.get(role)
        if refreshed_at is None:
            return True
        is_failing = succeeded_at is None or self._of[role].are_all_unhealthy
        every_s = REFRESH_AFTER_FAILURE_S if is_failing else REFRESH_EVERY_S
        return now - refreshed_at >= every_s

    def _start_refresh(self, role: HostRole) -> None:
        if role in self._refreshing:
            return
        self._refreshed_at[role] = self._clock()
        task = self._refreshing[role] = asyncio.create_task(self._refresh(role))
        task.add_done_callback(lambda _: self._refreshing.pop(role, None))

    async def _refresh(self, role: HostRole) -> None:
        urls = await self._readers[role]()
        if not urls:
            log.warning("no list of hosts could be read; the known hosts stay", role=role.value)
            return
        self._succeeded_at[role] = self._clock()
        self._of[role].replace(_to_use(role, urls))
        async with self._file_lock:
            await asyncio.to_thread(store_list, self._file, role, urls)
        log.info("the list of hosts was read", role=role.value, hosts=len(urls))


def _to_use(role: HostRole, published: Sequence[str]) -> tuple[str, ...]:
    if role is HostRole.IMAGE:
        return tuple(dict.fromkeys([*published, *built_in_image_urls()]))
    return tuple(published) or (built_in_api_urls() if role is HostRole.API else ())
