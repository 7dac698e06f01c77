"""The library, on SQLite and on PostgreSQL; the site is in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from services.catalog import AlbumSummary, Catalog
from services.cursors import encode_cursor
from services.database import Database
from services.database.models import OWNER_ID, AlbumRow, UserRow
from services.errors import (
    AlbumNotFound,
    BlockedByPolicy,
    InvalidInput,
    Unauthenticated,
    UpstreamFailure,
    UpstreamReason,
)
from services.library import AddedAlbums, Library, LibraryOrder, LibraryPage, LibraryQuery, LibraryRecord, store_album
from services.people import Reading
from services.redis import Events
from tests.fakes import BLOCKED, Clock, FakeSite, series

pytestmark = pytest.mark.anyio

SERIES, SECOND, THIRD = "100", "1001", "1002"
SINGLE, WITHHELD, ENGLISH = "200", "300", "400"
SITE_AWAY = UpstreamFailure(UpstreamReason.UNREACHABLE)


@pytest.fixture
def library(database: Database, fake_catalog: Catalog, events: Events, clock: Clock) -> Library:
    """A library whose clock is the test's."""
    return Library(database, fake_catalog, events, clock)


@pytest.fixture
def reading(database: Database, fake_catalog: Catalog, clock: Clock) -> Reading:
    """Reading beside it."""
    return Reading(database, fake_catalog, clock)


@pytest.fixture
async def reader(database: Database) -> str:
    """A second user."""
    async with database.write() as session:
        session.add(UserRow(id="u2", name="reader", name_key="reader", is_admin=False, created_at_ms=0))
    return "u2"


async def publish(fake_site: FakeSite, database: Database, clock: Clock, id: str, chapters: int) -> None:
    """The site has so many chapters of this album now, and they are seen."""
    clock.move(60)
    fake_site.albums[id] = replace(series(id, chapters), title=fake_site.albums[id].title)
    async with database.write() as session:
        await store_album(session, fake_site.albums[id], int(clock.now * 1000), is_current=True)
    clock.move(60)


def albums(page: LibraryPage) -> list[str]:
    return [entry.album.id for entry in page.items]


async def listed(library: Library, **query: object) -> list[str]:
    """The albums that a query lists."""
    return albums(await library.list(OWNER_ID, LibraryQuery(**query)))  # type: ignore[arg-type]


# ── entries ──


async def test_an_album_is_added(library: Library, clock: Clock) -> None:
    added = await library.add(OWNER_ID, SERIES, auto_download=True)

    assert added == LibraryRecord(
        album=AlbumSummary(SERIES, "高山湖泊寫生帖", ()),
        added_at=datetime.fromtimestamp(clock.now, UTC),
        auto_download=True,
        notify=True,
        last_checked_at=datetime.fromtimestamp(clock.now, UTC),
        last_error=None,
    )
    assert await library.of_albums(OWNER_ID, [SERIES, SINGLE]) == {SERIES: added}


async def test_added_again_it_stays_as_it_is_with_the_new_settings(library: Library, clock: Clock) -> None:
    first = await library.add(OWNER_ID, SERIES, auto_download=True)
    clock.move(60)

    assert await library.add(OWNER_ID, SERIES, notify=False) == replace(first, auto_download=False, notify=False)
    assert (await library.list(OWNER_ID)).total == 1


async def test_settings_change_while_the_site_is_away(library: Library, fake_site: FakeSite, clock: Clock) -> None:
    await library.add(OWNER_ID, SERIES)
    clock.move(30 * 86400)
    fake_site.failure = SITE_AWAY

    assert (await library.add(OWNER_ID, SERIES, notify=False)).notify is False
    with pytest.raises(UpstreamFailure):
        await library.add(OWNER_ID, SINGLE)


@pytest.mark.parametrize(("album_id", "error"), [("404", AlbumNotFound), (WITHHELD, BlockedByPolicy)])
async def test_what_is_not_there_is_not_added(library: Library, album_id: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        await library.add(OWNER_ID, album_id)

    assert (await library.list(OWNER_ID)).total == 0


async def test_a_user_who_was_removed_can_add_nothing(library: Library) -> None:
    with pytest.raises(Unauthenticated):
        await library.add("nobody", SERIES)


async def test_two_people_add_the_same_album_at_once(library: Library, reader: str) -> None:
    await asyncio.gather(*(library.add(user, SERIES) for user in (OWNER_ID, reader) * 4))

    assert albums(await library.list(OWNER_ID)) == albums(await library.list(reader)) == [SERIES]


async def test_an_album_is_removed(library: Library, reader: str, database: Database) -> None:
    await library.add(OWNER_ID, SERIES)
    await library.add(reader, SERIES)

    assert await library.remove(OWNER_ID, SERIES) is True
    assert await library.remove(OWNER_ID, SERIES) is False
    assert albums(await library.list(reader)) == [SERIES]
    assert await library.remove(reader, SERIES) is True
    async with database.read() as session:
        assert (await session.scalars(select(AlbumRow.id))).all() == []


async def test_an_album_that_is_read_is_kept_when_it_leaves_the_library(library: Library, reading: Reading) -> None:
    await library.add(OWNER_ID, SERIES)
    await reading.report(OWNER_ID, SERIES, SECOND, 5)

    await library.remove(OWNER_ID, SERIES)

    assert (await reading.history(OWNER_ID, 20)).items[0].album.title == "高山湖泊寫生帖"


async def test_a_history_that_is_deleted_leaves_the_library(library: Library, reading: Reading) -> None:
    await library.add(OWNER_ID, SERIES)
    await reading.report(OWNER_ID, SERIES, SECOND, 5)

    await reading.delete_history(OWNER_ID)

    assert await listed(library) == [SERIES]


async def test_albums_of_a_list_are_added_without_a_call(library: Library, fake_site: FakeSite) -> None:
    await library.add(OWNER_ID, SINGLE)
    fake_site.calls.clear()
    favorites = [AlbumSummary(str(number), f"山行 {number}") for number in range(1000, 2200)]

    first = await library.add_many(OWNER_ID, [*favorites, AlbumSummary(SINGLE, "潮間帶小百科"), favorites[0]])
    again = await library.add_many(OWNER_ID, favorites)

    assert first == AddedAlbums(added=1200, already=1)
    assert again == AddedAlbums(added=0, already=1200)
    assert not fake_site.calls
    page = await library.list(OWNER_ID, first=3)
    assert page.total == 1201
    assert [(entry.album.title, entry.last_checked_at) for entry in page.items][1:] == [
        ("山行 1000", None),
        ("山行 1001", None),
    ]


async def test_what_an_imported_album_had_at_the_first_look_is_not_new(
    library: Library, database: Database, fake_site: FakeSite, clock: Clock
) -> None:
    await library.add_many(OWNER_ID, [AlbumSummary(SERIES, "高山湖泊寫生帖")])
    await publish(fake_site, database, clock, SERIES, 3)
    at_first = await library.unread(OWNER_ID, [SERIES])
    await publish(fake_site, database, clock, SERIES, 4)

    assert (at_first[SERIES].count, at_first[SERIES].new) == (3, ())
    found = (await library.unread(OWNER_ID, [SERIES]))[SERIES]
    assert (found.count, [chapter.index for chapter in found.new]) == (4, [4])


# ── what is new ──


async def test_a_chapter_that_was_not_there_before_is_new_until_it_is_read(
    library: Library, reading: Reading, database: Database, fake_site: FakeSite, clock: Clock
) -> None:
    await library.add(OWNER_ID, SERIES)
    await library.add(OWNER_ID, SINGLE)
    assert await listed(library, has_new=True) == []
    await publish(fake_site, database, clock, SERIES, 5)

    found = (await library.unread(OWNER_ID, [SERIES]))[SERIES]
    assert (found.count, [chapter.id for chapter in found.new]) == (5, ["1003", "1004"])
    assert await listed(library, has_new=True) == [SERIES]
    assert await listed(library, has_new=False) == [SINGLE]

    await reading.report(OWNER_ID, SERIES, "1003", 12)
    found = (await library.unread(OWNER_ID, [SERIES]))[SERIES]
    assert (found.count, [chapter.id for chapter in found.new]) == (4, ["1004"])

    await reading.set_read(OWNER_ID, SERIES, ["1004"], is_read=True)
    assert (await library.unread(OWNER_ID, [SERIES]))[SERIES].new == ()
    assert await listed(library, has_new=True) == []


async def test_a_chapter_is_new_only_to_who_followed_before(
    library: Library, reader: str, database: Database, fake_site: FakeSite, clock: Clock
) -> None:
    await library.add(OWNER_ID, SERIES)
    await publish(fake_site, database, clock, SERIES, 4)
    await library.add(reader, SERIES)

    assert [chapter.id for chapter in (await library.unread(OWNER_ID, [SERIES]))[SERIES].new] == ["1003"]
    assert (await library.unread(reader, [SERIES]))[SERIES].new == ()


async def test_an_older_detail_removes_no_chapter(
    library: Library, reader: str, database: Database, fake_site: FakeSite, clock: Clock
) -> None:
    await library.add(OWNER_ID, SERIES)
    await publish(fake_site, database, clock, SERIES, 4)

    await library.add(reader, SERIES)  # with the detail that is cached

    assert (await library.unread(OWNER_ID, [SERIES]))[SERIES].count == 4


async def test_chapters_that_the_site_removes_do_not_count(
    library: Library, database: Database, fake_site: FakeSite, clock: Clock
) -> None:
    await library.add(OWNER_ID, SERIES)
    await publish(fake_site, database, clock, SERIES, 5)
    await publish(fake_site, database, clock, SERIES, 2)

    found = (await library.unread(OWNER_ID, [SERIES]))[SERIES]
    assert (found.count, found.new) == (2, ())


async def test_a_list_of_chapters_that_is_not_whole_removes_none(
    library: Library, database: Database, fake_site: FakeSite, clock: Clock
) -> None:
    await library.add(OWNER_ID, SERIES)
    part = replace(series(SERIES, 1), has_all_chapters=False)
    async with database.write() as session:
        await store_album(session, part, int(clock.now * 1000), is_current=True)

    assert (await library.unread(OWNER_ID, [SERIES]))[SERIES].count == 3


# ── lists ──


async def test_the_orders_of_a_library(
    library: Library, reading: Reading, database: Database, fake_site: FakeSite, clock: Clock
) -> None:
    fake_site.albums[ENGLISH] = replace(fake_site.albums[ENGLISH], updated_on=date(2023, 1, 1))
    for id in (SERIES, ENGLISH, SINGLE):
        await library.add(OWNER_ID, id)
        clock.move(1)
    await publish(fake_site, database, clock, SERIES, 4)
    await reading.report(OWNER_ID, SINGLE, SINGLE, 1)
    clock.move(1)
    await reading.report(OWNER_ID, ENGLISH, ENGLISH, 1)

    assert await listed(library, order=LibraryOrder.ADDED) == [SINGLE, ENGLISH, SERIES]
    assert await listed(library, order=LibraryOrder.UPDATED) == [SERIES, ENGLISH, SINGLE]
    assert await listed(library, order=LibraryOrder.READ) == [ENGLISH, SINGLE, SERIES]
    assert await listed(library, order=LibraryOrder.TITLE) == [ENGLISH, SINGLE, SERIES]


@pytest.mark.parametrize("order", LibraryOrder)
async def test_a_library_is_read_page_by_page_in_each_order(library: Library, order: LibraryOrder) -> None:
    ids = [str(number) for number in range(1000, 1017)]
    await library.add_many(OWNER_ID, [AlbumSummary(id, f"「山」's 100% {int(id) // 3}") for id in ids])
    query = LibraryQuery(order=order)

    whole = albums(await library.list(OWNER_ID, query, first=100))
    page = await library.list(OWNER_ID, query, first=4)
    found = albums(page)
    while page.has_next:
        page = await library.list(OWNER_ID, query, first=4, after=page.cursors[-1])
        found += albums(page)

    assert found == whole
    assert sorted(found) == ids
    assert (page.total, page.has_previous) == (17, True)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", [ENGLISH, SINGLE, SERIES]),
        ("湖泊", [SERIES]),
        ("写生 高山", [SERIES]),
        ("slow NORTH", [ENGLISH]),
        ("ｓｌｏｗ", [ENGLISH]),
        ("湖泊 北", []),
        ("JM200", [SINGLE]),
        ("%", []),
        ("_", []),
        ("🏔", []),
    ],
)
async def test_a_query_is_words_of_the_title_or_the_number(
    library: Library, clock: Clock, text: str, found: Sequence[str]
) -> None:
    for id in (SERIES, SINGLE, ENGLISH):
        await library.add(OWNER_ID, id)
        clock.move(1)

    assert await listed(library, text=text) == found


async def test_what_is_withheld_since_then_is_not_listed(
    library: Library, fake_site: FakeSite, fake_catalog: Catalog, clock: Clock
) -> None:
    for id in (SERIES, SINGLE):
        await library.add(OWNER_ID, id)
        clock.move(1)
    fake_site.albums[SINGLE] = series(SINGLE, 1, tags=[BLOCKED])
    clock.move(2 * 86400)
    await fake_catalog.find_album(SINGLE)

    page = await library.list(OWNER_ID, first=1)

    assert (albums(page), page.has_next) == ([SERIES], False)


async def test_a_list_costs_no_call_to_the_site(library: Library, fake_site: FakeSite, clock: Clock) -> None:
    await library.add(OWNER_ID, SERIES)
    clock.move(30 * 86400)
    fake_site.calls.clear()

    assert [entry.album.title for entry in (await library.list(OWNER_ID)).items] == ["高山湖泊寫生帖"]
    assert (await library.unread(OWNER_ID, [SERIES]))[SERIES].count == 3
    assert not fake_site.calls


async def test_people_see_their_own_library(library: Library, reader: str) -> None:
    await library.add(OWNER_ID, SERIES)

    assert (await library.list(reader)).total == 0
    assert await library.of_albums(reader, [SERIES]) == {}
    assert await library.remove(reader, SERIES) is False


async def test_a_cursor_of_another_order_is_refused(library: Library) -> None:
    for id in (SERIES, SINGLE):
        await library.add(OWNER_ID, id)
    after = (await library.list(OWNER_ID, first=1)).cursors[0]

    with pytest.raises(InvalidInput) as refused:
        await library.list(OWNER_ID, LibraryQuery(order=LibraryOrder.TITLE), after=after)

    assert refused.value.field == "after"


@pytest.mark.parametrize(
    "position", ["1", "[]", '["a","1"]', '[1,"a"]', "[1,2]", '[99999999999999999999,"1"]', "{}", '[true,"1"]']
)
async def test_a_forged_cursor_is_refused(library: Library, position: str) -> None:
    with pytest.raises(InvalidInput):
        await library.list(OWNER_ID, after=encode_cursor("library:ADDED:", position))


async def test_a_forged_title_in_a_cursor_is_refused(library: Library) -> None:
    for title in ("\\u0000", "\\ud800"):
        with pytest.raises(InvalidInput):
            await library.list(
                OWNER_ID,
                LibraryQuery(order=LibraryOrder.TITLE),
                after=encode_cursor("library:TITLE:", f'["{title}","1"]'),
            )


async def test_a_query_is_short(library: Library) -> None:
    with pytest.raises(InvalidInput) as refused:
        await library.list(OWNER_ID, LibraryQuery(text="山" * 201))

    assert refused.value.field == "query"


@pytest.mark.parametrize("text", ["\x00", "\ud83d", "山\x00"])
async def test_a_query_of_odd_characters_finds_nothing_or_what_is_left(library: Library, text: str) -> None:
    await library.add(OWNER_ID, SERIES)

    assert await listed(library, text=text) in ([], [SERIES])


async def test_a_title_of_odd_characters_is_stored(library: Library, fake_site: FakeSite) -> None:
    fake_site.albums["500"] = series("500", 1, title="山\x00行")

    assert (await library.add(OWNER_ID, "500")).album.title == "山行"
