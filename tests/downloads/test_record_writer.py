"""How a worker writes its record: seldom while pages arrive, at once when the state changes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from services.downloads import DownloadFileRecord, DownloadState, PagesProgress, transitions
from services.downloads.record_writer import LeaseLost, RecordWriter, ThroughputMeter
from services.downloads.row import ChapterProgress, DownloadRow
from services.downloads.store import DownloadStore
from tests.download_fakes import QUICK, DownloadHarness, open_harness
from tests.fakes import Clock
from tests.waiting import until

pytestmark = pytest.mark.anyio


def progress(done: int, total: int = 10) -> PagesProgress:
    return PagesProgress(done, total, done * 100, {"100": done})


async def a_writer(harness: DownloadHarness) -> tuple[DownloadStore, RecordWriter]:
    """The writer of a running download with one chapter of ten pages."""
    store = DownloadStore(harness.redis_client, harness.events)
    queued = await harness.start("100")
    running, _ = await store.change(queued.id, lambda row: transitions.claimed(row, row.job_id, "me"))
    writer = RecordWriter(store, running, replace(QUICK, progress_s=0.1))
    await writer.change(lambda row: row.replace(chapters=(ChapterProgress("100", 0, 10),)))
    return store, writer


def ready(row: DownloadRow) -> DownloadRow:
    return transitions.ready(row, [DownloadFileRecord("Tea.zip", "key", 1, "00")], 60)


async def test_many_pages_are_few_writes_and_the_end_is_exact(redis_url: str, tmp_path: Path) -> None:
    async with open_harness(redis_url, tmp_path) as harness:
        store, writer = await a_writer(harness)
        before = writer.row.download.revision
        writing = asyncio.create_task(writer.write_progress_forever())
        for done in range(1, 10):
            writer.note(progress(done))
            await asyncio.sleep(0)
        await until(lambda: writer.row.download.progress.pages_done > 0)
        assert writer.row.download.revision <= before + 2

        writer.note(progress(10))
        await writer.change(lambda row: row.with_state(DownloadState.PACKING))
        await writer.change(ready)
        writing.cancel()

        there = await store.find(writer.row.download.id)
        assert there == writer.row
        assert there.download.progress.pages_done == 10
        assert there.download.progress.bytes_done == 1000
        assert there.chapters == (ChapterProgress("100", 10, 10),)


async def test_progress_that_comes_with_the_end_changes_nothing(redis_url: str, tmp_path: Path) -> None:
    async with open_harness(redis_url, tmp_path) as harness:
        store, writer = await a_writer(harness)
        await writer.change(lambda row: row.with_state(DownloadState.PACKING))
        ended = await writer.change(ready)

        writer.note(progress(10))
        assert await writer.change(lambda row: row.with_state(DownloadState.PACKING)) == ended

        assert await store.find(ended.download.id) == ended


async def test_a_change_whose_answer_was_lost_is_found_written(redis_url: str, tmp_path: Path) -> None:
    async with open_harness(redis_url, tmp_path) as harness:
        store, writer = await a_writer(harness)
        packing = writer.row.with_state(DownloadState.PACKING)
        written = await store.save(writer.row, packing)

        assert await writer.change(lambda _: packing) == written


async def test_a_record_leased_by_another_worker_is_not_written(redis_url: str, tmp_path: Path) -> None:
    async with open_harness(redis_url, tmp_path) as harness:
        store, writer = await a_writer(harness)
        taken, _ = await store.change(writer.row.download.id, lambda row: row.replace(lease="another"))

        with pytest.raises(LeaseLost):
            await writer.change(ready)

        assert await store.find(taken.download.id) == taken


def test_the_time_left_is_estimated_from_recent_pages() -> None:
    clock = Clock()
    pace = ThroughputMeter(clock)
    assert pace.eta_s(10) is None
    pace.note(0)
    clock.move(2.0)
    pace.note(4)
    assert pace.eta_s(10) == 5.0
    assert pace.eta_s(0) == 0.0

    clock.move(60.0)
    pace.note(5)
    assert pace.eta_s(10) is None
