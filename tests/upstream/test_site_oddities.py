"""What the real site was seen to do, as the demo site imitates it: each oddity is tolerated, refused or told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

import pytest

from demo.server import RunningDemo
from services.catalog import ChapterRef, RankingQuery, SearchQuery, SourceMethod
from services.errors import UpstreamFailure, UpstreamReason
from services.upstream import UpstreamClient

pytestmark = pytest.mark.anyio

OpenUpstream = Callable[..., AbstractAsyncContextManager[UpstreamClient]]

BOTH = pytest.mark.parametrize("method", ["api", "html"])


async def failure_of(call: Awaitable[object]) -> UpstreamFailure:
    with pytest.raises(UpstreamFailure) as raised:
        await call
    return raised.value


def titles(chapters: tuple[ChapterRef, ...]) -> list[tuple[str, int]]:
    return [(chapter.id, chapter.index) for chapter in chapters]


# --- another album's answer ------------------------------------------------------------------------------------


@BOTH
async def test_another_albums_answer_is_a_failed_attempt_and_the_next_host_is_used(
    upstream_to: OpenUpstream, demo: RunningDemo, method: str
) -> None:
    demo.knobs.set(f"{method}-1", failure="decoy")
    async with upstream_to(jm_method=method) as upstream:
        album, chapter = await upstream.album("350234"), await upstream.chapter("333909")

    assert album is not None
    assert chapter is not None
    assert (album.id, album.title) == ("350234", "雨林深處的一天")
    assert (chapter.id, chapter.title, len(chapter.page_names)) == ("333909", "轉彎", 14)


@BOTH
@pytest.mark.parametrize("id", ["350234", "333909", "900404", "5"])
async def test_a_site_that_serves_decoys_alone_is_a_failure_that_says_so(
    upstream_to: OpenUpstream, demo: RunningDemo, method: str, id: str
) -> None:
    demo.knobs.set("*", failure="decoy")
    async with upstream_to(jm_method=method, jm_retries=1) as upstream:
        failures = [await failure_of(upstream.album(id)), await failure_of(upstream.chapter(id))]

    assert {failed.reason for failed in failures} == {UpstreamReason.GARBLED}
    assert {failed.message for failed in failures} == {
        "The site answered with another album than the one requested: it serves decoys to this client."
    }


@BOTH
async def test_the_decoy_itself_can_be_read_by_its_own_number(
    upstream_to: OpenUpstream, demo: RunningDemo, method: str
) -> None:
    demo.knobs.set("*", failure="decoy")
    async with upstream_to(jm_method=method) as upstream:
        album = await upstream.album("123456")

    assert album is not None
    assert album.title == "誘餌"


# --- what a chapter and an album list --------------------------------------------------------------------------


@BOTH
async def test_entries_that_are_no_pages_are_left_out_and_noted(upstream_to: OpenUpstream, method: str) -> None:
    async with upstream_to(jm_method=method) as upstream:
        chapter = await upstream.chapter("900301")

    assert chapter is not None
    assert chapter.page_names == tuple(f"{number:05}.webp" for number in range(1, 9))
    assert chapter.notes == ("5 entries that are no pages were left out",)


@BOTH
@pytest.mark.parametrize(
    ("id", "chapters"),
    [
        ("900305", [("900305", 1), ("900306", 2), ("900307", 3)]),
        ("900308", [("900308", 1), ("900309", 2), ("900310", 3)]),
    ],
)
async def test_chapters_of_one_number_or_of_none_are_all_there(
    upstream_to: OpenUpstream, method: str, id: str, chapters: list[tuple[str, int]]
) -> None:
    async with upstream_to(jm_method=method) as upstream:
        album = await upstream.album(id)

    assert album is not None
    assert titles(album.chapters) == chapters
    assert album.page_count == 12


@pytest.mark.parametrize("method", ["html", "auto"])
async def test_a_list_of_chapters_that_is_not_recognised_is_read_by_the_api(
    upstream_to: OpenUpstream, method: str
) -> None:
    async with upstream_to(jm_method=method) as upstream:
        album = await upstream.album("900303")

    assert album is not None
    assert titles(album.chapters) == [("900303", 1), ("900304", 2), ("900333", 3)]
    assert (album.source, album.has_all_chapters, album.page_count) == (SourceMethod.API, True, 60)


async def test_without_the_api_an_unrecognised_list_is_shown_and_marked(
    upstream_to: OpenUpstream, demo: RunningDemo
) -> None:
    async with upstream_to(jm_method="html", jm_api_urls=(demo.dead_url,), jm_retries=1) as upstream:
        album = await upstream.album("900303")
        plain = await upstream.album("350234")

    assert album is not None
    assert plain is not None
    assert (titles(album.chapters), album.has_all_chapters) == ([("900303", 1)], False)
    assert plain.has_all_chapters


@BOTH
async def test_a_chapter_names_the_album_that_is_gone(upstream_to: OpenUpstream, method: str) -> None:
    async with upstream_to(jm_method=method) as upstream:
        album, chapter = await upstream.album("900302"), await upstream.chapter("900311")

    assert album is not None
    assert chapter is not None
    assert titles(album.chapters) == [("900302", 1), ("900311", 2)]
    assert (chapter.album_id, len(chapter.page_names)) == ("900399", 8)


# --- other shapes ----------------------------------------------------------------------------------------------


async def test_an_album_in_odd_shapes_is_read_as_far_as_it_goes(upstream_to: OpenUpstream) -> None:
    async with upstream_to() as upstream:
        album, chapter = await upstream.album("900314"), await upstream.chapter("900314")

    assert album is not None
    assert chapter is not None
    assert album.title == "示範：茶 & 咖啡"
    assert (album.tags, album.works, album.characters) == (("全彩", "中文"), ("原創",), ())
    assert (album.page_count, album.comment_count, album.published_on) == (0, 0, None)
    assert titles(album.chapters) == [("900314", 1)]
    assert chapter.page_names == tuple(f"{number:05}.webp" for number in range(1, len(chapter.page_names) + 1))


async def test_a_site_of_odd_shapes_says_the_same_as_ever(upstream_to: OpenUpstream, demo: RunningDemo) -> None:
    async def everything(upstream: UpstreamClient) -> list[object]:
        ranking = await upstream.ranking(RankingQuery())
        return [
            await upstream.album("350234"),
            await upstream.album("333908"),
            await upstream.chapter("333909"),
            await upstream.search(SearchQuery("全彩")),
            await upstream.search(SearchQuery("350234")),
            (ranking.total, ranking.has_next, ranking.entries),
            await upstream.comments("350234", 1),
        ]

    async with upstream_to() as upstream:
        usual = await everything(upstream)
    demo.knobs.set("api", failure="odd_shapes")
    async with upstream_to() as upstream:
        odd = await everything(upstream)

    assert odd == usual


@BOTH
async def test_without_a_total_what_is_shown_counts_and_pages_go_on_while_they_are_full(
    upstream_to: OpenUpstream, demo: RunningDemo, method: str
) -> None:
    async with upstream_to(jm_method=method) as upstream:
        known = (await upstream.ranking(RankingQuery())).total
        demo.knobs.set("*", failure="no_total")
        first, third = [await upstream.ranking(RankingQuery(page=page)) for page in (1, 3)]
        found = await upstream.search(SearchQuery("全彩"))

    assert (first.total, first.page_count, first.has_next) == (80, 2, True)
    assert (third.total, third.page_count, third.has_next) == (known, 3, False)
    assert (found.total, found.page_count) == (80, 2)


# --- absences and refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", ['""', "[]", "null", "{}"])
async def test_one_empty_answer_is_no_absence(upstream_to: OpenUpstream, demo: RunningDemo, shape: str) -> None:
    demo.knobs.set("api-1", failure="empty_data", path="/album", shape=shape)
    demo.knobs.set("api-1", failure="empty_data", path="/chapter?", shape=shape)
    async with upstream_to() as upstream:
        album, chapter = await upstream.album("350234"), await upstream.chapter("350234")
        status = await upstream.status()

    assert album is not None
    assert chapter is not None
    assert (album.title, len(chapter.page_names)) == ("雨林深處的一天", 24)
    assert all(host.healthy for host in status.hosts)


async def test_an_absence_counts_when_a_second_host_confirms_it(upstream_to: OpenUpstream, demo: RunningDemo) -> None:
    async with upstream_to() as upstream:
        assert await upstream.chapter("900404") is None

    assert [demo.requests.count("/chapter?id=900404", host=f"api-{number}") for number in (1, 2)] == [1, 1]


async def test_a_host_that_is_alone_confirms_its_absence_itself(upstream_to: OpenUpstream, demo: RunningDemo) -> None:
    async with upstream_to(jm_api_urls=(demo.api_url,)) as upstream:
        assert await upstream.chapter("900404") is None
        demo.knobs.set("api", failure="empty_data", path="/chapter?", fail_next=1)
        assert await upstream.chapter("350234") is not None

    assert demo.requests.count("/chapter?id=900404", role="api") == 2


async def test_the_first_host_is_asked_again_where_no_other_can_confirm(
    upstream_to: OpenUpstream, demo: RunningDemo
) -> None:
    demo.knobs.set("api-1", failure="empty_data", path="/chapter?", fail_next=1)
    demo.knobs.set("api-2", failure="server_error", path="/chapter?")
    async with upstream_to(jm_retries=1) as upstream:
        assert await upstream.chapter("350234") is not None


@pytest.mark.parametrize("method", ["api", "auto"])
async def test_a_login_that_one_album_wants_is_told_and_is_no_fault_of_a_host(
    upstream_to: OpenUpstream, demo: RunningDemo, method: str
) -> None:
    async with upstream_to(jm_method=method) as upstream:
        failures = [await failure_of(call("900315")) for call in (upstream.album, upstream.chapter)]
        status = await upstream.status()

    assert {failed.reason for failed in failures} == {UpstreamReason.LOGIN_REQUIRED}
    assert {failed.message for failed in failures} == {"The site shows this only to people who are logged in there."}
    assert not any(failed.retryable for failed in failures)
    assert status.reachable
    assert all(host.healthy for host in status.hosts)
    assert demo.requests.count("/album?id=900315", role="api") == 1


async def test_a_refused_number_is_told_and_is_no_fault_of_a_host(
    upstream_to: OpenUpstream, demo: RunningDemo
) -> None:
    async with upstream_to() as upstream:
        failed = await failure_of(upstream.album("900316"))
        status = await upstream.status()

    assert (failed.reason, failed.retryable) == (UpstreamReason.REFUSED, False)
    assert failed.message == "The site refuses this number."
    assert all(host.healthy for host in status.hosts)
    assert demo.requests.count("/album?id=900316", role="api") == 1


async def test_a_refusal_of_a_list_is_about_no_number(upstream_to: OpenUpstream, demo: RunningDemo) -> None:
    demo.knobs.set("api", failure="refused_id", path="/categories")
    async with upstream_to(jm_retries=1) as upstream:
        failed = await failure_of(upstream.ranking(RankingQuery()))

    assert failed.reason is UpstreamReason.GARBLED
    assert demo.requests.count("/categories", role="api") == 2
