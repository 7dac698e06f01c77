"""Downloads over GraphQL, with a worker on the same services."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import zipfile
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from PIL import Image, ImageChops

from demo.drawing import page_image
from demo.server import RunningDemo
from services.settings import Settings
from tests.graphql_client import GraphQLClient, graphql_client, running_worker

pytestmark = pytest.mark.anyio

START = """mutation ($input: StartDownloadInput!) { startDownload(input: $input) { __typename
  ... on Download { id revision state albumId title archive image attempts progress { pagesDone pagesTotal } }
  ... on Error { code message retryable }
  ... on InvalidInput { field } ... on AlbumNotFound { missing: albumId } ... on QueueRejected { retryAfter }
  ... on UpstreamFailure { reason } ... on BlockedByPolicy { tags } } }"""
STATUS = """subscription ($id: ID!) { downloadStatus(id: $id) { id revision state
  progress { pagesDone pagesTotal bytesDone percent etaSeconds }
  problem { code retryable missingPages } file { name url size sha256 } notes finishedAt expiresAt } }"""
RETRY = """mutation ($id: ID!) { retryDownload(id: $id) { ... on Download { state problem { missingPages }
  file { sha256 } } } }"""


@pytest.fixture
async def worker(server: GraphQLClient) -> AsyncIterator[None]:
    """A worker on the server's own services."""
    async with running_worker(server.services):
        yield


async def start(server: GraphQLClient, **input: Any) -> Any:
    """What `startDownload` answers."""
    return (await server.ask(START, input=input))["startDownload"]


async def watched(server: GraphQLClient, id: str) -> list[Any]:
    """Every state of a download, by server-sent events, until it ends."""
    headers = {"Accept": "text/event-stream"}
    body = {"query": STATUS, "variables": {"id": id}}
    response = await server.http.post("/graphql", json=body, headers=headers, timeout=60)
    lines = [line for line in response.text.splitlines() if line.startswith("data: ")]
    return [json.loads(line[6:])["data"]["downloadStatus"] for line in lines]


async def names_of(server: GraphQLClient, download: Any) -> list[str]:
    """Names of the files in a download's zip."""
    response = await server.http.get(download["file"]["url"])
    return zipfile.ZipFile(io.BytesIO(response.content)).namelist()


async def pages_of(server: GraphQLClient, download: Any) -> list[bytes]:
    """The files in a download's zip."""
    response = await server.http.get(download["file"]["url"])
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        return [archive.read(name) for name in archive.namelist()]


async def test_many_are_started_at_once_each_with_its_own_result(server: GraphQLClient) -> None:
    start_many = START.replace("$input: StartDownloadInput!", "$inputs: [StartDownloadInput!]!").replace(
        "startDownload(input: $input)", "startDownloads(inputs: $inputs)"
    )
    alone = await start(server, albumId="302166", archive="CBZ")
    inputs = [
        {"albumId": "302166", "archive": "CBZ"},
        {"albumId": "JM302166", "archive": "PDF"},
        {"albumId": "999999999"},
        {"albumId": "302166", "quality": 0},
        {"albumId": "no number"},
    ]

    results = (await server.ask(start_many, inputs=inputs))["startDownloads"]
    too_many = await server.error(start_many, inputs=[{"albumId": "302166"}] * 101)

    assert [each["__typename"] for each in results] == [*["Download"] * 2, "AlbumNotFound", *["InvalidInput"] * 2]
    assert results[0]["id"] == alone["id"] != results[1]["id"]
    assert [each.get("field") for each in results[3:]] == ["quality", "albumId"]
    assert (await server.ask(start_many, inputs=[])) == {"startDownloads": []}
    assert (too_many["code"], too_many["message"]) == ("INVALID_INPUT", "At most 100 downloads at once, not 101.")
    for id in {each["id"] for each in results[:2]}:
        await server.services.downloads.remove(id)


async def test_a_download_is_watched_to_its_end_and_fetched(server: GraphQLClient, worker: None) -> None:
    started = await start(server, albumId="302166", archive="CBZ")
    states = await watched(server, started["id"])

    assert started["__typename"] == "Download"
    assert states[-1]["state"] == "READY"
    revisions = [state["revision"] for state in states]
    assert revisions == sorted(set(revisions))
    assert states[-1]["progress"]["percent"] == 100.0
    file = states[-1]["file"]
    response = await server.http.get(file["url"])
    assert response.status_code == 200
    assert len(response.content) == file["size"]
    assert hashlib.sha256(response.content).hexdigest() == file["sha256"]
    assert response.headers["etag"] == f'"{file["sha256"]}"'
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        names = archive.namelist()
        pages = [name for name in names if name.endswith(".webp")]
        assert "ComicInfo.xml" in names
        assert len(pages) == states[-1]["progress"]["pagesTotal"]
        assert pages == sorted(pages)


async def test_every_page_is_served_unscrambled(server: GraphQLClient) -> None:
    for chapter, number in (("163348", 1), ("240117", 2), ("302166", 3), ("431760", 4)):
        response = await server.http.get(f"/images/pages/{chapter}/{number}")

        with Image.open(io.BytesIO(response.content)) as shown:
            difference = ImageChops.difference(shown.convert("RGB"), page_image(chapter, number))
        mean = sum(sum(i * count for i, count in enumerate(band.histogram())) for band in difference.split())
        assert mean / (3 * difference.width * difference.height) < 6, (chapter, number)


async def test_a_late_subscriber_gets_the_final_state(server: GraphQLClient, worker: None) -> None:
    started = await start(server, albumId="163348")
    await watched(server, started["id"])

    late = await watched(server, started["id"])

    assert [state["state"] for state in late] == ["READY"]


async def test_the_same_request_returns_the_same_download_unless_forced(server: GraphQLClient) -> None:
    first = await start(server, albumId="350234")
    again = await start(server, albumId="JM350234", chapterIds=["350234"])
    other = await start(server, albumId="350234", archive="PDF")
    forced = await start(server, albumId="350234", force=True)

    assert again["id"] == first["id"]
    assert len({first["id"], other["id"], forced["id"]}) == 3


async def test_a_download_with_a_missing_page_fails_and_names_it(server: GraphQLClient, worker: None) -> None:
    started = await start(server, albumId="900007")
    end = (await watched(server, started["id"]))[-1]

    assert end["state"] == "FAILED"
    assert end["problem"]["missingPages"] == ["900007/7"]
    assert end["file"] is None


async def test_a_download_that_may_lack_pages_is_ready_and_names_them(server: GraphQLClient, worker: None) -> None:
    started = await start(server, albumId="900325", allowMissing=True)
    end = (await watched(server, started["id"]))[-1]

    assert end["state"] == "READY"
    assert end["problem"] == {"code": "UPSTREAM_BROKEN", "retryable": True, "missingPages": ["900325/5"]}
    assert (end["progress"]["pagesDone"], end["progress"]["pagesTotal"], end["notes"]) == (7, 8, [])
    assert len(await pages_of(server, end)) == 8


async def test_a_retry_fetches_the_missing_page_alone_while_the_file_stays(
    server: GraphQLClient, demo: RunningDemo
) -> None:
    demo.knobs.set("image", path="/163348/00003", failure="missing")
    async with running_worker(server.services):
        started = await start(server, albumId="163348", allowMissing=True)
        incomplete = (await watched(server, started["id"]))[-1]
    demo.reset()

    retried = await server.ask(RETRY, id=started["id"])
    still_there = await server.http.get(incomplete["file"]["url"])
    async with running_worker(server.services):
        complete = (await watched(server, started["id"]))[-1]

    assert incomplete["problem"]["missingPages"] == ["163348/3"]
    assert retried["retryDownload"] == {
        "state": "QUEUED",
        "problem": {"missingPages": ["163348/3"]},
        "file": {"sha256": incomplete["file"]["sha256"]},
    }
    assert hashlib.sha256(still_there.content).hexdigest() == incomplete["file"]["sha256"]
    assert (complete["state"], complete["problem"]) == ("READY", None)
    assert complete["file"]["url"] == incomplete["file"]["url"]
    assert demo.requests.count("/media/photos/163348/") == 1
    pages = await pages_of(server, complete)
    with Image.open(io.BytesIO(pages[2])) as shown:
        assert ImageChops.difference(shown.convert("RGB"), page_image(163348, 3)).getbbox() is None


async def test_an_empty_chapter_of_a_series_is_named_or_left_out(server: GraphQLClient, worker: None) -> None:
    strict = await start(server, albumId="900320")
    lenient = await start(server, albumId="900320", allowMissing=True)

    failed = (await watched(server, strict["id"]))[-1]
    ready = (await watched(server, lenient["id"]))[-1]

    assert failed["state"] == "FAILED"
    assert ready["state"] == "READY"
    [note] = ready["notes"]
    assert note.startswith("The site has no pages of chapter 2")
    assert note.endswith("(900321). It was left out.")
    assert ready["problem"]["missingPages"] == []
    names = {name.partition("/")[0][:3] for name in await names_of(server, ready)}
    assert names == {"001", "003"}


async def test_pages_in_another_format_are_noted(server: GraphQLClient, worker: None) -> None:
    started = await start(server, albumId="900089", image="PNG")

    end = (await watched(server, started["id"]))[-1]

    assert end["notes"][0] == "900089/1 kept as GIF"


async def test_a_web_page_that_lists_too_few_chapters_is_not_believed(make_settings: Callable[..., Settings]) -> None:
    async with graphql_client(make_settings(jm_method="html")) as server, running_worker(server.services):
        started = await start(server, albumId="900303")
        end = (await watched(server, started["id"]))[-1]

    assert (end["state"], end["progress"]["pagesDone"], end["notes"]) == ("READY", 60, [])


async def test_chapters_are_read_whatever_album_they_name(server: GraphQLClient, worker: None) -> None:
    started = await start(server, albumId="900302")

    end = (await watched(server, started["id"]))[-1]

    assert (end["state"], end["problem"]) == ("READY", None)
    assert {name[:3] for name in await names_of(server, end)} == {"001", "002"}


@pytest.mark.parametrize(
    ("number", "chapters"),
    [
        ("333908", {"001", "002", "003"}),
        ("333909", {"002"}),
        ("禁漫車：JM333909", {"002"}),
        ("https://comics.example/photo/333909?from=album", {"002"}),
        ("comics.example/photo/333908", {"001"}),
        ("https://comics.example/album/333908/title", {"001", "002", "003"}),
    ],
)
async def test_the_number_or_address_of_a_chapter_downloads_it_alone(
    server: GraphQLClient, worker: None, number: str, chapters: set[str]
) -> None:
    started = await start(server, albumId=number)

    end = (await watched(server, started["id"]))[-1]

    assert started["albumId"] == "333908"
    assert {name[:3] for name in await names_of(server, end)} == chapters


async def test_a_cancelled_download_is_retried_to_its_end(server: GraphQLClient) -> None:
    started = await start(server, albumId="163348")
    query = "mutation ($id: ID!) { cancelDownload(id: $id) { ... on Download { state } } }"
    assert await server.ask(query, id=started["id"]) == {"cancelDownload": {"state": "CANCELLED"}}
    assert await server.ask(query, id=started["id"]) == {"cancelDownload": {"state": "CANCELLED"}}

    query = "mutation ($id: ID!) { retryDownload(id: $id) { ... on Download { state } } }"
    assert await server.ask(query, id=started["id"]) == {"retryDownload": {"state": "QUEUED"}}
    async with running_worker(server.services):
        assert (await watched(server, started["id"]))[-1]["state"] == "READY"


async def test_a_file_that_somebody_deleted_is_told_as_expired_with_what_to_do(
    server: GraphQLClient, worker: None
) -> None:
    started = await start(server, albumId="302166")
    ready = (await watched(server, started["id"]))[-1]
    shutil.rmtree(server.services.settings.data_dir / "archives")
    (server.services.settings.data_dir / "archives").mkdir()

    response = await server.http.get(ready["file"]["url"])
    seen = (await watched(server, started["id"]))[-1]
    await server.ask(RETRY, id=started["id"])
    again = (await watched(server, started["id"]))[-1]

    assert response.status_code == 404
    assert (seen["state"], seen["file"]) == ("EXPIRED", None)
    assert seen["problem"] == {"code": "NOT_FOUND", "retryable": True, "missingPages": []}
    assert (again["state"], again["problem"]) == ("READY", None)
    assert (await server.http.get(again["file"]["url"])).status_code == 200


async def test_a_removed_download_is_gone(server: GraphQLClient) -> None:
    started = await start(server, albumId="163348")
    query = """mutation ($id: ID!) { removeDownload(id: $id) { __typename ... on RemovedDownload { id }
      ... on DownloadNotFound { code id } } }"""

    assert (await server.ask(query, id=started["id"]))["removeDownload"]["__typename"] == "RemovedDownload"
    assert await server.ask("query ($id: ID!) { download(id: $id) { id } }", id=started["id"]) == {"download": None}
    gone = await server.ask(query, id=started["id"])
    assert gone["removeDownload"] == {"__typename": "DownloadNotFound", "code": "NOT_FOUND", "id": started["id"]}


async def test_downloads_are_listed_newest_first_in_pages(server: GraphQLClient) -> None:
    ids = [(await start(server, albumId=album))["id"] for album in ("163348", "240117", "302166")]
    query = """query ($after: String) { downloads(first: 2, after: $after, states: [QUEUED]) { totalCount nodes { id }
      pageInfo { hasNextPage hasPreviousPage endCursor } } }"""

    first = (await server.ask(query))["downloads"]
    second = (await server.ask(query, after=first["pageInfo"]["endCursor"]))["downloads"]

    assert [node["id"] for node in first["nodes"]] == [ids[2], ids[1]]
    assert first["totalCount"] == 3
    assert first["pageInfo"]["hasNextPage"] is True
    assert [node["id"] for node in second["nodes"]] == [ids[0]]
    assert second["pageInfo"]["hasNextPage"] is False


@pytest.mark.parametrize(
    ("input", "expected"),
    [
        ({"albumId": "x"}, {"__typename": "InvalidInput", "code": "INVALID_INPUT", "field": "albumId"}),
        (
            {"albumId": "350234", "quality": 0},
            {"__typename": "InvalidInput", "code": "INVALID_INPUT", "field": "quality"},
        ),
        (
            {"albumId": "350234", "quality": 101},
            {"__typename": "InvalidInput", "code": "INVALID_INPUT", "field": "quality"},
        ),
        (
            {"albumId": "350234", "chapterIds": ["1"]},
            {"__typename": "InvalidInput", "code": "INVALID_INPUT", "field": "chapterIds"},
        ),
        ({"albumId": "900404"}, {"__typename": "AlbumNotFound", "code": "NOT_FOUND", "missing": "900404"}),
        ({"albumId": "900200"}, {"__typename": "UpstreamFailure", "code": "UPSTREAM_BROKEN", "reason": "GARBLED"}),
    ],
)
async def test_a_refused_download_is_a_typed_result(
    server: GraphQLClient, input: dict[str, Any], expected: dict[str, Any]
) -> None:
    refused = await start(server, **input)

    assert {key: refused[key] for key in expected} == expected


async def test_watching_an_unknown_download_is_an_error(server: GraphQLClient) -> None:
    headers = {"Accept": "text/event-stream"}
    body = {"query": STATUS, "variables": {"id": "unknown"}}
    response = await server.http.post("/graphql", json=body, headers=headers)

    assert '"code":"NOT_FOUND"' in response.text
    assert response.text.rstrip().endswith("event: complete\ndata:")
