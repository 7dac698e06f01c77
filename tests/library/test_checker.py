"""The check of the library, on SQLite and on PostgreSQL; the site is in memory, the queue of downloads is real."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.catalog import AlbumSummary, Catalog
from services.database import Database
from services.database.models import OWNER_ID, BlockedTagRow, UserRow
from services.errors import UpstreamFailure, UpstreamReason
from services.library import Library, LibraryChecker
from services.push import Outbox
from services.redis import Events, Locks, RedisClient
from tests.download_fakes import DownloadHarness, open_harness
from tests.fakes import BLOCKED, Clock, FakeSite, series
from tests.waiting import until

pytestmark = pytest.mark.anyio

SERIES, SINGLE, ENGLISH = "100", "200", "400"
EVERY_S = 21600.0
NewChecker = Callable[..., LibraryChecker]


@pytest.fixture
def library(database: Database, fake_catalog: Catalog, events: Events, clock: Clock) -> Library:
    """A library whose clock is the test's."""
    return Library(database, fake_catalog, events, clock)


@pytest.fixture
async def harness(redis_url: str, tmp_path: Path, fake_catalog: Catalog) -> AsyncIterator[DownloadHarness]:
    """A queue of downloads that holds three."""
    async with open_harness(
        redis_url,
        tmp_path,
        albums=fake_catalog,  # type: ignore[arg-type]
        maintained=False,
        queue_limit=3,
    ) as harness:
        yield harness


@pytest.fixture
def new_checker(
    database: Database,
    fake_catalog: Catalog,
    harness: DownloadHarness,
    events: Events,
    redis_client: RedisClient,
    clock: Clock,
) -> NewChecker:
    """Makes the checks of several workers."""

    def make(every_s: float = EVERY_S) -> LibraryChecker:
        return LibraryChecker(
            database,
            fake_catalog,
            harness.downloads,
            events,
            Locks(redis_client),
            Outbox(events, has_titles=False, clock=clock),
            every_s=every_s,
            clock=clock,
        )

    return make


@pytest.fixture
def checker(new_checker: NewChecker) -> LibraryChecker:
    """The check of a worker."""
    return new_checker()


@pytest.fixture
async def reader(database: Database) -> str:
    """A second user."""
    async with database.write() as session:
        session.add(UserRow(id="u2", name="reader", name_key="reader", is_admin=False, created_at_ms=0))
    return "u2"


def publish(fake_site: FakeSite, id: str, chapters: int) -> None:
    """The site has so many chapters of this album now."""
    fake_site.albums[id] = replace(series(id, chapters), title=fake_site.albums[id].title)


async def work(checker: LibraryChecker) -> int:
    """Do what is due; how many steps that took."""
    steps = 0
    while await checker.step():
        steps += 1
    return steps


async def new_chapters(library: Library, user_id: str, album_id: str) -> list[str]:
    return [chapter.id for chapter in (await library.unread(user_id, [album_id]))[album_id].new]


async def queued(harness: DownloadHarness) -> list[tuple[str | None, str, tuple[str, ...]]]:
    """Owner, album and chapters of each download, oldest first."""
    page = await harness.downloads.list(None, 100, None)
    return [(each.owner_id, each.album_id, each.request.chapter_ids) for each in reversed(page.items)]


async def test_an_album_is_looked_at_when_it_is_due_and_not_before(
    library: Library, checker: LibraryChecker, fake_site: FakeSite, clock: Clock
) -> None:
    await library.add(OWNER_ID, SERIES)
    publish(fake_site, SERIES, 4)

    clock.move(EVERY_S - 1)
    assert await work(checker) == 0
    clock.move(1)
    await work(checker)

    assert await new_chapters(library, OWNER_ID, SERIES) == ["1003"]
    entry = (await library.of_albums(OWNER_ID, [SERIES]))[SERIES]
    assert entry.last_checked_at == datetime.fromtimestamp(clock.now, UTC)


async def test_one_look_is_for_all_people(
    library: Library, checker: LibraryChecker, reader: str, fake_site: FakeSite, clock: Clock
) -> None:
    await library.add(OWNER_ID, SERIES)
    await library.add(reader, SERIES)
    clock.move(EVERY_S)
    fake_site.calls.clear()
    publish(fake_site, SERIES, 4)

    await work(checker)

    assert fake_site.calls == {f"album {SERIES}": 1}
    assert await new_chapters(library, OWNER_ID, SERIES) == await new_chapters(library, reader, SERIES) == ["1003"]


async def test_looks_are_spread_over_the_span(
    library: Library, checker: LibraryChecker, fake_site: FakeSite, clock: Clock
) -> None:
    for id in (SERIES, SINGLE, ENGLISH):
        await library.add(OWNER_ID, id)
    clock.move(EVERY_S)
    fake_site.calls.clear()

    looked_at = []
    for _ in range(4):
        await work(checker)
        looked_at.append(sum(fake_site.calls.values()))
        clock.move(EVERY_S / 3)

    assert looked_at == [1, 2, 3, 4]
    assert fake_site.calls == {f"album {SERIES}": 2, f"album {SINGLE}": 1, f"album {ENGLISH}": 1}


async def test_an_album_that_nobody_follows_is_not_looked_at(
    library: Library, checker: LibraryChecker, clock: Clock
) -> None:
    await library.add(OWNER_ID, SERIES)
    await library.remove(OWNER_ID, SERIES)
    clock.move(EVERY_S)

    assert await work(checker) == 0


async def test_imported_albums_are_looked_at_soon(
    library: Library, checker: LibraryChecker, fake_site: FakeSite, clock: Clock
) -> None:
    await library.add_many(OWNER_ID, [AlbumSummary(id, "") for id in (SERIES, SINGLE, ENGLISH)])

    for _ in range(3):
        await work(checker)
        clock.move(1)

    assert sum(fake_site.calls.values()) == 3
    assert {id: each.count for id, each in (await library.unread(OWNER_ID, [SERIES, ENGLISH])).items()} == {
        SERIES: 3,
        ENGLISH: 2,
    }
    assert await new_chapters(library, OWNER_ID, SERIES) == []


async def test_a_look_on_request_is_at_once_and_not_twice_a_minute(
    library: Library, new_checker: NewChecker, reader: str, fake_site: FakeSite, clock: Clock
) -> None:
    checker = new_checker(every_s=0)  # on request alone
    for id in (SERIES, SINGLE):
        await library.add(OWNER_ID, id)
    await library.add(reader, ENGLISH)
    publish(fake_site, SERIES, 4)
    fake_site.calls.clear()
    clock.move(3600)
    assert await work(checker) == 0

    assert await library.request_check(OWNER_ID) == 2
    await work(checker)
    again = await library.request_check(OWNER_ID)

    assert again == 0
    assert fake_site.calls == {f"album {SERIES}": 1, f"album {SINGLE}": 1}
    assert await new_chapters(library, OWNER_ID, SERIES) == ["1003"]


@pytest.mark.parametrize("failure", ["away", "gone", "withheld"])
async def test_an_album_that_can_not_be_read_keeps_its_entry_and_says_why(
    library: Library, checker: LibraryChecker, fake_site: FakeSite, clock: Clock, failure: str
) -> None:
    await library.add(OWNER_ID, SERIES)
    before = dict(fake_site.albums)
    clock.move(EVERY_S)
    if failure == "away":
        fake_site.failing_ids[SERIES] = UpstreamFailure(UpstreamReason.MAINTENANCE)
    elif failure == "gone":
        del fake_site.albums[SERIES]
    else:
        fake_site.albums[SERIES] = series(SERIES, 3, tags=[BLOCKED])

    await work(checker)

    entry = (await library.of_albums(OWNER_ID, [SERIES]))[SERIES]
    assert entry.album.title == "高山湖泊寫生帖"
    assert (
        entry.last_error
        == {
            "away": "The site is under maintenance.",
            "gone": "Album not found: id=100",
            "withheld": "This host withholds albums with such tags.",
        }[failure]
    )
    assert (await library.unread(OWNER_ID, [SERIES]))[SERIES].count == 3

    fake_site.albums, fake_site.failing_ids = before, {}
    clock.move(EVERY_S)
    await work(checker)
    assert (await library.of_albums(OWNER_ID, [SERIES]))[SERIES].last_error is None


async def test_a_new_chapter_is_downloaded_alone_for_who_wants_it(
    library: Library,
    checker: LibraryChecker,
    harness: DownloadHarness,
    reader: str,
    fake_site: FakeSite,
    clock: Clock,
) -> None:
    await library.add(OWNER_ID, SERIES, auto_download=True)
    await library.add(reader, SERIES)
    clock.move(EVERY_S)
    publish(fake_site, SERIES, 4)

    await work(checker)
    clock.move(EVERY_S)
    await work(checker)

    assert await queued(harness) == [(None, SERIES, ("1003",))]


async def test_each_person_gets_a_download_of_their_own(
    library: Library,
    checker: LibraryChecker,
    harness: DownloadHarness,
    reader: str,
    fake_site: FakeSite,
    clock: Clock,
) -> None:
    for user in (OWNER_ID, reader):
        await library.add(user, SERIES, auto_download=True)
    clock.move(EVERY_S)
    publish(fake_site, SERIES, 4)

    await work(checker)

    assert set(await queued(harness)) == {(None, SERIES, ("1003",)), (reader, SERIES, ("1003",))}


async def test_what_a_person_has_blocked_is_not_downloaded_for_them(
    library: Library,
    checker: LibraryChecker,
    harness: DownloadHarness,
    database: Database,
    reader: str,
    fake_site: FakeSite,
    clock: Clock,
) -> None:
    for user in (OWNER_ID, reader):
        await library.add(user, SERIES, auto_download=True)
    async with database.write() as session:
        session.add(BlockedTagRow(user_id=reader, tag="steam engine"))
    clock.move(EVERY_S)
    publish(fake_site, SERIES, 4)
    fake_site.albums[SERIES] = replace(fake_site.albums[SERIES], tags=("steam engine",))

    await work(checker)

    assert await queued(harness) == [(None, SERIES, ("1003",))]


async def test_what_does_not_fit_the_queue_is_downloaded_later(
    library: Library, checker: LibraryChecker, harness: DownloadHarness, fake_site: FakeSite, clock: Clock
) -> None:
    await library.add(OWNER_ID, SERIES, auto_download=True)
    clock.move(EVERY_S)
    publish(fake_site, SERIES, 8)  # five new ones, for a queue of three

    await work(checker)
    assert len(await queued(harness)) == 3
    first, *_ = (await harness.downloads.list(None, 100, None)).items
    await harness.downloads.cancel(first.id)
    clock.move(60)
    await work(checker)

    assert len(await queued(harness)) == 4
    for download in (await harness.downloads.list(None, 100, None)).items:
        await harness.downloads.cancel(download.id)
    clock.move(60)
    await work(checker)
    assert {chapters for _, _, chapters in await queued(harness)} == {(f"100{n}",) for n in range(3, 8)}


async def test_a_chapter_that_somebody_came_by_is_told_as_well(
    library: Library,
    checker: LibraryChecker,
    harness: DownloadHarness,
    reader: str,
    fake_site: FakeSite,
    clock: Clock,
) -> None:
    """Whoever finds a chapter first, those who followed before are told of it, and they alone."""
    await library.add(OWNER_ID, SERIES, auto_download=True)
    publish(fake_site, SERIES, 4)
    clock.move(2 * 86400)
    await library.add(reader, SERIES, auto_download=True)

    await work(checker)

    assert await queued(harness) == [(None, SERIES, ("1003",))]


async def test_a_viewer_is_told_of_their_own_entries(
    library: Library, checker: LibraryChecker, reader: str, fake_site: FakeSite, clock: Clock
) -> None:
    await library.add(OWNER_ID, SERIES)
    await library.add(reader, SINGLE)
    clock.move(EVERY_S)
    publish(fake_site, SERIES, 4)
    publish(fake_site, SINGLE, 2)
    told: dict[str, set[str]] = {OWNER_ID: set(), reader: set()}

    async def watch(user_id: str) -> None:
        async with aclosing(library.watch(user_id)) as entries:
            async for entry in entries:
                told[user_id].add(entry.album.id)

    watching = [asyncio.create_task(watch(user_id)) for user_id in told]
    await asyncio.sleep(0)
    for _ in range(2):
        await work(checker)
        clock.move(EVERY_S / 2)
    await until(lambda: all(told.values()))
    for task in watching:
        task.cancel()
    await asyncio.gather(*watching, return_exceptions=True)

    assert told == {OWNER_ID: {SERIES}, reader: {SINGLE}}


async def test_one_worker_at_a_time_checks(
    library: Library, new_checker: NewChecker, fake_site: FakeSite, clock: Clock
) -> None:
    await library.add_many(OWNER_ID, [AlbumSummary(id, "") for id in (SERIES, SINGLE, ENGLISH)])
    await library.request_check(OWNER_ID)
    fake_site.calls.clear()
    workers = [asyncio.create_task(new_checker().run()) for _ in range(3)]

    await until(lambda: sum(fake_site.calls.values()) == 3)
    while any(entry.last_checked_at is None for entry in (await library.list(OWNER_ID)).items):  # noqa: ASYNC110
        await asyncio.sleep(0)  # the last one was read, and is not stored yet
    await library.request_check(OWNER_ID)
    clock.move(61)
    assert await library.request_check(OWNER_ID) == 3
    await until(lambda: sum(fake_site.calls.values()) == 6)
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)

    assert set(fake_site.calls.values()) == {2}
    assert fake_site.max_concurrent_calls == 1
