"""The gateway: the border to the JM site. Records come out of it, `UpstreamFailure` too, nothing of jmcomic.

A call is one logical fetch and counts as one in `current_usage().upstream_calls`, however many tries, hosts and
requests it takes; a number that turns out to be a chapter's counts the look-ups on the way to its album as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TypeVar

import structlog

from services.errors import InvalidInput
from services.observability import current_usage
from services.upstream.api import JmApi
from services.upstream.failures import AttemptError
from services.upstream.host_lists import HostLists
from services.upstream.hosts import Hosts
from services.upstream.html import JmHtml
from services.upstream.http import UpstreamHttp
from services.upstream.ids import number_of
from services.upstream.images import ImageCdn, cover_path, page_path
from services.upstream.records import (
    AlbumDetail,
    AlbumListPage,
    AlbumSummary,
    ChapterDetail,
    CommentPage,
    HostRole,
    RankingPage,
    RankingQuery,
    SearchQuery,
    UpstreamStatus,
)
from services.upstream.retry_plan import Deadline
from services.upstream.source_fallback import Ask, SourceFallback
from services.upstream.source_selector import SourceSelector

log = structlog.get_logger("jmgraph.catalog")

T = TypeVar("T")


class UpstreamClient:
    """Reads the site. Made by `open_upstream`; one per process.

    Every call raises `UpstreamFailure` when the site can't be read; what is not there is None.
    """

    def __init__(
        self,
        *,
        lists: HostLists,
        calls: UpstreamHttp,
        method: SourceSelector,
        api: JmApi,
        html: JmHtml,
        cdn: ImageCdn,
    ) -> None:
        self._lists = lists
        self._calls = calls
        self._api = api
        self._html = html
        self._cdn = cdn
        self._ways = SourceFallback(lists, calls, method, partial(html.ranking, query=RankingQuery()))

    async def album(self, id: str) -> AlbumDetail | None:
        """The album of this number (digits); a chapter's number leads to its album."""
        if album := await self._album(id):
            return album
        chapter = await self._chapter_of_any_album(id)
        if chapter is None or chapter.album_id == id:
            return None
        return await self._album(chapter.album_id)

    async def chapter(self, id: str) -> ChapterDetail | None:
        """The chapter of this number. A chapter without a single page is one: `page_names` is empty."""

        async def by_api(hosts: Hosts, deadline: Deadline, tries: int | None) -> ChapterDetail | None:
            scramble = asyncio.create_task(
                self._calls.ask(hosts, partial(self._api.scramble_id, chapter_id=id), deadline, tries=tries)
            )
            try:
                chapter = await self._calls.ask(hosts, partial(self._api.chapter, id=id), deadline, tries=tries)
                return chapter and replace(chapter, scramble_id=await scramble)
            finally:
                scramble.cancel()
                await asyncio.gather(scramble, return_exceptions=True)

        return await self._go(self._ask(self._html.chapter, id), by_api)

    async def search(self, q: SearchQuery) -> AlbumListPage:
        """A page of a search. A query that is an album's number gives that album alone.

        `q.exclude` goes to the site, except with a number; the site may not keep to it. Raises `InvalidInput` for
        what the site refuses to search for.
        """
        text = search_text(q)
        found = await self._go(
            self._ask(partial(self._html.search, query=q, text=text)),
            self._ask(partial(self._api.search, query=q, text=text)),
        )
        if isinstance(found, AlbumListPage):
            return found
        album = await self._album(found)
        items = (AlbumSummary(album.id, album.title, album.tags),) if album else ()
        return AlbumListPage(items, page=1, page_count=len(items), total=len(items))

    async def ranking(self, q: RankingQuery) -> RankingPage:
        """A page of a ranking, 80 albums long; a page behind the last one is empty."""
        return await self._go(
            self._ask(partial(self._html.ranking, query=q)), self._ask(partial(self._api.ranking, query=q))
        )

    async def comments(self, album_id: str, page: int) -> CommentPage:
        """A page of an album's comments, always by the API: the web pages give no totals."""
        current_usage().upstream_calls += 1
        with _border("comments"):
            hosts = await self._lists.ready(HostRole.API)
            fetch = partial(self._api.comments, album_id=album_id, page=page)
            return await self._calls.ask(hosts, fetch, self._calls.deadline())

    async def cover(self, album_id: str) -> bytes | None:
        """The cover as the CDN sends it: webp, jpeg, png or gif by its magic bytes. None where there is none."""
        with _border("cover"):
            try:
                return await self._picture(cover_path(album_id))
            except AttemptError as failed:
                if failed.is_absent:
                    return None
                raise

    async def page(self, chapter: ChapterDetail, index: int) -> bytes:
        """A page as the CDN sends it, perhaps scrambled; `index` is 1-based.

        A page that is listed but on no host is a broken promise of the site, not an absence: GARBLED. Raises
        `InvalidInput` for an index out of range.
        """
        if not 1 <= index <= len(chapter.page_names):
            raise InvalidInput("index", f"The chapter has pages 1 to {len(chapter.page_names)}.")
        with _border("page"):
            return await self._picture(page_path(chapter.id, chapter.page_names[index - 1]))

    async def status(self) -> UpstreamStatus:
        """What is known of the site, from memory."""
        of_all = [self._lists.of(role) for role in HostRole]
        asked = [hosts.asked_at for hosts in of_all if hosts.asked_at]
        return UpstreamStatus(
            method=self._ways.current,
            reachable=self._ways.is_open,
            checked_at=max(asked, default=None),
            hosts=tuple(host for hosts in of_all for host in hosts.described()),
        )

    async def probe(self) -> UpstreamStatus:
        """Ask every host once, all at the same time, and say how they are."""
        await self._lists.refresh()
        checks: dict[HostRole, Callable[[str], Awaitable[object]]] = {
            HostRole.API: self._api.settings,
            HostRole.HTML: partial(self._html.ranking, query=RankingQuery()),
            # whether there is such a cover does not matter: a host that says no is there
            HostRole.IMAGE: partial(self._cdn.picture, path=cover_path("1")),
        }
        targets = [(self._lists.of(role), host) for role in HostRole for host in self._lists.of(role)]
        answered = await asyncio.gather(
            *(self._calls.check(hosts, host, checks[hosts.role]) for hosts, host in targets)
        )
        let_in = [ok for (hosts, _), ok in zip(targets, answered, strict=True) if hosts.role is HostRole.HTML]
        if let_in:
            self._ways.note_html(is_in=any(let_in))
        return await self.status()

    async def aclose(self) -> None:
        """End what runs in the background."""
        await self._ways.aclose()

    async def _album(self, id: str) -> AlbumDetail | None:
        return await self._go(self._ask(self._html.album, id), self._ask(self._api.album, id))

    async def _chapter_of_any_album(self, id: str) -> ChapterDetail | None:
        return await self._go(self._ask(self._html.chapter, id), self._ask(self._api.chapter, id))

    async def _picture(self, path: str) -> bytes:
        current_usage().upstream_calls += 1
        hosts = await self._lists.ready(HostRole.IMAGE)
        fetch = partial(self._cdn.picture, path=path)
        return await self._calls.ask(hosts, fetch, self._calls.deadline(), is_paced=False)

    def _ask(self, fetch: Callable[..., Awaitable[T]], *arguments: str) -> Ask[T]:
        async def ask(hosts: Hosts, deadline: Deadline, tries: int | None) -> T:
            return await self._calls.ask(hosts, lambda host: fetch(host, *arguments), deadline, tries=tries)

        return ask

    async def _go(self, by_html: Ask[T], by_api: Ask[T]) -> T:
        current_usage().upstream_calls += 1
        with _border("call"):
            return await self._ways.go(by_html, by_api)


def search_text(q: SearchQuery) -> str:
    """What is sent to the site: the words, then each excluded tag with a minus; of a number the digits alone."""
    if number := number_of(q.text):
        return number
    # a tag with a blank would be torn in two, and its second half searched for
    excluded = [f"-{tag}" for tag in map(str.strip, q.exclude) if tag and not any(map(str.isspace, tag))]
    return " ".join([q.text.strip(), *excluded])


@contextmanager
def _border(what: str) -> Iterator[None]:
    try:
        yield
    except AttemptError as failed:
        log.info("the site could not be read", what=what, reason=failed.reason.value, detail=failed.detail)
        raise failed.as_failure() from failed
