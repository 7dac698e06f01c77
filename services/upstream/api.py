"""The mobile API through jmcomic's async client: one host, one attempt, a record or an `AttemptError`."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import structlog
from jmcomic import AsyncJmApiClient, JmCryptoTool
from jmcomic.jm_client_interface import JmApiResp

from services.errors import UpstreamReason
from services.upstream.failures import AttemptError, attempt_error, check_answer, failure_of_response
from services.upstream.host_lists import image_base_urls
from services.upstream.jmcomic_state import BUILT_IN_APP_VERSION, new_option, note_app_version
from services.upstream.mapping import (
    CATEGORIES,
    ORDERS,
    PERIODS,
    SESSION_COOKIE,
    album_from_data,
    chapter_from_data,
    comments_from_data,
    id_or_none,
    list_from_data,
    ranking_from_data,
    reading_answer,
    search_to_jm,
)
from services.upstream.records import (
    AlbumDetail,
    AlbumListPage,
    Category,
    ChapterDetail,
    CommentPageRecord,
    RankingPage,
    RankingQuery,
    SearchQuery,
    SourceMethod,
)
from services.upstream.transport import Proxies

log = structlog.get_logger("jmgraph.upstream")

_COOKIES_TTL_S = 6 * 3600.0
"""The site requires cookies on every request, but does not check them; they are fetched again after this."""

_SETTINGS_RETRY_S = 300.0
"""Settings that a host refused are requested from it again after this; until then it is read without cookies."""

_SCRAMBLE_ID = re.compile(r"var scramble_id = (\d{1,12});")
_API = SourceMethod.API


class NoScrambleId(AttemptError):
    """A host answered with the page of a chapter's images, and there is no scramble id on it."""

    def __init__(self) -> None:
        super().__init__(UpstreamReason.GARBLED, "no scramble id on its page", is_absent=True)


class JmApi:
    """Reads the mobile API. Every call names the host; none retries."""

    def __init__(
        self, session: Any, proxies: Proxies, timeout_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._session = session
        self._proxies = proxies
        self._option = new_option(timeout_s)
        self._clients: dict[str, HostClient] = {}
        self._cookies: Mapping[str, str] = {}
        self._cookies_until = 0.0
        self._cookies_locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._settings_refused_until: dict[str, float] = {}
        self._settings_timeout_s = timeout_s / 2

    async def album(self, host: str, id: str) -> AlbumDetail:
        """The album. Raises `AttemptError`, `is_absent` also where the number is a chapter's of another album."""
        data = await self._get_about(host, AsyncJmApiClient.API_ALBUM, {"id": id})
        with reading_answer():
            if data.get("name") is None or id_or_none(data.get("series_id")) not in (None, id):
                raise _absent()
            return album_from_data(data, id, _API)

    async def chapter(self, host: str, id: str) -> ChapterDetail:
        """The chapter without its scramble id, which has a URL of its own; 0 instead. Raises as `album`."""
        data = await self._get_about(host, AsyncJmApiClient.API_CHAPTER, {"id": id})
        with reading_answer():
            if data.get("name") is None:
                raise _absent()
            return chapter_from_data(data, id, scramble_id=0)

    async def scramble_id(self, host: str, chapter_id: str) -> int:
        """The chapter's scramble id as the page of its images states it.

        jmcomic assumes 220980 where the page has none, even an error page; here that is a failure, and `NoScrambleId`
        only for a page that is the chapter's.
        """
        params = {
            "id": chapter_id,
            "mode": "vertical",
            "page": "0",
            "app_img_shunt": "1",
            "express": "off",
            "v": str(int(time.time())),
        }
        answer = await self._request(host, AsyncJmApiClient.API_SCRAMBLE, params, require_success=False)
        if answer.http_code == 404:
            raise AttemptError(UpstreamReason.GARBLED, "no page of images", is_absent=True)
        check_answer(answer.resp)
        found = _SCRAMBLE_ID.search(answer.text)
        if found is None:
            raise NoScrambleId if _is_page_of(answer.text, chapter_id) else failure_of_response(answer.resp)
        return int(found[1])

    async def search(self, host: str, query: SearchQuery, text: str) -> AlbumListPage | str:
        """A page of the search for `text`; the album's number when the site leads to that album instead."""
        data = await self._get(host, AsyncJmApiClient.API_SEARCH, search_to_jm(query, text))
        with reading_answer():
            if number := id_or_none(data.get("redirect_aid")):
                return number
            return _of_category(list_from_data(data, query.page, has_tags=False), query.category)

    async def ranking(self, host: str, query: RankingQuery) -> RankingPage:
        """A page of the category list."""
        period = PERIODS[query.period]
        order = ORDERS[query.order]
        params = {
            "page": query.page,
            "order": "",
            "c": CATEGORIES[query.category],
            "o": order if period == "a" else f"{order}_{period}",
        }
        data = await self._get(host, AsyncJmApiClient.API_CATEGORIES_FILTER, params)
        with reading_answer():
            return ranking_from_data(data, query, has_tags=False)

    async def comments(self, host: str, album_id: str, page: int) -> CommentPageRecord:
        """A page of comments."""
        params = {"mode": "all", "page": page, "aid": album_id}
        data = await self._get_about(host, AsyncJmApiClient.API_FORUM, params)
        with reading_answer():
            return comments_from_data(data, album_id, page)

    async def image_urls(self, host: str) -> tuple[str, ...]:
        """Base URLs of the CDN in the app's settings; none where they state none."""
        return image_base_urls((await self.settings(host)).get("img_host"))

    async def settings(self, host: str) -> dict[str, Any]:
        """Fetch the app's settings, which bring cookies and its version: the cheapest request."""
        answer = await self._client(host).req_api("/setting", proxies=self._proxies.for_curl(host))
        # the site gives guests a session, too; nobody's session is ever sent where nobody is logged in
        self._cookies = {name: value for name, value in dict(answer.resp.cookies).items() if name != SESSION_COOKIE}
        self._cookies_until = self._clock() + _COOKIES_TTL_S
        data: dict[str, Any] = answer.res_data
        if (version := str(data.get("jm3_version") or "")) != BUILT_IN_APP_VERSION:
            note_app_version(version)
        return data

    async def cookies(self, host: str) -> Mapping[str, str]:
        """The cookies that a guest's requests carry, nobody's session among them."""
        await self._ensure_cookies(host)
        return self._cookies

    async def _get_about(self, host: str, path: str, params: dict[str, Any]) -> dict[str, Any]:
        """As `_get`, about one number, which the site may refuse, and which is absent where the answer is empty."""
        return await self._get(host, path, params, is_about_number=True)

    async def _get(
        self, host: str, path: str, params: dict[str, Any], *, is_about_number: bool = False
    ) -> dict[str, Any]:
        """The decrypted answer. Raises `AttemptError`, also for an empty one."""
        answer = await self._request(host, path, params, require_success=False)
        with reading_answer():
            data = data_of(answer, is_about_number=is_about_number)
        if data:
            return data
        raise _absent() if is_about_number else AttemptError(UpstreamReason.GARBLED, "an empty answer")

    async def _request(self, host: str, path: str, params: dict[str, Any], **options: Any) -> JmApiResp:
        cookies = await self.cookies(host)
        proxies = self._proxies.for_curl(host)
        return await self._client(host).req_api(path, params=params, cookies=cookies, proxies=proxies, **options)

    async def _ensure_cookies(self, host: str) -> None:
        if not self._are_cookies_due(host):
            return
        async with self._cookies_locks[host]:
            if self._are_cookies_due(host):
                await self._try_settings(host)

    def _are_cookies_due(self, host: str) -> bool:
        return self._clock() >= max(self._cookies_until, self._settings_refused_until.get(host, 0.0))

    async def _try_settings(self, host: str) -> None:
        """Fetch cookies. The site answers without them as well: a failure is no reason not to read."""
        try:
            async with asyncio.timeout(self._settings_timeout_s):
                await self.settings(host)
        except Exception as error:
            failed = attempt_error(error)
            if failed is None:
                raise
            self._settings_refused_until[host] = self._clock() + _SETTINGS_RETRY_S
            log.debug("the app's settings could not be read", reason=failed.reason.value)

    def _client(self, host: str) -> HostClient:
        if host not in self._clients:
            self._clients[host] = HostClient(self._option, host, self._session)
        return self._clients[host]


def _is_page_of(page: str, chapter_id: str) -> bool:
    """True for the page of a chapter's images, which contains its number; error pages do not."""
    return bool(re.search(rf"var aid = '?{chapter_id}\b|/media/photos/{chapter_id}/", page))


def data_of(answer: JmApiResp, *, is_about_number: bool) -> dict[str, Any]:
    """The object that an answer holds, decrypted; empty where the site sent none (`""`, `[]`, null).

    Raises `AttemptError` for any other answer than success; `is_about_number` as in `failure_of_response`.
    """
    try:
        body = answer.json()
        is_ok = answer.http_code == 200 and str(body.get("code")) == "200"
    except Exception:
        is_ok = False
    if not is_ok:
        raise failure_of_response(answer.resp, is_about_number=is_about_number)
    encoded = body.get("data")
    data = json.loads(JmCryptoTool.decode_resp_data(encoded, answer.ts)) if encoded else None
    if data and not isinstance(data, dict):
        raise AttemptError(UpstreamReason.GARBLED, "an answer that is no object")
    return data or {}


def answer_data(response: Any, stamp: str) -> dict[str, Any]:
    """The decrypted object of an answer to a request that was signed at `stamp`; empty where there is none.

    For checks of the site. Raises `AttemptError` for an answer that is none of the API's, or an error of it.
    """
    with reading_answer():
        return data_of(JmApiResp(response, stamp), is_about_number=True)


def _of_category(found: AlbumListPage, category: Category) -> AlbumListPage:
    """The lines of this category: the API searches in all of them, but its lines name theirs."""
    if category is Category.ALL:
        return found
    return replace(found, items=tuple(album for album in found.items if album.category in (None, category)))


def _absent() -> AttemptError:
    return AttemptError(UpstreamReason.GARBLED, "nothing of this number", is_absent=True)


class HostClient(AsyncJmApiClient):  # type: ignore[misc]
    """jmcomic's client, bound to one host and to a session that is not its own."""

    def __init__(self, option: Any, host: str, session: Any) -> None:
        super().__init__(option, domain_list=[host])
        self._session = session

    async def setup(self) -> None:
        """Nothing: jmcomic would take a lock that all event loops of the process share."""
