"""The site's web pages, read through jmcomic's html client in threads of our own: one host, one attempt."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from threading import Lock
from typing import Any, TypeVar

from common import Postmans
from jmcomic import JmcomicText, JmHtmlClient, JmPageTool, JmSearchPage
from jmcomic.jm_exception import ResponseUnexpectedException

from services.errors import InvalidInput
from services.network import without_credentials
from services.upstream.failures import failure_of_answer
from services.upstream.jmcomic_state import html_headers
from services.upstream.mapping import (
    CATEGORIES,
    ORDERS,
    PERIODS,
    album_from_jm,
    chapter_from_jm,
    list_from_jm,
    ranking_from_jm,
    search_to_jm,
)
from services.upstream.records import (
    AlbumDetail,
    AlbumListPage,
    ChapterDetail,
    RankingPage,
    RankingQuery,
    SearchQuery,
    SourceMethod,
)
from services.upstream.transport import Proxies

T = TypeVar("T")

MAX_THREADS = 128
"""Started when needed; with fewer than the limiter's slots, requests would wait for a thread in their timeout."""

_HTML = SourceMethod.HTML
_MISSING = "/error/album_missing"

# jmcomic's pattern for names stops at blanks, and so loses every name with one inside.
_NAMES = {
    "authors": re.compile(r'<span itemprop="author" data-type="author">([\s\S]*?)</span>'),
    "works": re.compile(r'<span itemprop="author" data-type="works">([\s\S]*?)</span>'),
    "actors": re.compile(r'<span itemprop="author" data-type="actor">([\s\S]*?)</span>'),
    "tags": re.compile(r'<span itemprop="genre" data-type="tags">([\s\S]*?)</span>'),
}
_LINK_TEXT = re.compile(r"<a\b[^>]*>([^<]*)</a>")
# jmcomic leaves out the related albums: links to other albums, with a picture that has the title, or a text.
_ALBUM_LINK = re.compile(r'<a\b[^>]*href="/album/(\d+)[/"][^>]*>([\s\S]*?)</a>')
_TITLE = re.compile(r'\btitle="([^"]+)"')
_MARKUP = re.compile(r"<[^>]*>")
# Every category page has it, even an empty one: the total above the list.
_TOTAL = re.compile(r'class="text-white">\d+</span> A漫')


class JmHtml:
    """Reads web pages. Every call names the host; none retries."""

    def __init__(self, proxies: Proxies, timeout_s: float, threads: int) -> None:
        self._proxies = proxies
        self._timeout_s = timeout_s
        self._threads = ThreadPoolExecutor(min(threads, MAX_THREADS), thread_name_prefix="jm-html")
        self._clients: dict[str, Any] = {}
        self._lock = Lock()

    async def album(self, host: str, id: str) -> AlbumDetail | None:
        """The album; None when there is none of this number, or the number is a chapter's."""
        return await self._in_thread(self._album, host, id)

    async def chapter(self, host: str, id: str) -> ChapterDetail | None:
        """The chapter with its scramble id, which its page contains."""
        return await self._in_thread(self._chapter, host, id)

    async def search(self, host: str, query: SearchQuery, text: str) -> AlbumListPage:
        """A page of the search for `text`, or the one album that the site leads to.

        Raises `InvalidInput` for what the site refuses to search for (a single letter).
        """
        return await self._in_thread(self._search, host, query, text)

    async def ranking(self, host: str, query: RankingQuery) -> RankingPage:
        """A page of the category list."""
        return await self._in_thread(self._ranking, host, query)

    def close(self) -> None:
        """Let the threads finish their current requests; sessions are closed."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for client in self._clients.values():
            client.get_root_postman().session.close()

    async def _in_thread(self, work: Callable[..., T], *arguments: Any) -> T:
        call = partial(copy_context().run, work, *arguments)
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    def _album(self, host: str, id: str) -> AlbumDetail | None:
        page = self._page(host, f"/album/{id}")
        if page is None:
            return None
        page = JmcomicText.parse_jm_base64_html(page)
        album = JmcomicText.analyse_jm_album_html(page)
        return album_from_jm(album, _HTML, names=_names(page), related=_related(page))

    def _chapter(self, host: str, id: str) -> ChapterDetail | None:
        page = self._page(host, f"/photo/{id}")
        if page is None:
            return None
        photo = JmcomicText.analyse_jm_photo_html(page)
        return chapter_from_jm(photo, _HTML, scramble_id=int(photo.scramble_id))

    def _search(self, host: str, query: SearchQuery, text: str) -> AlbumListPage:
        client = self._client(host)
        answer = client.get_jm_html(client.append_params_to_url(client.API_SEARCH, search_to_jm(query, text)))
        if answer.redirect_count and "/album/" in answer.url:
            return self._page_of_album(answer.text, query.page)
        if refusal := JmPageTool.pattern_html_search_error.search(answer.text):
            raise InvalidInput("query", f"The site does not search for this: {refusal[2].strip()}")
        return list_from_jm(JmPageTool.parse_html_to_search_page(answer.text, query.page), query.page, _HTML)

    def _page_of_album(self, page: str, number: int) -> AlbumListPage:
        page = JmcomicText.parse_jm_base64_html(page)
        album = JmcomicText.analyse_jm_album_html(page)
        album.tags = _names(page)["tags"]
        return list_from_jm(JmSearchPage.wrap_single_album(album, number), number, _HTML)

    def _ranking(self, host: str, query: RankingQuery) -> RankingPage:
        client = self._client(host)
        path = client.build_search_url(client.API_CATEGORY, CATEGORIES[query.category], None)
        params = {"page": query.page, "o": ORDERS[query.order], "t": PERIODS[query.period]}
        page = client.get_jm_html(client.append_params_to_url(path, params)).text
        found = JmPageTool.parse_html_to_category_page(page, query.page)
        # jmcomic returns an empty ranking for a page that is no ranking at all
        if not found.content and not _TOTAL.search(page):
            raise failure_of_answer(200, page)
        return ranking_from_jm(found, query, _HTML)

    def _page(self, host: str, path: str) -> str | None:
        """The page's HTML; None where the site redirects to its error page for a missing album."""
        try:
            answer = self._client(host).get_jm_html(path)
        except ResponseUnexpectedException as error:
            if _MISSING in error.resp.url:
                return None
            raise
        return None if _MISSING in answer.url else str(answer.text)

    def _client(self, host: str) -> Any:
        with self._lock:
            if host not in self._clients:
                self._clients[host] = self._new_client(host)
            return self._clients[host]

    def _new_client(self, host: str) -> Any:
        meta_data = {
            "impersonate": "chrome",
            "timeout": self._timeout_s,
            "headers": html_headers(without_credentials(host)),
            "proxies": self._proxies.for_curl(host),
        }
        postman = Postmans.create(data={"type": "curl_cffi_session", "meta_data": meta_data})
        return JmHtmlClient(postman, domain_list=[host], retry_times=0)


def _names(page: str) -> dict[str, list[str]]:
    return {
        key: _LINK_TEXT.findall(found[1]) if (found := pattern.search(page)) else []
        for key, pattern in _NAMES.items()
    }


def _related(page: str) -> list[tuple[str, str]]:
    titles: dict[str, str] = {}
    for id, inside in _ALBUM_LINK.findall(page):
        title = found[1] if (found := _TITLE.search(inside)) else _MARKUP.sub(" ", inside)
        if title.strip():
            titles.setdefault(id, title)
    return list(titles.items())
