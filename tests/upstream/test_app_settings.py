"""The app's settings: they bring cookies and a name of the CDN, and nothing depends on them."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from demo.server import RunningDemo
from services.upstream import HostRole, RankingQuery, UpstreamClient
from tests.waiting import until

pytestmark = pytest.mark.anyio

OpenUpstream = Callable[..., AbstractAsyncContextManager[UpstreamClient]]

ALBUM = "350234"


# --- cookies ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "failure", ["region", "challenge", "rate_limit", "server_error", "drop", "garbage", "html", "empty", "truncated"]
)
async def test_settings_that_are_refused_do_not_stop_reading(
    upstream_to: OpenUpstream, demo: RunningDemo, failure: str
) -> None:
    demo.knobs.set("api", path="/setting", failure=failure)
    async with upstream_to(jm_retries=1) as upstream:
        album, chapter = await upstream.album(ALBUM), await upstream.chapter(ALBUM)
        ranking = await upstream.ranking(RankingQuery())
        status = await upstream.status()

    assert album is not None
    assert chapter is not None
    assert ranking.entries
    assert demo.requests.count("/setting") == 1
    assert [host.healthy for host in status.hosts if host.role is HostRole.API] == [True, True]


async def test_settings_that_never_come_leave_time_for_the_request(
    upstream_to: OpenUpstream, demo: RunningDemo
) -> None:
    demo.knobs.set("api", path="/setting", failure="hang")
    async with upstream_to(jm_timeout_s=1.0, jm_retries=1) as upstream:
        assert await upstream.album(ALBUM) is not None

    assert demo.requests.count("/setting") == 1
    assert demo.requests.count("/album", host="api-1") == 1


async def test_another_host_is_asked_for_what_one_refused(upstream_to: OpenUpstream, demo: RunningDemo) -> None:
    demo.knobs.set("api-1", path="/setting", failure="region")
    demo.knobs.set("api-1", path="/album", failure="region")
    async with upstream_to() as upstream:
        assert await upstream.album(ALBUM) is not None

    assert [seen.host for seen in demo.requests.find("/setting")] == ["api-1", "api-2"]


# --- names of the CDN ------------------------------------------------------------------------------------------


def stored(file: Path) -> dict[str, list[str]]:
    lists: dict[str, list[str]] = json.loads(file.read_text())
    return lists


async def hosts_after_a_cover(upstream: UpstreamClient, file: Path) -> list[str]:
    """Hosts of the CDN once the list was refreshed, which the first picture makes due."""
    before = stored(file)
    assert await upstream.cover(ALBUM)
    await until(lambda: stored(file) != before)
    return await image_hosts(upstream)


async def image_hosts(upstream: UpstreamClient) -> list[str]:
    return [host.url for host in (await upstream.status()).hosts if host.role is HostRole.IMAGE]


@pytest.fixture
def file(demo: RunningDemo, tmp_path: Path) -> Path:
    """Lists of hosts that an earlier start stored: one host of the CDN, with a name that the site no longer uses."""
    file = tmp_path / "jm-hosts.json"
    file.write_text(json.dumps({"IMAGE": [demo.image_url]}))
    return file


@pytest.mark.parametrize(
    ("published", "urls"),
    [
        ("https://cdn.example", ["https://cdn.example"]),
        ("cdn.example", ["https://cdn.example"]),
        ("//CDN.example:8443/", ["https://cdn.example:8443"]),
        ("https://cdn.example/media/", ["https://cdn.example"]),
        ("http://user:secret@cdn.example", ["http://cdn.example"]),
        (
            ["cdn.example", "https://cdn2.example", "https://cdn.example/"],
            ["https://cdn.example", "https://cdn2.example"],
        ),
        (
            [
                "javascript:alert(1)",
                "ftp://a.example",
                "file:///etc/passwd",
                "https://",
                "https://a b.example",
                "",
                None,
                7,
                "cdn.example",
            ],
            ["https://cdn.example"],
        ),
    ],
)
async def test_the_settings_name_the_cdn(
    upstream_to: OpenUpstream, demo: RunningDemo, file: Path, published: Any, urls: list[str]
) -> None:
    demo.knobs.set("api", img_hosts=published)
    async with upstream_to(jm_image_urls=()) as upstream:
        before = await image_hosts(upstream)
        hosts = await hosts_after_a_cover(upstream, file)

    assert before[0] == demo.image_url
    assert hosts == urls + before[1:]
    assert stored(file) == {"IMAGE": urls}


async def test_names_of_the_cdn_are_there_at_the_next_start(
    upstream_to: OpenUpstream, demo: RunningDemo, file: Path
) -> None:
    demo.knobs.set("api", img_hosts=demo.image_urls[1])
    async with upstream_to(jm_image_urls=()) as upstream:
        await hosts_after_a_cover(upstream, file)
    async with upstream_to(jm_image_urls=()) as upstream:
        hosts = await image_hosts(upstream)
        assert await upstream.cover(ALBUM)

    assert hosts[0] == demo.image_urls[1]
    assert len(hosts) > 1
    assert [seen.host for seen in demo.requests if seen.role == "image"] == ["image-1", "image-2"]


@pytest.mark.parametrize("published", ["javascript:alert(1)", "", [], ["https://"]])
async def test_settings_without_a_name_of_the_cdn_change_nothing(
    upstream_to: OpenUpstream, demo: RunningDemo, file: Path, published: Any
) -> None:
    demo.knobs.set("api", img_hosts=published)
    with capture_logs() as logs:
        async with upstream_to(jm_image_urls=()) as upstream:
            before = await image_hosts(upstream)
            assert await upstream.cover(ALBUM)
            await until(lambda: any(entry["event"].startswith("no list of hosts") for entry in logs))
            assert await image_hosts(upstream) == before

    assert stored(file) == {"IMAGE": [demo.image_url]}


async def test_settings_that_are_refused_leave_the_cdn_as_it_is(
    upstream_to: OpenUpstream, demo: RunningDemo, file: Path
) -> None:
    demo.knobs.set("api", path="/setting", failure="region")
    with capture_logs() as logs:
        async with upstream_to(jm_image_urls=()) as upstream:
            assert await upstream.cover(ALBUM)
            await until(lambda: any(entry["event"].startswith("no list of hosts") for entry in logs))
            assert (await image_hosts(upstream))[0] == demo.image_url


async def test_hosts_of_the_cdn_in_our_settings_are_never_replaced(
    upstream_to: OpenUpstream, demo: RunningDemo, file: Path
) -> None:
    demo.knobs.set("api", img_hosts="cdn.example")
    async with upstream_to() as upstream:
        assert await upstream.cover(ALBUM)
        assert await upstream.album(ALBUM)
        assert await image_hosts(upstream) == demo.image_urls

    assert demo.requests.count("/setting") == 1
    assert stored(file) == {"IMAGE": [demo.image_url]}
