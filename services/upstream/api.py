"""The mobile API through jmcomic's async client: one host, one attempt, a record or an `AttemptError`."""

from __future__ import annotations

import asyncio
import re
import time
from collections import defaultdict
from typing import Any

from jmcomic import AsyncJmApiClient, JmAlbumDetail, JmApiAdaptTool, JmPageTool, JmPhotoDetail
from jmcomic.jm_client_interface import JmApiResp

from services.errors import UpstreamReason
from services.upstream.failures import AttemptError, check_answer
from services.upstream.jmcomic_state import new_option, note_app_version
from services.upstream.mapping import (
    CATEGORIES,
    ORDERS,
    PERIODS,
    album_from_jm,
    chapter_from_jm,
    comments_from_jm,
    date_of_timestamp,
    list_from_jm,
    ranking_from_jm,
    search_to_jm,
)
from services.upstream.records import (
    AlbumDetail,
    AlbumListPage,
    ChapterDetail,
    CommentPageRecord,
    RankingPage,
    RankingQuery,
    SearchQuery,
    SourceMethod,
)
from services.upstream.transport import Proxies

_COOKIES_TTL_S = 6 * 3600.0
"""The site requires cookies on every request, but does not check them; they are fetched again after this."""

_SCRAMBLE_ID = re.compile(r"var scramble_id = (\d{1,12});")
_API = SourceMethod.API


class JmApi:
    """Reads the mobile API. Every call names the host; none retries."""

    def __init__(self, session: Any, proxies: Proxies, timeout_s: float) -> None:
        self._session = session
        self._proxies = proxies
        self._option = new_option(timeout_s)
        self._clients: dict[str, _HostClient] = {}
        self._cookies: dict[str, str] = {}
        self._cookies_until = 0.0
        self._cookies_locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def album(self, host: str, id: str) -> AlbumDetail | None:
        """The album; None when there is none of this number, or the number is a chapter's of another album."""
        data = await self._get_named(host, AsyncJmApiClient.API_ALBUM, id)
        if data is None or str(data.get("series_id") or "0") not in ("0", id):
            return None
        album = JmApiAdaptTool.parse_entity(data, JmAlbumDetail)
        related = [(str(one.get("id")), str(one.get("name") or "")) for one in data.get("related_list") or ()]
        return album_from_jm(album, _API, related=related, published_on=date_of_timestamp(data.get("addtime")))

    async def chapter(self, host: str, id: str) -> ChapterDetail | None:
        """The chapter without its scramble id, which has a URL of its own; 0 instead."""
        data = await self._get_named(host, AsyncJmApiClient.API_CHAPTER, id)
        if data is None:
            return None
        return chapter_from_jm(JmApiAdaptTool.parse_entity(data, JmPhotoDetail), _API, scramble_id=0)

    async def scramble_id(self, host: str, chapter_id: str) -> int:
        """The chapter's scramble id as the page of its images states it.

        jmcomic assumes 220980 where the page has none, even an error page; here that is a failure.
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
            raise AttemptError(UpstreamReason.GARBLED, "no scramble id on its page")
        return int(found[1])

    async def search(self, host: str, query: SearchQuery, text: str) -> AlbumListPage | str:
        """A page of the search for `text`; the album's number when the site leads to that album instead."""
        data = (await self._request(host, AsyncJmApiClient.API_SEARCH, search_to_jm(query, text))).model_data
        if data.get("redirect_aid") is not None:
            return str(data.redirect_aid)
        return list_from_jm(JmPageTool.parse_api_to_search_page(data, query.page), query.page, _API)

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
        data = (await self._request(host, AsyncJmApiClient.API_CATEGORIES_FILTER, params)).model_data
        return ranking_from_jm(JmPageTool.parse_api_to_search_page(data, query.page), query, _API)

    async def comments(self, host: str, album_id: str, page: int) -> CommentPageRecord:
        """A page of comments."""
        params = {"mode": "all", "page": page, "aid": album_id}
        data = (await self._request(host, AsyncJmApiClient.API_FORUM, params)).model_data
        return comments_from_jm(JmPageTool.parse_api_to_album_comment_page(data, page), album_id, page)

    async def settings(self, host: str) -> None:
        """Fetch the app's settings, which bring cookies and its version: the cheapest request."""
        answer = await self._client(host).req_api("/setting", proxies=self._proxies.for_curl(host))
        self._cookies = dict(answer.resp.cookies)
        self._cookies_until = time.monotonic() + _COOKIES_TTL_S
        note_app_version(str(answer.model_data.get("jm3_version") or ""))

    async def _get_named(self, host: str, path: str, id: str) -> dict[str, Any] | None:
        """The data of an album or chapter; None where the answer is empty or has no name."""
        answer = await self._request(host, path, {"id": id})
        if not answer.encoded_data:
            return None
        data: dict[str, Any] = answer.res_data
        return data if data.get("name") is not None else None

    async def _request(self, host: str, path: str, params: dict[str, Any], **options: Any) -> JmApiResp:
        await self._ensure_cookies(host)
        proxies = self._proxies.for_curl(host)
        return await self._client(host).req_api(
            path, params=params, cookies=self._cookies, proxies=proxies, **options
        )

    async def _ensure_cookies(self, host: str) -> None:
        if time.monotonic() < self._cookies_until:
            return
        async with self._cookies_locks[host]:
            if time.monotonic() >= self._cookies_until:
                await self.settings(host)

    def _client(self, host: str) -> _HostClient:
        if host not in self._clients:
            self._clients[host] = _HostClient(self._option, host, self._session)
        return self._clients[host]


class _HostClient(AsyncJmApiClient):  # type: ignore[misc]
    """jmcomic's client, bound to one host and to a session that is not its own."""

    def __init__(self, option: Any, host: str, session: Any) -> None:
        super().__init__(option, domain_list=[host])
        self._session = session

    async def setup(self) -> None:
        """Nothing: jmcomic would take a lock that all event loops of the process share."""
