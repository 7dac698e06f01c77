"""Downloads that may lack pages: what their records say, and how a retry completes them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.downloads import DownloadRecord, DownloadState
from services.errors import ErrorCode, StorageFull, UpstreamFailure, UpstreamReason
from tests.download_fakes import DownloadHarness, FakeAlbums, an_album, open_harness
from tests.waiting import until

pytestmark = pytest.mark.anyio


@pytest.fixture
async def harness(redis_url: str, tmp_path: Path) -> AsyncIterator[DownloadHarness]:
    albums = FakeAlbums(an_album("100"), an_album("200", chapters=("200", "201", "202")), an_album("300"))
    async with open_harness(redis_url, tmp_path, albums=albums) as harness:
        yield harness


async def an_incomplete_one(harness: DownloadHarness, album_id: str = "100") -> DownloadRecord:
    """A download that is READY without pages 2 and 4."""
    harness.pipeline.missing = {2, 4}
    harness.pipeline.cause = UpstreamFailure(UpstreamReason.TIMEOUT)
    harness.work()
    return await harness.until_ended((await harness.start(album_id, allow_missing=True)).id)


async def is_fetchable(harness: DownloadHarness, download: DownloadRecord) -> bool:
    """Whether the file of this record can be fetched now."""
    assert download.file is not None
    async with harness.downloads.lock_file(download.id, download.file.name) as file:
        stored = harness.archives.keys()
        return file == download.file and download.file.key in stored


# --- an archive that lacks pages --------------------------------------------------------------------------------


async def test_an_archive_that_may_lack_pages_is_ready_and_says_which(harness: DownloadHarness) -> None:
    ready = await an_incomplete_one(harness)

    assert ready.state is DownloadState.READY
    assert (ready.progress.pages_done, ready.progress.pages_total) == (3, 5)
    assert ready.problem is not None
    assert ready.problem.missing_pages == ("100/2", "100/4")
    assert ready.problem.message == "2 pages missing: The site did not answer in time."
    assert (ready.problem.code, ready.problem.reason) == (ErrorCode.TIMEOUT, UpstreamReason.TIMEOUT)
    assert ready.problem.retryable
    assert await is_fetchable(harness, ready)


async def test_a_whole_archive_has_no_problem_though_it_might_lack_pages(harness: DownloadHarness) -> None:
    harness.work()

    ready = await harness.until_ended((await harness.start("100", allow_missing=True)).id)

    assert (ready.state, ready.problem, ready.notes) == (DownloadState.READY, None, ())
    await until(lambda: harness.staged() == [])


async def test_without_leave_a_missing_page_fails_the_download(harness: DownloadHarness) -> None:
    harness.pipeline.missing = {2}
    harness.work()

    failed = await harness.until_ended((await harness.start("100")).id)

    assert (failed.state, failed.file) == (DownloadState.FAILED, None)


# --- a retry ----------------------------------------------------------------------------------------------------


async def test_a_retry_fetches_the_missing_pages_alone_and_replaces_the_archive(harness: DownloadHarness) -> None:
    incomplete = await an_incomplete_one(harness)
    harness.pipeline.missing = set()
    harness.pipeline.requested.clear()

    queued = await harness.downloads.retry(incomplete.id)
    complete = await harness.until_ended(incomplete.id)

    assert queued.state is DownloadState.QUEUED
    assert harness.pipeline.requested == ["100/2", "100/4"]
    assert (complete.state, complete.problem, complete.attempts) == (DownloadState.READY, None, 2)
    assert complete.progress.pages_done == 5
    assert complete.file is not None
    assert incomplete.file is not None
    assert complete.file.name == incomplete.file.name
    assert complete.file.sha256 != incomplete.file.sha256
    key = complete.file.key
    await until(lambda: harness.archives.keys() == [key] and harness.staged() == [])


async def test_the_archive_stays_until_there_is_another_even_past_its_time(redis_url: str, tmp_path: Path) -> None:
    async with open_harness(redis_url, tmp_path, ttl_s=1.0) as harness:
        incomplete = await an_incomplete_one(harness)
        harness.pipeline.missing = set()
        harness.pipeline.pause_at = 4

        await harness.downloads.retry(incomplete.id)
        await harness.pipeline.paused.wait()
        running = await harness.downloads.find(incomplete.id)
        assert running is not None
        assert (running.state, running.file, running.problem) == (
            DownloadState.RUNNING,
            incomplete.file,
            incomplete.problem,
        )
        expires_at = incomplete.expires_at
        assert expires_at is not None
        await until(lambda: datetime.now(UTC) > expires_at)
        assert await is_fetchable(harness, incomplete)
        named = await harness.downloads.find_named("山行 100", incomplete.request.archive)
        assert named is not None
        assert named.id == incomplete.id

        harness.pipeline.resume.set()
        complete = await harness.until_ended(incomplete.id)

        assert complete.expires_at is not None
        assert complete.expires_at > expires_at


async def test_a_retry_that_gains_nothing_is_ready_with_the_same_pages_missing(harness: DownloadHarness) -> None:
    incomplete = await an_incomplete_one(harness)

    await harness.downloads.retry(incomplete.id)
    again = await harness.until_ended(incomplete.id)

    assert (again.state, again.problem) == (DownloadState.READY, incomplete.problem)
    assert await is_fetchable(harness, again)
    await until(lambda: len(harness.archives.keys()) == 1)


async def test_a_retry_that_fails_leaves_the_archive_and_says_why(harness: DownloadHarness) -> None:
    incomplete = await an_incomplete_one(harness)
    for failure in (UpstreamFailure(UpstreamReason.REGION_BLOCKED), UpstreamFailure(UpstreamReason.MAINTENANCE)):
        harness.albums.failure = failure
        await harness.downloads.retry(incomplete.id)
        again = await harness.until_ended(incomplete.id)

    assert (again.state, again.file, again.problem) == (DownloadState.READY, incomplete.file, incomplete.problem)
    assert again.notes == ("The retry failed: The site is under maintenance.",)
    assert (again.progress.pages_done, again.expires_at) == (3, incomplete.expires_at)
    assert await is_fetchable(harness, again)
    assert len(harness.staged()) == 1


async def test_a_retry_that_can_not_store_its_archive_leaves_the_first(harness: DownloadHarness) -> None:
    incomplete = await an_incomplete_one(harness)
    harness.archives.failure = StorageFull("There is no room left for archives.")

    await harness.downloads.retry(incomplete.id)
    again = await harness.until_ended(incomplete.id)

    assert (again.state, again.file) == (DownloadState.READY, incomplete.file)
    assert again.notes == ("The retry failed: There is no room left for archives.",)
    assert await is_fetchable(harness, again)


@pytest.mark.parametrize("is_running", [False, True])
async def test_a_cancelled_retry_is_ready_with_the_archive_it_had(harness: DownloadHarness, is_running: bool) -> None:
    harness.albums.notes["100"] = ("an odd answer",)
    incomplete = await an_incomplete_one(harness)
    harness.albums.notes.clear()
    if not is_running:
        await harness.stop_work()
    harness.pipeline.missing = set()
    harness.pipeline.pause_at = 4
    await harness.downloads.retry(incomplete.id)
    if is_running:
        await harness.pipeline.paused.wait()

    cancelled = await harness.downloads.cancel(incomplete.id)

    await until(lambda: harness.pipeline.concurrent_calls == 0)
    assert cancelled.notes == incomplete.notes == ("100: an odd answer",)
    assert (cancelled.state, cancelled.file) == (DownloadState.READY, incomplete.file)
    assert (cancelled.problem, cancelled.progress.pages_done) == (incomplete.problem, 3)
    assert await is_fetchable(harness, cancelled)
    assert len(harness.staged()) == 1
    assert (await harness.downloads.find(incomplete.id)) == cancelled


async def test_a_retry_that_is_handed_over_is_completed_by_the_next_worker(harness: DownloadHarness) -> None:
    incomplete = await an_incomplete_one(harness)
    harness.pipeline.missing = set()
    harness.pipeline.pause_at = 4
    await harness.downloads.retry(incomplete.id)
    await harness.pipeline.paused.wait()

    await harness.stop_work()
    waiting = await harness.downloads.find(incomplete.id)
    assert waiting is not None
    assert (waiting.state, waiting.file) == (DownloadState.QUEUED, incomplete.file)
    assert await is_fetchable(harness, incomplete)
    harness.pipeline.pause_at = None
    harness.work()

    assert (await harness.until_ended(incomplete.id)).is_complete


async def test_a_retry_without_the_pages_on_disk_fetches_them_all(harness: DownloadHarness) -> None:
    incomplete = await an_incomplete_one(harness)
    for name in harness.staged():
        harness.folders.remove(name)
    harness.pipeline.missing = set()
    harness.pipeline.requested.clear()

    await harness.downloads.retry(incomplete.id)

    assert (await harness.until_ended(incomplete.id)).is_complete
    assert harness.pipeline.requested == [f"100/{number}" for number in range(1, 6)]


async def test_removing_one_that_is_retried_deletes_its_archive_and_pages(harness: DownloadHarness) -> None:
    incomplete = await an_incomplete_one(harness)
    harness.pipeline.pause_at = 4
    await harness.downloads.retry(incomplete.id)
    await harness.pipeline.paused.wait()

    await harness.downloads.remove(incomplete.id)

    await until(lambda: harness.archives.keys() == [] and harness.staged() == [])
    left = {key.rpartition(b":")[2] for key in await harness.redis_client.client.keys("jmgraph:downloads:*")}
    assert left <= {b"version", b"workers", b"trash"}


async def test_an_incomplete_archive_expires_with_its_pages_and_is_fetched_anew_by_a_retry(
    redis_url: str, tmp_path: Path
) -> None:
    async with open_harness(redis_url, tmp_path, ttl_s=0.2) as harness:
        incomplete = await an_incomplete_one(harness)
        expired = await harness.until_state(incomplete.id, DownloadState.EXPIRED)
        await until(lambda: harness.archives.keys() == [] and harness.staged() == [])
        harness.pipeline.missing = set()
        harness.pipeline.requested.clear()

        await harness.downloads.retry(incomplete.id)
        complete = await harness.until_ended(incomplete.id)

        assert (expired.file, expired.problem) == (None, None)
        assert complete.is_complete
        assert len(harness.pipeline.requested) == 5


async def test_the_pages_of_an_incomplete_archive_are_kept_and_those_of_a_whole_one_are_not(
    harness: DownloadHarness,
) -> None:
    await an_incomplete_one(harness)
    harness.pipeline.missing = set()
    await harness.until_ended((await harness.start("300")).id)
    (harness.folders.root / "leftover").mkdir()

    await until(lambda: "leftover" not in harness.staged())

    assert len(harness.staged()) == 1


# --- which requests are the same --------------------------------------------------------------------------------


async def test_a_whole_archive_satisfies_requests_with_and_without_leave(harness: DownloadHarness) -> None:
    harness.work()
    strict = await harness.until_ended((await harness.start("100")).id)
    lenient = await harness.until_ended((await harness.start("300", allow_missing=True)).id)

    assert (await harness.start("100", allow_missing=True)).id == strict.id
    assert (await harness.start("300")).id == lenient.id


async def test_an_archive_that_lacks_pages_satisfies_only_those_that_allow_it(harness: DownloadHarness) -> None:
    incomplete = await an_incomplete_one(harness)

    assert (await harness.start("100", allow_missing=True)).id == incomplete.id
    assert (await harness.start("100")).id != incomplete.id


async def test_until_it_is_known_what_is_missing_the_two_are_different_downloads(harness: DownloadHarness) -> None:
    strict = await harness.start("100")
    lenient = await harness.start("100", allow_missing=True)

    assert lenient.id != strict.id
    assert (await harness.start("100")).id == strict.id
    assert (await harness.start("100", allow_missing=True)).id == lenient.id


# --- chapters and pages that the site does not show -------------------------------------------------------------


async def test_an_empty_chapter_fails_the_download_and_is_named(harness: DownloadHarness) -> None:
    harness.albums.page_counts["201"] = 0
    harness.work()

    failed = await harness.until_ended((await harness.start("200")).id)

    assert failed.state is DownloadState.FAILED
    assert failed.problem is not None
    assert failed.problem.message == 'The site has no pages of chapter 2, "第2話" (201).'
    assert failed.problem.reason is UpstreamReason.GARBLED


async def test_an_empty_chapter_is_left_out_with_a_note_where_that_is_allowed(harness: DownloadHarness) -> None:
    harness.albums.page_counts["201"] = 0
    harness.work()

    ready = await harness.until_ended((await harness.start("200", allow_missing=True)).id)

    assert (ready.state, ready.progress.pages_done, ready.progress.pages_total) == (DownloadState.READY, 10, 10)
    assert ready.notes == ('The site has no pages of chapter 2, "第2話" (201). It was left out.',)
    assert ready.problem is not None
    assert ready.problem.message == "1 chapter without pages left out."
    assert (ready.problem.missing_pages, ready.problem.retryable) == ((), True)

    del harness.albums.page_counts["201"]
    await harness.downloads.retry(ready.id)
    complete = await harness.until_ended(ready.id)

    assert (complete.progress.pages_done, complete.problem, complete.notes) == (15, None, ())


async def test_an_album_without_a_single_page_fails_also_where_missing_pages_are_allowed(
    harness: DownloadHarness,
) -> None:
    harness.albums.page_counts |= dict.fromkeys(("200", "201", "202"), 0)
    harness.work()

    failed = await harness.until_ended((await harness.start("200", allow_missing=True)).id)

    assert failed.state is DownloadState.FAILED


async def test_what_was_odd_about_a_chapter_is_noted(harness: DownloadHarness) -> None:
    harness.albums.notes["201"] = ("2 entries that are no pages were left out",)
    harness.work()

    ready = await harness.until_ended((await harness.start("200")).id)

    assert ready.notes == ("201: 2 entries that are no pages were left out",)
    assert ready.is_complete


async def test_of_very_many_notes_the_first_are_kept(harness: DownloadHarness) -> None:
    harness.albums.notes["100"] = tuple(f"note {number}" for number in range(500))
    harness.work()

    ready = await harness.until_ended((await harness.start("100")).id)

    assert len(ready.notes) == 100
    assert ready.notes[-2:] == ("100: note 98", "There are more notes.")


async def test_an_album_with_fewer_pages_than_it_says_is_read_again(harness: DownloadHarness) -> None:
    whole = replace(an_album("400", chapters=("400", "401", "402")), page_count=15)
    harness.albums.by_api["400"] = whole
    harness.albums.albums["400"] = replace(whole, chapters=whole.chapters[:1])
    harness.work()

    ready = await harness.until_ended((await harness.start("400")).id)

    assert (ready.progress.pages_done, ready.progress.pages_total, ready.notes) == (15, 15, ())
    assert harness.pipeline.requested[5] == "401/1"


async def test_an_album_that_stays_with_fewer_pages_is_ready_with_a_note(harness: DownloadHarness) -> None:
    harness.albums.albums["400"] = replace(an_album("400"), page_count=60)
    harness.work()

    ready = await harness.until_ended((await harness.start("400")).id)

    assert ready.state is DownloadState.READY
    assert ready.notes == ("The album's page says 60 pages; 5 were found.",)


async def test_the_pages_of_single_chapters_are_not_compared_with_the_album(harness: DownloadHarness) -> None:
    harness.albums.albums["400"] = replace(an_album("400", chapters=("400", "401")), page_count=60)
    harness.work()

    ready = await harness.until_ended((await harness.start("400", chapter_ids=("401",))).id)

    assert (ready.progress.pages_done, ready.notes) == (5, ())
