"""Downloads of several owners: each sees their own, whatever the others do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import orjson
import pytest

from services.downloads import ArchiveFormat, DownloadRequest, Downloads, DownloadState, Ownership
from services.errors import DownloadNotFound, QueueFull
from tests.download_fakes import DownloadHarness, FakeAlbums, an_album, open_harness

pytestmark = pytest.mark.anyio

MANY = [str(id) for id in range(100, 112)]
ANN, BOB, OWNER = (Ownership(owner_id, sees_all=False) for owner_id in ("ann", "bob", None))
ADMIN = Ownership("ann")
REQUEST = DownloadRequest("100")


@pytest.fixture
async def harness(redis_url: str, tmp_path: Path) -> AsyncIterator[DownloadHarness]:
    async with open_harness(redis_url, tmp_path, albums=FakeAlbums(*map(an_album, [*MANY, "300"]))) as harness:
        yield harness


async def ids_of(downloads: Downloads) -> list[str]:
    return [download.id for download in (await downloads.list(None, 100, None)).items]


async def test_two_people_who_ask_for_the_same_each_get_their_own(harness: DownloadHarness) -> None:
    anns, bobs = harness.downloads.owned(ANN), harness.downloads.owned(BOB)

    first, second = await asyncio.gather(anns.start(REQUEST), bobs.start(REQUEST))

    assert first.id != second.id
    assert (first.owner_id, second.owner_id) == ("ann", "bob")
    assert (await anns.start(REQUEST)).id == first.id
    assert (await harness.downloads.owned(OWNER).start(REQUEST)).owner_id is None


async def test_what_is_another_s_does_not_exist(harness: DownloadHarness) -> None:
    bobs = harness.downloads.owned(BOB)
    id = (await harness.downloads.owned(ANN).start(REQUEST)).id

    assert await bobs.find(id) is None
    assert await ids_of(bobs) == []
    assert await bobs.of_album("100") == []
    for call in (bobs.cancel, bobs.retry, bobs.remove):
        with pytest.raises(DownloadNotFound):
            await call(id)
    with pytest.raises(DownloadNotFound):
        await anext(bobs.watch(id))
    assert (await harness.downloads.find(id)) is not None


async def test_a_list_counts_and_pages_only_what_is_its_owner_s(harness: DownloadHarness) -> None:
    anns, bobs = harness.downloads.owned(ANN), harness.downloads.owned(BOB)
    forced = DownloadRequest("100", force=True)
    own = [(await downloads.start(forced)).id for downloads in (anns, bobs, anns, bobs, anns)][0::2]
    (latest,) = ((await harness.downloads.owned(OWNER).start(forced)).id,)

    first = await anns.list([DownloadState.QUEUED], 2, None)
    second = await anns.list([DownloadState.QUEUED], 2, first.cursors[-1])

    assert [page.total for page in (first, second)] == [3, 3]
    assert [download.id for page in (first, second) for download in page.items] == own[::-1]
    assert (first.has_next, second.has_next, second.has_previous) == (True, False, True)
    assert await ids_of(harness.downloads.owned(OWNER)) == [latest]
    assert len(await ids_of(harness.downloads.owned(ADMIN))) == 6


async def test_a_file_is_found_by_its_owner_alone(harness: DownloadHarness) -> None:
    anns, bobs = harness.downloads.owned(ANN), harness.downloads.owned(BOB)
    harness.work()
    ready = await harness.until_ended((await anns.start(REQUEST)).id)
    assert ready.file is not None
    stem = ready.file.name.removesuffix(".zip")

    assert await anns.find_file(ready.id, ready.file.name) == ready.file
    assert (await anns.find_named(stem, ArchiveFormat.ZIP)) == ready
    assert await bobs.find_file(ready.id, ready.file.name) is None
    assert await bobs.find_named(stem, ArchiveFormat.ZIP) is None
    async with bobs.lock_file(ready.id, ready.file.name) as file:
        assert file is None


async def test_a_feed_says_nothing_of_another_s_downloads_not_even_that_one_is_gone(
    harness: DownloadHarness,
) -> None:
    anns, bobs = harness.downloads.owned(ANN), harness.downloads.owned(BOB)
    old = await bobs.start(REQUEST)
    async with aclosing(bobs.feed(None, None)) as feed:
        snapshot = await anext(feed)
        changes = asyncio.ensure_future(anext(feed))
        foreign = await anns.start(REQUEST)
        await anns.cancel(foreign.id)
        await anns.remove(foreign.id)
        own = await bobs.start(DownloadRequest("300"))

        batch = await asyncio.wait_for(changes, 20)

        assert [download.id for download in snapshot.downloads] == [old.id]
        assert ([download.id for download in batch.downloads], batch.removed) == ([own.id], ())

        removal = asyncio.ensure_future(anext(feed))
        await bobs.remove(old.id)
        assert (await asyncio.wait_for(removal, 20)).removed == (old.id,)


async def test_a_feed_of_named_ids_leaves_out_those_of_another(harness: DownloadHarness) -> None:
    anns, bobs = harness.downloads.owned(ANN), harness.downloads.owned(BOB)
    foreign, own = await anns.start(REQUEST), await bobs.start(REQUEST)

    async with aclosing(bobs.feed([foreign.id, own.id], None)) as feed:
        assert [download.id for download in (await anext(feed)).downloads] == [own.id]


async def test_failed_downloads_are_retried_for_their_owner_alone(harness: DownloadHarness) -> None:
    anns, bobs = harness.downloads.owned(ANN), harness.downloads.owned(BOB)
    harness.pipeline.missing = {2}
    harness.work()
    failed = [await harness.until_ended((await each.start(REQUEST)).id) for each in (anns, bobs)]

    retried = await bobs.retry_failed()

    assert [download.id for download in retried] == [failed[1].id]


async def test_what_a_person_does_not_want_is_not_retried_with_the_rest(harness: DownloadHarness) -> None:
    anns = harness.downloads.owned(ANN)
    harness.pipeline.missing = {2}
    harness.work()
    failed = [await harness.until_ended((await anns.start(DownloadRequest(id))).id) for id in ("100", "300")]
    unwanted = FakeAlbums(an_album("100"), an_album("300"))
    unwanted.blocked["300"] = ("other:rain",)

    retried = await harness.downloads.owned(ANN, unwanted).retry_failed()

    assert [download.id for download in retried] == [failed[0].id]


async def test_a_user_s_downloads_are_removed_together(harness: DownloadHarness) -> None:
    anns, bobs = harness.downloads.owned(ANN), harness.downloads.owned(BOB)
    harness.work()
    for downloads in (anns, bobs):
        for album_id in ("100", "300"):
            await harness.until_ended((await downloads.start(DownloadRequest(album_id))).id)
    kept = await ids_of(bobs)

    await anns.remove_all()

    assert await ids_of(harness.downloads) == kept
    assert len(harness.archives.keys()) == 2
    assert sorted(key for key in await harness.redis_client.client.keys("*:owner:*")) == [
        b"jmgraph:downloads:owner:bob"
    ]


async def test_the_owner_of_a_download_survives_a_worker_of_version_2_0(harness: DownloadHarness) -> None:
    """Such a worker reads the record, and writes it again without what it does not know."""
    redis, bobs = harness.redis_client.client, harness.downloads.owned(BOB)
    download = await bobs.start(REQUEST)
    key = f"jmgraph:downloads:record:{download.id}"
    body = orjson.loads(await redis.hget(key, "body"))  # type: ignore[misc]
    del body["download"]["owner_id"]
    await redis.hset(key, "body", orjson.dumps(body).decode())  # type: ignore[misc]

    harness.work()
    ended = await harness.until_ended(download.id)

    assert (ended.state, ended.owner_id) == (DownloadState.READY, "bob")
    assert await ids_of(bobs) == [download.id]
    assert await ids_of(harness.downloads.owned(ANN)) == []


async def test_a_record_of_version_2_0_belongs_to_the_owner_of_the_server(harness: DownloadHarness) -> None:
    download = await harness.downloads.start(REQUEST)
    redis, key = harness.redis_client.client, f"jmgraph:downloads:record:{download.id}"
    body = orjson.loads(await redis.hget(key, "body"))  # type: ignore[misc]
    assert body["download"].pop("owner_id") is None
    await redis.hset(key, "body", orjson.dumps(body).decode())  # type: ignore[misc]

    assert await redis.hkeys(key) == [b"v", b"rev", b"state", b"lease", b"body"]  # type: ignore[misc]
    assert await harness.downloads.owned(OWNER).find(download.id) == download
    assert await ids_of(harness.downloads.owned(OWNER)) == [download.id]
    assert await harness.downloads.owned(BOB).find(download.id) is None


async def test_a_pointer_that_version_2_0_left_leads_nobody_to_another_s_download(harness: DownloadHarness) -> None:
    """A worker of version 2.0 stores each download as the current one of its request, whoever owns it."""
    redis = harness.redis_client.client
    owners = await harness.downloads.owned(OWNER).start(REQUEST)
    (pointer,) = await redis.keys("jmgraph:downloads:same:*")
    await harness.downloads.remove(owners.id)
    foreign = await harness.downloads.owned(BOB).start(REQUEST)
    await redis.set(pointer, foreign.id)

    again = await harness.downloads.owned(OWNER).start(REQUEST)

    assert (again.id == foreign.id, again.owner_id) == (False, None)


async def queue(harness: DownloadHarness, owner: Ownership, *album_ids: str) -> list[str]:
    """Queue downloads of one owner; their ids."""
    downloads = harness.downloads.owned(owner)
    return [(await downloads.start(DownloadRequest(id))).id for id in album_ids]


async def started_of(harness: DownloadHarness) -> list[str]:
    """The albums of all downloads, in the order in which workers have begun them, once all have ended."""
    found = (await harness.downloads.list(None, 100, None)).items
    ended = [await harness.until_ended(download.id) for download in found]
    return [download.album_id for download in sorted(ended, key=lambda each: each.started_at or each.requested_at)]


async def test_people_are_served_in_turn_and_each_in_the_order_of_asking(harness: DownloadHarness) -> None:
    await queue(harness, ANN, *MANY)
    await queue(harness, BOB, "300", "101")
    await queue(harness, OWNER, "102")

    harness.work(jobs=1)

    assert await started_of(harness) == ["100", "300", "102", "101", "101", *MANY[2:]]


async def test_a_queue_that_workers_share_is_as_fair(harness: DownloadHarness) -> None:
    await queue(harness, ANN, *MANY)
    (bobs,) = await queue(harness, BOB, "300")

    for _ in range(3):
        harness.work(jobs=1)

    order = await started_of(harness)
    assert order.index("300") <= 3, order
    assert (await harness.downloads.find(bobs)) is not None


async def test_who_comes_while_another_s_many_run_is_next(harness: DownloadHarness) -> None:
    await queue(harness, ANN, *MANY)
    harness.pipeline.pause_at = 3
    harness.work(jobs=1)
    await harness.pipeline.paused.wait()

    await queue(harness, BOB, "300", "101")
    harness.pipeline.resume.set()

    assert (await started_of(harness))[:4] == ["100", "300", "101", "101"]


async def test_a_queue_that_one_has_filled_takes_one_of_each_other(redis_url: str, tmp_path: Path) -> None:
    albums = FakeAlbums(*map(an_album, MANY))
    async with open_harness(redis_url, tmp_path, albums=albums, queue_limit=3) as harness:
        await queue(harness, ANN, *MANY[:3])

        await queue(harness, BOB, "100")

        for owner in (ANN, BOB):
            with pytest.raises(QueueFull):
                await queue(harness, owner, "110")
