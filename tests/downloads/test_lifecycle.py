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
    DownloadRequest,
    DownloadState,
    ImageFormat,
    Job,
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
from tests.download_fakes import FakeAlbums, FakePipeline, House, an_album, open_house
from tests.waiting import until

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(redis_url: str, tmp_path: Path) -> AsyncIterator[House]:
    albums = FakeAlbums(an_album("100"), an_album("200", chapters=("200", "201", "202")), an_album("300"))
    async with open_house(redis_url, tmp_path, albums=albums) as house:
        yield house


async def test_a_download_goes_from_queued_to_ready_with_every_page(house: House) -> None:
    queued = await house.start("200", archive=ArchiveFormat.CBZ)
    assert (queued.state, queued.revision, queued.attempts) == (DownloadState.QUEUED, 1, 0)

    house.work()
    ready = await house.until_ended(queued.id)

    assert ready.state is DownloadState.READY
    assert (ready.progress.pages_done, ready.progress.pages_total, ready.progress.percent) == (15, 15, 100.0)
    assert ready.file is not None
    assert ready.file.name == "山行 200.cbz"
    assert (house.archives.root / ready.file.key).stat().st_size == ready.file.size_bytes
    assert ready.attempts == 1
    assert ready.expires_at is not None
    assert ready.finished_at is not None
    assert (ready.expires_at - ready.finished_at).total_seconds() == 60
    await until(lambda: house.staged() == [])


async def test_the_same_request_is_the_same_download_while_it_lives(house: House) -> None:
    first = await house.start("200", chapter_ids=("202", "201"))

    assert (await house.start("200", chapter_ids=("201", "202", "201"))).id == first.id
    assert (await house.start("200", chapter_ids=("201",))).id != first.id
    assert (await house.start("200", chapter_ids=("201", "202"), archive=ArchiveFormat.PDF)).id != first.id
    assert (await house.start("200", chapter_ids=("201", "202"), force=True)).id != first.id


async def test_all_chapters_named_is_the_same_as_none_named(house: House) -> None:
    first = await house.start("200")
    assert (await house.start("200", chapter_ids=("202", "200", "201"))).id == first.id
    assert first.request.chapter_ids == ()


async def test_quality_tells_downloads_apart_only_where_it_counts(house: House) -> None:
    original = await house.start("100", quality=90)
    assert (await house.start("100", quality=50)).id == original.id
    jpeg = await house.start("100", image=ImageFormat.JPEG, quality=90)
    assert (await house.start("100", image=ImageFormat.JPEG, quality=50)).id != jpeg.id


async def test_a_ready_one_is_found_again_and_a_failed_one_is_not(house: House) -> None:
    house.work()
    ready = await house.until_ended((await house.start("100")).id)
    assert (await house.start("100")).id == ready.id

    house.pipeline.missing = {2}
    failed = await house.until_ended((await house.start("300")).id)
    assert failed.state is DownloadState.FAILED
    assert (await house.start("300")).id != failed.id


async def test_a_chapter_number_leads_to_its_album(house: House) -> None:
    assert (await house.start("201")).album_id == "200"


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (DownloadRequest("100", quality=0), "quality"),
        (DownloadRequest("100", quality=101), "quality"),
        (DownloadRequest("200", chapter_ids=("201", "999")), "chapterIds"),
    ],
)
async def test_what_can_never_work_is_invalid_input(house: House, request_: DownloadRequest, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        await house.downloads.start(request_)
    assert caught.value.field == field


async def test_the_site_is_asked_before_anything_is_queued(house: House) -> None:
    house.albums.blocked["300"] = ("某標籤",)
    with pytest.raises(AlbumNotFound):
        await house.start("999")
    with pytest.raises(BlockedByPolicy):
        await house.start("300")
    house.albums.failure = UpstreamFailure(UpstreamReason.TIMEOUT)
    with pytest.raises(UpstreamFailure):
        await house.start("100")
    assert (await house.downloads.counts()).queued == 0


async def test_while_the_site_is_away_a_living_download_is_still_found(house: House) -> None:
    first = await house.start("100")
    house.albums.failure = UpstreamFailure(UpstreamReason.UNREACHABLE)
    assert (await house.start("100")).id == first.id


async def test_a_full_queue_refuses_and_tells_when_to_come_again(redis_url: str, tmp_path: Path) -> None:
    albums = FakeAlbums(*(an_album(str(number)) for number in range(100, 103)))
    async with open_house(redis_url, tmp_path, albums=albums, queue_limit=2) as house:
        first = await house.start("100")
        await house.start("101")

        with pytest.raises(QueueFull) as caught:
            await house.start("102")

        assert caught.value.retry_after_s == 30
        assert (await house.start("100")).id == first.id


async def test_a_full_disk_refuses_new_downloads_and_finds_living_ones(redis_url: str, tmp_path: Path) -> None:
    async with open_house(redis_url, tmp_path) as roomy:
        living = await roomy.start("100")
        async with open_house(redis_url, tmp_path, disk_floor_bytes=1 << 60) as full:
            with pytest.raises(StorageFull):
                await full.start("100", archive=ArchiveFormat.PDF)
            assert (await full.start("100")).id == living.id


async def test_cancelling_a_queued_one_leaves_nothing_to_do(house: House) -> None:
    queued = await house.start("100")

    cancelled = await house.downloads.cancel(queued.id)

    assert cancelled.state is DownloadState.CANCELLED
    assert (await house.downloads.cancel(queued.id)) == cancelled
    assert await house.link.client.zcard("jmgraph:queue") == 0
    assert await house.link.client.keys("arq:*") == []


async def test_cancelling_a_running_one_stops_it_and_keeps_nothing_on_disk(house: House) -> None:
    house.pipeline.pause_at = 3
    queued = await house.start("100")
    house.work()
    await house.pipeline.paused.wait()
    assert len(house.staged()) == 1

    cancelled = await house.downloads.cancel(queued.id)

    assert cancelled.state is DownloadState.CANCELLED
    await until(lambda: house.pipeline.concurrent_calls == 0 and house.staged() == [])
    assert house.archives.keys() == []


class _TornPipeline(FakePipeline):
    """Finds its folder gone while it is being stopped."""

    async def run(
        self, job: Job, *, on_progress: Callable[[PagesProgress], None], is_cancelled: Callable[[], bool]
    ) -> PackedArchive:
        try:
            return await super().run(job, on_progress=on_progress, is_cancelled=is_cancelled)
        except (asyncio.CancelledError, Cancelled):
            raise FileNotFoundError(job.folder) from None


async def test_a_folder_taken_away_by_a_cancellation_is_no_fault(house: House) -> None:
    house.pipeline = _TornPipeline()
    house.pipeline.pause_at = 3
    with capture_logs() as told:
        house.work()
        running = await house.start("100")
        await house.pipeline.paused.wait()

        cancelled = await house.downloads.cancel(running.id)
        await until(lambda: "A download is no longer ours" in [line["event"] for line in told])

    assert cancelled.state is DownloadState.CANCELLED
    assert [line["event"] for line in told if line["log_level"] in ("warning", "error")] == []
    assert house.staged() == []


async def test_a_failed_one_names_its_missing_pages_and_keeps_the_others_for_a_retry(house: House) -> None:
    house.pipeline.missing = {2, 4}
    house.pipeline.cause = UpstreamFailure(UpstreamReason.TIMEOUT)
    house.work()
    failed = await house.until_ended((await house.start("100")).id)
    assert failed.problem is not None
    assert failed.problem.missing_pages == ("100/2", "100/4")
    assert (failed.problem.code, failed.problem.reason) == (ErrorCode.TIMEOUT, UpstreamReason.TIMEOUT)
    assert failed.progress.pages_done == 3

    house.pipeline.missing = set()
    house.pipeline.asked.clear()
    again = await house.downloads.retry(failed.id)
    assert (again.state, again.problem, again.finished_at) == (DownloadState.QUEUED, None, None)
    ready = await house.until_ended(failed.id)

    assert ready.state is DownloadState.READY
    assert house.pipeline.asked == ["100/2", "100/4"]
    assert ready.attempts == 2


async def test_what_nobody_foresaw_fails_the_download_as_internal(house: House) -> None:
    house.pipeline.error = ZeroDivisionError()
    house.work()
    failed = await house.until_ended((await house.start("100")).id)
    assert failed.problem is not None
    assert (failed.problem.code, failed.problem.retryable) == (ErrorCode.INTERNAL, True)


async def test_retry_gives_any_other_state_as_it_is(house: House) -> None:
    queued = await house.start("100")
    assert await house.downloads.retry(queued.id) == queued
    with pytest.raises(DownloadNotFound):
        await house.downloads.retry("nowhere")


async def test_every_failed_one_can_be_retried_at_once(house: House) -> None:
    house.pipeline.missing = {1}
    house.work()
    ids = [(await house.start(album)).id for album in ("100", "200", "300")]
    for id in ids:
        await house.until_ended(id)
    await house.stop_work()

    queued = await house.downloads.retry_failed()

    assert [download.id for download in queued] == ids
    assert {download.state for download in queued} == {DownloadState.QUEUED}
    assert await house.downloads.retry_failed() == []


async def test_removing_deletes_record_file_and_folder(house: House) -> None:
    house.work()
    ready = await house.until_ended((await house.start("100")).id)

    await house.downloads.remove(ready.id)

    assert await house.downloads.find(ready.id) is None
    assert house.archives.keys() == []
    assert await house.downloads.of_album("100") == []
    with pytest.raises(DownloadNotFound):
        await house.downloads.remove(ready.id)
    left = [key for key in await house.link.client.keys("jmgraph:downloads:*") if b"version" not in key]
    assert [key for key in left if b"workers" not in key] == []


async def test_removing_a_running_one_stops_it(house: House) -> None:
    house.pipeline.pause_at = 2
    queued = await house.start("100")
    house.work()
    await house.pipeline.paused.wait()

    await house.downloads.remove(queued.id)

    await until(lambda: house.pipeline.concurrent_calls == 0 and house.staged() == [])
    assert await house.downloads.find(queued.id) is None


async def test_a_second_album_of_the_same_title_gets_its_number(redis_url: str, tmp_path: Path) -> None:
    albums = FakeAlbums(an_album("7", title="茶 / Tea"), an_album("8", title="茶 / Tea"))
    async with open_house(redis_url, tmp_path, albums=albums) as house:
        house.work()
        names = []
        for album, archive in (("7", ArchiveFormat.ZIP), ("8", ArchiveFormat.ZIP), ("7", ArchiveFormat.PDF)):
            ready = await house.until_ended((await house.start(album, archive=archive)).id)
            assert ready.file is not None
            names.append(ready.file.name)

        assert names == ["茶 _ Tea.zip", "茶 _ Tea [JM8].zip", "茶 _ Tea.pdf"]
        found = await house.downloads.find_named("茶 _ Tea [JM8]", ArchiveFormat.ZIP)
        assert found is not None
        assert found.album_id == "8"
        assert await house.downloads.find_named("茶 _ Tea [JM8]", ArchiveFormat.PDF) is None
        assert await house.downloads.find_named("茶", ArchiveFormat.ZIP) is None


async def test_a_name_is_free_again_once_its_file_is_gone(redis_url: str, tmp_path: Path) -> None:
    albums = FakeAlbums(an_album("7", title="Tea"), an_album("8", title="Tea"))
    async with open_house(redis_url, tmp_path, albums=albums) as house:
        house.work()
        first = await house.until_ended((await house.start("7")).id)
        await house.downloads.remove(first.id)

        second = await house.until_ended((await house.start("8")).id)

        assert second.file is not None
        assert second.file.name == "Tea.zip"


async def test_jobs_are_bounded_and_served_in_the_order_they_came(redis_url: str, tmp_path: Path) -> None:
    albums = FakeAlbums(*(an_album(str(number)) for number in range(100, 108)), pages=1)
    async with open_house(redis_url, tmp_path, albums=albums) as house:
        ids = [(await house.start(str(number))).id for number in range(100, 108)]
        house.pipeline.page_s = 0.02

        house.work(jobs=2)
        for id in ids:
            await house.until_ended(id)

        assert house.pipeline.max_concurrent_calls == 2
        assert house.pipeline.asked == [f"{number}/1" for number in range(100, 108)]


async def test_the_list_is_newest_first_and_can_be_paged_through(redis_url: str, tmp_path: Path) -> None:
    albums = FakeAlbums(*(an_album(str(number)) for number in range(100, 105)))
    async with open_house(redis_url, tmp_path, albums=albums) as house:
        ids = [(await house.start(str(number))).id for number in range(100, 105)]

        page = await house.downloads.list(None, 2, None)
        assert [download.id for download in page.items] == [ids[4], ids[3]]
        assert (page.has_next, page.has_previous, page.total) == (True, False, 5)
        page = await house.downloads.list(None, 2, page.cursors[-1])
        assert [download.id for download in page.items] == [ids[2], ids[1]]
        assert (page.has_next, page.has_previous, page.total) == (True, True, 5)
        page = await house.downloads.list(None, 2, page.cursors[-1])
        assert [download.id for download in page.items] == [ids[0]]
        assert (page.has_next, page.has_previous, page.total) == (False, True, 5)


async def test_the_list_can_be_of_some_states(house: House) -> None:
    first, second = await house.start("100"), await house.start("300")
    await house.downloads.cancel(first.id)

    page = await house.downloads.list([DownloadState.CANCELLED, DownloadState.READY], 10, None)
    assert [download.id for download in page.items] == [first.id]
    both = await house.downloads.list([DownloadState.CANCELLED, DownloadState.QUEUED], 10, None)
    assert [download.id for download in both.items] == [second.id, first.id]
    assert (await house.downloads.list([], 10, None)).items == ()


@pytest.mark.parametrize("first", [0, -1, 101])
async def test_a_page_of_no_size_or_too_much_is_invalid(house: House, first: int) -> None:
    with pytest.raises(InvalidInput) as caught:
        await house.downloads.list(None, first, None)
    assert caught.value.field == "first"


@pytest.mark.parametrize("after", ["x", "!!!", "ZDE6", "山", "bm90IG91cnM"])
async def test_a_cursor_that_is_none_is_invalid(house: House, after: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        await house.downloads.list(None, 5, after)
    assert caught.value.field == "after"


async def test_counts_tell_what_waits_what_runs_and_who_works(house: House) -> None:
    house.pipeline.pause_at = 1
    for album in ("100", "200", "300"):
        await house.start(album)
    house.work(jobs=1)
    house.work(jobs=1)
    await until(lambda: house.pipeline.concurrent_calls == 2)

    counts = await house.downloads.counts()
    assert (counts.queued, counts.active, counts.workers) == (1, 2, 2)
    house.pipeline.go.set()
    await house.stop_work()
    assert (await house.downloads.counts()).workers == 0
