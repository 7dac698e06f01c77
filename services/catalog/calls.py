"""The one retry policy: which host, how often, how long, and what is told to whom about how it went."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TypeVar

import structlog

from services.catalog.hosts import Host, Hosts
from services.catalog.jm_errors import try_failed
from services.catalog.limiter import HostQuiet, Limiter
from services.catalog.proxies import shown
from services.catalog.reasons import TryFailed
from services.catalog.records import HostRole
from services.errors import UpstreamReason
from services.usage import Priority, current_usage

log = structlog.get_logger("jmgraph.catalog")

T = TypeVar("T")

LONGEST_CALL_S = 60.0
"""A call ends after this, unless a single try may take longer."""

FIRST_PAUSE_S = 0.25
"""Before a host is asked again; doubles, give or take half."""

LONGEST_PAUSE_S = 4.0

PERSON_WAITS_S = 30.0
"""A person waits no longer for a turn; downloads wait as long as it takes."""

_HOPELESS = frozenset({UpstreamReason.REGION_BLOCKED, UpstreamReason.CHALLENGED})
"""The same host gives the same answer: only another one is worth a try."""

_ENOUGH_ABSENT = 2
"""So many hosts of a CDN that don't have a file are believed."""

TryWatcher = Callable[[HostRole, str, UpstreamReason | None, float], None]
"""Told of every try: role, host, what went wrong (None: nothing), seconds."""


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


class Calls:
    """Asks hosts until one answers. `tries` is per host, `timeout_s` per try."""

    def __init__(self, limiter: Limiter, *, timeout_s: float, tries: int, on_try: TryWatcher | None = None) -> None:
        self._limiter = limiter
        self._timeout_s = timeout_s
        self._tries = tries
        self._on_try = on_try

    def deadline(self) -> Deadline:
        """The end of a call that begins now: all tries at one host, a minute at most."""
        return Deadline(max(self._timeout_s, min(self._timeout_s * self._tries, LONGEST_CALL_S)))

    async def ask(
        self,
        hosts: Hosts,
        fetch: Callable[[str], Awaitable[T]],
        deadline: Deadline,
        *,
        tries: int | None = None,
        is_paced: bool = True,
    ) -> T:
        """What `fetch` gives for the first host that answers. Raises the last `TryFailed` when none does.

        `fetch` gets a base URL and makes one try; whatever jmcomic or curl raises there counts as a failed try.
        """
        left = hosts.tries(tries or self._tries)
        failed = TryFailed(UpstreamReason.UNREACHABLE, "no host is known")
        asked: dict[str, int] = {}
        absent = 0
        while absent < _ENOUGH_ABSENT and (host := hosts.choose(left)):
            quiet_s = hosts.rest_left_s(host) if host.reason is UpstreamReason.RATE_LIMITED else 0.0
            pause_s = max(quiet_s, _pause_s(asked.get(host.url, 0)))
            if pause_s >= deadline.left_s:
                raise _out_of_time(failed, quiet_s)
            await asyncio.sleep(pause_s)
            try:
                return await self._try(hosts, host, fetch, deadline, is_paced)
            except HostQuiet as quiet:
                hosts.note_failure(host, UpstreamReason.RATE_LIMITED, began_at=time.monotonic(), rest_s=quiet.seconds)
                continue
            except TryFailed as error:
                failed = error
            asked[host.url] = asked.get(host.url, 0) + 1
            absent += failed.is_absent
            is_hopeless = failed.is_absent or failed.reason in _HOPELESS
            left[host.url] = 0 if is_hopeless else left[host.url] - 1
        raise failed

    async def check(self, hosts: Hosts, host: Host, fetch: Callable[[str], Awaitable[object]]) -> bool:
        """One try at this very host, to learn how it is; True when it answered, whatever it answered."""
        try:
            await self._try(hosts, host, fetch, Deadline(self._timeout_s), is_paced=False)
        except HostQuiet:
            return False
        except TryFailed as failed:
            return failed.is_absent
        return True

    async def _try(
        self, hosts: Hosts, host: Host, fetch: Callable[[str], Awaitable[T]], deadline: Deadline, is_paced: bool
    ) -> T:
        async with AsyncExitStack() as stack:
            await self._wait_for_turn(stack, host, deadline, is_paced)
            began_at = time.monotonic()
            try:
                async with asyncio.timeout(min(self._timeout_s, deadline.left_s)):
                    answer = await fetch(host.url)
            except Exception as error:
                failed = try_failed(error)
                if failed is None:
                    raise
                await self._note_failure(hosts, host, failed, began_at)
                raise failed from error
        self._note_answer(hosts, host, began_at)
        return answer

    async def _wait_for_turn(self, stack: AsyncExitStack, host: Host, deadline: Deadline, is_paced: bool) -> None:
        priority = current_usage().priority
        began_at = time.monotonic()
        turn = self._limiter.turn(host.url, priority, is_paced=is_paced)
        try:
            async with asyncio.timeout(PERSON_WAITS_S if priority is Priority.PERSON else None):
                await stack.enter_async_context(turn)
        except TimeoutError:
            raise TryFailed(UpstreamReason.RATE_LIMITED, "no turn in time", retry_after_s=PERSON_WAITS_S) from None
        deadline.extend(time.monotonic() - began_at)

    def _note_answer(self, hosts: Hosts, host: Host, began_at: float) -> None:
        took_s = time.monotonic() - began_at
        hosts.note_answer(host, took_s)
        if self._on_try:
            self._on_try(hosts.role, shown(host.url), None, took_s)

    async def _note_failure(self, hosts: Hosts, host: Host, failed: TryFailed, began_at: float) -> None:
        took_s = time.monotonic() - began_at
        if self._on_try:
            self._on_try(hosts.role, shown(host.url), failed.reason, took_s)
        if failed.is_absent:
            hosts.note_answer(host, took_s)
            return
        rest_s = failed.retry_after_s
        hosts.note_failure(host, failed.reason, began_at=began_at, rest_s=rest_s)
        log.debug(
            "a try failed",
            role=hosts.role.value,
            host=shown(host.url),
            reason=failed.reason.value,
            detail=failed.detail,
            seconds=round(took_s, 3),
        )
        if failed.reason is UpstreamReason.RATE_LIMITED:
            await self._limiter.quiet(host.url, hosts.rest_left_s(host))


def _pause_s(times_asked: int) -> float:
    if not times_asked:
        return 0.0
    return float(min(FIRST_PAUSE_S * 2 ** (times_asked - 1), LONGEST_PAUSE_S) * random.uniform(0.5, 1.5))


def _out_of_time(failed: TryFailed, quiet_s: float) -> TryFailed:
    if quiet_s:
        return TryFailed(UpstreamReason.RATE_LIMITED, "quiet for longer than a call takes", retry_after_s=quiet_s)
    return failed
