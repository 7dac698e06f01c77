"""Refusals: withheld albums, a full queue, a full disk, a timeout of the site."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from demo.server import RunningDemo
from services.settings import Settings
from tests.graphql_client import graphql_client

pytestmark = pytest.mark.anyio

START = """mutation ($id: String!) { startDownload(input: {albumId: $id, force: true}) { __typename
  ... on Error { code retryable } ... on BlockedByPolicy { tags } ... on QueueRejected { retryAfter } } }"""


async def test_a_withheld_album_is_null_and_can_not_be_downloaded(make_settings: Callable[..., Settings]) -> None:
    async with graphql_client(make_settings(blocked_tags="測試封鎖")) as server:
        album = await server.ask('{ album(id: "900451") { id } albums(ids: ["350234", "900451"]) { id } }')
        refused = (await server.ask(START, id="900451"))["startDownload"]
        page = await server.http.get("/images/pages/900451/1")

    assert album == {"album": None, "albums": [{"id": "350234"}, None]}
    assert refused == {
        "__typename": "BlockedByPolicy",
        "code": "BLOCKED_BY_POLICY",
        "retryable": False,
        "tags": ["測試封鎖"],
    }
    assert page.status_code == 404


@pytest.mark.parametrize("policy", ["lazy", "strict"])
async def test_a_withheld_album_is_left_out_of_lists_once_its_tags_are_known(
    make_settings: Callable[..., Settings], policy: str
) -> None:
    async with graphql_client(make_settings(blocked_tags="測試封鎖", policy=policy)) as server:
        await server.ask('{ album(id: "900451") { id } }')
        data = await server.ask('{ search(query: "測試封鎖", field: TAG) { items { id } } }')

    assert data["search"]["items"] == []


async def test_a_full_queue_refuses_with_a_time_to_retry(make_settings: Callable[..., Settings]) -> None:
    async with graphql_client(make_settings(download_queue_limit=1)) as server:
        first = (await server.ask(START, id="163348"))["startDownload"]
        second = (await server.ask(START, id="240117"))["startDownload"]

    assert first["__typename"] == "Download"
    assert (second["__typename"], second["code"], second["retryable"]) == ("QueueRejected", "QUEUE_FULL", True)
    assert second["retryAfter"] > 0


async def test_a_full_disk_refuses(make_settings: Callable[..., Settings]) -> None:
    async with graphql_client(make_settings(disk_floor_bytes=1 << 60)) as server:
        refused = (await server.ask(START, id="163348"))["startDownload"]

    assert (refused["__typename"], refused["code"]) == ("QueueRejected", "STORAGE_FULL")


async def test_an_operation_spends_what_it_really_asks_and_never_more_than_its_budget(
    make_settings: Callable[..., Settings],
) -> None:
    """Numbers that nothing has cost two calls each: as an album's, and as a chapter's."""
    query = "query ($ids: [String!]!) { albums(ids: $ids) { id } }"
    ids = [str(990000 + number) for number in range(9)]

    async with graphql_client(make_settings(query_budget=10)) as server:
        answers = [await server.answer(query, ids=[*ids, "350234"])]
        while "errors" in answers[-1]:
            answers.append(await server.answer(query, ids=[*ids, "350234"]))

    statistics = answers[0]["extensions"]["jmgraph"]
    assert (statistics["upstreamCalls"], statistics["budgetLeft"]) == (10, 0)
    assert answers[0]["errors"][0]["path"][0] == "albums"
    assert answers[0]["errors"][0]["extensions"] == {
        "code": "OPERATION_TOO_COSTLY",
        "retryable": True,
        "measure": "upstream calls",
        "limit": 10,
    }
    assert len(answers) <= 10  # each got further than the one before
    assert answers[-1]["data"]["albums"] == [None] * 9 + [{"id": "350234"}]


async def test_a_site_that_does_not_answer_is_a_timeout(
    make_settings: Callable[..., Settings], demo: RunningDemo
) -> None:
    demo.knobs.set("api", failure="hang")
    async with graphql_client(make_settings(jm_timeout_s=0.3, jm_retries=1)) as server:
        error = await server.error('{ album(id: "350234") { id } }')

    assert (error["code"], error["reason"], error["retryable"]) == ("TIMEOUT", "TIMEOUT", True)
