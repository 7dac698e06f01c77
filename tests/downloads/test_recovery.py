"""Workers that are killed, stopped, cut off and started again, in processes of their own: nothing is lost."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from services.downloads import ArchiveFormat, DownloadProblemRecord, DownloadRecord, DownloadState, transitions
from services.downloads.store import DownloadStore
from services.downloads.transitions import MAX_CRASHES
from services.errors import ErrorCode
from services.redis import embedded_valkey
from tests.download_fakes import QUICK, DownloadHarness, FakeAlbums, FakePipeline, an_album, open_harness
from tests.waiting import until

pytestmark = pytest.mark.anyio

PAGES = 30
PATIENT = replace(QUICK, lease_s=60.0)
"""Timings with which a lease does not run out during a test."""

WORKER = """
import asyncio, signal, sys
from pathlib import Path
from tests.download_fakes import QUICK, FakeAlbums, FakePipeline, an_album, open_harness

async def main(url, data_dir, log, pages):
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    albums = FakeAlbums(an_album("100"), pages=int(pages))
    pipeline = FakePipeline(page_s=0.02, log=Path(log))
    async with open_harness(url, Path(data_dir), albums=albums, pipeline=pipeline) as harness:
        await harness.downloads.worker(pipeline, jobs=2).run(stop)

asyncio.run(main(*sys.argv[1:]))
"""


@contextmanager
def a_worker(url: str, data_dir: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A worker in a process of its own, that takes 20 ms a page and writes its requests to `asked.log`."""
    command = [sys.executable, "-c", WORKER, url, str(data_dir), str(data_dir / "asked.log"), str(PAGES)]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2]) as process:
        try:
            yield process
        finally:
            process.kill()


def asked(data_dir: Path) -> list[str]:
    log = data_dir / "asked.log"
    return log.read_text().split() if log.exists() else []


@pytest.fixture
async def harness(redis_url: str, tmp_path: Path) -> AsyncIterator[DownloadHarness]:
    albums = FakeAlbums(an_album("100"), pages=PAGES)
    async with open_harness(redis_url, tmp_path, albums=albums) as harness:
        yield harness


async def test_a_killed_worker_loses_no_page(harness: DownloadHarness, redis_url: str) -> None:
    queued = await harness.start("100")
    with a_worker(redis_url, harness.data_dir) as process:
        await until(lambda: len(asked(harness.data_dir)) >= 10, 20)
        process.send_signal(signal.SIGKILL)
        process.wait()
        on_disk = {path.name for folder in harness.folders.root.iterdir() for path in folder.iterdir()}

        harness.work()
        ready = await harness.until_state(queued.id, DownloadState.READY)

    assert ready.progress.pages_done == PAGES
    assert ready.attempts == 2
    assert len(on_disk) >= 9
    again = {f"100-{int(name.split('/')[1]):05d}" for name in harness.pipeline.requested}
    assert again.isdisjoint(on_disk)
    assert len(again) + len(on_disk) == PAGES


async def test_a_worker_on_another_machine_fetches_all_pages_again(redis_url: str, tmp_path: Path) -> None:
    albums = FakeAlbums(an_album("100"), pages=PAGES)
    async with open_harness(redis_url, tmp_path / "other", albums=albums) as harness:
        queued = await harness.start("100")
        (tmp_path / "first").mkdir()
        with a_worker(redis_url, tmp_path / "first") as process:
            await until(lambda: len(asked(tmp_path / "first")) >= 5, 20)
            process.send_signal(signal.SIGKILL)
            process.wait()

        harness.work()
        await harness.until_state(queued.id, DownloadState.READY)

    assert len(harness.pipeline.requested) == PAGES


async def test_a_worker_that_was_suspended_too_long_changes_nothing(harness: DownloadHarness, redis_url: str) -> None:
    queued = await harness.start("100")
    with a_worker(redis_url, harness.data_dir) as process:
        await until(lambda: len(asked(harness.data_dir)) >= 5, 20)
        process.send_signal(signal.SIGSTOP)
        harness.work()
        ready = await harness.until_state(queued.id, DownloadState.READY)
        await harness.stop_work()

        process.send_signal(signal.SIGCONT)
        harness.albums.albums["200"] = an_album(
            "200"
        )  # which the other does not know: it fails it, once it works again
        failed = await harness.until_state((await harness.start("200")).id, DownloadState.FAILED)

    assert failed.attempts == 1
    assert await harness.downloads.find(ready.id) == ready
    assert ready.file is not None
    assert harness.archives.keys() == [ready.file.key]


async def test_a_stopped_worker_hands_over_at_once(redis_url: str, tmp_path: Path) -> None:
    albums = FakeAlbums(an_album("100"), pages=PAGES)
    async with open_harness(redis_url, tmp_path, albums=albums, timings=PATIENT) as harness:
        queued = await harness.start("100")
        with a_worker(redis_url, tmp_path) as process:
            await until(lambda: len(asked(tmp_path)) >= 5, 20)
            process.send_signal(signal.SIGTERM)
            await harness.until_state(queued.id, DownloadState.QUEUED)
            assert process.wait() == 0
        assert (await harness.downloads.counts()).workers == 0

        harness.work()
        ready = await harness.until_state(queued.id, DownloadState.READY)

    assert ready.attempts == 2
    counts = Counter(asked(tmp_path) + harness.pipeline.requested)
    assert len(counts) == PAGES
    assert sum(counts.values()) <= PAGES + 1  # the page under way when it was stopped


async def test_a_worker_continues_by_itself_after_redis_was_killed(tmp_path: Path) -> None:
    async with embedded_valkey(tmp_path) as url:
        albums = FakeAlbums(an_album("100"), pages=PAGES)
        async with open_harness(url, tmp_path, albums=albums, pipeline=FakePipeline(page_s=0.01)) as harness:
            queued = await harness.start("100")
            harness.work()
            await until(lambda: len(harness.pipeline.requested) >= 5)

            pid = (await harness.redis_client.client.info("server"))["process_id"]
            os.kill(pid, signal.SIGKILL)

            ready = await until_ready(harness, queued.id)
            assert ready.progress.pages_done == PAGES
            assert len(harness.pipeline.requested) == PAGES


async def until_ready(harness: DownloadHarness, id: str) -> DownloadRecord:
    """The READY download, over an outage of Redis."""
    async with asyncio.timeout(20):
        while True:
            if await harness.redis_client.ping() is not None:
                found = await harness.downloads.find(id)
                if found and found.state is DownloadState.READY:
                    return found
            await asyncio.sleep(0.02)


async def test_when_everything_was_killed_the_next_start_continues(tmp_path: Path) -> None:
    async with embedded_valkey(tmp_path) as url:
        async with open_harness(url, tmp_path, maintained=False) as harness:
            queued = await harness.start("100")
        with a_worker(url, tmp_path) as process:
            await until(lambda: len(asked(tmp_path)) >= 5, 20)
            process.send_signal(signal.SIGKILL)
            process.wait()

    albums = FakeAlbums(an_album("100"), pages=PAGES)
    async with embedded_valkey(tmp_path) as url, open_harness(url, tmp_path, albums=albums) as harness:
        harness.work()
        ready = await harness.until_state(queued.id, DownloadState.READY)

    assert ready.progress.pages_done == PAGES
    assert len(harness.pipeline.requested) <= PAGES - 4


async def test_a_queued_record_whose_job_is_lost_gets_another(
    harness: DownloadHarness, caplog: pytest.LogCaptureFixture
) -> None:
    queued = await harness.start("100")
    await harness.redis_client.client.delete("jmgraph:queue")
    await until_queue_length(harness, 1)

    for key in await harness.redis_client.client.keys("arq:job:*"):
        await harness.redis_client.client.delete(key)
    harness.work()

    assert (await harness.until_ended(queued.id)).state is DownloadState.READY
    assert [record.message for record in caplog.records if record.exc_info] == []


async def until_queue_length(harness: DownloadHarness, length: int) -> None:
    async with asyncio.timeout(10):
        while await harness.redis_client.client.zcard("jmgraph:queue") != length:  # noqa: ASYNC110 (another task does it)
            await asyncio.sleep(0.01)


async def test_two_processes_that_ask_at_once_get_one_download(redis_url: str, tmp_path: Path) -> None:
    async with open_harness(redis_url, tmp_path) as one, open_harness(redis_url, tmp_path) as other:
        asks = [harness.start("100", archive=ArchiveFormat.CBZ) for harness in (one, other) for _ in range(20)]
        ids = {download.id for download in await asyncio.gather(*asks)}

        assert len(ids) == 1
        assert (await one.downloads.counts()).queued == 1


async def test_a_worker_that_lost_its_lease_writes_nothing_and_leaves_the_pages(harness: DownloadHarness) -> None:
    harness.pipeline.pause_at = 4
    queued = await harness.start("100")
    harness.work()
    await harness.pipeline.paused.wait()

    store = store_of(harness)
    taken, _ = await store.change(queued.id, lambda row: row.replace(lease="another"))
    harness.pipeline.resume.set()

    await until(lambda: harness.pipeline.concurrent_calls == 0)
    there = await store.find(queued.id)
    assert there == taken
    assert harness.staged() == [taken.folder]


async def test_a_download_that_kills_its_workers_repeatedly_fails(harness: DownloadHarness) -> None:
    queued = await harness.start("100")
    for _ in range(MAX_CRASHES + 1):
        await harness.until_state(queued.id, DownloadState.QUEUED)
        await store_of(harness).change(queued.id, lambda row: transitions.claimed(row, row.job_id, "dead"))

    failed = await harness.until_state(queued.id, DownloadState.FAILED)

    assert failed.problem == DownloadProblemRecord(
        ErrorCode.INTERNAL, "Its worker ended again and again.", retryable=True
    )


async def test_a_download_leased_by_a_worker_that_does_not_run_it_is_released(redis_url: str, tmp_path: Path) -> None:
    async with open_harness(redis_url, tmp_path, timings=PATIENT) as harness:
        queued = await harness.start("100")
        worker, stop = harness.downloads.worker(harness.pipeline, jobs=1), asyncio.Event()
        await store_of(harness).change(queued.id, lambda row: transitions.claimed(row, row.job_id, worker.id))

        working = asyncio.create_task(worker.run(stop))
        ready = await harness.until_ended(queued.id)

        assert (ready.state, ready.attempts) == (DownloadState.READY, 2)
        stop.set()
        await working


def store_of(harness: DownloadHarness) -> DownloadStore:
    """The records, without the rules of the service."""
    return DownloadStore(harness.redis_client, harness.events)
