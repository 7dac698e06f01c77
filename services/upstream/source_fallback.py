"""The two ways to the site, web pages and API, asked in the order that is best now."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from services.errors import InvalidInput
from services.observability import Priority, open_usage
from services.upstream.failures import AttemptError
from services.upstream.host_lists import HostLists
from services.upstream.hosts import Hosts
from services.upstream.http import UpstreamHttp
from services.upstream.records import HostRole, SourceMethod
from services.upstream.retry_plan import Deadline
from services.upstream.source_selector import SourceSelector

log = structlog.get_logger("jmgraph.catalog")

T = TypeVar("T")

HTML_TRIAL_S = 10.0
"""With `auto` the web pages have so long; the API then has a whole call's time."""

ROLES = {SourceMethod.HTML: HostRole.HTML, SourceMethod.API: HostRole.API}

Ask = Callable[[Hosts, Deadline, int | None], Awaitable[T]]
"""Asks the hosts of one way: hosts, the end of the call, tries per host (None: as set)."""


class SourceFallback:
    """Goes by the way that is set; with `auto` by the best one, then by the other, and remembers how it went."""

    def __init__(
        self,
        lists: HostLists,
        calls: UpstreamHttp,
        method: SourceSelector,
        look_at_html: Callable[[str], Awaitable[object]],
    ) -> None:
        """`look_at_html` asks a host for some page that tells whether the web pages let us in."""
        self._lists = lists
        self._calls = calls
        self._method = method
        self._look_at_html = look_at_html
        self._looks: set[asyncio.Task[None]] = set()

    @property
    def current(self) -> SourceMethod:
        """The way that is gone first now."""
        if self._method.is_auto and not len(self._lists.of(HostRole.HTML)):
            return SourceMethod.API
        return self._method.current

    @property
    def is_open(self) -> bool:
        """False when every host of every way in use is ill."""
        return not all(self._lists.of(ROLES[method]).are_all_ill for method in self._method.order())

    async def go(self, by_html: Ask[T], by_api: Ask[T]) -> T:
        """The answer of the first way that has one. Raises `AttemptError`.

        An absence on the web pages is not believed with `auto`: they hide from strangers what the API shows.
        """
        if not self._method.is_auto:
            method = self._method.current
            ask = by_html if method is SourceMethod.HTML else by_api
            return await ask(await self._lists.ready(ROLES[method]), self._calls.deadline(), None)
        self._lists.at_hand(HostRole.HTML)  # has their list looked at, before any is known too
        if self.current is SourceMethod.HTML:
            return await self._html_then_api(by_html, by_api)
        self._look_when_due()
        return await self._api_then_html(by_html, by_api)

    def note_html(self, *, is_in: bool) -> None:
        """The web pages let us in, or did not."""
        was = self._method.current
        if is_in:
            self._method.note_let_in()
        else:
            self._method.note_kept_out()
        if self._method.current is not was:
            log.info("the site is now read another way", method=self._method.current.value)

    async def aclose(self) -> None:
        """End the looks that are under way."""
        for look in self._looks:
            look.cancel()
        await asyncio.gather(*self._looks, return_exceptions=True)

    async def _html_then_api(self, by_html: Ask[T], by_api: Ask[T]) -> T:
        hosts = self._lists.at_hand(HostRole.HTML)
        try:
            found = await by_html(hosts, Deadline(HTML_TRIAL_S), 1)
        except (AttemptError, InvalidInput):
            found = await self._api(by_api)
            if hosts.are_all_ill:
                self.note_html(is_in=False)
            return found
        if found is not None:
            return found
        try:
            return await self._api(by_api)
        except AttemptError:
            return found

    async def _api_then_html(self, by_html: Ask[T], by_api: Ask[T]) -> T:
        try:
            return await self._api(by_api)
        except AttemptError as failed:
            try:
                found = await by_html(self._lists.at_hand(HostRole.HTML), Deadline(HTML_TRIAL_S), 1)
            except (AttemptError, InvalidInput):
                raise failed from None
            self.note_html(is_in=True)
            return found

    async def _api(self, by_api: Ask[T]) -> T:
        return await by_api(await self._lists.ready(HostRole.API), self._calls.deadline(), None)

    def _look_when_due(self) -> None:
        if not self._method.is_due:
            return
        # out until the look says otherwise, so that one call starts it and not each
        self._method.note_kept_out()
        look = asyncio.create_task(self._look())
        self._looks.add(look)
        look.add_done_callback(self._looks.discard)

    async def _look(self) -> None:
        hosts = self._lists.at_hand(HostRole.HTML)
        with open_usage(Priority.UPKEEP):
            try:
                await self._calls.ask(hosts, self._look_at_html, self._calls.deadline(), tries=1)
            except AttemptError as failed:
                log.debug("the web pages still keep us out", reason=failed.reason.value)
                return
        self.note_html(is_in=True)
