"""Subscriptions to downloads: to one, to all, by a few clients and by a thousand."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from services.downloads import DownloadRecord, DownloadState
from services.errors import DownloadNotFound
from tests.download_fakes import QUICK, DownloadHarness, FakeAlbums, FakePipeline, an_album, open_harness
from tests.waiting import until

pytestmark = pytest.mark.anyio


@pytest.fixture
async def harness(redis_url: str, tmp_path: Path) -> AsyncIterator[DownloadHarness]:
    albums = FakeAlbums(an_album("100"), an_album("200"), an_album("300"))
    async with open_harness(redis_url, tmp_path, albums=albums) as harness:
        yield harness


async def seen_by(harness: DownloadHarness, id: str) -> list[DownloadRecord]:
    return [download async for download in harness.downloads.watch(id)]


async def test_a_watcher_gets_the_current_state_and_growing_revisions_to_the_end(harness: DownloadHarness) -> None:
    queued = await harness.start("100")
    watching = asyncio.create_task(seen_by(harness, queued.id))
    await until(lambda: harness.downloads.subscriber_count == 1)
    harness.pipeline.page_s = 0.02
    harness.work()

    seen = await asyncio.wait_for(watching, 10)

    revisions = [download.revision for download in seen]
    assert revisions == sorted(set(revisions))
    assert seen[0] == queued
    assert seen[-1].state is DownloadState.READY
    assert any(0 < download.progress.pages_done < 5 for download in seen)


async def test_a_late_watcher_gets_the_last_state_and_the_end(harness: DownloadHarness) -> None:
    harness.work()
    ready = await harness.until_ended((await harness.start("100")).id)
    assert await seen_by(harness, ready.id) == [ready]


async def test_an_unknown_download_can_not_be_watched(harness: DownloadHarness) -> None:
    with pytest.raises(DownloadNotFound):
        await anext(harness.downloads.watch("nowhere"))


async def test_a_feed_of_no_states_is_empty(harness: DownloadHarness) -> None:
    await harness.start("100")

    assert (await anext(harness.downloads.feed(None, []))).downloads == ()


async def test_watching_ends_when_the_download_is_removed(harness: DownloadHarness) -> None:
    queued = await harness.start("100")
    watcher = harness.downloads.watch(queued.id)
    assert await anext(watcher) == queued

    await harness.downloads.remove(queued.id)

    with pytest.raises(StopAsyncIteration):
        await asyncio.wait_for(anext(watcher), 5)


async def test_another_process_follows_the_download_to_its_end(
    harness: DownloadHarness, redis_url: str, tmp_path: Path
) -> None:
    async with open_harness(redis_url, tmp_path) as other:
        queued = await harness.start("100")
        watching = asyncio.create_task(seen_by(other, queued.id))
        harness.work()
        assert (await asyncio.wait_for(watching, 10))[-1].state is DownloadState.READY


async def test_messages_are_throttled_and_a_slow_watcher_skips_to_the_newest(redis_url: str, tmp_path: Path) -> None:
    albums = FakeAlbums(an_album("100"), pages=100)
    timings = replace(QUICK, live_s=0.2)
    async with open_harness(redis_url, tmp_path, albums=albums, timings=timings) as harness:
        queued = await harness.start("100")
        harness.work(pipeline=FakePipeline(page_s=0.01))
        times = []
        seen = []
        async for download in harness.downloads.watch(queued.id):
            times.append(time.monotonic())
            seen.append(download)

    gaps = [after - before for before, after in pairwise(times)]
    assert min(gaps[:-1]) >= 0.199
    assert seen[-1].state is DownloadState.READY
    assert seen[-1].revision > 2 * len(seen)


async def test_the_last_message_is_not_throttled(redis_url: str, tmp_path: Path) -> None:
    async with open_harness(redis_url, tmp_path, timings=replace(QUICK, live_s=60.0)) as harness:
        harness.pipeline.page_s = 0.01
        queued = await harness.start("100")
        harness.work()
        assert [download.state for download in await asyncio.wait_for(seen_by(harness, queued.id), 10)] == [
            DownloadState.QUEUED,
            DownloadState.READY,
        ]


async def test_after_an_outage_a_watcher_resumes_from_the_record(harness: DownloadHarness) -> None:
    harness.pipeline.pause_at = 3
    queued = await harness.start("100")
    harness.work()
    await harness.pipeline.paused.wait()
    watching = asyncio.create_task(seen_by(harness, queued.id))
    await until(lambda: harness.downloads.subscriber_count == 2)  # with the worker's own

    await harness.redis_client.client.client_kill_filter(_type="pubsub")
    harness.pipeline.resume.set()

    assert (await asyncio.wait_for(watching, 10))[-1].state is DownloadState.READY


async def test_a_feed_gives_the_active_ones_and_then_what_changes(harness: DownloadHarness) -> None:
    earlier = harness.downloads.feed(None, None)
    await anext(earlier)
    first, second = await harness.start("100"), await harness.start("200")
    ended = await harness.downloads.cancel(second.id)
    while ended not in (await asyncio.wait_for(anext(earlier), 5)).downloads:
        pass
    await earlier.aclose()
    feed = harness.downloads.feed(None, None)

    snapshot = await anext(feed)
    assert (snapshot.is_snapshot, snapshot.downloads, snapshot.removed) == (True, (first,), ())

    third = await harness.start("300")
    batch = await asyncio.wait_for(anext(feed), 5)
    assert (batch.is_snapshot, batch.downloads) == (False, (third,))

    cancelled = await harness.downloads.cancel(first.id)
    assert (await asyncio.wait_for(anext(feed), 5)).downloads == (cancelled,)

    await harness.downloads.remove(ended.id)
    assert (await asyncio.wait_for(anext(feed), 5)).removed == (ended.id,)
    await feed.aclose()


async def test_a_feed_can_be_of_some_ids_or_states(harness: DownloadHarness) -> None:
    first, second = await harness.start("100"), await harness.start("200")
    by_id = harness.downloads.feed([first.id], None)
    by_state = harness.downloads.feed(None, [DownloadState.QUEUED])
    assert (await anext(by_id)).downloads == (first,)
    assert (await anext(by_state)).downloads == (second, first)

    await harness.downloads.cancel(second.id)
    cancelled = await harness.downloads.cancel(first.id)

    assert (await asyncio.wait_for(anext(by_id), 5)).downloads == (cancelled,)
    gone: set[str] = set()
    while gone != {first.id, second.id}:
        batch = await asyncio.wait_for(anext(by_state), 5)
        assert batch.downloads == ()
        gone |= set(batch.removed)
    await by_id.aclose()
    await by_state.aclose()


async def test_a_feed_misses_nothing_over_an_outage(harness: DownloadHarness) -> None:
    first = await harness.start("100")
    feed = harness.downloads.feed(None, None)
    await anext(feed)
    next_batch = asyncio.create_task(anext(feed))
    await harness.redis_client.client.client_kill_filter(_type="pubsub")
    cancelled = await harness.downloads.cancel(first.id)
    assert (await asyncio.wait_for(next_batch, 5)).downloads == (cancelled,)
    await feed.aclose()


async def test_a_thousand_watchers_of_twenty_downloads_all_see_the_end_and_cost_few_reads(
    redis_url: str, tmp_path: Path
) -> None:
    albums = FakeAlbums(*(an_album(str(number)) for number in range(100, 120)))
    async with open_harness(redis_url, tmp_path, albums=albums) as harness:
        ids = [(await harness.start(str(number))).id for number in range(100, 120)]
        watching = [asyncio.create_task(seen_by(harness, ids[number % 20])) for number in range(1000)]
        await until(lambda: harness.downloads.subscriber_count == 1000)
        await harness.redis_client.client.config_resetstat()
        harness.pipeline.page_s = 0.01
        harness.work(jobs=20)

        seen = await asyncio.wait_for(asyncio.gather(*watching), 30)

        assert {of_one[-1].state for of_one in seen} == {DownloadState.READY}
        for of_one in seen:
            revisions = [download.revision for download in of_one]
            assert revisions == sorted(set(revisions))
        reads = (await harness.redis_client.client.info("commandstats"))["cmdstat_hmget"]["calls"]
        changes = sum(of_one[-1].revision for of_one in seen[:20])
        assert reads < 10 * changes  # not by watcher: that would be fifty times the changes


async def test_a_thousand_watchers_that_come_and_go_leave_nothing(harness: DownloadHarness) -> None:
    queued = await harness.start("100")
    feed = harness.downloads.feed(None, None)
    await anext(feed)
    await feed.aclose()
    tasks = len(asyncio.all_tasks())

    for number in range(1000):
        stream = harness.downloads.watch(queued.id) if number % 2 else harness.downloads.feed(None, None)
        await anext(stream)
        await stream.aclose()

    assert len(asyncio.all_tasks()) == tasks
    assert harness.downloads.subscriber_count == 0
    numbers = await harness.redis_client.client.pubsub_numsub(harness.events.channel)
    assert numbers == [(harness.events.channel.encode(), 1)]
