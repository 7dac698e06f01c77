"""What people do with their accounts at the site: retries, and no doubt about what was done.

A session is an argument of every call: nothing of anybody's is kept here, cached, or sent with another's request.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import structlog

from services.errors import InvalidCredentials, SiteLoginRequired, UpstreamFailure, UpstreamReason
from services.observability import RequestStats, current_stats, use_stats
from services.tasks import shield_until_done
from services.upstream.account_api import JmAccountApi, LoginRefused, SessionRefused
from services.upstream.failures import AttemptError
from services.upstream.hosts import HostLists, Hosts
from services.upstream.http import Deadline, UpstreamHttp
from services.upstream.records import (
    CheckInRecord,
    FavoriteOrder,
    FavoritePageRecord,
    HostRole,
    SiteLogin,
    SiteSession,
)

log = structlog.get_logger("jmgraph.upstream")

T = TypeVar("T")

MAX_TOGGLES = 3
"""Of one change of a favourite. After each whose answer was lost the favourite is read again."""


class SiteAccountClient:
    """The calls of the mobile API that need a person.

    Every call with a session raises `SiteLoginRequired` once the site does not know it any more (two hosts say so, as
    one may be wrong), and `UpstreamFailure` where the site can't be used.
    """

    def __init__(self, lists: HostLists, http: UpstreamHttp, api: JmAccountApi) -> None:
        self._lists = lists
        self._http = http
        self._api = api

    async def login(self, username: str, password: str) -> SiteLogin:
        """Begin a session. Raises `InvalidCredentials` where the site says no."""
        return await self._read("login", lambda host: self._api.login(host, username, password))

    async def favorites(
        self, session: SiteSession, folder_id: str, order: FavoriteOrder, page: int
    ) -> FavoritePageRecord:
        """A page of the favourites of a folder, newest first; "0" is all of them."""
        return await self._read("favourites", lambda host: self._api.favorites(host, session, folder_id, order, page))

    async def check_session(self, session: SiteSession) -> None:
        """Return for a session that is valid."""
        await self.favorites(session, "0", FavoriteOrder.ADDED, 1)

    async def is_favorite(self, session: SiteSession, album_id: str) -> bool:
        """Whether the album is a favourite."""
        is_favorite = await self._reported_favorite(session, album_id)
        if not is_favorite:
            await self.check_session(session)
        return is_favorite

    async def set_favorite(self, session: SiteSession, album_id: str, *, is_favorite: bool) -> None:
        """Make the album a favourite or none. To be called once at a time for an account.

        The site only toggles, so that the favourite is read first, and read again after a toggle whose answer was
        lost. A toggle that went the other way, because somebody else was quicker, is toggled back; then this raises.
        """
        for _ in range(MAX_TOGGLES):
            if await self._reported_favorite(session, album_id) is is_favorite:
                if not is_favorite:
                    await self.check_session(session)
                return
            if (became := await self._try_toggle(session, album_id)) is is_favorite:
                return
            if became is not None:
                await shield_until_done(self._restore(session, album_id, was=not became))
                raise UpstreamFailure(UpstreamReason.GARBLED, "The favourite was changed elsewhere at the same time.")
        raise UpstreamFailure(UpstreamReason.UNREACHABLE, "The site does not say whether the favourite was changed.")

    async def check_in(self, session: SiteSession) -> CheckInRecord:
        """Check in for today. Where the answer was lost, the count of days says whether it is done."""
        event_id, days = await self._read("check-ins", lambda host: self._api.check_ins(host, session))
        try:
            return await self._send_once("check-in", lambda host: self._api.check_in(host, session, event_id))
        except UpstreamFailure as failed:
            if not failed.retryable:
                raise
        _, days_after = await self._read("check-ins", lambda host: self._api.check_ins(host, session))
        if days_after > days:
            return CheckInRecord(is_new=True, message="")
        return await self._send_once("check-in", lambda host: self._api.check_in(host, session, event_id))

    async def _reported_favorite(self, session: SiteSession, album_id: str) -> bool:
        """What the site says of a favourite: no also to a session that has run out."""
        return await self._read("favourite", lambda host: self._api.is_favorite(host, session, album_id))

    async def _try_toggle(self, session: SiteSession, album_id: str) -> bool | None:
        """What the favourite became; None where it may have been toggled or not: the answer was lost, or a host did
        not know a session that is valid. Raises `UpstreamFailure` for what the site refuses.
        """
        try:
            return await self._send_once("toggle", lambda host: self._api.toggle_favorite(host, session, album_id))
        except SiteLoginRequired:
            await self.check_session(session)
        except UpstreamFailure as failed:
            if not failed.retryable:
                raise
        return None

    async def _restore(self, session: SiteSession, album_id: str, *, was: bool) -> None:
        """Toggle a favourite back, whatever else the caller may still spend on calls."""
        with use_stats(RequestStats(meter=None)):
            for _ in range(MAX_TOGGLES):
                if await self._try_toggle(session, album_id) is was:
                    return
                if await self._reported_favorite(session, album_id) is was:
                    return

    async def _read(self, what: str, fetch: Callable[[str], Awaitable[T]]) -> T:
        """The answer of the first host that has one."""
        return await self._call(what, lambda hosts, deadline: self._http.request(hosts, fetch, deadline))

    async def _send_once(self, what: str, fetch: Callable[[str], Awaitable[T]]) -> T:
        return await self._call(what, lambda hosts, deadline: self._http.request_once(hosts, fetch, deadline))

    async def _call(self, what: str, request: Callable[[Hosts, Deadline], Awaitable[T]]) -> T:
        current_stats().charge_call()
        with _failures_of(what):
            return await request(await self._lists.ready(HostRole.API), self._http.deadline())


@contextmanager
def _failures_of(what: str) -> Iterator[None]:
    try:
        yield
    except LoginRefused:
        raise InvalidCredentials from None
    except SessionRefused:
        raise SiteLoginRequired from None
    except AttemptError as failed:
        log.info("the site could not be used", what=what, reason=failed.reason.value, detail=failed.detail)
        raise failed.as_failure() from failed
