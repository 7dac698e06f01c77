"""Reading progress and the library over GraphQL, on the demo site."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from demo.server import RunningDemo
from services.settings import Settings
from tests.graphql_client import GraphQLClient, graphql_client

pytestmark = pytest.mark.anyio

SERIES, LATER = "205238", "205240"
"""An album of four chapters, 8, 9, 10 and 8 pages, and its third chapter."""
SINGLE = "350234"
PROGRESS = "album { id title } chapter { id index title } page pageCount isFinished readAt device"
REPORT = f"""mutation ($input: SetReadingProgressInput!) {{ setReadingProgress(input: $input) {{ __typename
  ... on ReadingProgress {{ {PROGRESS} }} ... on Error {{ code message retryable }}
  ... on InvalidInput {{ field }} ... on ChapterNotFound {{ chapterId }} }} }}"""
MARK = """mutation ($album: ID!, $chapters: [ID!], $isRead: Boolean!) {
  setChaptersRead(albumId: $album, chapterIds: $chapters, isRead: $isRead) { __typename
  ... on ChaptersRead { isRead album { id } chapters { id progress { page isFinished } } }
  ... on Error { code } ... on InvalidInput { field } ... on ChapterNotFound { chapterId } } }"""
ADD = """mutation ($id: ID!) { addToLibrary(input: {albumId: $id}) { __typename
  ... on LibraryEntry { album { id title } addedAt unreadCount newChapters { id } }
  ... on Error { code } ... on InvalidInput { field } } }"""
HISTORY = """query ($first: Int!, $after: String) { viewer { history(first: $first, after: $after) {
  totalCount pageInfo { hasNextPage hasPreviousPage endCursor } edges { cursor } nodes { album { id } page } } } }"""
LIBRARY = """query ($filter: LibraryFilter, $first: Int!, $after: String) {
  viewer { library(filter: $filter, first: $first, after: $after) {
    totalCount pageInfo { hasNextPage hasPreviousPage endCursor } nodes { album { id title } unreadCount } } } }"""
ALBUM = (
    f"query ($id: String!) {{ album(id: $id) {{ progress {{ {PROGRESS} }} chapters {{ id progress {{ page }} }} }} }}"
)


async def report(server: GraphQLClient, album: str, chapter: str, page: int, **more: Any) -> Any:
    """What `setReadingProgress` answers."""
    input = {"albumId": album, "chapterId": chapter, "page": page, **more}
    return (await server.ask(REPORT, input=input))["setReadingProgress"]


@contextmanager
def statements(*words: str) -> Iterator[list[str]]:
    """The statements with these words that the database gets during the block."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if all(word in statement for word in words):
            seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


# ── progress ──


async def test_a_report_is_shown_at_its_album_and_its_chapter(server: GraphQLClient) -> None:
    answer = await report(server, SERIES, LATER, 4, device="tablet", readAt="2024-05-01T12:00:00+02:00")
    album = (await server.ask(ALBUM, id=SERIES))["album"]

    assert answer == {
        "__typename": "ReadingProgress",
        "album": {"id": SERIES, "title": "林間小徑的四季"},
        "chapter": {"id": LATER, "index": 3, "title": album["progress"]["chapter"]["title"]},
        "page": 4,
        "pageCount": 10,
        "isFinished": False,
        "readAt": "2024-05-01T10:00:00+00:00",
        "device": "tablet",
    }
    assert album["progress"] == {name: value for name, value in answer.items() if name != "__typename"}
    assert [chapter["progress"] for chapter in album["chapters"]] == [None, None, {"page": 4}, None]


async def test_the_last_page_finishes_the_chapter(server: GraphQLClient) -> None:
    assert (await report(server, SERIES, LATER, 10))["isFinished"] is True


async def test_an_offline_device_reports_later_what_was_read_before(server: GraphQLClient) -> None:
    now = datetime.now(UTC)
    await report(server, SERIES, LATER, 6, device="phone", readAt=(now - timedelta(hours=1)).isoformat())
    older = await report(server, SERIES, LATER, 2, device="tablet", readAt=(now - timedelta(hours=3)).isoformat())
    newer = await report(server, SERIES, LATER, 8, device="tablet", readAt=(now - timedelta(minutes=5)).isoformat())

    assert (older["page"], older["device"]) == (6, "phone")
    assert (newer["page"], newer["device"]) == (8, "tablet")


async def test_a_time_in_the_future_is_now(server: GraphQLClient) -> None:
    before = datetime.now(UTC)
    answer = await report(server, SERIES, LATER, 4, readAt="2999-01-01T00:00:00Z")

    read_at = datetime.fromisoformat(answer["readAt"])
    assert before - timedelta(milliseconds=1) <= read_at <= datetime.now(UTC)


@pytest.mark.parametrize("number", [SERIES, f"JM{SERIES}", f"https://18comic.vip/album/{SERIES}/x"])
async def test_an_album_is_named_as_everywhere(server: GraphQLClient, number: str) -> None:
    assert (await report(server, number, LATER, 1))["album"]["id"] == SERIES


@pytest.mark.parametrize(
    ("album", "chapter", "page", "error"),
    [
        (SERIES, LATER, 11, {"__typename": "InvalidInput", "code": "INVALID_INPUT", "field": "page"}),
        (SERIES, LATER, 0, {"__typename": "InvalidInput", "code": "INVALID_INPUT", "field": "page"}),
        ("x", LATER, 1, {"__typename": "InvalidInput", "code": "INVALID_INPUT", "field": "albumId"}),
        (SERIES, "x", 1, {"__typename": "InvalidInput", "code": "INVALID_INPUT", "field": "chapterId"}),
        (SERIES, SINGLE, 1, {"__typename": "ChapterNotFound", "code": "NOT_FOUND", "chapterId": SINGLE}),
        ("99999999999", LATER, 1, {"__typename": "ChapterNotFound", "code": "NOT_FOUND", "chapterId": LATER}),
    ],
)
async def test_what_can_not_be_read_is_a_typed_result(
    server: GraphQLClient, album: str, chapter: str, page: int, error: dict[str, Any]
) -> None:
    answer = await report(server, album, chapter, page)

    assert error.items() <= answer.items()
    assert answer["retryable"] is False


async def test_progress_of_a_page_of_albums_is_one_query(server: GraphQLClient) -> None:
    await report(server, SERIES, LATER, 4)
    query = """{ ranking { entries { album { id progress { page chapter { index } }
      libraryEntry { unreadCount newChapters { id } } } } } }"""
    await server.ask(query)

    with statements("JOIN album_reading") as of_progress, statements("FROM library") as of_library:
        entries = (await server.ask(query))["ranking"]["entries"]

    progress = [entry["album"]["progress"] for entry in entries if entry["album"]["progress"]]
    assert progress == [{"page": 4, "chapter": {"index": 3}}]
    assert len(entries) > 40
    assert (len(of_progress), len(of_library)) == (1, 1)


async def test_progress_is_in_no_shared_cache(server: GraphQLClient) -> None:
    query = {"query": f'{{ album(id: "{SERIES}") {{ title progress {{ page }} }} }}'}
    await report(server, SERIES, LATER, 4)
    first = await server.http.post("/graphql", json=query)
    await report(server, SERIES, LATER, 5)
    second = await server.http.post("/graphql", json=query)

    assert first.json()["data"]["album"]["progress"] == {"page": 4}
    assert second.json()["data"]["album"]["progress"] == {"page": 5}
    assert {answer.headers["cache-control"] for answer in (first, second)} == {"private, no-store"}


async def test_a_report_costs_nothing_once_the_chapter_is_known(server: GraphQLClient) -> None:
    def input(page: int) -> dict[str, Any]:
        return {"albumId": SERIES, "chapterId": LATER, "page": page}

    assert await server.cost(REPORT, input=input(1)) == 2
    assert [await server.cost(REPORT, input=input(page)) for page in range(2, 11)] == [0] * 9


# ── marks ──


async def test_chapters_are_marked(server: GraphQLClient) -> None:
    marked = (await server.ask(MARK, album=SERIES, chapters=[LATER], isRead=True))["setChaptersRead"]
    all_read = (await server.ask(MARK, album=SERIES, chapters=None, isRead=True))["setChaptersRead"]
    unread = (await server.ask(MARK, album=SERIES, chapters=[LATER], isRead=False))["setChaptersRead"]

    assert marked == {
        "__typename": "ChaptersRead",
        "isRead": True,
        "album": {"id": SERIES},
        "chapters": [{"id": LATER, "progress": {"page": 10, "isFinished": True}}],
    }
    assert [chapter["progress"]["page"] for chapter in all_read["chapters"]] == [8, 9, 10, 8]
    assert unread["chapters"] == [{"id": LATER, "progress": None}]


async def test_a_history_is_deleted(server: GraphQLClient) -> None:
    for album, chapter in ((SERIES, LATER), (SINGLE, SINGLE)):
        await report(server, album, chapter, 1)
    one = await server.ask("mutation ($ids: [ID!]) { deleteHistory(albumIds: $ids) }", ids=[SINGLE, "118204"])
    rest = await server.ask("mutation { deleteHistory }")

    assert (one, rest) == ({"deleteHistory": 1}, {"deleteHistory": 1})
    assert (await server.ask(ALBUM, id=SERIES))["album"]["progress"] is None


# ── the library ──


async def test_an_album_is_added_to_the_library_and_removed(server: GraphQLClient) -> None:
    before = datetime.now(UTC)
    added = (await server.ask(ADD, id=SERIES))["addToLibrary"]
    again = (await server.ask(ADD, id=f"JM{SERIES}"))["addToLibrary"]
    entry = await server.ask(f'{{ album(id: "{SERIES}") {{ libraryEntry {{ addedAt unreadCount }} }} }}')
    removed = await server.ask(f'mutation {{ removeFromLibrary(albumId: "{SERIES}") }}')
    twice = await server.ask(f'mutation {{ removeFromLibrary(albumId: "{SERIES}") }}')

    assert (
        added
        == again
        == {
            "__typename": "LibraryEntry",
            "album": {"id": SERIES, "title": "林間小徑的四季"},
            "addedAt": added["addedAt"],
            "unreadCount": 4,
            "newChapters": [],
        }
    )
    assert before - timedelta(milliseconds=1) <= datetime.fromisoformat(added["addedAt"]) <= datetime.now(UTC)
    assert entry["album"]["libraryEntry"] == {"addedAt": added["addedAt"], "unreadCount": 4}
    assert (removed, twice) == ({"removeFromLibrary": True}, {"removeFromLibrary": False})


@pytest.mark.parametrize(
    ("id", "error"),
    [
        ("99999999999", {"__typename": "AlbumNotFound", "code": "NOT_FOUND"}),
        ("900451", {"__typename": "BlockedByPolicy", "code": "BLOCKED_BY_POLICY"}),
        ("x", {"__typename": "InvalidInput", "code": "INVALID_INPUT", "field": "albumId"}),
    ],
)
async def test_what_can_not_be_added_is_a_typed_result(
    make_settings: Callable[..., Settings], id: str, error: dict[str, Any]
) -> None:
    async with graphql_client(make_settings(blocked_tags=("測試封鎖",))) as server:
        assert (await server.ask(ADD, id=id))["addToLibrary"] == error


async def test_a_site_that_is_away_is_a_typed_result(server: GraphQLClient, demo: RunningDemo) -> None:
    demo.knobs.set("*", dead=True)

    assert (await server.ask(ADD, id=SERIES))["addToLibrary"]["__typename"] == "UpstreamFailure"
    marked = await server.ask(MARK, album=SERIES, chapters=None, isRead=True)
    assert marked["setChaptersRead"]["__typename"] == "UpstreamFailure"


# ── the viewer ──


async def test_the_viewer_reads_on_and_looks_back(server: GraphQLClient) -> None:
    await report(server, SINGLE, SINGLE, 24, readAt="2024-05-01T10:00:00Z")
    await report(server, SERIES, LATER, 10, readAt="2024-05-01T11:00:00Z")
    await report(server, "118204", "118204", 5, readAt="2024-05-01T12:00:00Z")
    first = (await server.ask(HISTORY, first=2))["viewer"]["history"]
    second = (await server.ask(HISTORY, first=2, after=first["pageInfo"]["endCursor"]))["viewer"]["history"]
    shown = "{ viewer { continueReading { album { id title } chapter { id } page isFinished } } }"
    reads_on = (await server.ask(shown))["viewer"]["continueReading"]

    assert [(node["album"]["id"], node["page"]) for node in first["nodes"]] == [("118204", 5), (SERIES, 10)]
    assert [node["album"]["id"] for node in second["nodes"]] == [SINGLE]
    assert first["totalCount"] == second["totalCount"] == 3
    assert first["pageInfo"]["endCursor"] == first["edges"][1]["cursor"]
    assert (first["pageInfo"]["hasNextPage"], first["pageInfo"]["hasPreviousPage"]) == (True, False)
    assert (second["pageInfo"]["hasNextPage"], second["pageInfo"]["hasPreviousPage"]) == (False, True)
    assert [(each["album"]["id"], each["chapter"]["id"], each["isFinished"]) for each in reads_on] == [
        ("118204", "118204", False),
        (SERIES, LATER, True),  # a fourth chapter follows
    ]


async def test_the_viewer_has_a_library(server: GraphQLClient) -> None:
    for id in (SERIES, SINGLE, "118204"):
        await server.ask(ADD, id=id)
    newest = (await server.ask(LIBRARY, first=2))["viewer"]["library"]
    rest = (await server.ask(LIBRARY, first=2, after=newest["pageInfo"]["endCursor"]))["viewer"]["library"]
    by_title = (await server.ask(LIBRARY, first=20, filter={"orderBy": "TITLE"}))["viewer"]["library"]
    found = (await server.ask(LIBRARY, first=20, filter={"query": "雨林", "hasNew": False}))["viewer"]["library"]
    with_new = (await server.ask(LIBRARY, first=20, filter={"hasNew": True}))["viewer"]["library"]

    assert [node["album"]["id"] for node in (*newest["nodes"], *rest["nodes"])] == ["118204", SINGLE, SERIES]
    assert [node["album"]["id"] for node in by_title["nodes"]] == [SERIES, SINGLE, "118204"]
    assert found == {
        "totalCount": 1,
        "pageInfo": {"hasNextPage": False, "hasPreviousPage": False, "endCursor": found["pageInfo"]["endCursor"]},
        "nodes": [{"album": {"id": SINGLE, "title": "雨林深處的一天"}, "unreadCount": 1}],
    }
    assert (with_new["totalCount"], with_new["pageInfo"]["endCursor"]) == (0, None)


async def test_the_lists_of_a_viewer_cost_no_call(server: GraphQLClient, demo: RunningDemo) -> None:
    await report(server, SERIES, LATER, 4)
    await server.ask(ADD, id=SERIES)
    demo.knobs.set("*", dead=True)
    lists = """{ viewer { continueReading { album { title cover { url } } chapter { title } page }
      history { nodes { album { title } } }
      library { nodes { album { title } newChapters { title } unreadCount } } } }"""

    assert await server.cost(lists) == 0


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("history(first: 0)", "first"),
        ("history(first: 101)", "first"),
        ('history(after: "x")', "after"),
        ("continueReading(first: 0)", "first"),
        ("library(first: 101)", "first"),
        ('library(after: "x")', "after"),
    ],
)
async def test_bad_pages_are_refused(server: GraphQLClient, field: str, wrong: str) -> None:
    selection = "{ page }" if field.startswith("continue") else "{ totalCount }"
    error = await server.error(f"{{ viewer {{ {field} {selection} }} }}")

    assert (error["code"], error["field"]) == ("INVALID_INPUT", wrong)


# ── who has none ──


@pytest.fixture
async def guarded(make_settings: Callable[..., Settings]) -> AsyncIterator[GraphQLClient]:
    """A server with an API key and no account: its host is no person, nor are its guests."""
    async with graphql_client(make_settings(api_keys=("a-key-of-the-host",))) as client:
        yield client


async def test_the_host_has_no_progress(guarded: GraphQLClient) -> None:
    headers = {"X-API-Key": "a-key-of-the-host"}
    input = {"albumId": SERIES, "chapterId": LATER, "page": 1}
    refused = await guarded.answer(REPORT, headers, input=input)
    album = await guarded.answer(ALBUM, headers, id=SERIES)

    assert refused["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert album["data"]["album"]["progress"] is None
