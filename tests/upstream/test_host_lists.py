from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from demo.server import RunningDemo
from services.catalog import HostRole
from services.errors import UpstreamReason
from services.upstream import ListAddresses, UpstreamClient
from services.upstream.api import JmApi
from services.upstream.hosts import REFRESH_AFTER_FAILURE_S, REFRESH_EVERY_S, HostLists
from services.upstream.jmcomic_state import built_in_api_urls, built_in_image_urls
from services.upstream.transport import Proxies, new_session
from tests.fakes import Clock

pytestmark = pytest.mark.anyio

OpenUpstream = Callable[..., AbstractAsyncContextManager[UpstreamClient]]

GIVEN = {HostRole.API: (), HostRole.HTML: ("http://html.example",), HostRole.IMAGE: ()}


class Opened:
    """Lists over the demo site's list of API hosts, opened as often as a test needs."""

    def __init__(self, folder: Path, addresses: ListAddresses, clock: Clock) -> None:
        self._session = new_session(timeout_s=2, max_clients=4)
        self.lists = HostLists(
            GIVEN,
            file=folder / "jm-hosts.json",
            session=self._session,
            proxies=Proxies(""),
            addresses=addresses,
            clock=clock,
        )

    async def __aenter__(self) -> HostLists:
        return self.lists

    async def __aexit__(self, *_: object) -> None:
        await self.lists.aclose()
        await self._session.close()


@pytest.fixture
def addresses(demo: RunningDemo) -> ListAddresses:
    return ListAddresses(api=(demo.dead_url, demo.domains_url), html=())


def urls(lists: HostLists, role: HostRole = HostRole.API) -> tuple[str, ...]:
    return tuple(host.url for host in lists.of(role))


async def test_the_published_list_replaces_the_built_in_one(
    tmp_path: Path, demo: RunningDemo, addresses: ListAddresses, clock: Clock
) -> None:
    async with Opened(tmp_path, addresses, clock) as lists:
        assert urls(lists) == built_in_api_urls()
        await lists.refresh()
        assert urls(lists) == tuple(demo.api_urls)

    kept = json.loads((tmp_path / "jm-hosts.json").read_text())
    assert kept == {"API": demo.api_urls}


async def test_hosts_of_the_settings_are_never_replaced(
    tmp_path: Path, addresses: ListAddresses, clock: Clock
) -> None:
    async with Opened(tmp_path, addresses, clock) as lists:
        await lists.refresh()
        assert urls(lists, HostRole.HTML) == ("http://html.example",)
        assert urls(lists, HostRole.IMAGE) == built_in_image_urls()


async def test_the_last_good_list_is_there_at_the_next_start(
    tmp_path: Path, demo: RunningDemo, addresses: ListAddresses, clock: Clock
) -> None:
    async with Opened(tmp_path, addresses, clock) as lists:
        await lists.refresh()

    async with Opened(tmp_path, ListAddresses(api=(demo.dead_url,), html=()), clock) as lists:
        assert urls(lists) == tuple(demo.api_urls)
        await lists.refresh()
        assert urls(lists) == tuple(demo.api_urls)


@pytest.mark.parametrize("failure", ["garbage", "html", "empty", "maintenance", "hang"])
async def test_a_list_that_can_not_be_read_changes_nothing(
    tmp_path: Path, demo: RunningDemo, clock: Clock, failure: str
) -> None:
    demo.knobs.set("*", path="newsvr", failure=failure)
    async with Opened(tmp_path, ListAddresses(api=(demo.domains_url,), html=()), clock) as lists:
        refreshing = asyncio.create_task(lists.refresh())
        if failure == "hang":
            await asyncio.to_thread(demo.requests.wait_for, 1, "newsvr")
            demo.knobs.set("*", path="newsvr", dead=True)
        else:
            await refreshing
        assert urls(lists) == built_in_api_urls()
        refreshing.cancel()

    assert not (tmp_path / "jm-hosts.json").exists()


async def test_a_failed_refresh_is_repeated_soon_and_a_successful_one_at_its_interval(
    tmp_path: Path, demo: RunningDemo, clock: Clock
) -> None:
    demo.knobs.set("*", path="newsvr", failure="maintenance")
    async with Opened(tmp_path, ListAddresses(api=(demo.domains_url,), html=()), clock) as lists:
        refreshes = []
        for pause_s in (0.0, 1.0, REFRESH_AFTER_FAILURE_S, REFRESH_AFTER_FAILURE_S, REFRESH_EVERY_S):
            clock.move(pause_s)
            lists.known_hosts(HostRole.API)
            await lists.settled()
            refreshes.append(demo.requests.count("newsvr"))
            if len(refreshes) == 3:
                demo.knobs.set("*", path="newsvr", failure=None)

        assert refreshes == [1, 1, 2, 3, 4]
        assert urls(lists) == tuple(demo.api_urls)


async def test_the_list_is_fetched_soon_when_all_hosts_fail(
    tmp_path: Path, demo: RunningDemo, addresses: ListAddresses, clock: Clock
) -> None:
    async with Opened(tmp_path, addresses, clock) as lists:
        await lists.refresh()
        for host in lists.of(HostRole.API):
            lists.of(HostRole.API).note_failure(host, UpstreamReason.UNREACHABLE, began_at=clock.now)
        clock.move(REFRESH_AFTER_FAILURE_S)
        lists.known_hosts(HostRole.API)
        await lists.settled()

    assert demo.requests.count("newsvr") == 2


@pytest.mark.parametrize(
    "content", ["", "[]", "{", '{"API": "x"}', '{"API": ["not a host", 7, "https://a.example/x"]}']
)
async def test_a_damaged_file_is_ignored(
    tmp_path: Path, addresses: ListAddresses, clock: Clock, content: str
) -> None:
    (tmp_path / "jm-hosts.json").write_text(content)

    async with Opened(tmp_path, addresses, clock) as lists:
        assert urls(lists) == built_in_api_urls()


async def test_the_list_page_of_the_web_names_its_hosts(
    tmp_path: Path, demo: RunningDemo, clock: Clock, answering: Callable[[str], Awaitable[str]]
) -> None:
    page = "<p>jmcomic.example</p><p>jm-comic2.example</p><p>jm365.example/app</p><p>other.example</p>"
    lists = HostLists(
        {HostRole.API: (demo.api_url,)},
        file=tmp_path / "jm-hosts.json",
        session=(session := new_session(timeout_s=2, max_clients=4)),
        proxies=Proxies(""),
        addresses=ListAddresses(api=(), html=(await answering(page),)),
        clock=clock,
    )
    hosts = await lists.ready(HostRole.HTML)
    await lists.aclose()
    await session.close()

    assert [host.url for host in hosts] == ["https://jmcomic.example", "https://jm-comic2.example"]


async def test_a_client_without_addresses_finds_its_hosts(
    upstream_to: OpenUpstream, demo: RunningDemo, addresses: ListAddresses
) -> None:
    async with upstream_to(jm_api_urls=(), list_addresses=addresses) as upstream:
        await upstream.probe()
        assert await upstream.album("350234") is not None
        status = await upstream.status()

    assert [host.url for host in status.hosts if host.role is HostRole.API] == demo.api_urls


async def test_settings_that_a_host_refused_are_requested_again_after_a_while(
    demo: RunningDemo, clock: Clock
) -> None:
    demo.knobs.set("api", path="/setting", failure="region", fail_next=2)
    api = JmApi(session := new_session(timeout_s=2, max_clients=2), Proxies(""), 2, clock)
    counts = []
    for pause_s in (0.0, 299.0, 1.0, 299.0, 1.0, 3600.0):
        clock.move(pause_s)
        await api.album(demo.api_url, "350234")
        counts.append(demo.requests.count("/setting"))
    await session.close()

    assert counts == [1, 1, 2, 2, 3, 3]
