"""The one retry policy: which host, how often, how long, and what is told to whom about how it went."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TypeVar

import structlog

from services.errors import UpstreamReason
from services.observability import Priority, current_usage
from services.upstream.failures import AttemptError
from services.upstream.hosts import Host, Hosts
from services.upstream.jmcomic_errors import attempt_error
from services.upstream.limiter import Limiter
from services.upstream.records import HostRole
from services.upstream.retry_plan import Deadline, RetryPlan
from services.upstream.tokens import HostQuiet

log = structlog.get_logger("jmgraph.catalog")

T = TypeVar("T")

LONGEST_CALL_S = 40.0
"""A call ends after this, unless a single try may take longer."""

QUIET_PATIENCE_S = {Priority.PERSON: 5.0, Priority.DOWNLOAD: 120.0, Priority.UPKEEP: 120.0}
"""So long does a call sit out a host that asked for fewer requests, beyond its deadline; longer, and it fails."""

PERSON_WAITS_S = 30.0
"""A person waits no longer for a turn; downloads wait as long as it takes."""

TryWatcher = Callable[[HostRole, str, UpstreamReason | None, float], None]
"""Told of every try: role, host, what went wrong (None: nothing), seconds."""


class UpstreamHttp:
    """Asks hosts until one answers. `tries` is per host, `timeout_s` per try."""

    def __init__(self, limiter: Limiter, *, timeout_s: float, tries: int, on_try: TryWatcher | None = None) -> None:
        self._limiter = limiter
        self._timeout_s = timeout_s
        self._tries = tries
        self._on_try = on_try

    def deadline(self) -> Deadline:
        """The end of a call that begins now: all tries at one host, 40 s at most."""
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
        """What `fetch` gives for the first host that answers. Raises the last `AttemptError` when none does.

        `fetch` gets a base URL and makes one try; whatever jmcomic or curl raises there counts as a failed try.
        """
        # a call that has another way to go does not wait for this one
        patience_s = 0.0 if tries else QUIET_PATIENCE_S[current_usage().priority]
        course = RetryPlan(hosts, deadline, tries=tries or self._tries, patience_s=patience_s)
        while host := course.next_host():
            if not await course.pause_for(host):
                continue
            try:
                return await self._try(hosts, host, fetch, deadline, is_paced)
            except HostQuiet as quiet:
                hosts.note_failure(host, UpstreamReason.RATE_LIMITED, began_at=time.monotonic(), rest_s=quiet.seconds)
            except AttemptError as failed:
                course.note(host, failed)
        raise course.failed

    async def check(self, hosts: Hosts, host: Host, fetch: Callable[[str], Awaitable[object]]) -> bool:
        """One try at this very host, to learn how it is; True when it answered, whatever it answered."""
        try:
            await self._try(hosts, host, fetch, Deadline(self._timeout_s), is_paced=False, is_grave=True)
        except HostQuiet:
            return False
        except AttemptError as failed:
            return failed.is_absent
        return True

    async def _try(
        self,
        hosts: Hosts,
        host: Host,
        fetch: Callable[[str], Awaitable[T]],
        deadline: Deadline,
        is_paced: bool,
        is_grave: bool = False,
    ) -> T:
        async with AsyncExitStack() as stack:
            await self._wait_for_turn(stack, host, deadline, is_paced)
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
        self._note_answer(hosts, host, began_at)
        return answer

    async def _wait_for_turn(self, stack: AsyncExitStack, host: Host, deadline: Deadline, is_paced: bool) -> None:
        priority = current_usage().priority
        began_at = time.monotonic()
        turn = self._limiter.turn(host.name, priority, is_paced=is_paced)
        try:
            async with asyncio.timeout(PERSON_WAITS_S if priority is Priority.PERSON else None):
                await stack.enter_async_context(turn)
        except TimeoutError:
            raise AttemptError(UpstreamReason.RATE_LIMITED, "no turn in time", retry_after_s=PERSON_WAITS_S) from None
        deadline.extend(time.monotonic() - began_at)

    def _note_answer(self, hosts: Hosts, host: Host, began_at: float) -> None:
        took_s = time.monotonic() - began_at
        hosts.note_answer(host, took_s)
        if self._on_try:
            self._on_try(hosts.role, host.name, None, took_s)

    async def _note_failure(
        self, hosts: Hosts, host: Host, failed: AttemptError, began_at: float, is_grave: bool
    ) -> None:
        took_s = time.monotonic() - began_at
        if self._on_try:
            self._on_try(hosts.role, host.name, failed.reason, took_s)
        if failed.is_absent:
            hosts.note_answer(host, took_s)
            return
        rest_s = failed.retry_after_s
        hosts.note_failure(host, failed.reason, began_at=began_at, rest_s=rest_s, is_grave=is_grave)
        log.debug(
            "a try failed",
            role=hosts.role.value,
            host=host.name,
            reason=failed.reason.value,
            detail=failed.detail,
            seconds=round(took_s, 3),
        )
        if failed.reason is UpstreamReason.RATE_LIMITED:
            await self._limiter.quiet(host.name, hosts.rest_left_s(host))
