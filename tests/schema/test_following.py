"""Following over GraphQL, on the demo site: a chapter is published, found, told and downloaded."""

from __future__ import annotations

import asyncio
import io
import zipfile
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from anyio import fail_after, sleep
from sqlalchemy import update

from demo.server import RunningDemo
from services.container import library_checker
from services.database.models import AlbumRow
from services.settings import Settings
from services.tasks import cancel_and_wait
from tests.graphql_client import GraphQLClient, graphql_client, running_worker
from tests.sockets import Socket, connected
from tests.waiting import DEADLINE_S, STEP_S

pytestmark = pytest.mark.anyio

SERIES, SINGLE = "205238", "350234"
ENTRY = "album { id } newChapters { id title } unreadCount autoDownload notify lastCheckedAt lastError"
ADD = f"""mutation ($input: AddToLibraryInput!) {{ addToLibrary(input: $input) {{
  ... on LibraryEntry {{ {ENTRY} }} ... on Error {{ code }} }} }}"""
MARK = """mutation ($album: ID!, $id: ID!) {
  setChaptersRead(albumId: $album, chapterIds: [$id], isRead: true) { __typename } }"""
CHECK = "mutation { checkLibrary }"
UPDATED = f"subscription {{ libraryUpdated {{ {ENTRY} }} }}"


@pytest.fixture
async def following(make_settings: Callable[..., Settings]) -> AsyncIterator[GraphQLClient]:
    """A server whose worker looks at the library on request alone."""
    async with graphql_client(make_settings(library_check_every_s=0)) as client:
        checking = asyncio.create_task(library_checker(client.services).run())
        async with running_worker(client.services):
            yield client
        await cancel_and_wait(checking)


async def entry(server: GraphQLClient, id: str) -> Any:
    """The entry of an album."""
    query = f"query ($id: String!) {{ album(id: $id) {{ libraryEntry {{ {ENTRY} }} }} }}"
    return (await server.ask(query, id=id))["album"]["libraryEntry"]


async def age(server: GraphQLClient) -> None:
    """As if every look had been an hour ago."""
    async with server.services.database.write() as session:
        await session.execute(update(AlbumRow).values(checked_at_ms=AlbumRow.checked_at_ms - 3_600_000))


async def told(socket: Socket, id: str) -> Any:
    """The next entry of this album that has new chapters, by a subscription."""
    while True:
        frame = await socket.receive()
        if frame["type"] == "next":
            shown = frame["payload"]["data"]["libraryUpdated"]
            if shown["album"]["id"] == id and shown["newChapters"]:
                return shown


async def subscribe(server: GraphQLClient, socket: Socket) -> None:
    """Watch the library; a change is made again until it is told, since the first may come before the watch."""
    await socket.send({"type": "connection_init"})
    assert (await socket.receive())["type"] == "connection_ack"
    await socket.send({"id": "1", "type": "subscribe", "payload": {"query": UPDATED}})
    first = asyncio.create_task(socket.receive())
    while not first.done():
        await server.ask(ADD, input={"albumId": SINGLE})
        await asyncio.wait([first], timeout=0.05)
    assert first.result()["payload"]["data"]["libraryUpdated"]["album"]["id"] == SINGLE


async def test_a_new_chapter_is_found_told_and_downloaded_alone(following: GraphQLClient, demo: RunningDemo) -> None:
    added = (await following.ask(ADD, input={"albumId": SERIES, "autoDownload": True}))["addToLibrary"]
    async with connected(following.app, "/graphql", protocol="graphql-transport-ws") as socket:
        await subscribe(following, socket)
        await age(following)
        number = demo.publish_chapter(SERIES)
        looked_at = await following.ask(CHECK)
        shown = await told(socket, SERIES)
    found = await entry(following, SERIES)

    assert (added["newChapters"], added["unreadCount"], added["autoDownload"]) == ([], 4, True)
    assert looked_at == {"checkLibrary": 2}
    assert found == shown
    assert [chapter["id"] for chapter in found["newChapters"]] == [number]
    assert (found["unreadCount"], found["lastError"]) == (5, None)
    assert found["lastCheckedAt"] is not None
    assert await downloaded_pages(following, SERIES) == 8

    await following.ask(MARK, album=SERIES, id=number)
    assert (await entry(following, SERIES))["newChapters"] == []


async def downloaded_pages(server: GraphQLClient, album_id: str) -> int:
    """The number of pages in the only download of an album, once it is ready."""
    query = "query ($id: String!) { album(id: $id) { downloads { id state file { url } } } }"
    with fail_after(DEADLINE_S):
        while True:
            (download,) = (await server.ask(query, id=album_id))["album"]["downloads"]
            if download["state"] == "READY":
                break
            await anext(server.services.downloads.watch(download["id"]))
    response = await server.http.get(download["file"]["url"])
    names = zipfile.ZipFile(io.BytesIO(response.content)).namelist()
    return sum(name.endswith(".webp") for name in names)


async def test_a_look_that_fails_is_told(following: GraphQLClient, demo: RunningDemo) -> None:
    await following.ask(ADD, input={"albumId": SERIES})
    await age(following)
    demo.knobs.set("*", path="/album", failure="maintenance")
    assert await following.ask(CHECK) == {"checkLibrary": 1}

    with fail_after(DEADLINE_S):
        while (found := await entry_of_library(following))["lastError"] is None:  # noqa: ASYNC110
            await sleep(STEP_S)
    assert found["lastError"] == "The site is under maintenance."
    assert (found["unreadCount"], found["newChapters"]) == (4, [])


async def entry_of_library(server: GraphQLClient) -> Any:
    """The only entry of the library."""
    query = f"{{ viewer {{ library {{ nodes {{ {ENTRY} }} }} }} }}"
    (found,) = (await server.ask(query))["viewer"]["library"]["nodes"]
    return found
