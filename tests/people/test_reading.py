"""How far people have read, on SQLite and on PostgreSQL; the site is in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import func, select

from services.catalog import Catalog, ChapterRef
from services.database import Database
from services.database.models import OWNER_ID, AlbumRow, UserRow
from services.errors import (
    AlbumNotFound,
    BlockedByPolicy,
    ChapterNotFound,
    InvalidInput,
    Unauthenticated,
    UpstreamFailure,
    UpstreamReason,
)
from services.people import ProgressRecord, Reading
from services.upstream.records import ChapterDetail
from tests.fakes import BLOCKED, Clock, FakeSite, series

pytestmark = pytest.mark.anyio

SERIES, SECOND, THIRD = "100", "1001", "1002"
SINGLE = "200"
WITHHELD = "300"
PAGES = 12
"""Of every chapter."""
SITE_AWAY = UpstreamFailure(UpstreamReason.UNREACHABLE)


@pytest.fixture
def reading(database: Database, fake_catalog: Catalog, clock: Clock) -> Reading:
    """Reading whose clock is the test's."""
    return Reading(database, fake_catalog, clock)


@pytest.fixture
async def reader(database: Database) -> str:
    """A second user."""
    async with database.write() as session:
        session.add(UserRow(id="u2", name="reader", name_key="reader", is_admin=False, created_at_ms=0))
    return "u2"


def at(clock: Clock, seconds: float = 0) -> datetime:
    """A time, so many seconds from the test's now."""
    return datetime.fromtimestamp(clock.now + seconds, UTC)


def places(found: Sequence[ProgressRecord]) -> list[tuple[str, str, int]]:
    """Album, chapter and page of each."""
    return [(each.album.id, each.chapter.id, each.page) for each in found]


# ── reports ──


async def test_a_report_is_the_progress_of_its_chapter_and_its_album(reading: Reading, clock: Clock) -> None:
    reported = await reading.report(OWNER_ID, SERIES, SECOND, 5, device="tablet")

    assert reported == ProgressRecord(
        album=replace(reported.album, id=SERIES, title="高山湖泊寫生帖"),
        chapter=ChapterRef(SECOND, 2, "第2話"),
        page=5,
        page_count=PAGES,
        is_finished=False,
        read_at=at(clock),
        device="tablet",
    )
    assert await reading.of_chapters(OWNER_ID, [SERIES, SECOND]) == {SECOND: reported}
    assert await reading.of_albums(OWNER_ID, [SERIES, SINGLE]) == {SERIES: reported}


@pytest.mark.parametrize(("page", "is_finished"), [(PAGES - 1, False), (PAGES, True)])
async def test_the_last_page_finishes_a_chapter(reading: Reading, page: int, is_finished: bool) -> None:
    reported = await reading.report(OWNER_ID, SERIES, SECOND, page)

    assert reported.is_finished is is_finished


async def test_of_many_reports_the_latest_counts_whatever_order_they_come_in(
    reading: Reading, database: Database, clock: Clock
) -> None:
    pages = {0: 3, 1: 9, 2: 6}  # seconds: page
    for number, order in enumerate(permutations(pages)):
        user = f"user-{number}"
        async with database.write() as session:
            session.add(UserRow(id=user, name=user, name_key=user, is_admin=False, created_at_ms=0))
        for seconds in order:
            await reading.report(user, SERIES, SECOND, pages[seconds], read_at=at(clock, seconds - 60))

        found = await reading.of_chapters(user, [SECOND])
        assert (found[SECOND].page, found[SECOND].read_at) == (6, at(clock, -58)), order


async def test_the_same_report_twice_is_one(reading: Reading, clock: Clock) -> None:
    first = await reading.report(OWNER_ID, SERIES, SECOND, 4, read_at=at(clock, -9))

    assert await reading.report(OWNER_ID, SERIES, SECOND, 4, read_at=first.read_at) == first


@pytest.mark.parametrize("order", [(3, 8), (8, 3)])
async def test_of_two_reports_of_one_moment_the_higher_page_counts(
    reading: Reading, clock: Clock, order: tuple[int, int]
) -> None:
    for page in order:
        await reading.report(OWNER_ID, SERIES, SECOND, page, read_at=at(clock, -9))

    assert (await reading.of_chapters(OWNER_ID, [SECOND]))[SECOND].page == 8


async def test_a_report_that_lost_returns_what_won(reading: Reading, clock: Clock) -> None:
    won = await reading.report(OWNER_ID, SERIES, SECOND, 9, device="phone")

    assert await reading.report(OWNER_ID, SERIES, SECOND, 2, device="tablet", read_at=at(clock, -3600)) == won


async def test_a_clock_that_is_ahead_reports_now(reading: Reading, clock: Clock) -> None:
    """The report of a device with a wrong clock is kept, and the next device's still wins over it."""
    ahead = await reading.report(OWNER_ID, SERIES, SECOND, 2, read_at=at(clock, 86400))
    clock.move(1)
    later = await reading.report(OWNER_ID, SERIES, SECOND, 3)

    assert ahead.read_at == at(clock, -1)
    assert (later.page, later.read_at) == (3, at(clock))


@pytest.mark.parametrize("read_at", [datetime(1, 1, 1), datetime(1969, 12, 31, tzinfo=UTC)])
async def test_a_time_before_1970_is_1970(reading: Reading, read_at: datetime) -> None:
    reported = await reading.report(OWNER_ID, SERIES, SECOND, 2, read_at=read_at)

    assert reported.read_at == datetime(1970, 1, 1, tzinfo=UTC)


async def test_reports_of_two_people_are_apart(reading: Reading, reader: str) -> None:
    await reading.report(OWNER_ID, SERIES, SECOND, 5)
    await reading.report(reader, SERIES, SECOND, 7)

    assert (await reading.of_chapters(OWNER_ID, [SECOND]))[SECOND].page == 5
    assert (await reading.of_chapters(reader, [SECOND]))[SECOND].page == 7
    assert (await reading.history(reader, 20)).total == 1


async def test_reports_at_once_are_all_kept(reading: Reading, fake_site: FakeSite) -> None:
    fake_site.albums["500"] = series("500", 40)
    chapters = [chapter.id for chapter in fake_site.albums["500"].chapters]

    await asyncio.gather(
        *(reading.report(OWNER_ID, "500", chapter, page) for chapter in chapters for page in (1, 2, 3))
    )

    found = await reading.of_chapters(OWNER_ID, chapters)
    assert {id: progress.page for id, progress in found.items()} == dict.fromkeys(chapters, 3)
    assert places((await reading.history(OWNER_ID, 20)).items) == [("500", chapters[-1], 3)]


@pytest.mark.parametrize("page", [0, -1, PAGES + 1, 2**31 - 1])
async def test_a_page_that_the_chapter_does_not_have_is_refused(reading: Reading, page: int) -> None:
    with pytest.raises(InvalidInput) as refused:
        await reading.report(OWNER_ID, SERIES, SECOND, page)

    assert refused.value.field == "page"
    assert await reading.of_chapters(OWNER_ID, [SECOND]) == {}


@pytest.mark.parametrize(
    ("album_id", "chapter_id"), [(SINGLE, SECOND), ("404", SECOND), (SERIES, "404"), (WITHHELD, WITHHELD)]
)
async def test_a_chapter_that_the_album_does_not_list_is_not_found(
    reading: Reading, album_id: str, chapter_id: str
) -> None:
    with pytest.raises(ChapterNotFound):
        await reading.report(OWNER_ID, album_id, chapter_id, 1)


async def test_a_chapter_read_by_another_is_not_found_through_another_album(reading: Reading, reader: str) -> None:
    await reading.report(reader, SERIES, SECOND, 3)

    with pytest.raises(ChapterNotFound):
        await reading.report(OWNER_ID, SINGLE, SECOND, 3)


@pytest.mark.parametrize("device", ["x" * 101, "phone\x00", "phone\x7f", "\ud83d"])
async def test_the_name_of_a_device_is_short_text(reading: Reading, device: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        await reading.report(OWNER_ID, SERIES, SECOND, 1, device=device)

    assert refused.value.field == "device"


@pytest.mark.parametrize(("device", "shown"), [("  Bob's\n iPad ", "Bob's iPad"), ("", None), ("👩‍🚀", "👩‍🚀")])
async def test_the_name_of_a_device_is_shown_without_blanks_around(
    reading: Reading, device: str, shown: str | None
) -> None:
    assert (await reading.report(OWNER_ID, SERIES, SECOND, 1, device=device)).device == shown


async def test_a_user_who_was_removed_can_report_nothing(reading: Reading) -> None:
    with pytest.raises(Unauthenticated):
        await reading.report("nobody", SERIES, SECOND, 1)


# ── the site ──


async def test_reports_of_a_chapter_cost_two_calls_to_the_site_in_all(
    reading: Reading, fake_site: FakeSite, clock: Clock
) -> None:
    for page in range(1, PAGES):
        clock.move(3600)  # the cache is fresh for ten minutes
        await reading.report(OWNER_ID, SERIES, SECOND, page)

    assert fake_site.calls == {f"album {SERIES}": 1, f"chapter {SECOND}": 1}


async def test_reports_count_while_the_site_is_away(reading: Reading, fake_site: FakeSite, clock: Clock) -> None:
    await reading.report(OWNER_ID, SERIES, SECOND, 1)
    clock.move(30 * 86400)  # by then nothing of the site is cached
    fake_site.failure = SITE_AWAY

    assert (await reading.report(OWNER_ID, SERIES, SECOND, 2)).page == 2
    assert (await reading.report(OWNER_ID, SERIES, SECOND, PAGES)).is_finished is True
    with pytest.raises(InvalidInput):
        await reading.report(OWNER_ID, SERIES, SECOND, PAGES + 1)
    with pytest.raises(UpstreamFailure):
        await reading.report(OWNER_ID, SERIES, THIRD, 1)


async def test_a_chapter_that_has_grown_is_finished_by_its_new_last_page(
    reading: Reading, fake_site: FakeSite, clock: Clock
) -> None:
    await reading.report(OWNER_ID, SERIES, SECOND, 1)
    names = tuple(f"{number:05}.webp" for number in range(1, 21))
    fake_site.chapters[SECOND] = ChapterDetail(SECOND, SERIES, "第2話", 220980, names)
    clock.move(2 * 86400)

    assert (await reading.report(OWNER_ID, SERIES, SECOND, PAGES)).is_finished is False
    clock.move(1)
    assert (await reading.report(OWNER_ID, SERIES, SECOND, 20)).is_finished is True


async def test_an_album_withheld_since_then_takes_no_reports(
    reading: Reading, fake_site: FakeSite, fake_catalog: Catalog, clock: Clock
) -> None:
    await reading.report(OWNER_ID, SERIES, SECOND, 1)
    fake_site.albums[SERIES] = replace(fake_site.albums[SERIES], tags=(BLOCKED,))
    clock.move(2 * 86400)
    assert await fake_catalog.find_album(SERIES) is None

    with pytest.raises(ChapterNotFound):
        await reading.report(OWNER_ID, SERIES, SECOND, 2)
    assert places((await reading.history(OWNER_ID, 20)).items) == []
    assert places(await reading.continue_reading(OWNER_ID, 20)) == []


# ── marks ──


async def test_chapters_are_marked_as_read_and_unread(reading: Reading, clock: Clock) -> None:
    album, chapters = await reading.set_read(OWNER_ID, SERIES, [SECOND, SERIES], is_read=True)
    marked = await reading.of_chapters(OWNER_ID, [SERIES, SECOND, THIRD])
    clock.move(1)
    await reading.set_read(OWNER_ID, SERIES, [SERIES], is_read=False)
    left = await reading.of_chapters(OWNER_ID, [SERIES, SECOND, THIRD])

    assert (album.id, [chapter.id for chapter in chapters]) == (SERIES, [SECOND, SERIES])
    assert {id: (each.page, each.page_count, each.is_finished) for id, each in marked.items()} == {
        SERIES: (PAGES, PAGES, True),
        SECOND: (PAGES, PAGES, True),
    }
    assert left.keys() == {SECOND}


async def test_null_marks_all_chapters(reading: Reading) -> None:
    await reading.set_read(OWNER_ID, SERIES, None, is_read=True)
    marked = await reading.of_albums(OWNER_ID, [SERIES])
    await reading.set_read(OWNER_ID, SERIES, None, is_read=False)

    assert places(list(marked.values())) == [(SERIES, THIRD, PAGES)]
    assert await reading.of_albums(OWNER_ID, [SERIES]) == {}
    assert (await reading.history(OWNER_ID, 20)).items == ()


@pytest.mark.parametrize("is_read", [True, False])
async def test_an_older_report_does_not_undo_a_mark(reading: Reading, clock: Clock, is_read: bool) -> None:
    await reading.set_read(OWNER_ID, SERIES, None, is_read=is_read)
    before = await reading.of_chapters(OWNER_ID, [SECOND])

    await reading.report(OWNER_ID, SERIES, SECOND, 4, read_at=at(clock, -60))

    assert await reading.of_chapters(OWNER_ID, [SECOND]) == before


async def test_a_later_report_counts_after_a_mark_as_unread(reading: Reading, clock: Clock) -> None:
    await reading.set_read(OWNER_ID, SERIES, None, is_read=False)
    clock.move(1)
    await reading.report(OWNER_ID, SERIES, SECOND, 4)

    assert (await reading.of_chapters(OWNER_ID, [SECOND]))[SECOND].page == 4


async def test_marking_a_long_series_counts_the_pages_of_some_chapters(reading: Reading, fake_site: FakeSite) -> None:
    fake_site.albums["500"] = series("500", 600)
    chapters = [chapter.id for chapter in fake_site.albums["500"].chapters]

    await reading.set_read(OWNER_ID, "500", None, is_read=True)

    assert sum(count for name, count in fake_site.calls.items() if name.startswith("chapter")) == 20
    first, last = (await reading.of_chapters(OWNER_ID, [chapters[0], chapters[-1]])).values()
    assert (first.page, first.page_count, first.is_finished) == (PAGES, PAGES, True)
    assert (last.page, last.page_count, last.is_finished) == (1, 1, True)


async def test_an_album_that_is_known_is_marked_while_the_site_is_away(
    reading: Reading, fake_site: FakeSite, clock: Clock
) -> None:
    await reading.report(OWNER_ID, SERIES, SECOND, 1)
    clock.move(30 * 86400)
    fake_site.failure = SITE_AWAY

    _, chapters = await reading.set_read(OWNER_ID, SERIES, None, is_read=True)

    assert [chapter.id for chapter in chapters] == [SERIES, SECOND, THIRD]
    assert await reading.continue_reading(OWNER_ID, 20) == []
    with pytest.raises(UpstreamFailure):
        await reading.set_read(OWNER_ID, SINGLE, None, is_read=True)


@pytest.mark.parametrize(
    ("album_id", "chapter_id", "error"),
    [(SERIES, SINGLE, ChapterNotFound), ("404", "404", AlbumNotFound), (WITHHELD, WITHHELD, BlockedByPolicy)],
)
async def test_what_is_not_there_is_not_marked(
    reading: Reading, album_id: str, chapter_id: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await reading.set_read(OWNER_ID, album_id, [chapter_id], is_read=True)


# ── history ──


async def test_the_history_is_one_entry_an_album_newest_first(reading: Reading, clock: Clock) -> None:
    for album, chapter, page in ((SERIES, SERIES, 3), (SINGLE, SINGLE, 4), (SERIES, THIRD, 5)):
        await reading.report(OWNER_ID, album, chapter, page)
        clock.move(1)

    history = await reading.history(OWNER_ID, 20)

    assert places(history.items) == [(SERIES, THIRD, 5), (SINGLE, SINGLE, 4)]
    assert (history.total, history.has_next, history.has_previous) == (2, False, False)


async def test_the_history_is_read_page_by_page(reading: Reading, fake_site: FakeSite, clock: Clock) -> None:
    for number in range(501, 508):
        fake_site.albums[str(number)] = series(str(number), 1)
        await reading.report(OWNER_ID, str(number), str(number), 1, read_at=at(clock, -(number // 2)))

    found: list[str] = []
    page = await reading.history(OWNER_ID, 3)
    found += [progress.album.id for progress in page.items]
    while page.has_next:
        page = await reading.history(OWNER_ID, 3, page.cursors[-1])
        found += [progress.album.id for progress in page.items]

    assert found == ["501", "503", "502", "505", "504", "507", "506"]
    assert (page.total, page.has_previous) == (7, True)


async def test_what_is_withheld_leaves_no_gap_in_a_page(
    reading: Reading, fake_site: FakeSite, fake_catalog: Catalog, clock: Clock
) -> None:
    for number in range(501, 507):
        fake_site.albums[str(number)] = series(str(number), 1)
        await reading.report(OWNER_ID, str(number), str(number), 1, read_at=at(clock, -number))
    for number in range(501, 505):
        fake_site.albums[str(number)] = series(str(number), 1, tags=[BLOCKED])
    clock.move(2 * 86400)
    await fake_catalog.find_albums([str(number) for number in range(501, 507)])

    page = await reading.history(OWNER_ID, 1)

    assert [progress.album.id for progress in page.items] == ["505"]
    assert page.has_next is True
    assert [each.album.id for each in (await reading.history(OWNER_ID, 1, page.cursors[-1])).items] == ["506"]


@pytest.mark.parametrize("first", [0, 101])
async def test_the_size_of_a_page_is_limited(reading: Reading, first: int) -> None:
    for ask in (reading.history, reading.continue_reading):
        with pytest.raises(InvalidInput) as refused:
            await ask(OWNER_ID, first)
        assert refused.value.field == "first"


@pytest.mark.parametrize("after", ["", "x", "cmVhZGluZzpub3c6MQ", "cmVhZGluZzoxOng"])
async def test_a_foreign_cursor_is_refused(reading: Reading, after: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        await reading.history(OWNER_ID, 20, after)

    assert refused.value.field == "after"


async def test_a_history_is_deleted(reading: Reading, reader: str, database: Database, clock: Clock) -> None:
    for user in (OWNER_ID, reader):
        await reading.report(user, SERIES, SECOND, 3)
    for album in (SINGLE, "400"):
        await reading.report(OWNER_ID, album, album, 1)

    assert await reading.delete_history(OWNER_ID, [SINGLE, "404"]) == 1
    assert (await reading.history(OWNER_ID, 20)).total == 2
    assert await reading.delete_history(OWNER_ID) == 2
    assert await reading.delete_history(OWNER_ID) == 0
    assert await reading.of_chapters(OWNER_ID, [SECOND]) == {}
    assert (await reading.history(reader, 20)).total == 1
    async with database.read() as session:
        assert (await session.scalars(select(AlbumRow.id))).all() == [SERIES]  # of the other reader


async def test_a_history_of_thousands_of_albums_is_deleted(reading: Reading, database: Database) -> None:
    assert await reading.delete_history(OWNER_ID, [str(number) for number in range(1, 40_000)]) == 0


# ── where to read on ──


async def test_what_is_begun_and_not_finished_is_read_on(reading: Reading, clock: Clock) -> None:
    await reading.report(OWNER_ID, SINGLE, SINGLE, 4)
    clock.move(1)
    await reading.report(OWNER_ID, SERIES, SERIES, PAGES)  # chapters follow
    clock.move(1)
    await reading.report(OWNER_ID, "400", "4001", PAGES)  # the last chapter

    assert places(await reading.continue_reading(OWNER_ID, 20)) == [(SERIES, SERIES, PAGES), (SINGLE, SINGLE, 4)]
    assert places(await reading.continue_reading(OWNER_ID, 1)) == [(SERIES, SERIES, PAGES)]


async def test_a_new_chapter_after_the_last_finished_one_is_read_on(
    reading: Reading, reader: str, fake_site: FakeSite, clock: Clock
) -> None:
    await reading.report(OWNER_ID, "400", "4001", PAGES)
    assert await reading.continue_reading(OWNER_ID, 20) == []
    fake_site.albums["400"] = series("400", 3)
    clock.move(2 * 86400)
    await reading.report(reader, "400", "4002", 1)  # whoever comes by

    assert places(await reading.continue_reading(OWNER_ID, 20)) == [("400", "4001", PAGES)]


async def test_lists_cost_no_call_to_the_site(reading: Reading, fake_site: FakeSite, clock: Clock) -> None:
    await reading.report(OWNER_ID, SERIES, SECOND, 5)
    clock.move(30 * 86400)
    fake_site.calls.clear()

    titles: list[Any] = [progress.album.title for progress in await reading.continue_reading(OWNER_ID, 20)]
    titles += [(each.album.title, each.chapter.title) for each in (await reading.history(OWNER_ID, 20)).items]

    assert titles == ["高山湖泊寫生帖", ("高山湖泊寫生帖", "第2話")]
    assert not fake_site.calls


async def test_a_removed_user_leaves_nothing(reading: Reading, reader: str, database: Database) -> None:
    await reading.report(reader, SERIES, SECOND, 3)
    async with database.write() as session:
        await session.delete(await session.get_one(UserRow, reader))

    async with database.read() as session:
        counts = [
            await session.scalar(select(func.count()).select_from(table))
            for table in AlbumRow.metadata.sorted_tables
            if table.name in ("reading", "album_reading", "library")
        ]
    assert counts == [0, 0, 0]


async def test_a_report_in_the_past_keeps_the_history_in_order(reading: Reading, clock: Clock) -> None:
    await reading.report(OWNER_ID, SERIES, THIRD, 2)
    await reading.report(OWNER_ID, SERIES, SERIES, 8, read_at=at(clock) - timedelta(days=1))

    assert places((await reading.history(OWNER_ID, 20)).items) == [(SERIES, THIRD, 2)]
