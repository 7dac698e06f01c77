"""Accounts, logins and tokens over GraphQL."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from services.people import AccountTools
from services.settings import Settings
from tests.graphql_client import BASE, GraphQLClient, graphql_client

pytestmark = pytest.mark.anyio

PASSWORD = "correct-horse"

LOGIN = """
mutation ($name: String!, $password: String!) {
  login(input: {name: $name, password: $password}) {
    __typename
    ... on Session { token expiresAt user { id name isAdmin } }
    ... on Error { code message retryable retryAfter }
  }
}
"""
CREATE_USER = """
mutation ($name: String!, $password: String!, $isAdmin: Boolean) {
  createUser(input: {name: $name, password: $password, isAdmin: $isAdmin}) {
    __typename
    ... on User { id name isAdmin }
    ... on InvalidInput { field }
    ... on Error { code message }
  }
}
"""
VIEWER = "{ viewer { user { id name isAdmin } blockedTags accessTokens { id label scope } users { name } } }"
CREATE_TOKEN = """
mutation ($label: String!, $scope: TokenScope!, $expiresAt: DateTime) {
  createAccessToken(input: {label: $label, scope: $scope, expiresAt: $expiresAt}) {
    __typename
    ... on CreatedAccessToken { id token label scope }
    ... on InvalidInput { field }
    ... on Error { code }
  }
}
"""


async def as_person(server: GraphQLClient, token: str, query: str, **variables: Any) -> Any:
    """The data of a response to who holds this token."""
    answer = await server.answer(query, headers={"Authorization": f"Bearer {token}"}, **variables)
    server.http.cookies.clear()
    assert "errors" not in answer, answer["errors"]
    return answer["data"]


async def log_in(server: GraphQLClient, name: str) -> str:
    """The token of a new session."""
    session = (await server.ask(LOGIN, name=name, password=PASSWORD))["login"]
    server.http.cookies.clear()
    token: str = session["token"]
    return token


async def two_people(server: GraphQLClient) -> tuple[str, str]:
    """Tokens of an administrator, alice, and of bob, on a server that they close."""
    await server.ask(CREATE_USER, name="alice", password=PASSWORD)
    alice = await log_in(server, "alice")
    await as_person(server, alice, CREATE_USER, name="bob", password=PASSWORD)
    return alice, await log_in(server, "bob")


async def test_everybody_is_the_owner_of_an_open_server(server: GraphQLClient) -> None:
    assert await server.ask(VIEWER) == {
        "viewer": {
            "user": {"id": "owner", "name": "owner", "isAdmin": True},
            "blockedTags": [],
            "accessTokens": [],
            "users": [],
        }
    }


async def test_the_first_account_closes_the_server(server: GraphQLClient) -> None:
    created = await server.ask(CREATE_USER, name="Alice", password=PASSWORD)

    assert created == {"createUser": {"__typename": "User", "id": "owner", "name": "Alice", "isAdmin": True}}
    assert await server.ask(VIEWER) == {"viewer": None}
    assert (await server.error("{ ranking { total } }"))["code"] == "UNAUTHENTICATED"
    assert (await server.error(CREATE_USER, name="bob", password=PASSWORD))["code"] == "UNAUTHENTICATED"


async def test_of_first_accounts_at_once_one_is_made(server: GraphQLClient) -> None:
    answers = await asyncio.gather(
        *(server.ask(CREATE_USER, name=f"alice{n}", password=PASSWORD, isAdmin=True) for n in range(6))
    )

    outcomes = Counter(answer["createUser"]["__typename"] for answer in answers)
    assert outcomes == {"User": 1, "AccessDenied": 5}
    assert len(await server.services.people.accounts.list()) == 1


async def test_an_admin_adds_accounts_through_a_process_that_does_not_know_of_the_first_one_yet(
    server: GraphQLClient,
) -> None:
    elsewhere = AccountTools.on(server.services.database, server.services.settings)
    alice = await elsewhere.tokens.start_session(await elsewhere.accounts.create("alice", PASSWORD))

    created = await as_person(server, alice.token, CREATE_USER, name="bob", password=PASSWORD)

    assert created["createUser"]["__typename"] == "User"


async def test_a_login_gives_a_session_as_token_and_as_cookie(server: GraphQLClient) -> None:
    await server.ask(CREATE_USER, name="Alice", password=PASSWORD)

    session = (await server.ask(LOGIN, name="ALICE", password=PASSWORD))["login"]

    by_cookie = await server.ask(VIEWER)
    server.http.cookies.clear()
    by_token = await as_person(server, session["token"], VIEWER)
    assert session["user"] == {"id": "owner", "name": "Alice", "isAdmin": True}
    assert by_cookie == by_token
    assert by_token["viewer"]["user"]["name"] == "Alice"
    assert by_token["viewer"]["users"] == [{"name": "Alice"}]


async def test_a_logout_ends_the_session_and_is_true_without_one(server: GraphQLClient) -> None:
    alice, _ = await two_people(server)

    assert await as_person(server, alice, "mutation { logout }") == {"logout": True}

    assert await server.ask("mutation { logout }") == {"logout": True}
    answer = await server.answer(VIEWER, headers={"Authorization": f"Bearer {alice}"})
    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize("name", ["alice", "nobody"])
async def test_five_wrong_passwords_are_enough_for_any_name(server: GraphQLClient, name: str) -> None:
    await server.ask(CREATE_USER, name="alice", password=PASSWORD)

    answers = [(await server.ask(LOGIN, name=name, password="wrong-horse"))["login"] for _ in range(6)]

    assert [answer["__typename"] for answer in answers] == ["InvalidCredentials"] * 5 + ["RateLimited"]
    assert answers[0] == {
        "__typename": "InvalidCredentials",
        "code": "UNAUTHENTICATED",
        "message": "Wrong name or password.",
        "retryable": False,
        "retryAfter": None,
    }
    assert answers[5]["code"] == "RATE_LIMITED"
    assert answers[5]["retryable"] is True
    assert 290 < answers[5]["retryAfter"] <= 300


async def test_right_passwords_count_for_nothing(server: GraphQLClient) -> None:
    await server.ask(CREATE_USER, name="alice", password=PASSWORD)

    for _ in range(7):
        await log_in(server, "alice")


async def test_an_account_that_can_not_be_is_refused_by_field(server: GraphQLClient) -> None:
    bad_name = (await server.ask(CREATE_USER, name="a\u0007b", password=PASSWORD))["createUser"]
    bad_password = (await server.ask(CREATE_USER, name="alice", password="short"))["createUser"]

    assert (bad_name["__typename"], bad_name["field"]) == ("InvalidInput", "name")
    assert (bad_password["__typename"], bad_password["field"]) == ("InvalidInput", "password")


async def test_only_an_administrator_makes_accounts(server: GraphQLClient) -> None:
    alice, bob = await two_people(server)

    by_bob = (await as_person(server, bob, CREATE_USER, name="carol", password=PASSWORD))["createUser"]
    taken = (await as_person(server, alice, CREATE_USER, name="BOB", password=PASSWORD))["createUser"]

    assert (by_bob["__typename"], by_bob["code"]) == ("AccessDenied", "FORBIDDEN")
    assert (taken["__typename"], taken["code"]) == ("Conflict", "CONFLICT")


async def test_a_password_is_changed_with_the_old_one(server: GraphQLClient) -> None:
    _, bob = await two_people(server)
    elsewhere = await log_in(server, "bob")
    change = """
    mutation ($old: String!, $new: String!) {
      changePassword(input: {oldPassword: $old, newPassword: $new}) {
        __typename ... on User { name } ... on InvalidInput { field }
      }
    }
    """

    wrong = await as_person(server, bob, change, old="wrong-horse", new="another-horse")
    short = await as_person(server, bob, change, old=PASSWORD, new="short")
    done = await as_person(server, bob, change, old=PASSWORD, new="another-horse")

    assert wrong == {"changePassword": {"__typename": "InvalidCredentials"}}
    assert short == {"changePassword": {"__typename": "InvalidInput", "field": "newPassword"}}
    assert done == {"changePassword": {"__typename": "User", "name": "bob"}}
    assert (await as_person(server, bob, VIEWER))["viewer"]["user"]["name"] == "bob"
    refused = await server.answer(VIEWER, headers={"Authorization": f"Bearer {elsewhere}"})
    assert refused["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_access_tokens_are_one_s_own(server: GraphQLClient) -> None:
    alice, bob = await two_people(server)
    created = (await as_person(server, bob, CREATE_TOKEN, label=" phone ", scope="READ"))["createAccessToken"]
    revoke = "mutation ($id: ID!) { revokeAccessToken(id: $id) { __typename ... on AccessTokenNotFound { id } } }"

    by_alice = await as_person(server, alice, revoke, id=created["id"])
    seen_by_alice = (await as_person(server, alice, VIEWER))["viewer"]["accessTokens"]
    seen_by_bob = (await as_person(server, bob, VIEWER))["viewer"]["accessTokens"]
    by_bob = await as_person(server, bob, revoke, id=created["id"])

    assert by_alice == {"revokeAccessToken": {"__typename": "AccessTokenNotFound", "id": created["id"]}}
    assert (created["label"], created["scope"]) == ("phone", "READ")
    assert seen_by_alice == []
    assert seen_by_bob == [{"id": created["id"], "label": "phone", "scope": "READ"}]
    assert by_bob == {"revokeAccessToken": {"__typename": "RevokedAccessToken"}}
    refused = await server.answer(VIEWER, headers={"Authorization": f"Bearer {created['token']}"})
    assert refused["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_a_token_never_makes_one_that_may_do_more(server: GraphQLClient) -> None:
    alice, bob = await two_people(server)
    reading = (await as_person(server, alice, CREATE_TOKEN, label="phone", scope="READ"))["createAccessToken"]
    writing = (await as_person(server, alice, CREATE_TOKEN, label="tablet", scope="WRITE"))["createAccessToken"]

    by_reading = await server.answer(
        CREATE_TOKEN, headers={"Authorization": f"Bearer {reading['token']}"}, label="more", scope="READ"
    )
    by_writing = await as_person(server, writing["token"], CREATE_TOKEN, label="more", scope="ADMIN")
    by_bob = await as_person(server, bob, CREATE_TOKEN, label="more", scope="ADMIN")
    past = await as_person(server, bob, CREATE_TOKEN, label="x", scope="READ", expiresAt="2020-01-01T00:00:00Z")

    assert by_reading["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert by_writing["createAccessToken"] == {"__typename": "AccessDenied", "code": "FORBIDDEN"}
    assert by_bob["createAccessToken"]["__typename"] == "InvalidInput"
    assert past["createAccessToken"]["field"] == "expiresAt"


async def test_a_person_removes_themselves_and_an_administrator_anybody(server: GraphQLClient) -> None:
    alice, bob = await two_people(server)
    bob_id = (await as_person(server, bob, VIEWER))["viewer"]["user"]["id"]
    remove = "mutation ($id: ID!) { removeUser(id: $id) { __typename } }"

    by_bob = await as_person(server, bob, remove, id="owner")
    last_admin = await as_person(server, alice, remove, id="owner")
    unknown = await as_person(server, alice, remove, id="nobody")
    itself = await as_person(server, bob, remove, id=bob_id)
    last = await as_person(server, alice, remove, id="owner")

    assert by_bob["removeUser"]["__typename"] == "AccessDenied"
    assert last_admin["removeUser"]["__typename"] == "Conflict"
    assert unknown["removeUser"]["__typename"] == "UserNotFound"
    assert itself["removeUser"]["__typename"] == "RemovedUser"
    assert last["removeUser"]["__typename"] == "RemovedUser"
    assert (await server.ask(VIEWER))["viewer"]["user"]["name"] == "owner"


async def test_who_may_not_manage_accounts_sees_none(server: GraphQLClient) -> None:
    _, bob = await two_people(server)

    assert (await as_person(server, bob, VIEWER))["viewer"]["users"] is None


async def test_the_downloads_of_who_is_removed_go_with_them(server: GraphQLClient) -> None:
    alice, bob = await two_people(server)
    start = 'mutation { startDownload(input: {albumId: "350234"}) { __typename ... on Download { id } } }'
    remove = "mutation ($id: ID!) { removeUser(id: $id) { __typename } }"
    downloads = "{ downloads { nodes { id } } }"
    own = (await as_person(server, alice, start))["startDownload"]["id"]
    bobs = (await as_person(server, bob, start))["startDownload"]["id"]
    bob_id = (await as_person(server, bob, VIEWER))["viewer"]["user"]["id"]

    seen = await as_person(server, alice, downloads)
    await as_person(server, bob, remove, id=bob_id)
    left = await as_person(server, alice, downloads)
    await as_person(server, alice, remove, id="owner")

    assert {node["id"] for node in seen["downloads"]["nodes"]} == {own, bobs}
    assert left == {"downloads": {"nodes": [{"id": own}]}}
    assert await server.ask(downloads) == {"downloads": {"nodes": []}}


async def test_wrong_old_passwords_are_counted_too(server: GraphQLClient) -> None:
    _, bob = await two_people(server)
    change = """
    mutation {
      changePassword(input: {oldPassword: "wrong-horse", newPassword: "another-horse"}) {
        __typename ... on RateLimited { code retryAfter }
      }
    }
    """

    answers = [(await as_person(server, bob, change))["changePassword"] for _ in range(6)]

    assert [answer["__typename"] for answer in answers] == ["InvalidCredentials"] * 5 + ["RateLimited"]
    assert answers[5]["code"] == "RATE_LIMITED"
    assert (await server.ask(LOGIN, name="bob", password=PASSWORD))["login"]["__typename"] == "RateLimited"


async def test_the_cookie_is_set_by_a_login_and_removed_by_a_logout(server: GraphQLClient) -> None:
    await server.ask(CREATE_USER, name="alice", password=PASSWORD)
    body = {"query": LOGIN, "variables": {"name": "alice", "password": PASSWORD}}

    login = await server.http.post("/graphql", json=body)
    logout = await server.http.post("/graphql", json={"query": "mutation { logout }"}, headers={"Origin": BASE})

    token = login.json()["data"]["login"]["token"]
    assert login.headers["set-cookie"] == (
        f"jmgraph_session={token}; Max-Age=34560000; Path=/; HttpOnly; SameSite=Lax"
    )
    assert login.headers["cache-control"] == "private, no-store"
    assert logout.headers["set-cookie"] == "jmgraph_session=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"
    assert logout.json() == {"data": {"logout": True}, "extensions": logout.json()["extensions"]}
    assert server.http.cookies.get("jmgraph_session") is None


@pytest.mark.parametrize("query", ["{ viewer { user { name } } }", "{ ranking { total } }"])
@pytest.mark.parametrize("token", ["jmg_wrong", "jmg_"])
async def test_a_wrong_token_is_never_treated_as_a_guest(server: GraphQLClient, query: str, token: str) -> None:
    response = await server.http.post("/graphql", json={"query": query}, headers={"Authorization": f"Bearer {token}"})

    assert response.status_code == 401
    assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize("body", [{"query": "{ viewer { user { name } } }"}, {"query": "{ ranking { total } }"}])
async def test_a_refused_cookie_is_told_and_removed(server: GraphQLClient, body: dict[str, Any]) -> None:
    await two_people(server)

    refused = await server.http.post("/graphql", json=body, headers={"Cookie": "jmgraph_session=jmg_outdated"})
    without = await server.http.post("/graphql", json={"query": VIEWER})

    assert refused.status_code == 401
    assert refused.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert refused.headers["set-cookie"] == "jmgraph_session=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"
    assert without.json()["data"] == {"viewer": None}


async def test_a_refused_cookie_does_not_prevent_a_login(server: GraphQLClient) -> None:
    await two_people(server)
    body = {"query": LOGIN, "variables": {"name": "bob", "password": PASSWORD}}

    login = await server.http.post("/graphql", json=body, headers={"Cookie": "jmgraph_session=jmg_outdated"})

    assert login.json()["data"]["login"]["user"]["name"] == "bob"


async def test_a_wrong_token_is_refused_beside_a_valid_api_key(make_settings: Callable[..., Settings]) -> None:
    headers = {"X-API-Key": "key-of-the-host", "Authorization": "Bearer jmg_wrong"}
    async with graphql_client(make_settings(api_keys="key-of-the-host")) as server:
        responses = [
            await server.http.post("/graphql", json={"query": query}, headers=headers)
            for query in ("{ ranking { total } }", "{ viewer { user { name } } }", "mutation { logout }")
        ]

    assert [response.status_code for response in responses] == [401] * 3


async def test_a_wrong_token_is_refused_with_a_persisted_query(server: GraphQLClient) -> None:
    query = "{ ranking { total } }"
    persisted = {"version": 1, "sha256Hash": hashlib.sha256(query.encode()).hexdigest()}
    body = {"query": query, "extensions": {"persistedQuery": persisted}}
    known = await server.http.post("/graphql", json=body)

    refused = await server.http.post(
        "/graphql", json={"extensions": body["extensions"]}, headers={"Authorization": "Bearer jmg_wrong"}
    )
    page = await server.http.get("/graphql", headers={"Accept": "text/html", "Authorization": "Bearer jmg_wrong"})

    assert (known.status_code, refused.status_code, page.status_code) == (200, 401, 401)
    assert refused.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_a_nul_is_part_of_no_name_and_of_no_id(
    make_settings: Callable[..., Settings], database_url: str
) -> None:
    async with graphql_client(make_settings(database_url=database_url)) as server:
        alice, _ = await two_people(server)
        login = await server.ask(LOGIN, name="ali\0ce", password=PASSWORD)
        removed = await as_person(server, alice, 'mutation { removeUser(id: "a\\u0000b") { __typename } }')
        revoked = await as_person(server, alice, 'mutation { revokeAccessToken(id: "\\u0000") { __typename } }')
        basic = await server.http.get("/v1/health", auth=("ali\0ce", PASSWORD))

    assert login["login"]["__typename"] == "InvalidCredentials"
    assert removed == {"removeUser": {"__typename": "UserNotFound"}}
    assert revoked == {"revokeAccessToken": {"__typename": "AccessTokenNotFound"}}
    assert (basic.status_code, basic.json()) == (401, {"detail": "用户名或密码错误"})


@pytest.mark.parametrize(
    ("expires_at", "outcome"),
    [
        ("9999-12-31T23:59:59-14:00", {"__typename": "InvalidInput", "field": "expiresAt", "code": "INVALID_INPUT"}),
        ("2000-01-01T00:00:00", {"__typename": "InvalidInput", "field": "expiresAt", "code": "INVALID_INPUT"}),
    ],
)
async def test_a_token_expires_at_a_time_that_is_to_come(
    server: GraphQLClient, expires_at: str, outcome: dict[str, str]
) -> None:
    alice, _ = await two_people(server)

    made = await as_person(server, alice, CREATE_TOKEN, label="phone", scope="READ", expiresAt=expires_at)

    assert made["createAccessToken"] == outcome


async def test_a_time_without_a_zone_is_utc(server: GraphQLClient) -> None:
    alice, _ = await two_people(server)
    await as_person(server, alice, CREATE_TOKEN, label="phone", scope="READ", expiresAt="2099-01-01T08:00:00")

    data = await as_person(server, alice, "{ viewer { accessTokens { expiresAt } } }")

    assert data["viewer"]["accessTokens"] == [{"expiresAt": "2099-01-01T08:00:00+00:00"}]
