"""GraphQL over WebSocket, in both sub-protocols, with malformed frames too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from services.settings import Settings
from tests.graphql_client import GraphQLClient, graphql_client
from tests.sockets import Socket, connected

pytestmark = pytest.mark.anyio

ALBUM = '{ album(id: "350234") { id } }'
START = 'mutation { startDownload(input: {albumId: "350234"}) { __typename ... on Download { id } } }'
NEW = "graphql-transport-ws"
OLD = "graphql-ws"


@pytest.fixture
async def socket(server: GraphQLClient) -> AsyncIterator[Socket]:
    """A socket of the new sub-protocol, after connection_init."""
    async with connected(server.app, "/graphql", protocol=NEW) as socket:
        await socket.send({"type": "connection_init"})
        assert await socket.receive() == {"type": "connection_ack"}
        yield socket


async def ask(socket: Socket, query: str, operation: str = "1", **variables: Any) -> Any:
    """The first frame that answers an operation."""
    await socket.send({"id": operation, "type": "subscribe", "payload": {"query": query, "variables": variables}})
    return await socket.receive()


async def test_the_new_sub_protocol_answers_queries_and_completes(socket: Socket) -> None:
    assert (await ask(socket, ALBUM))["payload"]["data"] == {"album": {"id": "350234"}}
    assert await socket.receive() == {"id": "1", "type": "complete"}


async def test_a_result_over_a_socket_has_statistics(socket: Socket) -> None:
    first = (await ask(socket, ALBUM))["payload"]["extensions"]["jmgraph"]
    await socket.receive()
    again = (await ask(socket, ALBUM, "2"))["payload"]["extensions"]["jmgraph"]

    assert (first["upstreamCalls"], first["cacheHits"], first["budgetLeft"]) == (1, 0, 119)
    assert (again["upstreamCalls"], again["cacheHits"], again["budgetLeft"]) == (0, 1, 120)
    assert (again["stale"], again["ageSeconds"]) == (False, 0)
    assert again["milliseconds"] > 0


async def test_a_subscription_begins_with_the_current_record(socket: Socket) -> None:
    started = (await ask(socket, START))["payload"]["data"]["startDownload"]
    await socket.receive()
    query = "subscription ($id: ID!) { downloadStatus(id: $id) { revision state } }"
    frame = await ask(socket, query, "2", id=started["id"])

    assert frame["payload"]["data"]["downloadStatus"] == {"revision": 1, "state": "QUEUED"}


async def test_the_feed_begins_with_a_snapshot(socket: Socket) -> None:
    started = (await ask(socket, START))["payload"]["data"]["startDownload"]
    await socket.receive()
    frame = await ask(socket, "subscription { downloadFeed { isSnapshot downloads { id state } removed } }", "2")

    assert frame["payload"]["data"]["downloadFeed"] == {
        "isSnapshot": True,
        "downloads": [{"id": started["id"], "state": "QUEUED"}],
        "removed": [],
    }


async def test_an_unknown_download_is_not_found(socket: Socket) -> None:
    frame = await ask(socket, 'subscription { downloadStatus(id: "unknown") { state } }')

    assert _errors(frame)[0]["extensions"]["code"] == "NOT_FOUND"


async def test_errors_on_a_socket_have_codes(socket: Socket) -> None:
    refused = await ask(socket, "{ nothing }")
    costly = await ask(socket, "{ ranking { entries { album { related { tags { name } } } } } }", "2")

    assert (refused["type"], refused["payload"][0]["extensions"]["code"]) == ("error", "GRAPHQL_VALIDATION_FAILED")
    assert (costly["type"], costly["payload"][0]["extensions"]["code"]) == ("error", "OPERATION_TOO_COSTLY")


@pytest.mark.parametrize(
    ("query", "code"),
    [("{", "GRAPHQL_PARSE_FAILED"), ("", "BAD_REQUEST"), ("{ a" * 1900, "OPERATION_TOO_COSTLY")],
)
async def test_an_invalid_document_is_an_error_on_a_socket(server: GraphQLClient, query: str, code: str) -> None:
    for protocol, begin in ((NEW, "subscribe"), (OLD, "start")):
        async with connected(server.app, "/graphql", protocol=protocol) as socket:
            await socket.send({"type": "connection_init"})
            await socket.send({"id": "1", "type": begin, "payload": {"query": query}})
            while (frame := await socket.receive())["type"] in ("connection_ack", "ka"):
                pass

        assert frame["type"] == "error"
        payload = frame["payload"]
        assert (payload[0] if protocol == NEW else payload)["extensions"]["code"] == code


async def test_the_old_sub_protocol_runs_queries_and_mutations(server: GraphQLClient) -> None:
    async with connected(server.app, "/graphql", protocol=OLD) as socket:
        await socket.send({"type": "connection_init"})
        assert [(await socket.receive())["type"] for _ in range(2)] == ["connection_ack", "ka"]
        await socket.send({"id": "1", "type": "start", "payload": {"query": ALBUM}})
        first = [await socket.receive() for _ in range(2)]
        await socket.send(
            {"id": "2", "type": "start", "payload": {"query": "mutation { retryFailedDownloads { id } }"}}
        )
        changed = [await socket.receive() for _ in range(2)]

    assert (first[0]["type"], first[0]["id"]) == ("data", "1")
    assert first[0]["payload"]["data"] == {"album": {"id": "350234"}}
    assert first[1] == {"type": "complete", "id": "1"}
    assert changed[0]["payload"]["data"] == {"retryFailedDownloads": []}


async def test_the_old_sub_protocol_runs_subscriptions(server: GraphQLClient) -> None:
    async with connected(server.app, "/graphql", protocol=OLD) as socket:
        await socket.send({"type": "connection_init", "payload": {}})
        assert await socket.receive() == {"type": "connection_ack"}
        assert await socket.receive() == {"type": "ka"}
        query = "subscription { downloadFeed { isSnapshot downloads { id } } }"
        await socket.send({"id": "1", "type": "start", "payload": {"query": query}})
        frame = await socket.receive()

    assert (frame["type"], frame["payload"]["data"]["downloadFeed"]["isSnapshot"]) == ("data", True)


@pytest.mark.parametrize(
    ("protocol", "frame"),
    [
        *((protocol, frame) for protocol in (NEW, OLD) for frame in ("[]", "5", '"x"', "null", "{}", '{"type": 5}')),
        (NEW, '{"type": "subscribe"}'),
        (NEW, '{"type": "subscribe", "id": "1"}'),
        (NEW, '{"type": "subscribe", "id": "1", "payload": null}'),
        (NEW, '{"type": "subscribe", "id": "1", "payload": []}'),
        (NEW, '{"type": "subscribe", "id": "1", "payload": {"query": 5}}'),
        (NEW, '{"type": "subscribe", "id": 1, "payload": {"query": "{a}"}}'),
        (NEW, '{"type": "complete"}'),
        (NEW, '{"type": "nothing"}'),
        (NEW, "no json"),
        (NEW, '{"type": "subscribe", "id": "\\ud800", "payload": {"query": "{ __typename }"}}'),
        (NEW, '{"type": "subscribe", "id": "1", "payload": {"query": "{a}", "variables": {"a": "\\ud800"}}}'),
        (
            NEW,
            '{"type": "subscribe", "id": "1", "payload": {"query": "{a}", "variables": {"a": ' + "9" * 5000 + "}}}",
        ),
        (NEW, '{"type": "subscribe", "id": "1", "payload": ' + "[" * 50_000 + "]" * 50_000 + "}"),
        (OLD, '{"type": "start"}'),
        (OLD, '{"type": "start", "id": "1", "payload": {"query": 1}}'),
        (OLD, '{"type": "stop"}'),
        (OLD, "no json"),
        (OLD, '{"type": "start", "id": "1", "payload": {"query": "{a}", "variables": {"a": "\\ud800"}}}'),
        (OLD, '{"type": "start", "id": "1", "payload": ' + "[" * 50_000 + "]" * 50_000 + "}"),
    ],
)
async def test_a_malformed_frame_closes_with_4400(server: GraphQLClient, protocol: str, frame: str) -> None:
    async with connected(server.app, "/graphql", protocol=protocol) as socket:
        await socket.send({"type": "connection_init", "payload": None})
        await socket.receive()
        await socket.send_text(frame)

        assert await socket.close_code() == 4400


async def test_a_page_of_a_foreign_origin_may_read_but_not_write(server: GraphQLClient) -> None:
    headers = {"Origin": "https://elsewhere.example"}
    async with connected(server.app, "/graphql", protocol=NEW, headers=headers) as socket:
        await socket.send({"type": "connection_init"})
        await socket.receive()
        read = await ask(socket, ALBUM)
        await socket.receive()
        change = await ask(socket, START, "2")

    assert read["payload"]["data"] == {"album": {"id": "350234"}}
    assert _errors(change)[0]["extensions"]["code"] == "FORBIDDEN"


@pytest.mark.parametrize(
    ("greeting", "code"),
    [({}, "UNAUTHENTICATED"), ({"apiKey": "wrong"}, "UNAUTHENTICATED"), ({"apiKey": "key"}, None)],
)
async def test_an_api_key_may_come_with_connection_init(
    make_settings: Callable[..., Settings], greeting: dict[str, str], code: str | None
) -> None:
    async with (
        graphql_client(make_settings(api_keys="key")) as server,
        connected(server.app, "/graphql", protocol=NEW) as socket,
    ):
        await socket.send({"type": "connection_init", "payload": greeting})
        await socket.receive()
        frame = await ask(socket, START)

    errors = _errors(frame)
    assert (errors[0]["extensions"]["code"] if errors else None) == code


async def test_a_thousand_short_connections_leave_no_tasks(server: GraphQLClient) -> None:
    started = (await server.ask(START))["startDownload"]
    query = "subscription ($id: ID!) { downloadStatus(id: $id) { state } }"

    async def come_and_go() -> None:
        async with connected(server.app, "/graphql", protocol=NEW) as socket:
            await socket.send({"type": "connection_init"})
            await socket.receive()
            frame = await ask(socket, query, id=started["id"])
            assert frame["payload"]["data"]["downloadStatus"] == {"state": "QUEUED"}

    await come_and_go()
    before = len(asyncio.all_tasks())
    for _ in range(20):
        await asyncio.gather(*(come_and_go() for _ in range(50)))

    assert len(asyncio.all_tasks()) <= before


def _errors(frame: Any) -> list[Any]:
    """The errors of a frame, wherever the sub-protocol puts them."""
    payload = frame["payload"]
    return payload if isinstance(payload, list) else payload.get("errors") or []
