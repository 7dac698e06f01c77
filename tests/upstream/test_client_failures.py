from __future__ import annotations

import asyncio
import gc
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from jmcomic import JmAlbumDetail, JmModuleConfig, JmPhotoDetail
from structlog.testing import capture_logs

from demo.server import RunningDemo
from services.catalog import ChapterDetail, HostRole, RankingQuery, SearchQuery, SourceMethod
from services.errors import ErrorCode, UpstreamFailure, UpstreamReason
from services.observability import Priority, open_stats
from services.redis import RedisClient
from services.upstream import UpstreamClient

pytestmark = pytest.mark.anyio

OpenUpstream = Callable[..., AbstractAsyncContextManager[UpstreamClient]]

BOTH = pytest.mark.parametrize("method", ["api", "html"])

FAILURES = [
    ("region", "REGION_BLOCKED"),
    ("restricted", "REGION_BLOCKED"),
    ("challenge", "CHALLENGED"),
    ("rate_limit", "RATE_LIMITED"),
    ("server_error", "GARBLED"),
    ("maintenance", "MAINTENANCE"),
    ("database", "MAINTENANCE"),
    ("drop", "UNREACHABLE"),
    ("garbage", "GARBLED"),
    ("html", "GARBLED"),
    ("empty", "GARBLED"),
    ("truncated", "GARBLED"),
    ("hang", "TIMEOUT"),
]

CALLS: dict[str, Callable[[UpstreamClient], Awaitable[object]]] = {
    "album": lambda upstream: upstream.album("350234"),
    "chapter": lambda upstream: upstream.chapter("350234"),
    "search": lambda upstream: upstream.search(SearchQuery("全彩")),
    "ranking": lambda upstream: upstream.ranking(RankingQuery()),
}


async def failure_of(call: Awaitable[object]) -> UpstreamFailure:
    with pytest.raises(UpstreamFailure) as raised:
        await call
    return raised.value


def a_chapter(album_id: str, pages: int = 12) -> ChapterDetail:
    return ChapterDetail(album_id, album_id, "", 220980, tuple(f"{number:05}.webp" for number in range(1, pages + 1)))


@BOTH
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(("failure", "reason"), FAILURES)
async def test_every_failure_of_every_call_has_its_reason(
    upstream_to: OpenUpstream, demo: RunningDemo, method: str, call: str, failure: str, reason: str
) -> None:
    async with upstream_to(jm_method=method, jm_timeout_s=1.0, jm_retries=1) as upstream:
        await upstream.album("350234")  # cookies are fetched
        demo.knobs.set("*", failure=failure)
        failed = await failure_of(CALLS[call](upstream))

    assert failed.reason is UpstreamReason(reason)


@pytest.mark.parametrize(
    ("failure", "reason"), [*FAILURES, ("short", "GARBLED"), ("missing", "GARBLED"), ("api_error", "GARBLED")]
)
async def test_every_failure_of_a_picture_has_its_reason(
    upstream_to: OpenUpstream, demo: RunningDemo, failure: str, reason: str
) -> None:
    demo.knobs.set("image", failure=failure)
    async with upstream_to(jm_timeout_s=0.3, jm_retries=1) as upstream:
        failed = await failure_of(upstream.page(a_chapter("350234"), 1))

    assert failed.reason is UpstreamReason(reason)


async def test_an_error_in_the_apis_json_is_an_unreadable_answer(
    upstream_to: OpenUpstream, demo: RunningDemo
) -> None:
    demo.knobs.set("api", path="/album", failure="api_error")
    async with upstream_to(jm_retries=1) as upstream:
        failed = await failure_of(upstream.album("350234"))

    assert (failed.reason, failed.error_code) == (UpstreamReason.GARBLED, ErrorCode.UPSTREAM_BROKEN)


async def test_a_dead_address_is_unreachable(upstream_to: OpenUpstream, demo: RunningDemo) -> None:
    async with upstream_to(jm_api_urls=(demo.dead_url,)) as upstream:
        failed = await failure_of(upstream.album("350234"))

    assert (failed.reason, failed.error_code) == (UpstreamReason.UNREACHABLE, ErrorCode.UPSTREAM_UNAVAILABLE)


async def test_an_address_that_can_not_be_resolved_is_unreachable(upstream_to: OpenUpstream) -> None:
    async with upstream_to(jm_api_urls=("http://nowhere.invalid",), jm_retries=1) as upstream:
        assert (await failure_of(upstream.album("350234"))).reason is UpstreamReason.UNREACHABLE


@BOTH
async def test_an_unreachable_host_costs_one_attempt_when_another_works(
    upstream_to: OpenUpstream, demo: RunningDemo, method: str
) -> None:
    urls = {f"jm_{method}_urls": (demo.dead_url, getattr(demo, f"{method}_url"))}
    async with upstream_to(jm_method=method, **urls) as upstream:
        for _ in range(3):
            assert await upstream.album("350234") is not None
        status = await upstream.status()

    assert [host.healthy for host in status.hosts if host.role is HostRole[method.upper()]] == [False, True]
    assert status.reachable


async def test_a_flaky_host_is_asked_as_often_as_the_settings_say(
    upstream_to: OpenUpstream, demo: RunningDemo
) -> None:
    async with upstream_to(jm_api_urls=(demo.api_url,), jm_retries=3) as upstream:
        await upstream.ranking(RankingQuery())
        demo.knobs.set("api", path="/album", failure="server_error", fail_next=2)
        assert await upstream.album("350234") is not None
        assert demo.requests.count("/album") == 3

        demo.knobs.set("api", path="/album", failure="server_error", fail_next=None)
        await failure_of(upstream.album("350234"))
        assert demo.requests.count("/album") == 6


async def test_a_host_that_refuses_us_is_asked_once(upstream_to: OpenUpstream, demo: RunningDemo) -> None:
    demo.knobs.set("api", path="/album", failure="region")
    async with upstream_to(jm_retries=3) as upstream:
        await failure_of(upstream.album("350234"))

    assert [seen.host for seen in demo.requests.find("/album")] == ["api-1", "api-2"]


async def test_retry_after_is_waited_for_and_then_the_call_succeeds(
    upstream_to: OpenUpstream, demo: RunningDemo
) -> None:
    async with upstream_to(jm_api_urls=(demo.api_url,), jm_retries=3) as upstream:
        await upstream.ranking(RankingQuery())
        demo.knobs.set("api", failure="rate_limit", retry_after_s=1, fail_next=1)
        album = await upstream.album("350234")

    first, second = demo.requests.find("/album")
    assert album is not None
    assert second.at_s - first.at_s >= 1.0


async def test_a_download_waits_longer_than_an_interactive_request(
    upstream_to: OpenUpstream, demo: RunningDemo
) -> None:
    async with upstream_to(jm_image_urls=(demo.image_url,)) as upstream:
        demo.knobs.set("image", failure="rate_limit", retry_after_s=6, fail_next=1)
        failed = await failure_of(upstream.page(a_chapter("350234"), 1))
        with open_stats(Priority.DOWNLOAD):
            began_at = time.monotonic()
            assert await upstream.page(a_chapter("350234"), 1)

    assert failed.reason is UpstreamReason.RATE_LIMITED
    assert 4 < time.monotonic() - began_at < 10


async def test_a_retry_after_beyond_the_deadline_is_passed_on(upstream_to: OpenUpstream, demo: RunningDemo) -> None:
    demo.knobs.set("api", path="/album", failure="rate_limit", retry_after_s=120)
    async with upstream_to(jm_retries=3) as upstream:
        began_at = time.monotonic()
        failed = await failure_of(upstream.album("350234"))
        again = await failure_of(upstream.ranking(RankingQuery()))

    assert time.monotonic() - began_at < 2
    assert failed.reason is UpstreamReason.RATE_LIMITED
    assert failed.retry_after_s == pytest.approx(120, abs=2)
    assert again.retry_after_s == pytest.approx(120, abs=2)
    assert demo.requests.count("/categories") == 0


async def test_a_429_slows_the_other_processes_too(
    upstream_to: OpenUpstream, demo: RunningDemo, redis_client: RedisClient
) -> None:
    demo.knobs.set("api", path="/album", failure="rate_limit", retry_after_s=60)
    async with upstream_to(redis=redis_client) as one, upstream_to(redis=redis_client) as other:
        await failure_of(one.album("350234"))
        failed = await failure_of(other.ranking(RankingQuery()))

    assert failed.reason is UpstreamReason.RATE_LIMITED
    assert demo.requests.count("/categories") == 0


@BOTH
async def test_a_call_ends_at_its_deadline(upstream_to: OpenUpstream, demo: RunningDemo, method: str) -> None:
    demo.knobs.set(method, failure="hang")
    async with upstream_to(jm_method=method, jm_timeout_s=0.4, jm_retries=3) as upstream:
        began_at = time.monotonic()
        failed = await failure_of(upstream.album("350234"))

    assert failed.error_code is ErrorCode.TIMEOUT
    assert time.monotonic() - began_at < 2.5


@pytest.mark.parametrize("knob", [{"stall_after_bytes": 2000}, {"bytes_per_s": 4000}])
async def test_a_transfer_that_stalls_or_crawls_is_cut(
    upstream_to: OpenUpstream, demo: RunningDemo, knob: dict[str, Any]
) -> None:
    demo.knobs.set("image", **knob)
    async with upstream_to(jm_timeout_s=0.5, jm_retries=1) as upstream:
        began_at = time.monotonic()
        failed = await failure_of(upstream.page(a_chapter("350234"), 1))

    assert failed.reason is UpstreamReason.TIMEOUT
    assert time.monotonic() - began_at < 3


@pytest.mark.parametrize(
    ("album_id", "page", "reason"),
    [
        ("900007", 7, "GARBLED"),
        ("900011", 3, "GARBLED"),
        ("900012", 2, "GARBLED"),
        ("900013", 5, "GARBLED"),
        ("900413", 1, "REGION_BLOCKED"),
    ],
)
async def test_a_page_that_can_not_be_fetched_is_a_failure(
    upstream_to: OpenUpstream, album_id: str, page: int, reason: str
) -> None:
    async with upstream_to() as upstream:
        chapter = await upstream.chapter(album_id)
        assert chapter is not None
        failed = await failure_of(upstream.page(chapter, page))
        assert await upstream.page(chapter, 4) if reason == "GARBLED" else True

    assert failed.reason is UpstreamReason(reason)


async def test_a_page_that_one_host_lost_comes_from_another(upstream_to: OpenUpstream, demo: RunningDemo) -> None:
    demo.knobs.set("image-1", failure="missing")
    async with upstream_to() as upstream:
        chapter = await upstream.chapter("333909")
        assert chapter is not None
        assert await upstream.page(chapter, 1)
        assert await upstream.cover("333908")

    assert demo.requests.count("/media/", host="image-2") == 2


async def test_images_that_fail_at_first_are_retried(upstream_to: OpenUpstream) -> None:
    async with upstream_to(jm_retries=3) as upstream:
        chapter = await upstream.chapter("900503")
        assert chapter is not None
        pages = await asyncio.gather(*(upstream.page(chapter, index) for index in range(1, 11)))

    assert len(pages) == 10


async def test_a_challenge_page_is_no_empty_ranking(upstream_to: OpenUpstream, demo: RunningDemo) -> None:
    demo.knobs.set("html", failure="html")
    async with upstream_to(jm_method="html", jm_retries=1) as upstream:
        assert (await failure_of(upstream.ranking(RankingQuery()))).reason is UpstreamReason.GARBLED


async def test_no_more_requests_are_under_way_than_the_settings_allow(
    upstream_to: OpenUpstream, demo: RunningDemo, redis_client: RedisClient
) -> None:
    demo.knobs.set("*", latency_s=0.05)
    async with (
        upstream_to(redis=redis_client, jm_concurrency=4) as one,
        upstream_to(redis=redis_client, jm_concurrency=4) as other,
    ):
        chapter = await one.chapter("333909")
        assert chapter is not None
        demo.requests.reset()
        with open_stats(Priority.DOWNLOAD):
            await asyncio.gather(*(upstream.page(chapter, n) for n in range(1, 15) for upstream in (one, other)))

    assert demo.requests.peak("image") == 4


async def test_redis_that_is_not_there_does_not_matter(upstream_to: OpenUpstream) -> None:
    dead = RedisClient("redis://127.0.0.1:1/0")
    async with upstream_to(redis=dead) as upstream:
        assert await upstream.album("350234") is not None
    await dead.aclose()


async def test_every_attempt_is_reported_with_its_host_and_reason(
    upstream_to: OpenUpstream, demo: RunningDemo
) -> None:
    attempts: list[tuple[HostRole, str, UpstreamReason | None]] = []
    demo.knobs.set("api-1", path="/album", failure="challenge")
    async with upstream_to(
        on_attempt=lambda role, host, reason, _: attempts.append((role, host, reason))
    ) as upstream:
        await upstream.album("350234")

    one, other = demo.api_urls
    assert attempts == [(HostRole.API, one, UpstreamReason.CHALLENGED), (HostRole.API, other, None)]


async def test_jmcomic_leaves_no_clients_open(upstream_to: OpenUpstream) -> None:
    async with upstream_to(jm_method="api") as api, upstream_to(jm_method="html") as html:
        for upstream in (api, html):
            await upstream.album("333908")
            await upstream.chapter("333909")
            await upstream.search(SearchQuery("350234"))
        gc.collect()
        kept = [one for one in gc.get_objects() if isinstance(one, JmAlbumDetail | JmPhotoDetail)]

    assert kept == []
    assert JmModuleConfig.SCRAMBLE_CACHE == {}


async def test_no_title_and_no_credential_is_logged_above_debug(
    upstream_to: OpenUpstream, demo: RunningDemo, capfd: pytest.CaptureFixture[str]
) -> None:
    url = demo.api_url.replace("http://", "http://user:secret@")
    with capture_logs() as logs:
        async with upstream_to(jm_api_urls=(url, demo.dead_url)) as upstream:
            await upstream.album("350234")
            await upstream.search(SearchQuery("雨林深處的一天"))
            await failure_of(upstream.album("900403"))
            status = await upstream.status()

    loud = [entry for entry in logs if entry["log_level"] != "debug"]
    assert [entry["event"] for entry in loud] == ["the site could not be read"]
    assert "雨林" not in str(loud)
    assert "secret" not in str(logs) + str(status) + "".join(capfd.readouterr())
    assert not logging.getLogger("jmcomic").propagate


async def test_a_client_does_not_affect_another(upstream_to: OpenUpstream, demo: RunningDemo) -> None:
    async with upstream_to(jm_api_urls=(demo.dead_url,)) as broken, upstream_to() as sound:
        failed, album = await asyncio.gather(failure_of(broken.album("350234")), sound.album("350234"))
        broken_status, status = await broken.status(), await sound.status()

    assert failed.reason is UpstreamReason.UNREACHABLE
    assert album is not None
    assert (broken_status.reachable, status.reachable) == (False, True)


async def test_cookies_and_version_are_requested_once_per_client(
    upstream_to: OpenUpstream, demo: RunningDemo
) -> None:
    async with upstream_to() as upstream:
        await asyncio.gather(*(upstream.album("350234") for _ in range(10)))

    assert demo.requests.count("/setting") == 1


async def test_the_status_is_read_from_memory_and_a_probe_sends_requests(
    upstream_to: OpenUpstream, demo: RunningDemo
) -> None:
    demo.knobs.set("api-2", dead=True)
    demo.knobs.set("html-2", failure="html")
    demo.knobs.set("image-2", failure="region")
    async with upstream_to() as upstream:
        before = await upstream.status()
        assert len(demo.requests) == 0
        after = await upstream.probe()

    assert (before.method, before.reachable, before.checked_at) == (SourceMethod.API, True, None)
    assert {host.latency_ms for host in before.hosts} == {None}
    assert after.checked_at is not None
    assert [(host.url, host.healthy, host.reason) for host in after.hosts] == [
        (demo.api_urls[0], True, None),
        (demo.api_urls[1], False, UpstreamReason.UNREACHABLE),
        (demo.html_urls[0], True, None),
        (demo.html_urls[1], False, UpstreamReason.GARBLED),
        (demo.image_urls[0], True, None),
        (demo.image_urls[1], False, UpstreamReason.REGION_BLOCKED),
    ]
    assert all((host.latency_ms is not None) is host.healthy for host in after.hosts)
    assert all((host.cooldown_until is None) is host.healthy for host in after.hosts)
