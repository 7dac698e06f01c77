"""Notifications of the legacy API over several processes, on a real Valkey."""

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
async def open_process(
    url: str, data_dir: Path, ttl_s: float = 60
) -> AsyncIterator[tuple[DownloadHarness, Notifications]]:
    albums = FakeAlbums(an_album("100"), an_album("200"))
    async with (
        open_harness(url, data_dir, albums=albums, ttl_s=ttl_s) as harness,
        open_notifications(harness.redis_client, harness.events, harness.downloads) as notifications,
    ):
        yield harness, notifications


class Client:
    """A socket of a client, and what it has received."""

    def __init__(self, notifications: Notifications, client_id: str) -> None:
        self.received: list[Notification] = []
        self._task = asyncio.create_task(self._listen(notifications, client_id))

    async def _listen(self, notifications: Notifications, client_id: str) -> None:
        async for notification in notifications.listen(client_id):
            self.received.append(notification)

    async def receives(self, *notifications: Notification) -> None:
        await until(lambda: len(self.received) >= len(notifications))
        assert self.received == list(notifications)

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


@pytest.fixture
async def other_process(redis_url: str, tmp_path: Path) -> AsyncIterator[tuple[DownloadHarness, Notifications]]:
    async with open_process(redis_url, tmp_path) as opened:
        yield opened


@pytest.fixture
async def process(
    other_process: tuple[DownloadHarness, Notifications], redis_url: str, tmp_path: Path
) -> AsyncIterator[tuple[DownloadHarness, Notifications]]:
    async with open_process(redis_url, tmp_path) as opened:
        yield opened


async def test_every_socket_of_a_client_gets_the_notification_on_any_process(
    process: tuple[DownloadHarness, Notifications], other_process: tuple[DownloadHarness, Notifications]
) -> None:
    sockets = [Client(process[1], "phone"), Client(other_process[1], "phone"), Client(other_process[1], "phone")]
    other_client = Client(process[1], "watch")
    queued = await process[0].start("100")
    await process[1].expect("phone", queued.id)

    other_process[0].work()

    for socket in sockets:
        await socket.receives(READY)
        await socket.close()
    assert other_client.received == []
    await other_client.close()


async def test_a_client_that_connects_later_gets_the_notification_once(
    process: tuple[DownloadHarness, Notifications],
) -> None:
    harness, notifications = process
    harness.work()
    queued = await harness.start("100")
    await notifications.expect("phone", queued.id)
    await harness.until_ended(queued.id)

    late = Client(notifications, "phone")
    await late.receives(READY)
    await late.close()

    assert await notifications.wait("phone", 0) == []


async def test_a_socket_lost_while_a_message_was_sent_gets_it_when_it_comes_back(
    process: tuple[DownloadHarness, Notifications],
) -> None:
    harness, notifications = process
    harness.work()
    queued = await harness.start("100")
    await notifications.expect("phone", queued.id)
    lost = notifications.listen("phone")
    assert await anext(lost) == READY
    await lost.aclose()

    assert await notifications.wait("phone", 5) == [READY]
    assert await notifications.wait("phone", 0) == []


async def test_asking_twice_while_it_runs_gives_one_notification_and_asking_again_later_another(
    process: tuple[DownloadHarness, Notifications],
) -> None:
    harness, notifications = process
    socket = Client(notifications, "phone")
    for _ in range(2):
        await notifications.expect("phone", (await harness.start("100")).id)
    harness.work()
    await socket.receives(READY)

    await notifications.expect("phone", (await harness.start("100")).id)

    await socket.receives(READY, READY)
    await socket.close()


async def test_a_failure_a_cancel_and_a_refusal_are_sent_as_errors(
    process: tuple[DownloadHarness, Notifications],
) -> None:
    harness, notifications = process
    socket = Client(notifications, "phone")
    await notifications.fail("phone", "Album not found: id=9")
    await socket.receives(Notification("error", "", "下载任务失败: Album not found: id=9"))

    queued = await harness.start("100")
    await notifications.expect("phone", queued.id)
    await harness.downloads.cancel(queued.id)
    await until(lambda: len(socket.received) == 2)
    assert socket.received[1] == Notification("error", "", "下载任务失败: 任务已取消")

    harness.pipeline.missing = {1}
    failing = await harness.start("200")
    await notifications.expect("phone", failing.id)
    harness.work()
    await until(lambda: len(socket.received) == 3)
    assert socket.received[2].status == "error"
    assert socket.received[2].message == "下载任务失败: 1 page can't be had from the site."
    await socket.close()


async def test_a_download_that_is_removed_while_a_client_waits_is_sent_as_an_error(
    process: tuple[DownloadHarness, Notifications],
) -> None:
    harness, notifications = process
    queued = await harness.start("100")
    await notifications.expect("phone", queued.id)
    await notifications.fail("phone", "first")
    socket = Client(notifications, "phone")
    await until(lambda: len(socket.received) == 1)  # by then it has read the download, too

    await harness.downloads.remove(queued.id)

    await until(lambda: len(socket.received) == 2)
    assert socket.received[1] == Notification("error", "", "下载任务失败: 任务已删除")
    await socket.close()


async def test_a_failed_download_that_is_retried_sends_another_notification(
    process: tuple[DownloadHarness, Notifications],
) -> None:
    harness, notifications = process
    harness.pipeline.missing = {1}
    harness.work()
    queued = await harness.start("100")
    await notifications.expect("phone", queued.id)
    assert [notification.status for notification in await notifications.wait("phone", 5)] == ["error"]

    harness.pipeline.missing = set()
    await harness.downloads.retry(queued.id)

    assert await notifications.wait("phone", 5) == [READY]


async def test_no_notification_is_sent_for_a_file_that_has_expired(redis_url: str, tmp_path: Path) -> None:
    async with open_process(redis_url, tmp_path, ttl_s=0.1) as (harness, notifications):
        harness.work()
        queued = await harness.start("100")
        await notifications.expect("phone", queued.id)
        await harness.until_state(queued.id, DownloadState.EXPIRED)

        assert await notifications.wait("phone", 0) == []


async def test_a_wait_without_notifications_ends_empty_after_its_time(
    process: tuple[DownloadHarness, Notifications],
) -> None:
    assert await process[1].wait("phone", 0.05) == []


async def test_a_notification_survives_an_outage_of_redis(tmp_path: Path) -> None:
    async with embedded_valkey(tmp_path) as url, open_process(url, tmp_path) as (harness, notifications):
        pipeline = FakePipeline()
        pipeline.pause_at = 2
        queued = await harness.start("100")
        await notifications.expect("phone", queued.id)
        socket = Client(notifications, "phone")
        harness.work(pipeline=pipeline)
        await pipeline.paused.wait()

        await harness.redis_client.client.client_kill_filter(_type="pubsub")
        await harness.redis_client.client.client_kill_filter(_type="normal")
        pipeline.resume.set()

        await socket.receives(READY)
        await socket.close()
