"""Notices of the legacy API over several processes, on a real Valkey."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from services.downloads import DownloadState
from services.notifications import Notification, Notifications, open_notifications
from services.redis import embedded_valkey
from tests.download_fakes import DownloadHarness, FakeAlbums, FakePipeline, an_album, open_harness
from tests.waiting import until

pytestmark = pytest.mark.anyio

READY = Notification("download_ready", "山行 100", "文件 '山行 100' 已完成处理，可以下载。")


@asynccontextmanager
async def a_process(
    url: str, data_dir: Path, ttl_s: float = 60
) -> AsyncIterator[tuple[DownloadHarness, Notifications]]:
    albums = FakeAlbums(an_album("100"), an_album("200"))
    async with (
        open_harness(url, data_dir, albums=albums, ttl_s=ttl_s) as harness,
        open_notifications(harness.link, harness.events, harness.downloads) as notices,
    ):
        yield harness, notices


class Client:
    """A socket of a client: what it was told so far."""

    def __init__(self, notices: Notifications, client_id: str) -> None:
        self.told: list[Notification] = []
        self._task = asyncio.create_task(self._listen(notices, client_id))

    async def _listen(self, notices: Notifications, client_id: str) -> None:
        async for notice in notices.listen(client_id):
            self.told.append(notice)

    async def hears(self, *notices: Notification) -> None:
        await until(lambda: len(self.told) >= len(notices))
        assert self.told == list(notices)

    async def leave(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


@pytest.fixture
async def there(redis_url: str, tmp_path: Path) -> AsyncIterator[tuple[DownloadHarness, Notifications]]:
    async with a_process(redis_url, tmp_path) as process:
        yield process


@pytest.fixture
async def here(
    there: tuple[DownloadHarness, Notifications], redis_url: str, tmp_path: Path
) -> AsyncIterator[tuple[DownloadHarness, Notifications]]:
    async with a_process(redis_url, tmp_path) as process:
        yield process


async def test_every_socket_of_a_client_hears_on_whichever_process_it_is(
    here: tuple[DownloadHarness, Notifications], there: tuple[DownloadHarness, Notifications]
) -> None:
    sockets = [Client(here[1], "phone"), Client(there[1], "phone"), Client(there[1], "phone")]
    stranger = Client(here[1], "watch")
    queued = await here[0].start("100")
    await here[1].expect("phone", queued.id)

    there[0].work()

    for socket in sockets:
        await socket.hears(READY)
        await socket.leave()
    assert stranger.told == []
    await stranger.leave()


async def test_a_client_that_comes_later_is_told_on_coming_and_only_once(
    here: tuple[DownloadHarness, Notifications],
) -> None:
    harness, notices = here
    harness.work()
    queued = await harness.start("100")
    await notices.expect("phone", queued.id)
    await harness.until_ended(queued.id)

    late = Client(notices, "phone")
    await late.hears(READY)
    await late.leave()

    assert await notices.wait("phone", 0) == []


async def test_a_socket_lost_while_a_message_was_sent_gets_it_when_it_comes_back(
    here: tuple[DownloadHarness, Notifications],
) -> None:
    harness, notices = here
    harness.work()
    queued = await harness.start("100")
    await notices.expect("phone", queued.id)
    lost = notices.listen("phone")
    assert await anext(lost) == READY
    await lost.aclose()

    assert await notices.wait("phone", 5) == [READY]
    assert await notices.wait("phone", 0) == []


async def test_asking_twice_while_it_runs_gives_one_notice_and_asking_again_later_another(
    here: tuple[DownloadHarness, Notifications],
) -> None:
    harness, notices = here
    socket = Client(notices, "phone")
    for _ in range(2):
        await notices.expect("phone", (await harness.start("100")).id)
    harness.work()
    await socket.hears(READY)

    await notices.expect("phone", (await harness.start("100")).id)

    await socket.hears(READY, READY)
    await socket.leave()


async def test_a_failure_a_cancel_and_a_refusal_are_told_as_errors(
    here: tuple[DownloadHarness, Notifications],
) -> None:
    harness, notices = here
    socket = Client(notices, "phone")
    await notices.fail("phone", "Album not found: id=9")
    await socket.hears(Notification("error", "", "下载任务失败: Album not found: id=9"))

    queued = await harness.start("100")
    await notices.expect("phone", queued.id)
    await harness.downloads.cancel(queued.id)
    await until(lambda: len(socket.told) == 2)
    assert socket.told[1] == Notification("error", "", "下载任务失败: 任务已取消")

    harness.pipeline.missing = {1}
    failing = await harness.start("200")
    await notices.expect("phone", failing.id)
    harness.work()
    await until(lambda: len(socket.told) == 3)
    assert socket.told[2].status == "error"
    assert socket.told[2].message == "下载任务失败: 1 page can't be had from the site."
    await socket.leave()


async def test_a_download_that_is_removed_while_a_client_waits_is_told(
    here: tuple[DownloadHarness, Notifications],
) -> None:
    harness, notices = here
    queued = await harness.start("100")
    await notices.expect("phone", queued.id)
    await notices.fail("phone", "first")
    socket = Client(notices, "phone")
    await until(lambda: len(socket.told) == 1)  # it has looked at the download, too

    await harness.downloads.remove(queued.id)

    await until(lambda: len(socket.told) == 2)
    assert socket.told[1] == Notification("error", "", "下载任务失败: 任务已删除")
    await socket.leave()


async def test_a_failed_download_that_is_retried_is_told_again(here: tuple[DownloadHarness, Notifications]) -> None:
    harness, notices = here
    harness.pipeline.missing = {1}
    harness.work()
    queued = await harness.start("100")
    await notices.expect("phone", queued.id)
    assert [notice.status for notice in await notices.wait("phone", 5)] == ["error"]

    harness.pipeline.missing = set()
    await harness.downloads.retry(queued.id)

    assert await notices.wait("phone", 5) == [READY]


async def test_nothing_is_told_of_a_file_that_has_expired(redis_url: str, tmp_path: Path) -> None:
    async with a_process(redis_url, tmp_path, ttl_s=0.1) as (harness, notices):
        harness.work()
        queued = await harness.start("100")
        await notices.expect("phone", queued.id)
        await harness.until_state(queued.id, DownloadState.EXPIRED)

        assert await notices.wait("phone", 0) == []


async def test_a_wait_with_no_news_ends_empty_when_its_time_is_up(
    here: tuple[DownloadHarness, Notifications],
) -> None:
    assert await here[1].wait("phone", 0.05) == []


async def test_a_notice_comes_through_an_outage_of_redis(tmp_path: Path) -> None:
    async with embedded_valkey(tmp_path) as url, a_process(url, tmp_path) as (harness, notices):
        pipeline = FakePipeline()
        pipeline.pause_at = 2
        queued = await harness.start("100")
        await notices.expect("phone", queued.id)
        socket = Client(notices, "phone")
        harness.work(pipeline=pipeline)
        await pipeline.paused.wait()

        await harness.link.client.client_kill_filter(_type="pubsub")
        await harness.link.client.client_kill_filter(_type="normal")
        pipeline.go.set()

        await socket.hears(READY)
        await socket.leave()
