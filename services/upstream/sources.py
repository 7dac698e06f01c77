"""The two sources of the site, web pages and mobile API, and which of them is used first."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar

import structlog

from services.errors import InvalidInput
from services.observability import Priority, open_stats
from services.upstream.failures import AttemptError
from services.upstream.hosts import HostLists, Hosts
from services.upstream.http import Deadline, UpstreamHttp
from services.upstream.records import HostRole, SourceMethod

log = structlog.get_logger("jmgraph.upstream")

T = TypeVar("T")

HTML_TIMEOUT_S = 10.0
"""With `auto` the web pages have this long; the API then has the time of a whole call."""

FIRST_REFUSED_S = 60.0
"""The web pages are not used for so long after they refused this IP address; doubles each time."""

LONGEST_REFUSED_S = 900.0

ROLES = {SourceMethod.HTML: HostRole.HTML, SourceMethod.API: HostRole.API}

SourceCall = Callable[[Hosts, Deadline, int | None], Awaitable[T]]
"""Fetches from the hosts of one source: hosts, the end of the call, attempts per host (None: as configured)."""

_HTML, _API = SourceMethod.HTML, SourceMethod.API


class SourceSelector:
    """Which source is used first: `auto` prefers the web pages while they accept this IP address."""

    def __init__(self, setting: Literal["auto", "html", "api"], clock: Callable[[], float] = time.monotonic) -> None:
        self._setting = setting
        self._clock = clock
        self._refused_until = 0.0
        self._times_refused = 0

    @property
    def current(self) -> SourceMethod:
        """The source that is used first now."""
        return self.order()[0]

    @property
    def is_auto(self) -> bool:
        """Whether there is a choice at all."""
        return self._setting == "auto"

    def order(self) -> tuple[SourceMethod, ...]:
        """Sources to use, best first. Web pages that refuse this address come last, they are not left out."""
        if not self.is_auto:
            return (_HTML,) if self._setting == "html" else (_API,)
        return (_API, _HTML) if self._times_refused else (_HTML, _API)

    @property
    def is_check_due(self) -> bool:
        """True when the web pages refused this address and it is time to check whether they still do."""
        return self._times_refused > 0 and self._clock() >= self._refused_until

    def note_accepted(self) -> None:
        """The web pages answered."""
        self._times_refused = 0

    def note_refused(self) -> None:
        """The web pages failed where the API did not, or failed a check."""
        refused_s = min(FIRST_REFUSED_S * 2 ** min(self._times_refused, 8), LONGEST_REFUSED_S)
        self._refused_until = self._clock() + refused_s
        self._times_refused += 1


class SourceFallback:
    """Uses the configured source; with `auto` the best one, then the other, and remembers the outcome."""

    def __init__(
        self,
        lists: HostLists,
        http: UpstreamHttp,
        selector: SourceSelector,
        check_html: Callable[[str], Awaitable[object]],
    ) -> None:
        """`check_html` fetches some page of a host, to learn whether the web pages accept this address."""
        self._lists = lists
        self._http = http
        self._selector = selector
        self._check_html = check_html
        self._checks: set[asyncio.Task[None]] = set()

    @property
    def current(self) -> SourceMethod:
        """The source that is used first now."""
        if self._selector.is_auto and not len(self._lists.of(HostRole.HTML)):
            return SourceMethod.API
        return self._selector.current

    @property
    def is_reachable(self) -> bool:
        """False when every host of every source in use is unhealthy."""
        return not all(self._lists.of(ROLES[method]).are_all_unhealthy for method in self._selector.order())

    async def fetch(self, by_html: SourceCall[T], by_api: SourceCall[T]) -> T:
        """The answer of the first source that has one. Raises `AttemptError`.

        With `auto` an absence on the web pages is checked with the API: they hide from guests what the API shows.
        """
        if not self._selector.is_auto:
            method = self._selector.current
            call = by_html if method is SourceMethod.HTML else by_api
            return await call(await self._lists.ready(ROLES[method]), self._http.deadline(), None)
        self._lists.known_hosts(HostRole.HTML)  # refreshes their list when due, even before any host is known
        if self.current is SourceMethod.HTML:
            return await self._html_then_api(by_html, by_api)
        self._check_when_due()
        return await self._api_then_html(by_html, by_api)

    def note_html(self, *, is_accepted: bool) -> None:
        """The web pages accepted this address, or refused it."""
        before = self._selector.current
        if is_accepted:
            self._selector.note_accepted()
        else:
            self._selector.note_refused()
        if self._selector.current is not before:
            log.info("the site is now read by another source", method=self._selector.current.value)

    async def aclose(self) -> None:
        """End the checks that are under way."""
        for check in self._checks:
            check.cancel()
        await asyncio.gather(*self._checks, return_exceptions=True)

    async def _html_then_api(self, by_html: SourceCall[T], by_api: SourceCall[T]) -> T:
        hosts = self._lists.known_hosts(HostRole.HTML)
        try:
            answer = await by_html(hosts, Deadline(HTML_TIMEOUT_S), 1)
        except (AttemptError, InvalidInput):
            answer = await self._fetch_by_api(by_api)
            if hosts.are_all_unhealthy:
                self.note_html(is_accepted=False)
            return answer
        if answer is not None:
            return answer
        try:
            return await self._fetch_by_api(by_api)
        except AttemptError:
            return await by_html(hosts, self._http.deadline(), None)

    async def _api_then_html(self, by_html: SourceCall[T], by_api: SourceCall[T]) -> T:
        try:
            return await self._fetch_by_api(by_api)
        except AttemptError as failed:
            if failed.is_refusal:
                raise
            try:
                answer = await by_html(self._lists.known_hosts(HostRole.HTML), Deadline(HTML_TIMEOUT_S), 1)
            except (AttemptError, InvalidInput):
                raise failed from None
            self.note_html(is_accepted=True)
            return answer

    async def _fetch_by_api(self, by_api: SourceCall[T]) -> T:
        return await by_api(await self._lists.ready(HostRole.API), self._http.deadline(), None)

    def _check_when_due(self) -> None:
        if not self._selector.is_check_due:
            return
        # refused until the check says otherwise, so that one call starts it and not each
        self._selector.note_refused()
        check = asyncio.create_task(self._check())
        self._checks.add(check)
        check.add_done_callback(self._checks.discard)

    async def _check(self) -> None:
        hosts = self._lists.known_hosts(HostRole.HTML)
        with open_stats(Priority.BACKGROUND):
            try:
                await self._http.request(hosts, self._check_html, self._http.deadline(), attempts=1)
            except AttemptError as failed:
                log.debug("the web pages still refuse this address", reason=failed.reason.value)
                return
        self.note_html(is_accepted=True)
