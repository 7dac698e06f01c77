"""What is open or waiting when a token is revoked: it ends at once, and says why."""

from __future__ import annotations

import asyncio

import pytest

from tests.graphql_client import GraphQLClient
from tests.persons import Person, a_person
from tests.sockets import connected
from tests.waiting import until

pytestmark = pytest.mark.anyio

FEED = "subscription { downloadFeed { removed } }"
EXPIRED = {"detail": "登录已过期，请重新登录"}


@pytest.fixture
async def alice(server: GraphQLClient) -> Person:
    """The only person of a closed server."""
    return await a_person(server.services, "alice")


@pytest.mark.parametrize(
    ("protocol", "start"), [("graphql-transport-ws", "subscribe"), ("graphql-ws", "start")], ids=["new", "old"]
)
async def test_a_socket_of_graphql_ends_with_4403(
    server: GraphQLClient, alice: Person, protocol: str, start: str
) -> None:
    async with connected(server.app, "/graphql", protocol=protocol) as socket:
        await socket.send({"type": "connection_init", "payload": {"token": alice.session}})
        assert (await socket.receive())["type"] == "connection_ack"
        await socket.send({"id": "1", "type": start, "payload": {"query": FEED}})
        while (await socket.receive())["type"] not in ("next", "data"):
            pass

        await alice.revoke_sessions()

        assert await socket.close_code() == 4403


async def test_a_socket_of_v1_ends_with_4403(server: GraphQLClient, alice: Person) -> None:
    async with connected(server.app, "/ws/notifications/phone", headers=alice.headers) as socket:
        await alice.revoke_sessions()

        assert await socket.close_code() == 4403


async def test_a_socket_that_was_revoked_while_it_opened_ends_too(server: GraphQLClient, alice: Person) -> None:
    access = server.services.access
    caller = await access.with_token(
        access.caller({"type": "websocket", "scheme": "ws", "headers": []}), alice.session
    )

    await alice.revoke_sessions()

    async with asyncio.timeout(10):
        await access.wait_until_revoked(caller)


async def test_a_waiting_poll_of_v1_ends_with_401(server: GraphQLClient, alice: Person) -> None:
    polling = asyncio.create_task(server.http.get("/v1/notifications/phone?wait=60", headers=alice.headers))
    await until(_is_waiting)

    await alice.revoke_sessions()
    response = await asyncio.wait_for(polling, 20)

    assert (response.status_code, response.json()) == (401, EXPIRED)


async def test_a_waiting_download_of_v1_ends_with_401(server: GraphQLClient, alice: Person) -> None:
    url = "/v1/download/album/350234?client_id=phone&wait=60"
    waiting = asyncio.create_task(server.http.get(url, headers=alice.headers))
    await until(lambda: server.services.downloads.subscriber_count > 0)  # no worker runs, so it would wait for long

    await alice.revoke_sessions()
    response = await asyncio.wait_for(waiting, 20)

    assert (response.status_code, response.json()) == (401, EXPIRED)
    assert (await server.services.downloads.counts()).queued == 1


async def test_events_of_a_single_operation_end(server: GraphQLClient, alice: Person) -> None:
    headers = {**alice.headers, "Accept": "text/event-stream"}
    waiting = asyncio.create_task(server.http.post("/graphql", json={"query": FEED}, headers=headers))
    await until(lambda: server.services.downloads.subscriber_count > 0)

    await alice.revoke_sessions()
    response = await asyncio.wait_for(waiting, 20)

    assert response.headers["cache-control"] == "private, no-store"
    assert "event: complete" not in response.text


def _is_waiting() -> bool:
    """Whether some request here waits until its token is revoked."""
    return any("wait_until_revoked" in repr(task) for task in asyncio.all_tasks())
