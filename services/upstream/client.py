"""Reads the JM site: returns records, raises `UpstreamFailure`, and nothing of jmcomic.

A call is one logical fetch and counts as one in `current_stats().upstream_calls`, however many attempts, hosts and
requests it takes; for a number that turns out to be a chapter's the look-ups on the way to its album count as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from functools import partial
from typing import TypeVar

import structlog

from services.errors import InvalidInput, UpstreamFailure, UpstreamReason
from services.observability import Priority, current_stats, open_stats
from services.redis import RedisClient
from services.settings import Settings
from services.upstream.account_api import JmAccountApi
from services.upstream.account_client import SiteAccountClient
from services.upstream.api import JmApi, NoScrambleId
from services.upstream.failures import AttemptError
from services.upstream.host_lists import FILE_NAME, ListAddresses
from services.upstream.hosts import HostLists, Hosts
from services.upstream.html import JmHtml
from services.upstream.http import AttemptObserver, Deadline, UpstreamHttp
from services.upstream.ids import number_of
from services.upstream.limiter import Limiter
from services.upstream.records import (
    AlbumDetail,
    AlbumListPage,
    AlbumSummary,
    ChapterDetail,
    CommentPageRecord,
    HostRole,
    RankingPage,
    RankingQuery,
    SearchQuery,
    UpstreamStatus,
)
from services.upstream.sources import SourceCall, SourceFallback, SourceSelector
from services.upstream.transport import (
    AnswerObserver,
    ImageCdn,
    ObservedSession,
    Proxies,
    cover_path,
    new_session,
    page_path,
)

log = structlog.get_logger("jmgraph.upstream")

T = TypeVar("T")


_USUAL_SCRAMBLE_ID = 220980
"""Of nearly every chapter. Source: jmcomic 2.7.10, `JmMagicConstants.SCRAMBLE_220980`."""

_PICTURE_WEIGHT = 0.1
"""Of a picture in a client's budget of calls, where a page of the site is one: CDNs send pictures by the thousand."""

_SPARE_CONNECTIONS = 4
"""Beyond the limiter's number, for lists of hosts."""


@asynccontextmanager
async def open_upstream(
    settings: Settings,
    redis: RedisClient | None,
    *,
    on_attempt: AttemptObserver | None = None,
    list_addresses: ListAddresses | None = None,
    observer: AnswerObserver | None = None,
) -> AsyncIterator[UpstreamClient]:
    """The client of this process; nothing is requested before the first call.

    With `redis` the limits hold over all processes, without it for this one. `on_attempt` is called after every
    attempt at a host: role, host, reason (None: it answered), seconds; `observer` sees every request.
    """
    proxies = Proxies(settings.jm_proxy.get_secret_value())
    timeout_s, concurrency = settings.jm_timeout_s, settings.jm_concurrency
    session = new_session(timeout_s=timeout_s, max_clients=concurrency + _SPARE_CONNECTIONS)
    once_session = new_session(timeout_s=timeout_s, max_clients=concurrency, reuses_connections=False)
    if observer:
        session, once_session = ObservedSession(session, observer), ObservedSession(once_session, observer)
    html = JmHtml(proxies, timeout_s, concurrency, observer)
    limiter = Limiter(concurrency, settings.jm_rate_per_s, redis)
    lists = HostLists(
        {
            HostRole.API: settings.jm_api_urls,
            HostRole.HTML: settings.jm_html_urls,
            HostRole.IMAGE: settings.jm_image_urls,
        },
        file=settings.data_dir / FILE_NAME,
        session=session,
        proxies=proxies,
        addresses=list_addresses,
    )
    http = UpstreamHttp(limiter, timeout_s=timeout_s, attempts=settings.jm_retries, on_attempt=on_attempt)
    api = JmApi(session, proxies, timeout_s)
    client = UpstreamClient(
        lists=lists,
        http=http,
        selector=SourceSelector(settings.jm_method),
        api=api,
        accounts=SiteAccountClient(lists, http, JmAccountApi(api, session, once_session, proxies, timeout_s)),
        html=html,
        cdn=ImageCdn(session, proxies),
    )
    try:
        yield client
    finally:
        await client.aclose()
        await lists.aclose()
        await limiter.aclose()
        html.close()
        await once_session.close()
        await session.close()


class UpstreamClient:
    """Reads the site as a guest. Made by `open_upstream`; one per process.

    Every call raises `UpstreamFailure` when the site can't be read; what is not there is None. `accounts` is for what
    people do with their own accounts there.
    """

    def __init__(
        self,
        *,
        lists: HostLists,
        http: UpstreamHttp,
        selector: SourceSelector,
        api: JmApi,
        accounts: SiteAccountClient,
        html: JmHtml,
        cdn: ImageCdn,
    ) -> None:
        self.accounts = accounts
        self._lists = lists
        self._http = http
        self._api = api
        self._html = html
        self._cdn = cdn
        lists.add_reader(HostRole.IMAGE, self._read_image_hosts)
        self._sources = SourceFallback(lists, http, selector, partial(html.ranking, query=RankingQuery()))

    async def album(self, id: str) -> AlbumDetail | None:
        """The album of this number (digits); a chapter's number leads to its album, which lists it."""
        if album := await self._album(id):
            return album
        chapter = await self._chapter_of_any_album(id)
        if chapter is None or chapter.album_id == id:
            return None
        album = await self._album(chapter.album_id)
        if album and album.has_all_chapters and id not in {listed.id for listed in album.chapters}:
            raise UpstreamFailure(UpstreamReason.GARBLED, "The site names an album that does not list this chapter.")
        return album

    async def album_by_api(self, id: str) -> AlbumDetail | None:
        """The album of this number, by the API, whose list of chapters is whole whatever the web pages show."""
        current_stats().charge_call()
        with _failures_of("album"):
            hosts = await self._lists.ready(HostRole.API)
            return await self._call_or_none(self._api.album, id)(hosts, self._http.deadline(), None)

    async def chapter(self, id: str) -> ChapterDetail | None:
        """The chapter of this number. A chapter without a single page is one: `page_names` is empty."""

        async def by_api(hosts: Hosts, deadline: Deadline, attempts: int | None) -> ChapterDetail | None:
            scramble = asyncio.create_task(
                self._http.request(hosts, partial(self._api.scramble_id, chapter_id=id), deadline, attempts=attempts)
            )
            try:
                chapter = await _none_if_absent(
                    self._http.request(hosts, partial(self._api.chapter, id=id), deadline, attempts=attempts)
                )
                return chapter and await _with_scramble_id(chapter, scramble)
            finally:
                scramble.cancel()
                await asyncio.gather(scramble, return_exceptions=True)

        async def by_html(hosts: Hosts, deadline: Deadline, attempts: int | None) -> ChapterDetail | None:
            chapter = await self._call_or_none(self._html.chapter, id)(hosts, deadline, attempts)
            if chapter is None or chapter.scramble_id:
                return chapter
            api_hosts = await self._lists.ready(HostRole.API)
            scramble_id = partial(self._api.scramble_id, chapter_id=id)
            return await _with_scramble_id(chapter, self._http.request(api_hosts, scramble_id, deadline))

        return await self._fetch(by_html, by_api)

    async def search(self, q: SearchQuery) -> AlbumListPage:
        """A page of a search. A query that is an album's number gives that album alone.

        `q.exclude` goes to the site, except with a number; the site may not respect it. Raises `InvalidInput` for
        what the site refuses to search for.
        """
        text = search_text(q)
        found = await self._fetch(
            self._call(partial(self._html.search, query=q, text=text)),
            self._call(partial(self._api.search, query=q, text=text)),
        )
        if isinstance(found, AlbumListPage):
            return found
        album = await self._album(found)
        items = (AlbumSummary(album.id, album.title, album.tags),) if album else ()
        return AlbumListPage(items, page=1, page_count=len(items), total=len(items))

    async def ranking(self, q: RankingQuery) -> RankingPage:
        """A page of a ranking, 80 albums long; a page behind the last one is empty."""
        return await self._fetch(
            self._call(partial(self._html.ranking, query=q)), self._call(partial(self._api.ranking, query=q))
        )

    async def comments(self, album_id: str, page: int) -> CommentPageRecord:
        """A page of an album's comments, always by the API: the web pages give no totals."""
        current_stats().charge_call()
        with _failures_of("comments"):
            hosts = await self._lists.ready(HostRole.API)
            fetch = partial(self._api.comments, album_id=album_id, page=page)
            return await self._http.request(hosts, fetch, self._http.deadline())

    async def cover(self, album_id: str) -> bytes | None:
        """The cover as the CDN sends it, of any format that `sniff` knows. None where there is none."""
        with _failures_of("cover"):
            try:
                return await self._picture(cover_path(album_id))
            except AttemptError as failed:
                if failed.is_absent:
                    return None
                raise

    async def page(self, chapter: ChapterDetail, index: int, *, bypass_cache: bool = False) -> bytes:
        """A page as the CDN sends it, perhaps scrambled; `index` is 1-based.

        `bypass_cache` is for a page that was fetched and does not decode: what the CDN's cache has of it is not used.

        A page that is listed but on no host is an error of the site, not an absence: GARBLED. Raises
        `InvalidInput` for an index out of range.
        """
        if not 1 <= index <= len(chapter.page_names):
            raise InvalidInput("index", f"The chapter has pages 1 to {len(chapter.page_names)}.")
        with _failures_of("page"):
            path = page_path(chapter.id, chapter.page_names[index - 1])
            return await self._picture(path, bypass_cache=bypass_cache)

    async def status(self) -> UpstreamStatus:
        """What is known of the site, without a request to it."""
        of_all = [self._lists.of(role) for role in HostRole]
        asked_at = [hosts.asked_at for hosts in of_all if hosts.asked_at]
        return UpstreamStatus(
            method=self._sources.current,
            reachable=self._sources.is_reachable,
            checked_at=max(asked_at, default=None),
            hosts=tuple(host for hosts in of_all for host in hosts.statuses()),
        )

    async def probe(self) -> UpstreamStatus:
        """Send every host one request, all at the same time; the status after that."""
        await self._lists.refresh()
        checks: dict[HostRole, Callable[[str], Awaitable[object]]] = {
            HostRole.API: self._api.settings,
            HostRole.HTML: partial(self._html.ranking, query=RankingQuery()),
            # whether there is such a cover does not matter: a host that answers 404 is up
            HostRole.IMAGE: partial(self._cdn.picture, path=cover_path("1")),
        }
        targets = [(self._lists.of(role), host) for role in HostRole for host in self._lists.of(role)]
        answered = await asyncio.gather(
            *(self._http.check(hosts, host, checks[hosts.role]) for hosts, host in targets)
        )
        accepted = [ok for (hosts, _), ok in zip(targets, answered, strict=True) if hosts.role is HostRole.HTML]
        if accepted:
            self._sources.note_html(is_accepted=any(accepted))
        return await self.status()

    async def aclose(self) -> None:
        """Cancel what runs in the background."""
        await self._sources.aclose()

    async def _album(self, id: str) -> AlbumDetail | None:
        async def by_html(hosts: Hosts, deadline: Deadline, attempts: int | None) -> AlbumDetail | None:
            album = await self._call_or_none(self._html.album, id)(hosts, deadline, attempts)
            if album is None or album.has_all_chapters:
                return album
            try:
                return await self.album_by_api(id) or album
            except UpstreamFailure:
                return album

        return await self._fetch(by_html, self._call_or_none(self._api.album, id))

    async def _chapter_of_any_album(self, id: str) -> ChapterDetail | None:
        return await self._fetch(
            self._call_or_none(self._html.chapter, id), self._call_or_none(self._api.chapter, id)
        )

    async def _picture(self, path: str, *, bypass_cache: bool = False) -> bytes:
        current_stats().charge_call(_PICTURE_WEIGHT)
        hosts = await self._lists.ready(HostRole.IMAGE)
        fetch = partial(self._cdn.picture, path=path, bypass_cache=bypass_cache)
        return await self._http.request(hosts, fetch, self._http.deadline(), takes_token=False)

    async def _read_image_hosts(self) -> tuple[str, ...]:
        hosts = await self._lists.ready(HostRole.API)
        with open_stats(Priority.BACKGROUND):
            try:
                return await self._http.request(hosts, self._api.image_urls, self._http.deadline(), attempts=1)
            except AttemptError as failed:
                log.debug("the app's settings could not be read", reason=failed.reason.value)
                return ()

    def _call(self, fetch: Callable[..., Awaitable[T]], *arguments: str) -> SourceCall[T]:
        async def call(hosts: Hosts, deadline: Deadline, attempts: int | None) -> T:
            return await self._http.request(hosts, lambda host: fetch(host, *arguments), deadline, attempts=attempts)

        return call

    def _call_or_none(self, fetch: Callable[..., Awaitable[T]], id: str) -> SourceCall[T | None]:
        async def call(hosts: Hosts, deadline: Deadline, attempts: int | None) -> T | None:
            return await _none_if_absent(self._call(fetch, id)(hosts, deadline, attempts))

        return call

    async def _fetch(self, by_html: SourceCall[T], by_api: SourceCall[T]) -> T:
        current_stats().charge_call()
        with _failures_of("call"):
            return await self._sources.fetch(by_html, by_api)


async def _none_if_absent(call: Awaitable[T]) -> T | None:
    try:
        return await call
    except AttemptError as failed:
        if failed.is_absent:
            return None
        raise


async def _with_scramble_id(chapter: ChapterDetail, scramble_id: Awaitable[int]) -> ChapterDetail:
    """The chapter with its scramble id; the usual one where hosts have its page without any."""
    try:
        return replace(chapter, scramble_id=await scramble_id)
    except NoScrambleId:
        note = f"no scramble id was found; {_USUAL_SCRAMBLE_ID} was assumed"
        return replace(chapter, scramble_id=_USUAL_SCRAMBLE_ID, notes=(*chapter.notes, note))


def search_text(q: SearchQuery) -> str:
    """The text to search for: the words, then each excluded tag with a minus; for a number its digits alone."""
    if number := number_of(q.text):
        return number
    # the site would split a tag with a blank in two, and search for the second half
    excluded = [f"-{tag}" for tag in map(str.strip, q.exclude) if tag and not any(map(str.isspace, tag))]
    return " ".join([q.text.strip(), *excluded])


@contextmanager
def _failures_of(what: str) -> Iterator[None]:
    try:
        yield
    except AttemptError as failed:
        log.info("the site could not be read", what=what, reason=failed.reason.value, detail=failed.detail)
        raise failed.as_failure() from failed
