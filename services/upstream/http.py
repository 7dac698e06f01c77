"""The retry policy: which host gets a request, how often, how long, and what is recorded of each attempt."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TypeVar

import structlog

from services.errors import UpstreamReason
from services.observability import Priority, current_stats, metrics, record_span
from services.upstream.failures import AttemptError, attempt_error
from services.upstream.hosts import Host, Hosts
from services.upstream.limiter import HostRateLimited, Limiter
from services.upstream.records import HostRole

log = structlog.get_logger("jmgraph.upstream")

T = TypeVar("T")

LONGEST_CALL_S = 40.0
"""A call ends after this, unless a single attempt may take longer."""

FIRST_PAUSE_S = 0.25
"""Before the next attempt at the same host; doubles each time, jittered by half."""

LONGEST_PAUSE_S = 4.0

RATE_LIMIT_WAIT_S = {Priority.INTERACTIVE: 5.0, Priority.DOWNLOAD: 120.0, Priority.BACKGROUND: 120.0}
"""A call waits this long for a host that limits its rate, on top of its deadline; then it fails."""

INTERACTIVE_WAIT_S = 30.0
"""An interactive request waits no longer for the limiter; downloads wait as long as it takes."""

_NOT_RETRIED = frozenset({UpstreamReason.REGION_BLOCKED, UpstreamReason.CHALLENGED})
"""The same host would answer the same again: only other hosts are tried."""

_ABSENCES = 2
"""Answers that there is no such thing until it is believed, of two hosts where there are two: one may be wrong."""

AttemptObserver = Callable[[HostRole, str, UpstreamReason | None, float], None]
"""Called after every attempt: role, host, what went wrong (None: nothing), seconds."""


class UpstreamHttp:
    """Tries one host after another until one answers. `attempts` is per host, `timeout_s` per attempt."""

    def __init__(
        self, limiter: Limiter, *, timeout_s: float, attempts: int, on_attempt: AttemptObserver | None = None
    ) -> None:
        self._limiter = limiter
        self._timeout_s = timeout_s
        self._attempts = attempts
        self._on_attempt = on_attempt or record_attempt

    def deadline(self) -> Deadline:
        """The end of a call that begins now: the time of all attempts at one host, 40 s at most."""
        return Deadline(max(self._timeout_s, min(self._timeout_s * self._attempts, LONGEST_CALL_S)))

    async def request(
        self,
        hosts: Hosts,
        fetch: Callable[[str], Awaitable[T]],
        deadline: Deadline,
        *,
        attempts: int | None = None,
        takes_token: bool = True,
    ) -> T:
        """What `fetch` returns for the first host that answers. Raises the last `AttemptError` when none does.

        `fetch` gets a base URL and makes one attempt; whatever jmcomic or curl raises there counts as a failed one.
        `attempts` is set by a caller that has another source. `takes_token`: the host's rate limit applies.
        """
        # a caller that has another source does not wait for a host that limits us
        rate_limit_wait_s = 0.0 if attempts else RATE_LIMIT_WAIT_S[current_stats().priority]
        plan = RetryPlan(
            hosts,
            deadline,
            attempts=attempts or self._attempts,
            absences=1 if attempts else _ABSENCES,
            rate_limit_wait_s=rate_limit_wait_s,
        )
        while host := plan.next_host():
            if not await plan.pause_for(host):
                continue
            try:
                return await self._attempt(hosts, host, fetch, deadline, takes_token)
            except HostRateLimited as limited:
                reason = UpstreamReason.RATE_LIMITED
                hosts.note_failure(host, reason, began_at=time.monotonic(), cooldown_s=limited.seconds)
            except AttemptError as failed:
                plan.note(host, failed)
        raise plan.failed

    async def request_once(self, hosts: Hosts, fetch: Callable[[str], Awaitable[T]], deadline: Deadline) -> T:
        """One attempt at the best host, for what must not be sent twice.

        Raises `AttemptError`; unless it `is_answer`, the host may have done what was requested.
        """
        host = hosts.choose(hosts.tries(1))
        if host is None:
            raise AttemptError(UpstreamReason.UNREACHABLE, "no host is known")
        try:
            return await self._attempt(hosts, host, fetch, deadline, takes_token=True)
        except HostRateLimited as limited:
            reason = UpstreamReason.RATE_LIMITED
            hosts.note_failure(host, reason, began_at=time.monotonic(), cooldown_s=limited.seconds)
            raise AttemptError(reason, "limited", retry_after_s=limited.seconds) from None

    async def check(self, hosts: Hosts, host: Host, fetch: Callable[[str], Awaitable[object]]) -> bool:
        """One attempt at this host, to check its health; True when it answered, whatever it answered."""
        try:
            await self._attempt(hosts, host, fetch, Deadline(self._timeout_s), takes_token=False, is_grave=True)
        except HostRateLimited:
            return False
        except AttemptError as failed:
            return failed.is_answer
        return True

    async def _attempt(
        self,
        hosts: Hosts,
        host: Host,
        fetch: Callable[[str], Awaitable[T]],
        deadline: Deadline,
        takes_token: bool,
        is_grave: bool = False,
    ) -> T:
        async with AsyncExitStack() as stack:
            await self._acquire(stack, host, deadline, takes_token)
            began_at = time.monotonic()
            try:
                async with asyncio.timeout(min(self._timeout_s, deadline.left_s)):
                    answer = await fetch(host.url)
            except Exception as error:
                failed = attempt_error(error)
                if failed is None:
                    raise
                await self._note_failure(hosts, host, failed, began_at, is_grave)
                raise failed from error
        self._note_answer(hosts, host, time.monotonic() - began_at, None)
        return answer

    async def _acquire(self, stack: AsyncExitStack, host: Host, deadline: Deadline, takes_token: bool) -> None:
        priority = current_stats().priority
        began_at = time.monotonic()
        try:
            async with asyncio.timeout(INTERACTIVE_WAIT_S if priority is Priority.INTERACTIVE else None):
                await stack.enter_async_context(self._limiter.acquire(host.name, priority, takes_token=takes_token))
        except TimeoutError:
            reason = UpstreamReason.RATE_LIMITED
            raise AttemptError(reason, "the limiter is full", retry_after_s=INTERACTIVE_WAIT_S) from None
        deadline.extend(time.monotonic() - began_at)

    def _note_answer(self, hosts: Hosts, host: Host, seconds: float, reason: UpstreamReason | None) -> None:
        hosts.note_answer(host, seconds)
        self._on_attempt(hosts.role, host.name, reason, seconds)

    async def _note_failure(
        self, hosts: Hosts, host: Host, failed: AttemptError, began_at: float, is_grave: bool
    ) -> None:
        seconds = time.monotonic() - began_at
        if failed.is_answer:
            self._note_answer(hosts, host, seconds, failed.reason)
            return
        self._on_attempt(hosts.role, host.name, failed.reason, seconds)
        hosts.note_failure(
            host,
            failed.reason,
            began_at=began_at,
            detail=failed.detail,
            cooldown_s=failed.retry_after_s,
            is_grave=is_grave,
        )
        log.debug(
            "an attempt failed",
            role=hosts.role.value,
            host=host.name,
            reason=failed.reason.value,
            detail=failed.detail,
            seconds=round(seconds, 3),
        )
        if failed.reason is UpstreamReason.RATE_LIMITED:
            await self._limiter.pause_host(host.name, hosts.cooldown_left_s(host))


def record_attempt(role: HostRole, host: str, reason: UpstreamReason | None, seconds: float) -> None:
    """Add an attempt to the metrics and to the trace."""
    outcome = reason or "OK"
    metrics.UPSTREAM_REQUESTS.labels(host, role, outcome).inc()
    metrics.UPSTREAM_SECONDS.labels(role).observe(seconds)
    record_span("site", seconds, {"server.address": host, "jmgraph.role": role, "jmgraph.outcome": outcome})


class Deadline:
    """When a call has to end. Time spent waiting for our own limiter is not the site's and does not count."""

    def __init__(self, seconds: float) -> None:
        self._ends_at = time.monotonic() + seconds

    @property
    def left_s(self) -> float:
        """Seconds left, 0 when it has passed."""
        return max(0.0, self._ends_at - time.monotonic())

    def extend(self, seconds: float) -> None:
        """Move the deadline."""
        self._ends_at += seconds


class RetryPlan:
    """What one call has tried and may still try. `failed` is what it ends with when no host answers."""

    def __init__(
        self, hosts: Hosts, deadline: Deadline, *, attempts: int, absences: int, rate_limit_wait_s: float
    ) -> None:
        self._failed: AttemptError | None = None
        self._hosts = hosts
        self._deadline = deadline
        self._attempts_left = hosts.tries(attempts)
        self._failures: Counter[str] = Counter()
        self._absences_left = absences
        self._absent_at: Host | None = None
        self._rate_limit_wait_s = rate_limit_wait_s

    @property
    def failed(self) -> AttemptError:
        """The last failure."""
        return self._failed or AttemptError(UpstreamReason.UNREACHABLE, "no host is known")

    def next_host(self) -> Host | None:
        """The host to use now; None when all has been tried.

        Where no other host can confirm an absence, the one that answered it is asked again.
        """
        if self._absences_left <= 0:
            return None
        host, self._absent_at = self._hosts.choose(self._attempts_left) or self._absent_at, None
        return host

    async def pause_for(self, host: Host) -> bool:
        """Back off before another attempt at a host, and wait while it limits us. False when that takes too long."""
        is_limited = host.reason is UpstreamReason.RATE_LIMITED
        limited_s = self._hosts.cooldown_left_s(host) if is_limited else 0.0
        if limited_s > self._rate_limit_wait_s:
            self._failed = AttemptError(UpstreamReason.RATE_LIMITED, "limited for too long", retry_after_s=limited_s)
            self._attempts_left[host.url] = 0
            return False
        self._rate_limit_wait_s -= limited_s
        self._deadline.extend(limited_s)
        pause_s = max(limited_s, _pause_s(self._failures[host.url]))
        if pause_s >= self._deadline.left_s:
            self._attempts_left.clear()
            return False
        await asyncio.sleep(pause_s)
        return True

    def note(self, host: Host, failed: AttemptError) -> None:
        """Record a failed attempt."""
        self._failed = failed
        if failed.is_refusal:
            self._attempts_left.clear()
        elif failed.is_absent:
            self._attempts_left[host.url] = 0
            self._absences_left -= 1
            self._absent_at = host if self._hosts.role is not HostRole.IMAGE else None
        else:
            self._failures[host.url] += 1
            is_final = failed.reason in _NOT_RETRIED
            self._attempts_left[host.url] = 0 if is_final else self._attempts_left[host.url] - 1


def _pause_s(failures: int) -> float:
    if not failures:
        return 0.0
    return float(min(FIRST_PAUSE_S * 2 ** (failures - 1), LONGEST_PAUSE_S) * random.uniform(0.5, 1.5))
