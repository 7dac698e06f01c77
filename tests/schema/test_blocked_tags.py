"""Tags that a person does not want to see: withheld from that person alone."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from services.people import TokenScope
from services.settings import Settings
from tests.graphql_client import GraphQLClient, graphql_client
from tests.persons import PASSWORD, Person, a_person, bearer

pytestmark = pytest.mark.anyio

BLOCK = """
mutation ($tags: [String!]!) {
  setBlockedTags(tags: $tags) {
    __typename
    ... on Viewer { blockedTags }
    ... on InvalidInput { field message }
  }
}
"""
READ = """
{
  album(id: "350234") { title }
  albums(ids: ["350234", "333908"]) { id }
  chapter(id: "350234") { pageCount }
  ranking(period: WEEK) { albums: entries { album { id } } }
  search(query: "雨林") { items { id } }
}
"""
ADD_AND_READ = """
mutation {
  addToLibrary(input: {albumId: "350234"}) { __typename }
  setReadingProgress(input: {albumId: "350234", chapterId: "350234", page: 2}) { __typename }
}
"""
START = 'mutation { startDownload(input: {albumId: "350234"}) { __typename ... on Download { id } } }'
FOX = "狐狸"
"""A tag of 350234."""


@pytest.fixture
async def open_to_guests(make_settings: Callable[..., Settings]) -> AsyncIterator[GraphQLClient]:
    """A closed server whose guests may do all."""
    async with graphql_client(make_settings(guests="all")) as server:
        yield server


async def _read(server: GraphQLClient, query: str, headers: dict[str, str], **variables: Any) -> Any:
    answer = await server.answer(query, headers=headers, **variables)
    assert "errors" not in answer, answer["errors"]
    return answer["data"]


def _seen(data: Any) -> dict[str, bool]:
    """In which of the answers the album is."""
    return {
        "album": data["album"] is not None,
        "albums": any(album and album["id"] == "350234" for album in data["albums"]),
        "chapter": data["chapter"] is not None,
        "ranking": any(line["album"]["id"] == "350234" for line in data["ranking"]["albums"]),
        "search": any(album["id"] == "350234" for album in data["search"]["items"]),
    }


NOWHERE = dict.fromkeys(("album", "albums", "chapter", "ranking", "search"), False)
EVERYWHERE = dict.fromkeys(NOWHERE, True)


@pytest.mark.parametrize("tag", [FOX, "other:full color"])
async def test_an_album_with_a_blocked_tag_is_nowhere_for_that_person_alone(
    open_to_guests: GraphQLClient, tag: str
) -> None:
    server = open_to_guests
    alice, bob = await a_person(server.services, "alice"), await a_person(server.services, "bob")
    before = await server.ask(READ)

    done = await _read(server, BLOCK, alice.headers, tags=[f"  {tag} ", tag])

    assert done == {"setBlockedTags": {"__typename": "Viewer", "blockedTags": [tag]}}
    assert _seen(before) == EVERYWHERE
    for _ in range(2):  # the second answers come from caches, where they may
        assert _seen(await _read(server, READ, alice.headers)) == NOWHERE
        assert _seen(await _read(server, READ, bob.headers)) == EVERYWHERE
        assert _seen(await server.ask(READ)) == EVERYWHERE


async def test_tags_are_unblocked_by_setting_others(open_to_guests: GraphQLClient) -> None:
    server = open_to_guests
    alice = await a_person(server.services, "alice")
    await _read(server, BLOCK, alice.headers, tags=[FOX])
    await _read(server, READ, alice.headers)

    await _read(server, BLOCK, alice.headers, tags=[])

    assert _seen(await _read(server, READ, alice.headers)) == EVERYWHERE


async def test_the_owner_of_an_open_server_has_blocked_tags_too(server: GraphQLClient) -> None:
    assert _seen(await server.ask(READ)) == EVERYWHERE

    await server.ask(BLOCK, tags=[FOX])

    assert _seen(await server.ask(READ)) == NOWHERE
    assert (await server.http.get("/v1/info/350234")).status_code == 404


PATHS = [
    "/v1/info/350234",
    "/v1/get/cover/350234",
    "/images/covers/350234",
    "/images/pages/350234/1",
    "/opds/albums/350234",
    "/opds/covers/350234",
    "/opds/pages/350234/0",
    "/opds/v2/publications/350234",
]


@pytest.mark.parametrize("path", PATHS)
async def test_what_is_blocked_is_not_found_by_rest(open_to_guests: GraphQLClient, path: str) -> None:
    server = open_to_guests
    alice = await a_person(server.services, "alice")
    before = await server.http.get(path)
    await _read(server, BLOCK, alice.headers, tags=[FOX])

    by_alice = await server.http.get(path, headers=alice.headers)
    by_password = await server.http.get(path, headers=_basic(alice))
    by_guest = await server.http.get(path)

    assert (before.status_code, by_alice.status_code, by_password.status_code, by_guest.status_code) == (
        200,
        404,
        404,
        200,
    )
    assert by_guest.content == before.content


def _basic(person: Person) -> dict[str, str]:
    encoded = base64.b64encode(f"{person.user.name}:{PASSWORD}".encode()).decode()
    return {"Authorization": f"Basic {encoded}"}


async def test_lists_of_v1_leave_out_what_is_blocked(open_to_guests: GraphQLClient) -> None:
    server = open_to_guests
    alice = await a_person(server.services, "alice")
    await server.ask(READ)  # since then the tags of the albums are known
    guests = await server.http.get("/v1/rank/week")
    await _read(server, BLOCK, alice.headers, tags=[FOX])

    own = await server.http.get("/v1/rank/week", headers=alice.headers)
    again = await server.http.get("/v1/rank/week")

    assert "350234" in {album["aid"] for album in guests.json()}
    assert "350234" not in {album["aid"] for album in own.json()}
    assert again.json() == guests.json()
    assert own.headers["cache-control"] == "private, no-store"
    assert again.headers["cache-control"].startswith("public")


async def test_feeds_leave_out_what_is_blocked(open_to_guests: GraphQLClient) -> None:
    server = open_to_guests
    alice = await a_person(server.services, "alice")
    await _read(server, ADD_AND_READ, alice.headers)
    feeds = ["/opds/rankings/week", "/opds/library", "/opds/continue", "/opds/v2/search?query=雨林"]

    before = [(await server.http.get(feed, headers=alice.headers)).text for feed in feeds]
    await _read(server, BLOCK, alice.headers, tags=[FOX])
    after = [await server.http.get(feed, headers=alice.headers) for feed in feeds]

    assert ["350234" in feed for feed in before] == [True] * 4
    assert ["350234" in feed.text for feed in after] == [False] * 4
    assert [feed.status_code for feed in after] == [200] * 4


async def test_a_search_for_a_blocked_tag_finds_nothing(open_to_guests: GraphQLClient) -> None:
    server = open_to_guests
    alice = await a_person(server.services, "alice")
    await _read(server, BLOCK, alice.headers, tags=[FOX])

    found = await _read(server, f'{{ search(query: "{FOX}") {{ total items {{ id }} }} }}', alice.headers)

    assert found == {"search": {"total": 0, "items": []}}


async def test_the_own_lists_leave_out_what_is_blocked_and_keep_it(open_to_guests: GraphQLClient) -> None:
    server = open_to_guests
    alice = await a_person(server.services, "alice")
    await _read(server, ADD_AND_READ, alice.headers)
    lists = """{ viewer {
      library { nodes { album { id } } }
      history { nodes { album { id } } }
      continueReading { album { id } }
    } }"""

    before = await _read(server, lists, alice.headers)
    await _read(server, BLOCK, alice.headers, tags=[FOX])
    blocked = await _read(server, lists, alice.headers)
    await _read(server, BLOCK, alice.headers, tags=[])
    after = await _read(server, lists, alice.headers)

    entry = {"album": {"id": "350234"}}
    assert before == {
        "viewer": {"library": {"nodes": [entry]}, "history": {"nodes": [entry]}, "continueReading": [entry]}
    }
    assert blocked == {"viewer": {"library": {"nodes": []}, "history": {"nodes": []}, "continueReading": []}}
    assert after == before


async def test_what_is_blocked_is_not_downloaded(open_to_guests: GraphQLClient) -> None:
    server = open_to_guests
    alice = await a_person(server.services, "alice")
    await _read(server, BLOCK, alice.headers, tags=[FOX])

    start_many = 'mutation { startDownloads(inputs: [{albumId: "350234"}, {albumId: "302166"}]) { __typename } }'
    started = await _read(server, START, alice.headers)
    many = await _read(server, start_many, alice.headers)

    assert started == {"startDownload": {"__typename": "BlockedByPolicy"}}
    assert [each["__typename"] for each in many["startDownloads"]] == ["BlockedByPolicy", "Download"]


async def test_what_is_blocked_is_not_downloaded_over_v1(open_to_guests: GraphQLClient) -> None:
    server = open_to_guests
    alice = await a_person(server.services, "alice")
    await _read(server, BLOCK, alice.headers, tags=[FOX])

    url = "/v1/download/album/350234?client_id=phone&wait=0"
    await server.http.get(url, headers=alice.headers)
    notified = await server.http.get("/v1/notifications/phone?wait=20", headers=alice.headers)

    message = "下载任务失败: Album not found"
    assert notified.json() == [{"status": "error", "file_name": "", "message": message}]
    assert (await server.services.downloads.counts()).queued == 0


async def test_what_was_blocked_meanwhile_is_not_downloaded_again(open_to_guests: GraphQLClient) -> None:
    server = open_to_guests
    alice = await a_person(server.services, "alice")
    id = (await _read(server, START, alice.headers))["startDownload"]["id"]
    await server.services.downloads.cancel(id)
    await _read(server, BLOCK, alice.headers, tags=[FOX])

    retry = "mutation ($id: ID!) { retryDownload(id: $id) { __typename ... on Download { state } } }"
    blocked = await _read(server, retry, alice.headers, id=id)
    await _read(server, BLOCK, alice.headers, tags=[])
    retried = await _read(server, retry, alice.headers, id=id)

    assert blocked == {"retryDownload": {"__typename": "BlockedByPolicy"}}
    assert retried == {"retryDownload": {"__typename": "Download", "state": "QUEUED"}}


async def test_blocked_tags_are_text_of_bounded_length(open_to_guests: GraphQLClient) -> None:
    server = open_to_guests
    alice = await a_person(server.services, "alice")
    bad: list[list[str]] = [["狐\u0007狸"], ["x" * 101], [f"tag {number}" for number in range(201)]]

    refused = [(await _read(server, BLOCK, alice.headers, tags=tags))["setBlockedTags"] for tags in bad]

    assert [(answer["__typename"], answer["field"]) for answer in refused] == [("InvalidInput", "tags")] * 3
    assert (await _read(server, "{ viewer { blockedTags } }", alice.headers)) == {"viewer": {"blockedTags": []}}


async def test_a_guest_and_a_token_for_reading_block_nothing(open_to_guests: GraphQLClient) -> None:
    server = open_to_guests
    alice = await a_person(server.services, "alice")
    reading = await alice.access_token(TokenScope.READ)

    by_guest = (await server.ask(BLOCK, tags=[FOX]))["setBlockedTags"]
    by_reader = await server.answer(BLOCK, headers=bearer(reading), tags=[FOX])

    assert by_guest["__typename"] == "AccessDenied"
    assert by_reader["errors"][0]["extensions"]["code"] == "FORBIDDEN"
