"""What people do with their accounts at the site, by the mobile API: one host, one attempt, one person's session.

What a POST does, it does again when it is sent again: each is sent once, over a connection of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jmcomic import AsyncJmApiClient

from services.errors import UpstreamReason
from services.upstream.api import HostClient, JmApi, data_of
from services.upstream.failures import AttemptError, is_login_refusal
from services.upstream.jmcomic_state import new_option
from services.upstream.mapping import (
    FAVORITE_ORDERS,
    check_number,
    favorites_from_data,
    is_favorite_in,
    login_from_data,
    reading_answer,
    signed_days,
    text_of,
)
from services.upstream.records import CheckInRecord, FavoriteOrder, FavoritePageRecord, SiteLogin, SiteSession
from services.upstream.transport import Proxies

_LONGEST_MESSAGE = 200
_CHECKED_IN_BEFORE = tuple(AsyncJmApiClient.DAILY_ALREADY_CHECKED_IN_KEYWORDS)
_CHECKED_IN = ("Jcoin", "EXP", "成功")
"""Words in the answer to a check-in. Source: jmcomic 2.7.10, `AsyncJmApiClient.daily_checkin`."""


class LoginRefused(AttemptError):
    """The site refuses this name and password."""

    def __init__(self) -> None:
        super().__init__(UpstreamReason.LOGIN_REQUIRED, "the login was refused", is_refusal=True)


class SessionRefused(AttemptError):
    """A host does not know this session. Counts as an absence: it is believed when a second host says so, too."""

    def __init__(self) -> None:
        super().__init__(UpstreamReason.LOGIN_REQUIRED, "the session was refused", is_absent=True)


class JmAccountApi:
    """One person's requests. Every call names the host and carries the session it is given, and no other."""

    def __init__(self, guest: JmApi, session: Any, once_session: Any, proxies: Proxies, timeout_s: float) -> None:
        """`guest` has the cookies that everybody sends; `once_session` never reuses a connection."""
        self._guest = guest
        self._session = session
        self._once_session = once_session
        self._proxies = proxies
        self._option = new_option(timeout_s)

    async def login(self, host: str, username: str, password: str) -> SiteLogin:
        """Begin a session. Raises `LoginRefused`."""
        form = {"username": username, "password": password}
        answer = await self._send(host, "/login", cookies=await self._guest.cookies(host), form=form)
        if is_login_refusal(answer.resp):
            raise LoginRefused
        with reading_answer():
            return login_from_data(data_of(answer, is_about_number=False), dict(answer.resp.cookies))

    async def favorites(
        self, host: str, session: SiteSession, folder_id: str, order: FavoriteOrder, page: int
    ) -> FavoritePageRecord:
        """A page of the favourites of a folder; "0" is all of them. Raises `SessionRefused`."""
        params = {"page": page, "folder_id": folder_id, "o": FAVORITE_ORDERS[order]}
        data = await self._of_person(host, session, AsyncJmApiClient.API_FAVORITE, params=params)
        with reading_answer():
            return favorites_from_data(data, page)

    async def is_favorite(self, host: str, session: SiteSession, album_id: str) -> bool:
        """Whether the album is a favourite. The site also says no to a session that has run out."""
        data = await self._of_person(host, session, AsyncJmApiClient.API_ALBUM, params={"id": album_id})
        with reading_answer():
            check_number(data.get("id"), album_id)
            return is_favorite_in(data)

    async def toggle_favorite(self, host: str, session: SiteSession, album_id: str) -> bool:
        """Make the album a favourite, or none where it was one; True where it now is. Raises `SessionRefused`."""
        data = await self._of_person(host, session, AsyncJmApiClient.API_FAVORITE, form={"aid": album_id})
        kind = data.get("type")
        if data.get("status") == "fail" and kind not in ("add", "remove"):
            raise _refusal(data.get("msg"))
        if kind not in ("add", "remove"):
            raise AttemptError(UpstreamReason.GARBLED, "a toggle without a direction")
        return bool(kind == "add")

    async def check_ins(self, host: str, session: SiteSession) -> tuple[str, int]:
        """The number of the running event, and on how many days the person checked in. Raises `SessionRefused`."""
        params = {"user_id": session.user_id}
        data = await self._of_person(host, session, AsyncJmApiClient.API_DAILY, params=params)
        _check_is_not_empty(data)
        with reading_answer():
            return str(data["daily_id"]), signed_days(data)

    async def check_in(self, host: str, session: SiteSession, event_id: str) -> CheckInRecord:
        """Check in for today. Raises `SessionRefused`."""
        form = {"user_id": session.user_id, "daily_id": event_id}
        data = await self._of_person(host, session, AsyncJmApiClient.API_DAILY_CHK, form=form)
        _check_is_not_empty(data)
        message = _message(data.get("msg"))
        is_old = any(words in message for words in _CHECKED_IN_BEFORE)
        if not is_old and data.get("status") != "ok" and not any(words in message for words in _CHECKED_IN):
            raise _refusal(message)
        return CheckInRecord(is_new=not is_old, message=message)

    async def _of_person(
        self,
        host: str,
        session: SiteSession,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """The object in the answer. Raises `SessionRefused`."""
        cookies = {**await self._guest.cookies(host), **session.cookies}
        answer = await self._send(host, path, cookies=cookies, params=params, form=form)
        try:
            with reading_answer():
                return data_of(answer, is_about_number=True)
        except AttemptError as failed:
            if failed.is_refusal and failed.reason is UpstreamReason.LOGIN_REQUIRED:
                raise SessionRefused from failed
            raise

    async def _send(
        self,
        host: str,
        path: str,
        *,
        cookies: Mapping[str, str],
        params: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> Any:
        """One request: a POST with a form, else a GET."""
        client = HostClient(self._option, host, self._session if form is None else self._once_session)
        options: dict[str, Any] = {"params": params} if form is None else {"data": dict(form)}
        proxies = self._proxies.for_curl(host)
        return await client.req_api(
            path, get=form is None, require_success=False, cookies=dict(cookies), proxies=proxies, **options
        )


def _check_is_not_empty(data: Mapping[str, Any]) -> None:
    """Raises `SessionRefused` for an answer without anything: so check-ins refuse a session, with status 200."""
    if not data:
        raise SessionRefused


def _refusal(message: object) -> AttemptError:
    """What the site refuses to do for this person, in its own words; another host would say the same."""
    words = _message(message)
    return AttemptError(
        UpstreamReason.REFUSED,
        "refused",
        message=f"The site refuses this: {words}" if words else None,
        is_refusal=True,
    )


def _message(text: object) -> str:
    return text_of(text)[:_LONGEST_MESSAGE]
