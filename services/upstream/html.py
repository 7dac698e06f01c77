"""The site's web pages, read through jmcomic's html client in threads of our own: one host, one attempt."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import replace
from functools import partial
from threading import Lock
from types import MappingProxyType
from typing import Any, TypeVar
from urllib.parse import urlsplit

from common import Postmans
from jmcomic import JmcomicText, JmHtmlClient, JmPageTool
from jmcomic.jm_exception import ResponseUnexpectedException

from services.errors import InvalidInput, UpstreamReason
from services.network import without_credentials
from services.upstream.failures import AttemptError, failure_of_answer
from services.upstream.jmcomic_state import html_headers
from services.upstream.mapping import (
    CATEGORIES,
    ORDERS,
    PERIODS,
    album_from_data,
    chapter_from_data,
    list_from_data,
    ranking_from_data,
    reading_answer,
    search_to_jm,
)
from services.upstream.records import (
    AlbumDetail,
    AlbumListPage,
    AlbumSummary,
    ChapterDetail,
    RankingPage,
    RankingQuery,
    SearchQuery,
    SourceMethod,
)
from services.upstream.transport import AnswerObserver, Proxies, SiteAnswer

T = TypeVar("T")

MAX_THREADS = 128
"""Started when needed; with fewer than the limiter's slots, requests would wait for a thread in their timeout."""

_HTML = SourceMethod.HTML
_MISSING = "/error/album_missing"

_LOGIN = "/login"

# jmcomic's pattern for names stops at blanks, and so loses every name with one inside.
_NAMES = {
    "author": re.compile(r'<span itemprop="author" data-type="author">([\s\S]*?)</span>'),
    "works": re.compile(r'<span itemprop="author" data-type="works">([\s\S]*?)</span>'),
    "actors": re.compile(r'<span itemprop="author" data-type="actor">([\s\S]*?)</span>'),
    "tags": re.compile(r'<span itemprop="genre" data-type="tags">([\s\S]*?)</span>'),
}
_LINK_TEXT = re.compile(r"<a\b[^>]*>([^<]*)</a>")
_TEXTS = {
    "id": JmcomicText.pattern_html_album_album_id,
    "name": JmcomicText.pattern_html_album_name,
    "description": JmcomicText.pattern_html_album_description,
    "total_photos": JmcomicText.pattern_html_album_page_count,
    "total_views": JmcomicText.pattern_html_album_views,
    "likes": JmcomicText.pattern_html_album_likes,
    "comment_total": JmcomicText.pattern_html_album_comment_count[0],
    "published": JmcomicText.pattern_html_album_pub_date,
    "updated": JmcomicText.pattern_html_album_update_date,
}
_CHAPTER_LINK = re.compile(r"/photo/(\d+)")
# jmcomic leaves out the related albums: links to other albums, with a picture that has the title, or a text.
_ALBUM_LINK = re.compile(r'<a\b[^>]*href="/album/(\d+)[/"][^>]*>([\s\S]*?)</a>')
_ALBUM_URL = re.compile(r"/album/(\d+)")
_TITLE = re.compile(r'\btitle="([^"]+)"')
_MARKUP = re.compile(r"<[^>]*>")
_CATEGORY_LABEL = re.compile(r'<div class="label-category">\s*([^<]*)</div>')
# The total above a list; a category page has it, even an empty one.
_TOTAL = re.compile(r'class="text-white">(\d+)</span> A漫')


class JmHtml:
    """Reads web pages. Every call names the host; none retries."""

    def __init__(
        self, proxies: Proxies, timeout_s: float, threads: int, observer: AnswerObserver | None = None
    ) -> None:
        self._observer = observer
        self._proxies = proxies
        self._timeout_s = timeout_s
        self._threads = ThreadPoolExecutor(min(threads, MAX_THREADS), thread_name_prefix="jm-html")
        self._clients: dict[str, Any] = {}
        self._lock = Lock()

    async def album(self, host: str, id: str) -> AlbumDetail:
        """The album. Raises `AttemptError`, `is_absent` also where the number is a chapter's."""
        return await self._in_thread(self._album, host, id)

    async def chapter(self, host: str, id: str) -> ChapterDetail:
        """The chapter with its scramble id, which its page contains; 0 where it does not. Raises as `album`."""
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

    def _album(self, host: str, id: str) -> AlbumDetail:
        page = self._page(host, f"/album/{id}")
        with reading_answer():
            return _album_from_page(page, id)

    def _chapter(self, host: str, id: str) -> ChapterDetail:
        page = self._page(host, f"/photo/{id}")
        with reading_answer():
            return _chapter_from_page(page, id)

    def _search(self, host: str, query: SearchQuery, text: str) -> AlbumListPage:
        client = self._client(host)
        path = client.build_search_url(client.API_SEARCH, CATEGORIES[query.category], None)
        answer = client.get_jm_html(client.append_params_to_url(path, search_to_jm(query, text)))
        with reading_answer():
            if answer.redirect_count and (found := _ALBUM_URL.search(answer.url)):
                return _page_of_album(_album_from_page(answer.text, found[1]))
            if refusal := JmPageTool.pattern_html_search_error.search(answer.text):
                raise InvalidInput("query", f"The site does not search for this: {refusal[2].strip()}")
            if not JmPageTool.pattern_html_search_shorten_for.search(answer.text):
                raise failure_of_answer(200, answer.text)
            listed = JmPageTool.parse_html_to_search_page(answer.text, query.page)
            data = _list_data(listed, answer.text, _categories(answer.text))
            return list_from_data(data, query.page, has_tags=True)

    def _ranking(self, host: str, query: RankingQuery) -> RankingPage:
        client = self._client(host)
        path = client.build_search_url(client.API_CATEGORY, CATEGORIES[query.category], None)
        params = {"page": query.page, "o": ORDERS[query.order], "t": PERIODS[query.period]}
        page = client.get_jm_html(client.append_params_to_url(path, params)).text
        with reading_answer():
            found = JmPageTool.parse_html_to_category_page(page, query.page)
            # jmcomic returns an empty ranking for a page that is no ranking at all
            if not found.content and not _TOTAL.search(page):
                raise failure_of_answer(200, page)
            return ranking_from_data(_list_data(found, page), query, has_tags=True)

    def _page(self, host: str, path: str) -> str:
        """The page's HTML. Raises `AttemptError` where the site leads to its error page, or to its login."""
        try:
            answer = self._client(host).get_jm_html(path)
        except ResponseUnexpectedException as error:
            answer = error.resp
            if _MISSING not in answer.url:
                raise
        if _MISSING in answer.url:
            raise AttemptError(UpstreamReason.GARBLED, "nothing of this number", is_absent=True)
        if _LOGIN in urlsplit(answer.url).path:
            raise AttemptError(UpstreamReason.LOGIN_REQUIRED, "leads to the login", is_refusal=True)
        return str(answer.text)

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
        client = JmHtmlClient(postman, domain_list=[host], retry_times=0)
        if self._observer:
            client.get_jm_html = partial(_get_observed, client.get_jm_html, self._observer)
        return client


def page_data(path: str, page: str) -> dict[str, Any]:
    """What is read of the page at this path, for checks of the site; nothing of a page of another kind.

    Raises `AttemptError` for a page that can't be read.
    """
    with reading_answer():
        if path.startswith("/album/"):
            return _album_data(JmcomicText.parse_jm_base64_html(page))
        if path.startswith("/photo/"):
            return _chapter_data(page)
        if path.startswith("/search/"):
            return _list_data(JmPageTool.parse_html_to_search_page(page), page)
        return _list_data(JmPageTool.parse_html_to_category_page(page), page) if path.startswith("/albums") else {}


def _get_observed(get: Callable[..., Any], observer: AnswerObserver, url: str, **options: Any) -> Any:
    observer.before_request(2)
    answer = None
    try:
        answer = get(url, **options)
        return answer
    except ResponseUnexpectedException as error:
        answer = error.resp
        raise
    finally:
        for _ in range(0 if answer is None else answer.redirect_count):
            observer.after_request(None)
        observer.after_request(None if answer is None else SiteAnswer(urlsplit(answer.url).path, answer))


def _album_from_page(page: str, id: str) -> AlbumDetail:
    page = JmcomicText.parse_jm_base64_html(page)
    data = _album_data(page)
    if data["id"] is None:
        raise failure_of_answer(200, page)
    album = album_from_data(data, id, _HTML)
    has_all = album.has_all_chapters and _links_only(page, {chapter.id for chapter in album.chapters})
    return replace(album, has_all_chapters=has_all)


def _album_data(page: str) -> dict[str, Any]:
    chapters = JmcomicText.pattern_html_album_episode_list.findall(page)
    return {
        **{key: found[1] if (found := pattern.search(page)) else None for key, pattern in _TEXTS.items()},
        **{key: _link_texts(pattern, page) for key, pattern in _NAMES.items()},
        "series": [{"id": number, "sort": sort, "name": name} for number, sort, name in chapters],
        "related_list": [{"id": number, "name": title} for number, title in _related(page)],
    }


def _links_only(page: str, chapter_ids: set[str]) -> bool:
    """True when the page links to these chapters and to no other; a page without any link to one is cut.

    jmcomic's pattern does not recognise the lists of every mirror: a series then looks like a single album.
    """
    linked = {number.lstrip("0") for number in _CHAPTER_LINK.findall(page)}
    return bool(linked) and linked <= chapter_ids


def _chapter_from_page(page: str, id: str) -> ChapterDetail:
    data = _chapter_data(page)
    if data["id"] is None:
        raise failure_of_answer(200, page)
    return chapter_from_data(data, id, int(data["scramble_id"] or 0))


def _chapter_data(page: str) -> dict[str, Any]:
    def find(pattern: re.Pattern[str]) -> str | None:
        return found[1] if (found := pattern.search(page)) else None

    return {
        "id": find(JmcomicText.pattern_html_photo_photo_id),
        "scramble_id": find(JmcomicText.pattern_html_photo_scramble_id),
        "name": find(JmcomicText.pattern_html_photo_name),
        "series_id": find(JmcomicText.pattern_html_photo_series_id),
        "images": json.loads(find(JmcomicText.pattern_html_photo_page_arr) or "null"),
    }


def _page_of_album(album: AlbumDetail) -> AlbumListPage:
    return AlbumListPage((AlbumSummary(album.id, album.title, album.tags),), page=1, page_count=1, total=1)


def _categories(page: str) -> dict[str, str]:
    """The category that stands in the row of each album: {"350234": "同人"}. jmcomic finds it and leaves it out."""
    rows = JmPageTool.pattern_html_search_album_info_list.findall(page)
    return {id: found[1] for id, _, labels, _ in rows if (found := _CATEGORY_LABEL.search(labels))}


def _list_data(listed: Any, page: str, categories: Mapping[str, str] = MappingProxyType({})) -> dict[str, Any]:
    rows = [
        {"id": id, "name": row.get("name"), "tags": row.get("tags"), "category": categories.get(id)}
        for id, row in listed.content
    ]
    return {"content": rows, "total": found[1] if (found := _TOTAL.search(page)) else None}


def _link_texts(pattern: re.Pattern[str], page: str) -> list[str]:
    return _LINK_TEXT.findall(found[1]) if (found := pattern.search(page)) else []


def _related(page: str) -> list[tuple[str, str]]:
    titles: dict[str, str] = {}
    for id, inside in _ALBUM_LINK.findall(page):
        title = found[1] if (found := _TITLE.search(inside)) else _MARKUP.sub(" ", inside)
        if title.strip():
            titles.setdefault(id, title)
    return list(titles.items())
