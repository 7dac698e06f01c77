from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

import pytest

from demo.server import RunningDemo
from services.catalog import AlbumSummary, HostRole, RankingQuery, SearchQuery, SourceMethod
from services.errors import InvalidInput, UpstreamFailure, UpstreamReason
from services.upstream import ListAddresses, UpstreamClient
from services.upstream.sources import FIRST_REFUSED_S, LONGEST_REFUSED_S, SourceSelector
from tests.fakes import Clock

pytestmark = pytest.mark.anyio

OpenUpstream = Callable[..., AbstractAsyncContextManager[UpstreamClient]]

HTML, API = SourceMethod.HTML, SourceMethod.API


async def source_of(upstream: UpstreamClient, id: str = "350234") -> SourceMethod | None:
    album = await upstream.album(id)
    return album.source if album else None


async def test_the_web_pages_are_used_first_where_they_work(upstream_to: OpenUpstream, demo: RunningDemo) -> None:
    async with upstream_to(jm_method="auto") as upstream:
        assert await source_of(upstream) is HTML
        assert (await upstream.status()).method is HTML

    assert demo.requests.count(role="api") == 0


@pytest.mark.parametrize("failure", ["region", "restricted", "challenge", "drop", "maintenance", "rate_limit"])
async def test_the_api_is_used_within_the_call_and_afterwards(
    upstream_to: OpenUpstream, demo: RunningDemo, failure: str
) -> None:
    demo.knobs.set("html", failure=failure)
    async with upstream_to(jm_method="auto") as upstream:
        assert await source_of(upstream) is API
        asked = demo.requests.count(role="html")
        assert await source_of(upstream) is API
        assert await upstream.search(SearchQuery("全彩"))
        status = await upstream.status()

    assert (status.method, status.reachable) == (API, True)
    assert demo.requests.count(role="html") == asked == 2


async def test_web_pages_that_hang_delay_a_call_only_briefly(upstream_to: OpenUpstream, demo: RunningDemo) -> None:
    demo.knobs.set("html", failure="hang")
    async with upstream_to(jm_method="auto", jm_timeout_s=0.3) as upstream:
        async with asyncio.timeout(3):
            assert await source_of(upstream) is API


async def test_one_album_that_fails_by_html_does_not_change_the_method(
    upstream_to: OpenUpstream, demo: RunningDemo
) -> None:
    demo.knobs.set("html", path="/album/350234", failure="garbage")
    async with upstream_to(jm_method="auto") as upstream:
        assert await source_of(upstream) is API
        assert await source_of(upstream, "1208626") is HTML


async def test_what_both_methods_refuse_fails_and_changes_nothing(upstream_to: OpenUpstream) -> None:
    async with upstream_to(jm_method="auto") as upstream:
        with pytest.raises(UpstreamFailure) as raised:
            await upstream.album("900403")
        assert await source_of(upstream) is HTML

    assert raised.value.reason is UpstreamReason.REGION_BLOCKED


async def test_an_absence_on_the_web_pages_is_confirmed_by_the_api(
    upstream_to: OpenUpstream, demo: RunningDemo
) -> None:
    async with upstream_to(jm_method="auto") as upstream:
        assert await upstream.album("77") is None
        assert demo.requests.count("/album/77", role="html") == 1
        assert demo.requests.count("/album?id=77", role="api") == 2
        demo.knobs.set("api", failure="server_error")
        assert await upstream.album("77") is None


async def test_the_web_pages_are_used_when_the_api_fails(upstream_to: OpenUpstream, demo: RunningDemo) -> None:
    demo.knobs.set("html", failure="challenge")
    async with upstream_to(jm_method="auto") as upstream:
        assert await source_of(upstream) is API
        demo.knobs.set("html", failure=None)
        demo.knobs.set("api", failure="server_error")
        assert await source_of(upstream) is HTML
        assert (await upstream.status()).method is HTML


async def test_a_probe_returns_to_the_web_pages(upstream_to: OpenUpstream, demo: RunningDemo) -> None:
    demo.knobs.set("html", failure="challenge")
    async with upstream_to(jm_method="auto") as upstream:
        assert await source_of(upstream) is API
        demo.knobs.set("html", failure=None)
        assert (await upstream.probe()).method is HTML
        assert await source_of(upstream) is HTML


async def test_hosts_of_the_web_pages_are_searched_while_the_api_answers(
    upstream_to: OpenUpstream, demo: RunningDemo, answering: Callable[[str], Awaitable[str]]
) -> None:
    addresses = ListAddresses(api=(), html=(await answering("<p>jmcomic.invalid</p>"),))
    async with upstream_to(jm_method="auto", jm_html_urls=(), list_addresses=addresses) as upstream:
        assert await source_of(upstream) is API
        async with asyncio.timeout(5):
            while (await upstream.status()).method is API:  # noqa: ASYNC110 (the list is read in the background)
                await asyncio.sleep(0.01)
        assert await source_of(upstream) is API
        status = await upstream.status()

    assert [host.url for host in status.hosts if host.role is HostRole.HTML] == ["https://jmcomic.invalid"]
    assert (status.method, status.reachable) == (API, True)


async def test_a_set_method_is_kept(upstream_to: OpenUpstream, demo: RunningDemo) -> None:
    demo.knobs.set("html", failure="challenge")
    async with upstream_to(jm_method="html") as upstream:
        with pytest.raises(UpstreamFailure):
            await upstream.ranking(RankingQuery())

    assert demo.requests.count(role="api") == 0


def test_the_web_pages_are_tried_again_after_a_cooldown_that_doubles(clock: Clock) -> None:
    method = SourceSelector("auto", clock)
    cooldowns_s = []
    for _ in range(6):
        method.note_refused()
        began_at = clock.now
        while not method.is_check_due:
            clock.move(FIRST_REFUSED_S)
        cooldowns_s.append(clock.now - began_at)

    assert cooldowns_s == [60, 120, 240, 480, LONGEST_REFUSED_S, LONGEST_REFUSED_S]
    assert method.order() == (API, HTML)
    method.note_accepted()
    assert method.order() == (HTML, API)
    assert not method.is_check_due


def test_a_set_method_is_never_probed(clock: Clock) -> None:
    for setting, only in (("html", HTML), ("api", API)):
        method = SourceSelector(setting, clock)  # type: ignore[arg-type]
        assert method.order() == (only,)
        assert not method.is_check_due
        assert not method.is_auto


async def test_what_the_site_refuses_to_search_for_is_invalid_input(
    upstream_to: OpenUpstream, answering: Callable[[str], Awaitable[str]]
) -> None:
    refusal = (
        "<fieldset>\n<legend>錯誤</legend>\n<div class=x>\n關鍵字過短，請至少輸入兩個字以上。\n</div>\n</fieldset>"
    )
    async with upstream_to(jm_method="html", jm_html_urls=(await answering(refusal),)) as upstream:
        with pytest.raises(InvalidInput) as raised:
            await upstream.search(SearchQuery("山"))

    assert raised.value.field == "query"
    assert "關鍵字過短" in raised.value.message


async def test_names_with_blanks_are_read_whole_from_a_web_page(
    upstream_to: OpenUpstream, answering: Callable[[str], Awaitable[str]]
) -> None:
    page = """<h1 id="book-name">Tom &amp; Jerry</h1><span class="number">車：JM42</span>
    var scramble_id = 220980;
    <span itemprop="author" data-type="works"><a href="#"> Blue Hills </a><a href="#">Sea</a></span>
    <span itemprop="author" data-type="actor"></span>
    <span itemprop="genre" data-type="tags"><a href="#">full color</a> <a href="#">A &lt; B</a> <a>Sea</a></span>
    <span itemprop="author" data-type="author"><a>Ann Lee</a></span>
    <h2>敘述：one
    two </h2><span class="pagecount">頁數:7</span><span>上架日期 : 2020-08-29</span><span>更新日期 : 2020-09-01</span>
    <span>3万</span>
    <span>次觀看</span><span id="albim_likes_42">[1.5K]</span>
    <a href="/album/43/x"><img title="Next &amp; last"></a><a href="/album/42/">itself</a>"""
    async with upstream_to(jm_method="html", jm_html_urls=(await answering(page),)) as upstream:
        album = await upstream.album("42")

    assert album is not None
    assert album.title == "Tom & Jerry"
    assert album.works == ("Blue Hills", "Sea")
    assert (album.characters, album.authors) == ((), ("Ann Lee",))
    assert album.tags == ("full color", "A < B", "Sea")
    assert album.description == "one\ntwo"
    assert (album.page_count, album.view_count, album.like_count, album.comment_count) == (7, 30_000, 1_500, 0)
    assert album.related == (AlbumSummary("43", "Next & last"),)
