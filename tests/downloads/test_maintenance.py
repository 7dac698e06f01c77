"""What is deleted in time: files, records, leftovers; and what is kept while it is being sent."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from services.downloads import ArchiveFormat, DownloadProblemRecord, DownloadRecord, DownloadState, Timings
from services.downloads.row import RECORD_VERSION, row_from_json, row_to_json
from services.errors import ConfigurationError, ErrorCode, QueueUnavailable
from services.redis import RedisClient, embedded_valkey
from tests.download_fakes import QUICK, DownloadHarness, open_harness
from tests.waiting import until

pytestmark = pytest.mark.anyio

OLDER_RECORD: dict[str, Any] = {
    "download": {
        "id": "0190",
        "revision": 3,
        "request": {
            "album_id": "100",
            "chapter_ids": [],
            "archive": "ZIP",
            "image": "ORIGINAL",
            "quality": 90,
            "force": False,
        },
        "album_id": "100",
        "title": "山行",
        "state": "FAILED",
        "progress": {"pages_done": 4, "pages_total": 5, "bytes_done": 40, "eta_s": None},
        "problem": {
            "code": "TIMEOUT",
            "message": "1 page can't be had.",
            "retryable": True,
            "reason": "TIMEOUT",
            "missing_pages": ["100/5"],
        },
        "file": None,
        "attempts": 1,
        "requested_at": "2026-05-01T07:39:03Z",
        "started_at": "2026-05-01T07:39:03Z",
        "finished_at": "2026-05-01T07:39:04Z",
        "expires_at": None,
    },
    "job_id": "",
    "place_ms": 1777621143039,
    "lease": "",
    "folder": "0190f",
    "archive_key": "",
    "crashes": 0,
    "chapters": [{"id": "100", "pages_done": 4, "pages_total": 5}],
    "request_id": "",
}
"""As version 2.0 stores a failed download."""


async def a_ready_one(harness: DownloadHarness) -> DownloadRecord:
    harness.work()
    return await harness.until_ended((await harness.start("100")).id)


async def test_a_file_is_deleted_when_it_expires_and_the_record_says_so(redis_url: str, tmp_path: Path) -> None:
    async with open_harness(redis_url, tmp_path, ttl_s=0.2) as harness:
        ready = await a_ready_one(harness)
        assert ready.file is not None
        assert await harness.downloads.find_file(ready.id, ready.file.name) == ready.file
        assert await harness.downloads.find_file(ready.id, "another.zip") is None

        expired = await harness.until_state(ready.id, DownloadState.EXPIRED)

        assert expired.file is None
        await until(lambda: harness.archives.keys() == [])
        assert await harness.downloads.find_file(ready.id, ready.file.name) is None
        assert await harness.downloads.find_named("山行 100", ArchiveFormat.ZIP) is None


async def test_a_file_that_expired_while_nothing_ran_is_deleted_at_the_next_start(
    redis_url: str, tmp_path: Path
) -> None:
    async with open_harness(redis_url, tmp_path, ttl_s=0.3) as harness:
        ready = await a_ready_one(harness)
    assert len(harness.archives.keys()) == 1
    await asyncio.sleep(0.3)  # it expires while no process runs

    async with open_harness(redis_url, tmp_path, ttl_s=0.3) as harness:
        await harness.until_state(ready.id, DownloadState.EXPIRED)
        await until(lambda: harness.archives.keys() == [])


async def test_a_file_that_is_being_sent_stays_until_it_is_sent(redis_url: str, tmp_path: Path) -> None:
    async with open_harness(redis_url, tmp_path, ttl_s=0.2) as harness, open_harness(redis_url, tmp_path) as sender:
        ready = await a_ready_one(harness)
        assert ready.file is not None
        async with sender.downloads.lock_file(ready.id, ready.file.name) as file:
            assert file == ready.file
            await asyncio.sleep(1.0)  # five times its TTL, and longer than a lock that is not renewed
            assert len(harness.archives.keys()) == 1
            found = await harness.downloads.find(ready.id)
            assert found is not None
            assert found.state is DownloadState.READY
            async with sender.downloads.lock_file(ready.id, ready.file.name) as too_late:
                assert too_late is None

        await harness.until_state(ready.id, DownloadState.EXPIRED)


async def test_an_expired_one_is_fetched_again_by_a_retry(redis_url: str, tmp_path: Path) -> None:
    async with open_harness(redis_url, tmp_path, ttl_s=0.2) as harness:
        ready = await a_ready_one(harness)
        await harness.until_state(ready.id, DownloadState.EXPIRED)
        harness.pipeline.requested.clear()

        again = await harness.downloads.retry(ready.id)

        assert (again.progress.pages_done, again.expires_at) == (0, None)
        await harness.until_ended(ready.id)
        assert len(harness.pipeline.requested) == 5


Look = Callable[[DownloadHarness, DownloadRecord], Awaitable[DownloadRecord | None]]


async def _listed(harness: DownloadHarness, _: DownloadRecord) -> DownloadRecord:
    return (await harness.downloads.list(None, 1, None)).items[0]


async def _of_album(harness: DownloadHarness, ready: DownloadRecord) -> DownloadRecord:
    return (await harness.downloads.of_album(ready.album_id))[0]


async def _watched(harness: DownloadHarness, ready: DownloadRecord) -> DownloadRecord:
    return await harness.until_ended(ready.id)


LOOKS: dict[str, Look] = {
    "find": lambda harness, ready: harness.downloads.find(ready.id),
    "list": _listed,
    "of album": _of_album,
    "watch": _watched,
}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
async def test_an_archive_deleted_from_outside_is_expired_at_the_next_look(
    redis_url: str, tmp_path: Path, look: Look
) -> None:
    async with open_harness(redis_url, tmp_path) as harness:
        ready = await a_ready_one(harness)
        assert ready.file is not None
        shutil.rmtree(harness.archives.root)

        seen = await look(harness, ready)

        assert seen is not None
        assert (seen.state, seen.file, seen.revision) == (DownloadState.EXPIRED, None, ready.revision + 1)
        assert seen.problem == DownloadProblemRecord(
            ErrorCode.NOT_FOUND,
            "The file was deleted, not by this server; retry the download to have it again.",
            retryable=True,
        )
        assert await harness.downloads.find_named("山行 100", ArchiveFormat.ZIP) is None


async def test_an_album_whose_archive_was_deleted_from_outside_is_downloaded_again(
    redis_url: str, tmp_path: Path
) -> None:
    async with open_harness(redis_url, tmp_path) as harness:
        ready = await a_ready_one(harness)
        shutil.rmtree(harness.archives.root)

        again = await harness.start("100")

        assert again.id != ready.id
        assert (await harness.until_ended(again.id)).state is DownloadState.READY


async def test_a_retry_of_one_whose_archive_was_deleted_from_outside_queues_it(
    redis_url: str, tmp_path: Path
) -> None:
    async with open_harness(redis_url, tmp_path) as harness:
        ready = await a_ready_one(harness)
        shutil.rmtree(harness.archives.root)

        again = await harness.downloads.retry(ready.id)

        assert (again.id, again.state, again.problem) == (ready.id, DownloadState.QUEUED, None)
        assert (await harness.until_ended(ready.id)).state is DownloadState.READY


async def test_a_feed_of_ready_downloads_shows_none_whose_archive_is_gone(redis_url: str, tmp_path: Path) -> None:
    async with open_harness(redis_url, tmp_path) as harness:
        await a_ready_one(harness)
        shutil.rmtree(harness.archives.root)

        assert (await anext(harness.downloads.feed(None, [DownloadState.READY]))).downloads == ()


async def test_while_missing_pages_are_fetched_a_deleted_archive_is_not_offered(
    redis_url: str, tmp_path: Path
) -> None:
    async with open_harness(redis_url, tmp_path) as harness:
        harness.pipeline.missing = {2}
        started = await harness.start("100", allow_missing=True)
        harness.work()
        await harness.until_ended(started.id)
        await harness.stop_work()
        retried = await harness.downloads.retry(started.id)
        shutil.rmtree(harness.archives.root)

        queued = await harness.downloads.find(started.id)
        cancelled = await harness.downloads.cancel(started.id)
        seen = await harness.downloads.find(started.id)

    assert retried.file is not None
    assert queued is not None
    assert (queued.state, queued.file) == (DownloadState.QUEUED, None)
    assert cancelled.state is DownloadState.READY
    assert seen is not None
    assert seen.state is DownloadState.EXPIRED


async def test_the_record_of_an_ended_download_is_deleted_after_its_time(redis_url: str, tmp_path: Path) -> None:
    async with open_harness(redis_url, tmp_path, history_s=0.2) as harness:
        cancelled = await harness.downloads.cancel((await harness.start("100")).id)
        async with asyncio.timeout(5):
            while await harness.downloads.find(cancelled.id):  # noqa: ASYNC110 (another process does it)
                await asyncio.sleep(0.01)
        assert (await harness.downloads.list(None, 10, None)).total == 0


async def test_unused_folders_are_removed_and_those_of_failed_downloads_are_kept(
    redis_url: str, tmp_path: Path
) -> None:
    async with open_harness(redis_url, tmp_path) as harness:
        harness.pipeline.missing = {2}
        harness.work()
        failed = await harness.until_ended((await harness.start("100")).id)
        (tmp_path / "staging" / "leftover").mkdir()

        await until(lambda: "leftover" not in harness.staged())
        assert len(harness.staged()) == 1

        await harness.downloads.remove(failed.id)
        await until(lambda: harness.staged() == [])


async def test_a_worker_clears_what_was_cancelled_on_another_machine(redis_url: str, tmp_path: Path) -> None:
    async with open_harness(redis_url, tmp_path / "a") as worker, open_harness(redis_url, tmp_path / "b") as api:
        worker.pipeline.missing = {2}
        worker.work()
        failed = await worker.until_ended((await worker.start("100")).id)
        assert len(worker.staged()) == 1

        await api.downloads.remove(failed.id)

        await until(lambda: worker.staged() == [])


async def test_records_of_the_version_before_are_read_and_retried(redis_url: str, tmp_path: Path) -> None:
    async with open_harness(redis_url, tmp_path) as harness:
        fields = {"v": 1, "rev": 3, "state": "FAILED", "lease": "", "body": json.dumps(OLDER_RECORD)}
        await harness.redis_client.client.hset("jmgraph:downloads:record:0190", mapping=fields)  # type: ignore[misc]

        found = await harness.downloads.find("0190")
        harness.work()
        await harness.downloads.retry("0190")
        ready = await harness.until_ended("0190")

        assert found is not None
        assert (found.notes, found.request.allow_missing) == ((), False)
        assert (ready.state, ready.revision > 3, ready.problem) == (DownloadState.READY, True, None)


def test_records_have_every_field_that_the_version_before_reads() -> None:
    written = json.loads(row_to_json(row_from_json(json.dumps(OLDER_RECORD).encode(), 1)))

    download, request = written["download"], written["download"]["request"]
    del written["trace_parent"], written["is_in_library"], request["allow_missing"], request["keep"]
    del download["notes"], download["owner_id"], download["chapter_files"]
    assert written == OLDER_RECORD


async def test_records_of_a_newer_version_end_the_start_with_one_line(redis_url: str, tmp_path: Path) -> None:
    link = RedisClient(redis_url)
    await link.client.set("jmgraph:downloads:version", RECORD_VERSION + 1)
    await link.aclose()

    with pytest.raises(ConfigurationError, match="newer") as caught:
        async with open_harness(redis_url, tmp_path):
            pass

    assert "\n" not in str(caught.value)


async def test_while_redis_is_unavailable_every_call_says_so_and_works_afterwards(tmp_path: Path) -> None:
    async with embedded_valkey(tmp_path / "redis") as url:
        pass
    async with open_harness(url, tmp_path) as harness:
        with pytest.raises(QueueUnavailable) as caught:
            await harness.start("100")
        assert caught.value.retry_after_s == 5
        with pytest.raises(QueueUnavailable):
            await harness.downloads.find("x")
        with pytest.raises(QueueUnavailable):
            await anext(harness.downloads.watch("x"))
        harness.work()

        async with embedded_valkey(tmp_path / "redis"):
            assert (await a_ready_one(harness)).state is DownloadState.READY


def test_the_default_timings_are_those_of_the_documents() -> None:
    timings = Timings()
    assert timings.heartbeat_s == 3
    assert timings.reconcile_s == 15
    assert timings.lease_s + 2 * timings.heartbeat_s < 30
    assert 1 / timings.live_s + 1 <= 4
    assert QUICK.lease_s < timings.lease_s
