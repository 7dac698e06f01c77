"""Asks the site one thing of each kind, and says what is as expected, tolerated or broken: `jmgraph doctor --site`.

Everything is requested through the ordinary client and its limiter, one request after the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from services.errors import InvalidInput, UpstreamFailure, UpstreamReason
from services.imaging import ImageKind, ReadablePage, check_page, read_page, strips_of_page
from services.settings import Settings
from services.upstream.api import answer_data
from services.upstream.client import UpstreamClient, open_upstream
from services.upstream.contract import (
    EXPECTED,
    Facts,
    SiteFinding,
    Verdict,
    facts_of_album,
    facts_of_chapter,
    facts_of_comments,
    facts_of_list,
    facts_of_number,
    facts_of_page,
    facts_of_picture,
    facts_of_ranking,
    facts_of_scramble_id,
    finding,
    is_login,
    is_picture,
    is_whole_picture,
    numbers_in,
    oddities_of,
    read_answer,
)
from services.upstream.failures import AttemptError
from services.upstream.host_lists import FILE_NAME, ListAddresses, ListReader, read_stored_lists
from services.upstream.jmcomic_state import built_in_api_urls, built_in_image_urls
from services.upstream.mapping import OTHER_ALBUM, album_from_data, id_or_none, rows_of
from services.upstream.records import (
    AlbumDetail,
    AlbumListPage,
    ChapterDetail,
    HostRole,
    RankingQuery,
    SearchQuery,
    SourceMethod,
)
from services.upstream.transport import ObservedSession, Proxies, SiteAnswer, new_session

T = TypeVar("T")

MOST_REQUESTS = 19
"""Of one run; what would take more is skipped."""

MAX_HOSTS = 2
"""Of each role: the first, and another for what the first does not answer."""

LONGEST_ATTEMPT_S = 10.0

SEARCHED = "全彩"
"""A tag, full colour, that a large part of the albums has."""

AFTER_ALBUMS = 11
"""Requests that follow those for albums, where everything is answered."""


Report = Callable[[SiteFinding], None]


async def check_site(settings: Settings, report: Report, *, list_addresses: ListAddresses | None = None) -> None:
    """Check the configured site with at most 19 requests, and report each finding as soon as it is made.

    `list_addresses` are where hosts are published; they are read for the roles whose hosts the settings do not name.
    Raises nothing of the site's, and writes nothing.
    """
    check = _SiteCheck(settings, report)
    hosts = await check.find_hosts(list_addresses or ListAddresses())
    async with check.open_client("api", hosts) as client:
        target = await check.check_api(client)
    async with check.open_client("html", hosts) as client:
        await check.check_web(client, target)


@dataclass(frozen=True, slots=True)
class _Target:
    """What is read from both sources: an album, a chapter of it, and how many it has."""

    album_id: str
    chapter_id: str
    chapters: int = 1


class _SiteCheck:
    """One run; an `AnswerObserver`. `_answers`, `_failed` and `_reason` are of the step that was made last."""

    def __init__(self, settings: Settings, report: Report) -> None:
        self._settings = settings
        self._report = report
        self._requests = 0
        self._is_spent = False
        self._answers: list[SiteAnswer] = []
        self._failed: list[str] = []
        self._reason: UpstreamReason | None = None

    def before_request(self, cost: int) -> None:
        """Refuse what would be too many."""
        if self._requests + cost > MOST_REQUESTS:
            self._is_spent = True
            raise AttemptError(UpstreamReason.UNREACHABLE, "no request is left")

    def after_request(self, answer: SiteAnswer | None) -> None:
        """Count it."""
        self._requests += 1
        self._answers += [answer] if answer else []

    # --- hosts -------------------------------------------------------------------------------------------------

    async def find_hosts(self, addresses: ListAddresses) -> dict[HostRole, Sequence[str]]:
        """At most two hosts of each role: those of the settings, else the published ones, else those known before."""
        settings = self._settings
        stored = read_stored_lists(settings.data_dir / FILE_NAME)
        session = ObservedSession(new_session(timeout_s=LONGEST_ATTEMPT_S, max_clients=1), self)
        few = ListAddresses(addresses.api[:MAX_HOSTS], addresses.html[:MAX_HOSTS])
        reader = ListReader(session, Proxies(settings.jm_proxy.get_secret_value()), few)
        try:
            api = await self._listed("api.domains", settings.jm_api_urls, reader.read_api)
            html = await self._listed("web.domains", settings.jm_html_urls, reader.read_html)
        finally:
            await session.close()
        known: dict[HostRole, Sequence[str]] = {
            HostRole.API: api or stored.get(HostRole.API) or built_in_api_urls(),
            HostRole.HTML: html or stored.get(HostRole.HTML, ()),
            HostRole.IMAGE: settings.jm_image_urls or stored.get(HostRole.IMAGE) or built_in_image_urls(),
        }
        return {role: urls[:MAX_HOSTS] for role, urls in known.items()}

    async def _listed(
        self, name: str, given: Sequence[str], read: Callable[[], Awaitable[Sequence[str]]]
    ) -> Sequence[str]:
        if given:
            self._skip("the settings name the hosts", name)
            return given
        urls = await read()
        verdict, words = (Verdict.OK, f"{len(urls)} hosts") if urls else (Verdict.BROKEN, "no list can be read")
        self._report(SiteFinding(name, verdict, words))
        return urls

    def open_client(
        self, method: str, hosts: Mapping[HostRole, Sequence[str]]
    ) -> AbstractAsyncContextManager[UpstreamClient]:
        """The ordinary client, with one source, one request at a time and one attempt at each host."""
        changes = {
            "jm_method": method,
            "jm_api_urls": hosts[HostRole.API],
            "jm_html_urls": hosts[HostRole.HTML],
            "jm_image_urls": hosts[HostRole.IMAGE],
            "jm_retries": 1,
            "jm_concurrency": 1,
            "jm_timeout_s": min(self._settings.jm_timeout_s, LONGEST_ATTEMPT_S),
        }
        settings = self._settings.model_copy(update=changes)
        return open_upstream(settings, None, on_attempt=self._note_attempt, observer=self)

    def _note_attempt(self, _role: HostRole, host: str, reason: UpstreamReason | None, _seconds: float) -> None:
        self._failed += [f"{host} failed ({_words_of(reason)})"] if reason else []

    # --- what is checked ---------------------------------------------------------------------------------------

    async def check_api(self, client: UpstreamClient) -> _Target | None:
        """The API and the CDN. Gives what the web pages are to be asked for as well."""
        await self._step("api.ranking", lambda: client.ranking(RankingQuery()), facts_of_ranking)
        self._report_settings()
        of_a_chapter = ("api.chapter", "api.scramble_id", "image.page")
        of_an_album = ("api.comments", "image.cover")
        if self._does_not_answer:
            self._skip("the API does not answer", "api.search", "api.number", *of_a_chapter, *of_an_album)
            return None
        rows = self._rows("/categories/filter")
        await self._step("api.search", lambda: client.search(SearchQuery(SEARCHED)), facts_of_list)
        numbers = numbers_in([*rows, *self._rows("/search")])
        albums = await self._check_albums(client, numbers)
        if not albums:
            self._skip("no album was read", *of_a_chapter, *of_an_album)
            return _Target(numbers[0], numbers[0]) if numbers else None
        album = max(albums, key=lambda album: len(album.chapters))
        target = _Target(album.id, album.chapters[-1].id, len(album.chapters))
        await self._check_chapter(client, target.chapter_id)
        await self._step("api.comments", lambda: client.comments(album.id, 1), facts_of_comments)
        await self._step("image.cover", lambda: client.cover(album.id), facts_of_picture)
        return target

    async def _check_albums(self, client: UpstreamClient, numbers: Sequence[str]) -> list[AlbumDetail]:
        """Albums until a single and a series were read, or two could not be read.

        The first is read by a search for its number, which leads to it.
        """
        albums: list[AlbumDetail] = []
        for place, id in enumerate(numbers):
            if place and self._requests + 1 + AFTER_ALBUMS > MOST_REQUESTS:
                break
            if place == 0:
                facts_of = partial(facts_of_number, id)
                found = await self._step(
                    "api.number", partial(client.search, SearchQuery(id)), facts_of, id, "/album"
                )
                albums += self._albums_led_to(id) if found else []
            elif album := await self._step("api.album", partial(client.album, id), facts_of_album, id):
                albums.append(album)
            if place > len(albums) or {len(album.chapters) > 1 for album in albums} == {True, False}:
                return albums
        self._skip("no album of the other shape was read", "api.album")
        return albums

    def _albums_led_to(self, id: str) -> list[AlbumDetail]:
        """The album that the last step was led to, with a finding; none where it was led to no album."""
        albums = []
        for data in self._data("/album", id)[-1:]:
            albums.append(album_from_data(data, id, SourceMethod.API))
            words, odd, name = facts_of_album(albums[0])
            self._report(finding(name, words, [*oddities_of(data, EXPECTED["/album"]), *odd]))
        return albums

    async def _check_chapter(self, client: UpstreamClient, id: str) -> None:
        chapter = await self._step("api.chapter", lambda: client.chapter(id), facts_of_chapter, id)
        if chapter is None:
            self._skip("the chapter was not read", "api.scramble_id", "image.page")
            return
        words, odd, _ = facts_of_scramble_id(chapter)
        self._report(finding("api.scramble_id", words, odd))
        if chapter.page_names:
            await self._step("image.page", lambda: _readable_page(client, chapter), facts_of_page)

    async def check_web(self, client: UpstreamClient, target: _Target | None) -> None:
        """The web pages: lists, and the album and the chapter that the API was asked for."""
        await self._step("web.ranking", lambda: client.ranking(RankingQuery()), facts_of_ranking)
        if self._does_not_answer:
            self._skip("the web pages do not answer", "web.search", "web.number", "web.chapter")
            return
        await self._step("web.search", lambda: client.search(SearchQuery(SEARCHED)), facts_of_list)
        if target is None:
            self._skip("no number is known", "web.number", "web.chapter")
            return

        def facts_of_album_page(page: AlbumListPage) -> Facts:
            words, odd, _ = facts_of_number(target.album_id, page)
            found = sum(len(data["series"]) for data in self._data("web /album", target.album_id))
            is_short = target.chapters > 1 and found < target.chapters
            return Facts(words, (*odd, f"{found} of {target.chapters} chapters are recognised") if is_short else odd)

        query = SearchQuery(target.album_id)
        await self._step("web.number", lambda: client.search(query), facts_of_album_page, target.album_id)
        chapter_id = target.chapter_id
        await self._step("web.chapter", lambda: client.chapter(chapter_id), facts_of_chapter, chapter_id)

    # --- findings ----------------------------------------------------------------------------------------------

    async def _step(
        self,
        name: str,
        call: Callable[[], Awaitable[T | None]],
        facts_of: Callable[[T], Facts],
        about: str = "",
        besides: str = "",
    ) -> T | None:
        """What the call gives, with a finding of it; None where it is broken.

        `about` is the number requested; answers of the kind `besides` get a finding of their own.
        """
        self._answers.clear()
        self._failed.clear()
        self._reason = None
        try:
            value = await call()
            if value is None:
                self._report(SiteFinding(name, Verdict.BROKEN, "the site says that there is none"))
                return None
            facts = facts_of(value)
        except (UpstreamFailure, InvalidInput) as failure:
            self._report(self._finding_of(name, failure))
            return None
        odd = list(dict.fromkeys([*self._failed, *self._oddities(about, besides), *facts.odd]))
        self._report(finding(facts.name or name, facts.words, odd))
        return value

    def _finding_of(self, name: str, failure: UpstreamFailure | InvalidInput) -> SiteFinding:
        if self._is_spent:
            return SiteFinding(name, Verdict.SKIPPED, f"no more than {MOST_REQUESTS} requests are sent")
        if isinstance(failure, InvalidInput):
            return SiteFinding(name, Verdict.BROKEN, "the site refuses to search for this")
        self._reason = failure.reason
        detail = getattr(failure.__cause__, "detail", "") or failure.message
        if any(map(is_login, self._answers)):
            self._reason, detail = UpstreamReason.LOGIN_REQUIRED, "a login is asked for"
        if failure.message == OTHER_ALBUM:
            detail = f"a decoy, {detail}"
        return SiteFinding(name, Verdict.BROKEN, f"{_words_of(self._reason)}: {detail}", self._reason)

    @property
    def _does_not_answer(self) -> bool:
        """True when the last step failed for a reason that the next one would fail for."""
        return self._reason not in (None, UpstreamReason.GARBLED)

    def _skip(self, why: str, *names: str) -> None:
        for name in names:
            self._report(SiteFinding(name, Verdict.SKIPPED, why))

    def _report_settings(self) -> None:
        """A finding of the app's settings, which are requested before the first other thing."""
        answers = [answer for answer in self._answers if answer.path == "/setting"]
        if not answers:
            self._skip("not answered", "api.setting")
            return
        verdict = Verdict.BROKEN if self._reason else Verdict.TOLERATED
        try:
            data = answer_data(answers[-1].response, answers[-1].stamp)
        except AttemptError as failed:
            self._report(SiteFinding("api.setting", verdict, f"{_words_of(failed.reason)}: {failed.detail}"))
            return
        if data:
            self._report(finding("api.setting", "read", oddities_of(data, EXPECTED["/setting"])))
        else:
            self._report(SiteFinding("api.setting", verdict, "an empty answer"))

    def _data(self, kind: str, about: str = "") -> list[dict[str, Any]]:
        """What the answers of this kind say; with a number, those about it."""
        found = [data for kind_of, data in map(read_answer, self._answers) if kind_of == kind]
        return [data for data in found if not about or id_or_none(data.get("id")) == about]

    def _rows(self, kind: str) -> list[Mapping[str, Any]]:
        return [row for data in self._data(kind) for row in rows_of(data.get("content")) if isinstance(row, Mapping)]

    def _oddities(self, about: str, besides: str) -> Iterator[str]:
        for answer in self._answers:
            kind, data = read_answer(answer)
            if is_picture(answer) and not is_whole_picture(answer):
                yield "a picture came empty or cut short"
            elif about and id_or_none(data.get("id")) not in (None, about):
                yield "a host served a decoy, another album's answer"
            elif data and kind in EXPECTED and kind not in ("/setting", besides):
                yield from oddities_of(data, EXPECTED[kind])


async def _readable_page(client: UpstreamClient, chapter: ChapterDetail) -> tuple[ImageKind, int, ReadablePage]:
    data = await client.page(chapter, 1)
    name = chapter.page_names[0]
    count = strips_of_page(data, name, scramble_id=chapter.scramble_id, chapter_id=int(chapter.id))
    return check_page(data), count, await asyncio.to_thread(read_page, data, count)


def _words_of(reason: UpstreamReason) -> str:
    return reason.value.lower().replace("_", " ")
