"""Every root field, and who may ask for it: a field that is not in the table here fails."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import pytest
from graphql import GraphQLObjectType, build_schema

from schema import sdl
from services.people import TokenScope
from services.settings import Settings
from tests.graphql_client import GraphQLClient, graphql_client
from tests.persons import a_person, bearer
from tests.sockets import connected

pytestmark = pytest.mark.anyio

Fields = set[tuple[str, str]]

PUBLIC: Fields = {("query", "viewer"), ("mutation", "login"), ("mutation", "loginWithSite"), ("mutation", "logout")}
"""What a guest may ask for on a server that is closed."""

DOWNLOADS: Fields = {
    ("query", "download"),
    ("query", "downloads"),
    ("subscription", "downloadStatus"),
    ("subscription", "downloadFeed"),
}
"""What a guest who may read may not."""

_SCHEMA = build_schema(sdl())
_ROOTS = {
    "query": _SCHEMA.query_type,
    "mutation": _SCHEMA.mutation_type,
    "subscription": _SCHEMA.subscription_type,
}
ALL: Fields = {
    (type, name) for type, root in _ROOTS.items() if isinstance(root, GraphQLObjectType) for name in root.fields
}
MUTATIONS: Fields = {(type, name) for type, name in ALL if type == "mutation"}
REFUSED = ("UNAUTHENTICATED", "FORBIDDEN")


async def allowed(ask: Callable[[str], Awaitable[str]]) -> Fields:
    """The fields that get past the check of the caller; what is asked for is invalid, so that none of them runs."""
    return {(type, name) for type, name in ALL if await ask(f"{type} {{ {name} {{ nothing }} }}") not in REFUSED}


def first_code(text: str) -> str:
    """The code of the first error in a response, as JSON or as an event."""
    return str(re.findall(r'"code":\s?"([A-Z_]+)"', text)[0])


async def over_http(server: GraphQLClient, **headers: str) -> Fields:
    """What a client with these headers may ask for; subscriptions by server-sent events."""

    async def ask(query: str) -> str:
        accept = {"Accept": "text/event-stream"} if query.startswith("subscription") else {}
        response = await server.http.post("/graphql", json={"query": query}, headers=headers | accept)
        code = first_code(response.text)
        assert (response.status_code in (401, 403)) == (code in REFUSED), response.text
        return code

    return await allowed(ask)


async def over_a_socket(server: GraphQLClient, protocol: str, **payload: str) -> Fields:
    """What a client that sends this payload may ask for."""
    begin = "subscribe" if protocol == "graphql-transport-ws" else "start"
    async with connected(server.app, "/graphql", protocol=protocol) as socket:
        await socket.send({"type": "connection_init", "payload": payload})

        async def ask(query: str) -> str:
            await socket.send({"type": begin, "id": "1", "payload": {"query": query}})
            while (frame := await socket.receive())["type"] != "error":
                assert frame["type"] in ("connection_ack", "ka"), frame
            payload = frame["payload"]
            code: str = (payload[0] if isinstance(payload, list) else payload)["extensions"]["code"]
            return code

        return await allowed(ask)


@pytest.mark.parametrize(
    ("guests", "fields"),
    [("", PUBLIC), ("none", PUBLIC), ("read", ALL - MUTATIONS - DOWNLOADS | PUBLIC), ("all", ALL)],
)
async def test_a_guest_of_a_closed_server_may_ask_for_what_the_host_lets_guests_have(
    make_settings: Callable[..., Settings], guests: str, fields: Fields
) -> None:
    async with graphql_client(make_settings(guests=guests)) as server:
        await a_person(server.services, "admin")

        assert await over_http(server) == fields
        for protocol in ("graphql-transport-ws", "graphql-ws"):
            assert await over_a_socket(server, protocol) == fields


async def test_a_person_may_ask_for_everything_and_a_reading_token_changes_nothing(
    make_settings: Callable[..., Settings],
) -> None:
    async with graphql_client(make_settings()) as server:
        await a_person(server.services, "admin")
        reader = await a_person(server.services, "reader")
        token = await reader.access_token(TokenScope.READ)

        assert await over_http(server, **reader.headers) == ALL
        assert await over_http(server, **bearer(token)) == ALL - (MUTATIONS - PUBLIC)
        assert await over_a_socket(server, "graphql-transport-ws", token=reader.session) == ALL
        assert await over_a_socket(server, "graphql-ws", token=token) == ALL - (MUTATIONS - PUBLIC)


async def test_keys_without_an_account_leave_reads_open(make_settings: Callable[..., Settings]) -> None:
    async with graphql_client(make_settings(api_keys="key")) as server:
        assert await over_http(server) == ALL - (MUTATIONS - PUBLIC)
        assert await over_http(server, **{"X-API-Key": "key"}) == ALL
        assert await over_a_socket(server, "graphql-transport-ws", apiKey="key") == ALL


async def test_fragments_and_directives_hide_no_field(make_settings: Callable[..., Settings]) -> None:
    async with graphql_client(make_settings(guests="read")) as server:
        await a_person(server.services, "admin")
        for query in (
            "{ ...on Query { downloads { totalCount } } }",
            "{ __typename ...a } fragment a on Query { ...b } fragment b on Query { downloads { totalCount } }",
            "{ x: downloads @skip(if: true) { totalCount } }",
            "query a { __typename } query b { downloads { totalCount } }",
        ):
            response = await server.http.post("/graphql", json={"query": query, "operationName": "b"})
            if response.status_code == 400:
                response = await server.http.post("/graphql", json={"query": query})
            assert (response.status_code, first_code(response.text)) == (401, "UNAUTHENTICATED"), query


async def test_introspection_is_a_read(make_settings: Callable[..., Settings]) -> None:
    async with graphql_client(make_settings()) as server:
        admin = await a_person(server.services, "admin")
        body = {"query": "{ __schema { queryType { name } } }"}
        page = {"Accept": "text/html"}

        assert (await server.http.post("/graphql", json=body)).status_code == 401
        assert (await server.http.get("/graphql", headers=page)).status_code == 401
        assert (await server.http.post("/graphql", json=body, headers=admin.headers)).status_code == 200
        assert (await server.http.get("/graphql", headers=page | admin.headers)).status_code == 200
        assert (await server.answer("{ __typename }"))["data"] == {"__typename": "Query"}
