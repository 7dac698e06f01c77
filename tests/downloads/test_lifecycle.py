"""The life of a download, from request to expiry, on a real Valkey."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from services.downloads import (
    ArchiveFormat,
    Cancelled,
    DownloadJob,
    DownloadRequest,
    DownloadState,
    ImageFormat,
    PackedArchive,
    PagesProgress,
)
from services.errors import (
    AlbumNotFound,
    BlockedByPolicy,
    DownloadNotFound,
    ErrorCode,
    InvalidInput,
    QueueFull,
    StorageFull,
    UpstreamFailure,
    UpstreamReason,
)
from services.upstream import NumberKind
from tests.download_fakes import DownloadHarness, FakeAlbums, FakePipeline, an_album, open_harness
from tests.waiting import until

pytestmark = pytest.mark.anyio


@pytest.fixture
async def harness(redis_url: str, tmp_path: Path) -> AsyncIterator[DownloadHarness]:
    albums = FakeAlbums(an_album("100"), an_album("200", chapters=("200", "201", "202")), an_album("300"))
    async with open_harness(redis_url, tmp_path, albums=albums) as harness:
        yield harness


async def test_a_download_goes_from_queued_to_ready_with_every_page(harness: DownloadHarness) -> None:
    queued = await harness.start("200", archive=ArchiveFormat.CBZ)
    assert (queued.state, queued.revision, queued.attempts) == (DownloadState.QUEUED, 1, 0)

    harness.work()
    ready = await harness.until_ended(queued.id)

    assert ready.state is DownloadState.READY
    assert (ready.progress.pages_done, ready.progress.pages_total, ready.progress.percent) == (15, 15, 100.0)
    assert ready.file is not None
    assert ready.file.name == "山行 200.cbz"
    assert (harness.archives.root / ready.file.key).stat().st_size == ready.file.size_bytes
    assert ready.attempts == 1
    assert ready.expires_at is not None
    assert ready.finished_at is not None
    assert (ready.expires_at - ready.finished_at).total_seconds() == 60
    await until(lambda: harness.staged() == [])


async def test_the_same_request_is_the_same_download_until_it_ends(harness: DownloadHarness) -> None:
    first = await harness.start("200", chapter_ids=("202", "201"))

    assert (await harness.start("200", chapter_ids=("201", "202", "201"))).id == first.id
    assert (await harness.start("200", chapter_ids=("201",))).id != first.id
    assert (await harness.start("200", chapter_ids=("201", "202"), archive=ArchiveFormat.PDF)).id != first.id
    assert (await harness.start("200", chapter_ids=("201", "202"), force=True)).id != first.id


async def test_all_chapters_named_is_the_same_as_none_named(harness: DownloadHarness) -> None:
    first = await harness.start("200")
    assert (await harness.start("200", chapter_ids=("202", "200", "201"))).id == first.id
    assert first.request.chapter_ids == ()


async def test_quality_distinguishes_downloads_only_where_it_matters(harness: DownloadHarness) -> None:
    original = await harness.start("100", quality=90)
    assert (await harness.start("100", quality=50)).id == original.id
    jpeg = await harness.start("100", image=ImageFormat.JPEG, quality=90)
    assert (await harness.start("100", image=ImageFormat.JPEG, quality=50)).id != jpeg.id


async def test_a_ready_one_is_found_again_and_a_failed_one_is_not(harness: DownloadHarness) -> None:
    harness.work()
    ready = await harness.until_ended((await harness.start("100")).id)
    assert (await harness.start("100")).id == ready.id

    harness.pipeline.missing = {2}
    failed = await harness.until_ended((await harness.start("300")).id)
    assert failed.state is DownloadState.FAILED
    assert (await harness.start("300")).id != failed.id


@pytest.mark.parametrize(
    ("number", "kind", "chapter_ids"),
    [
        ("200", NumberKind.PLAIN, ()),
        ("200", NumberKind.ALBUM, ()),
        ("200", NumberKind.CHAPTER, ("200",)),
        ("201", NumberKind.PLAIN, ("201",)),
        ("201", NumberKind.CHAPTER, ("201",)),
        ("201", NumberKind.ALBUM, ()),
        ("300", NumberKind.CHAPTER, ()),
    ],
)
async def test_the_number_of_a_chapter_is_that_chapter_alone(
    harness: DownloadHarness, number: str, kind: NumberKind, chapter_ids: tuple[str, ...]
) -> None:
    download = await harness.start(number, kind)

    assert download.album_id == ("300" if number == "300" else "200")
    assert download.request.chapter_ids == chapter_ids


async def test_chapters_that_are_chosen_win_over_the_number_of_one(harness: DownloadHarness) -> None:
    download = await harness.start("201", NumberKind.CHAPTER, chapter_ids=("202",))

    assert (download.album_id, download.request.chapter_ids) == ("200", ("202",))


async def test_a_chapter_that_its_album_does_not_list_is_refused(harness: DownloadHarness) -> None:
    harness.albums.redirects["599"] = "200"

    with pytest.raises(InvalidInput) as caught:
        await harness.start("599", NumberKind.CHAPTER)

    assert caught.value.field == "chapterIds"


async def test_a_chapter_alone_has_a_file_name_of_its_own(harness: DownloadHarness) -> None:
    harness.work()
    names = []
    for number in ("200", "201", "202"):
        ready = await harness.until_ended((await harness.start(number)).id)
        assert ready.file is not None
        names.append(ready.file.name)

    assert names == ["山行 200.zip", "山行 200 [JM201].zip", "山行 200 [JM202].zip"]


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (DownloadRequest("100", quality=0), "quality"),
        (DownloadRequest("100", quality=101), "quality"),
        (DownloadRequest("200", chapter_ids=("201", "999")), "chapterIds"),
    ],
)
async def test_what_can_never_work_is_invalid_input(
    harness: DownloadHarness, request_: DownloadRequest, field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        await harness.downloads.start(request_)
    assert caught.value.field == field


async def test_the_site_is_asked_before_anything_is_queued(harness: DownloadHarness) -> None:
    harness.albums.blocked["300"] = ("某標籤",)
    with pytest.raises(AlbumNotFound):
        await harness.start("999")
    with pytest.raises(BlockedByPolicy):
        await harness.start("300")
    harness.albums.failure = UpstreamFailure(UpstreamReason.TIMEOUT)
    with pytest.raises(UpstreamFailure):
        await harness.start("100")
    assert (await harness.downloads.counts()).queued == 0


async def test_while_the_site_is_down_an_existing_download_is_still_found(harness: DownloadHarness) -> None:
    first = await harness.start("100")
    harness.albums.failure = UpstreamFailure(UpstreamReason.UNREACHABLE)
    assert (await harness.start("100")).id == first.id


async def test_a_full_queue_refuses_with_a_time_to_retry(redis_url: str, tmp_path: Path) -> None:
    albums = FakeAlbums(*(an_album(str(number)) for number in range(100, 103)))
    async with open_harness(redis_url, tmp_path, albums=albums, queue_limit=2) as harness:
        first = await harness.start("100")
        await harness.start("101")

        with pytest.raises(QueueFull) as caught:
            await harness.start("102")

        assert caught.value.retry_after_s == 30
        assert (await harness.start("100")).id == first.id


async def test_a_full_disk_refuses_new_downloads_and_finds_existing_ones(redis_url: str, tmp_path: Path) -> None:
    async with open_harness(redis_url, tmp_path) as with_space:
        existing = await with_space.start("100")
        async with open_harness(redis_url, tmp_path, disk_floor_bytes=1 << 60) as full:
            with pytest.raises(StorageFull):
                await full.start("100", archive=ArchiveFormat.PDF)
            assert (await full.start("100")).id == existing.id


async def test_cancelling_a_queued_one_leaves_nothing_to_do(harness: DownloadHarness) -> None:
    queued = await harness.start("100")

    cancelled = await harness.downloads.cancel(queued.id)

    assert cancelled.state is DownloadState.CANCELLED
    assert (await harness.downloads.cancel(queued.id)) == cancelled
    assert await harness.redis_client.client.zcard("jmgraph:queue") == 0
    assert await harness.redis_client.client.keys("arq:*") == []


async def test_cancelling_a_running_one_stops_it_and_keeps_nothing_on_disk(harness: DownloadHarness) -> None:
    harness.pipeline.pause_at = 3
    queued = await harness.start("100")
    harness.work()
    await harness.pipeline.paused.wait()
    assert len(harness.staged()) == 1

    cancelled = await harness.downloads.cancel(queued.id)

    assert cancelled.state is DownloadState.CANCELLED
    await until(lambda: harness.pipeline.concurrent_calls == 0 and harness.staged() == [])
    assert harness.archives.keys() == []


class _FolderRemovedPipeline(FakePipeline):
    """Finds its folder gone while it is being stopped."""

    async def run(
        self, job: DownloadJob, *, on_progress: Callable[[PagesProgress], None], is_cancelled: Callable[[], bool]
    ) -> PackedArchive:
        try:
            return await super().run(job, on_progress=on_progress, is_cancelled=is_cancelled)
        except (asyncio.CancelledError, Cancelled):
            raise FileNotFoundError(job.folder) from None


async def test_a_folder_removed_by_a_cancellation_is_no_error(harness: DownloadHarness) -> None:
    harness.pipeline = _FolderRemovedPipeline()
    harness.pipeline.pause_at = 3
    with capture_logs() as logs:
        harness.work()
        running = await harness.start("100")
        await harness.pipeline.paused.wait()

        cancelled = await harness.downloads.cancel(running.id)
        await until(lambda: "a download is no longer ours" in [line["event"] for line in logs])

    assert cancelled.state is DownloadState.CANCELLED
    assert [line["event"] for line in logs if line["log_level"] in ("warning", "error")] == []
    assert harness.staged() == []


async def test_a_failed_one_names_its_missing_pages_and_keeps_the_others_for_a_retry(
    harness: DownloadHarness,
) -> None:
    harness.pipeline.missing = {2, 4}
    harness.pipeline.cause = UpstreamFailure(UpstreamReason.TIMEOUT)
    harness.work()
    failed = await harness.until_ended((await harness.start("100")).id)
    assert failed.problem is not None
    assert failed.problem.missing_pages == ("100/2", "100/4")
    assert (failed.problem.code, failed.problem.reason) == (ErrorCode.TIMEOUT, UpstreamReason.TIMEOUT)
    assert failed.progress.pages_done == 3

    harness.pipeline.missing = set()
    harness.pipeline.requested.clear()
    again = await harness.downloads.retry(failed.id)
    assert (again.state, again.problem, again.finished_at) == (DownloadState.QUEUED, None, None)
    ready = await harness.until_ended(failed.id)

    assert ready.state is DownloadState.READY
    assert harness.pipeline.requested == ["100/2", "100/4"]
    assert ready.attempts == 2


async def test_an_unexpected_error_fails_the_download_as_internal(harness: DownloadHarness) -> None:
    harness.pipeline.error = ZeroDivisionError()
    harness.work()
    failed = await harness.until_ended((await harness.start("100")).id)
    assert failed.problem is not None
    assert (failed.problem.code, failed.problem.retryable) == (ErrorCode.INTERNAL, True)


async def test_retry_gives_any_other_state_as_it_is(harness: DownloadHarness) -> None:
    queued = await harness.start("100")
    assert await harness.downloads.retry(queued.id) == queued
    with pytest.raises(DownloadNotFound):
        await harness.downloads.retry("nowhere")


async def test_every_failed_one_can_be_retried_at_once(harness: DownloadHarness) -> None:
    harness.pipeline.missing = {1}
    harness.work()
    ids = [(await harness.start(album)).id for album in ("100", "200", "300")]
    for id in ids:
        await harness.until_ended(id)
    await harness.stop_work()

    queued = await harness.downloads.retry_failed()

    assert [download.id for download in queued] == ids
    assert {download.state for download in queued} == {DownloadState.QUEUED}
    assert await harness.downloads.retry_failed() == []


async def test_removing_deletes_record_file_and_folder(harness: DownloadHarness) -> None:
    harness.work()
    ready = await harness.until_ended((await harness.start("100")).id)

    await harness.downloads.remove(ready.id)

    assert await harness.downloads.find(ready.id) is None
    assert harness.archives.keys() == []
    assert await harness.downloads.of_album("100") == []
    with pytest.raises(DownloadNotFound):
        await harness.downloads.remove(ready.id)
    left = [key for key in await harness.redis_client.client.keys("jmgraph:downloads:*") if b"version" not in key]
    assert [key for key in left if b"workers" not in key] == []


async def test_removing_a_running_one_stops_it(harness: DownloadHarness) -> None:
    harness.pipeline.pause_at = 2
    queued = await harness.start("100")
    harness.work()
    await harness.pipeline.paused.wait()

    await harness.downloads.remove(queued.id)

    await until(lambda: harness.pipeline.concurrent_calls == 0 and harness.staged() == [])
    assert await harness.downloads.find(queued.id) is None


async def test_a_second_album_of_the_same_title_gets_its_number(redis_url: str, tmp_path: Path) -> None:
    albums = FakeAlbums(an_album("7", title="茶 / Tea"), an_album("8", title="茶 / Tea"))
    async with open_harness(redis_url, tmp_path, albums=albums) as harness:
        harness.work()
        names = []
        for album, archive in (("7", ArchiveFormat.ZIP), ("8", ArchiveFormat.ZIP), ("7", ArchiveFormat.PDF)):
            ready = await harness.until_ended((await harness.start(album, archive=archive)).id)
            assert ready.file is not None
            names.append(ready.file.name)

        assert names == ["茶 _ Tea.zip", "茶 _ Tea [JM8].zip", "茶 _ Tea.pdf"]
        found = await harness.downloads.find_named("茶 _ Tea [JM8]", ArchiveFormat.ZIP)
        assert found is not None
        assert found.album_id == "8"
        assert await harness.downloads.find_named("茶 _ Tea [JM8]", ArchiveFormat.PDF) is None
        assert await harness.downloads.find_named("茶", ArchiveFormat.ZIP) is None


async def test_a_name_is_free_again_once_its_file_is_gone(redis_url: str, tmp_path: Path) -> None:
    albums = FakeAlbums(an_album("7", title="Tea"), an_album("8", title="Tea"))
    async with open_harness(redis_url, tmp_path, albums=albums) as harness:
        harness.work()
        first = await harness.until_ended((await harness.start("7")).id)
        await harness.downloads.remove(first.id)

        second = await harness.until_ended((await harness.start("8")).id)

        assert second.file is not None
        assert second.file.name == "Tea.zip"


async def test_jobs_are_bounded_and_served_in_the_order_they_came(redis_url: str, tmp_path: Path) -> None:
    albums = FakeAlbums(*(an_album(str(number)) for number in range(100, 108)), pages=1)
    async with open_harness(redis_url, tmp_path, albums=albums) as harness:
        ids = [(await harness.start(str(number))).id for number in range(100, 108)]
        harness.pipeline.page_s = 0.02

        harness.work(jobs=2)
        for id in ids:
            await harness.until_ended(id)

        assert harness.pipeline.max_concurrent_calls == 2
        assert harness.pipeline.requested == [f"{number}/1" for number in range(100, 108)]


async def test_the_list_is_newest_first_and_can_be_paged_through(redis_url: str, tmp_path: Path) -> None:
    albums = FakeAlbums(*(an_album(str(number)) for number in range(100, 105)))
    async with open_harness(redis_url, tmp_path, albums=albums) as harness:
        ids = [(await harness.start(str(number))).id for number in range(100, 105)]

        page = await harness.downloads.list(None, 2, None)
        assert [download.id for download in page.items] == [ids[4], ids[3]]
        assert (page.has_next, page.has_previous, page.total) == (True, False, 5)
        page = await harness.downloads.list(None, 2, page.cursors[-1])
        assert [download.id for download in page.items] == [ids[2], ids[1]]
        assert (page.has_next, page.has_previous, page.total) == (True, True, 5)
        page = await harness.downloads.list(None, 2, page.cursors[-1])
        assert [download.id for download in page.items] == [ids[0]]
        assert (page.has_next, page.has_previous, page.total) == (False, True, 5)


async def test_the_list_can_be_of_some_states(harness: DownloadHarness) -> None:
    first, second = await harness.start("100"), await harness.start("300")
    await harness.downloads.cancel(first.id)

    page = await harness.downloads.list([DownloadState.CANCELLED, DownloadState.READY], 10, None)
    assert [download.id for download in page.items] == [first.id]
    both = await harness.downloads.list([DownloadState.CANCELLED, DownloadState.QUEUED], 10, None)
    assert [download.id for download in both.items] == [second.id, first.id]
    assert (await harness.downloads.list([], 10, None)).items == ()


@pytest.mark.parametrize("first", [0, -1, 101])
async def test_a_page_of_no_size_or_too_much_is_invalid(harness: DownloadHarness, first: int) -> None:
    with pytest.raises(InvalidInput) as caught:
        await harness.downloads.list(None, first, None)
    assert caught.value.field == "first"


@pytest.mark.parametrize("after", ["x", "!!!", "ZDE6", "山", "bm90IG91cnM"])
async def test_an_invalid_cursor_is_refused(harness: DownloadHarness, after: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        await harness.downloads.list(None, 5, after)
    assert caught.value.field == "after"


async def test_counts_are_of_waiting_and_running_downloads_and_workers(harness: DownloadHarness) -> None:
    harness.pipeline.pause_at = 1
    for album in ("100", "200", "300"):
        await harness.start(album)
    harness.work(jobs=1)
    harness.work(jobs=1)
    await until(lambda: harness.pipeline.concurrent_calls == 2)

    counts = await harness.downloads.counts()
    assert (counts.queued, counts.active, counts.workers) == (1, 2, 2)
    harness.pipeline.resume.set()
    await harness.stop_work()
    assert (await harness.downloads.counts()).workers == 0
