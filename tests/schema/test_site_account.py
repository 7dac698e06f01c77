"""An account of the site over GraphQL: joined, its favourites and check-ins, and what of it others see."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from demo.server import RunningDemo
from services.settings import Settings
from tests.graphql_client import GraphQLClient, graphql_client
from tests.persons import Person, a_person, bearer

pytestmark = pytest.mark.anyio

NO_FAVORITE, FAVORITE = "1208626", "350234"

CONNECT = """mutation ($name: String!, $password: String!, $remember: Boolean! = false) {
  connectSiteAccount(input: {username: $name, password: $password, remember: $remember}) {
    __typename
    ... on SiteAccount { username state connectedAt }
    ... on Error { code message retryable }
  }
}"""
SET = """mutation ($id: ID!, $is: Boolean!) {
  setSiteFavorite(albumId: $id, isFavorite: $is) {
    __typename
    ... on SiteFavorite { album { id title isSiteFavorite } isFavorite }
    ... on Error { code }
  }
}"""
CHECK_IN = "mutation { checkInOnSite { __typename ... on SiteCheckIn { isNew message } ... on Error { code } } }"
DISCONNECT = "mutation { disconnectSiteAccount }"
IS_FAVORITE = "query ($id: String!) { album(id: $id) { isSiteFavorite } }"


async def connect(server: GraphQLClient, name: str = "reader", password: str = "correct-horse", **more: Any) -> Any:
    """What the mutation answers to a name and a password of the site."""
    return (await server.ask(CONNECT, name=name, password=password, **more))["connectSiteAccount"]


@pytest.fixture
async def connected(server: GraphQLClient) -> GraphQLClient:
    """An open server whose owner has connected the account `reader`."""
    assert (await connect(server))["state"] == "CONNECTED"
    return server


async def test_an_account_is_connected_once_the_site_says_yes(server: GraphQLClient) -> None:
    refused, joined = await connect(server, password="wrong"), await connect(server)

    assert refused == {
        "__typename": "InvalidCredentials",
        "code": "UNAUTHENTICATED",
        "message": "Wrong name or password.",
        "retryable": False,
    }
    assert (joined["__typename"], joined["username"], joined["state"]) == ("SiteAccount", "reader", "CONNECTED")


async def test_a_site_that_answers_html_is_a_failure_and_connects_nothing(
    server: GraphQLClient, demo: RunningDemo
) -> None:
    demo.knobs.set("api", path="/login", failure="html")

    failed = await connect(server)

    assert (failed["__typename"], failed["code"]) == ("UpstreamFailure", "UPSTREAM_BROKEN")
    assert (await server.ask(DISCONNECT))["disconnectSiteAccount"] is False


async def test_a_favourite_is_set_and_seen(connected: GraphQLClient, demo: RunningDemo) -> None:
    made = await connected.ask(SET, id=NO_FAVORITE, **{"is": True})
    unmade = await connected.ask(SET, id=f"JM{FAVORITE}", **{"is": False})

    title = "河岸筆記：春分特輯"
    assert made["setSiteFavorite"] == {
        "__typename": "SiteFavorite",
        "album": {"id": NO_FAVORITE, "title": title, "isSiteFavorite": True},
        "isFavorite": True,
    }
    assert (unmade["setSiteFavorite"]["album"]["id"], unmade["setSiteFavorite"]["isFavorite"]) == (FAVORITE, False)
    assert demo.members.favorites_of("reader")[:2] == [int(NO_FAVORITE), 900451]


async def test_only_albums_of_the_site_become_favourites(connected: GraphQLClient) -> None:
    answer = await connected.ask(SET, id="900404", **{"is": True})
    error = await connected.error(SET, id="no number", **{"is": True})

    assert answer["setSiteFavorite"] == {"__typename": "AlbumNotFound", "code": "NOT_FOUND"}
    assert (error["code"], error["field"]) == ("INVALID_INPUT", "albumId")


async def test_a_blocked_album_is_no_favourite(make_settings: Callable[..., Settings]) -> None:
    async with graphql_client(make_settings(blocked_tags=("測試封鎖",))) as server:
        await connect(server)
        answer = await server.ask(SET, id="900451", **{"is": True})

    assert answer["setSiteFavorite"] == {"__typename": "BlockedByPolicy", "code": "BLOCKED_BY_POLICY"}


async def test_without_a_connected_account_a_login_is_required(server: GraphQLClient) -> None:
    required = {"__typename": "SiteLoginRequired", "code": "UNAUTHENTICATED"}

    assert (await server.ask(SET, id=FAVORITE, **{"is": True}))["setSiteFavorite"] == required
    assert (await server.ask(CHECK_IN))["checkInOnSite"] == required
    assert (await server.ask(IMPORT))["importSiteFavorites"] == required
    assert (await server.ask(IS_FAVORITE, id=FAVORITE))["album"] == {"isSiteFavorite": None}
    assert (await server.ask(DISCONNECT))["disconnectSiteAccount"] is False


IMPORT = """mutation ($folder: ID! = "0") {
  importSiteFavorites(folderId: $folder) {
    __typename ... on ImportedFavorites { added already } ... on Error { code }
  }
}"""


async def test_favourites_are_imported_into_the_library(connected: GraphQLClient) -> None:
    first, second = await connected.ask(IMPORT, folder="7001"), await connected.ask(IMPORT)

    assert first["importSiteFavorites"] == {"__typename": "ImportedFavorites", "added": 22, "already": 0}
    assert second["importSiteFavorites"] == {"__typename": "ImportedFavorites", "added": 22, "already": 22}
    library = await connected.ask("{ viewer { library(first: 1) { totalCount nodes { album { id } } } } }")
    assert library["viewer"]["library"]["totalCount"] == 44


async def test_an_import_that_the_site_cuts_off_adds_nothing(connected: GraphQLClient, demo: RunningDemo) -> None:
    demo.knobs.set("api", path="/favorite", failure="server_error")

    failed = (await connected.ask(IMPORT))["importSiteFavorites"]
    library = await connected.ask("{ viewer { library { totalCount } } }")

    assert failed["__typename"] == "UpstreamFailure"
    assert library["viewer"]["library"]["totalCount"] == 0


async def test_a_check_in_says_whether_it_is_new(connected: GraphQLClient) -> None:
    first, second = await connected.ask(CHECK_IN), await connected.ask(CHECK_IN)

    assert first["checkInOnSite"] == {"__typename": "SiteCheckIn", "isNew": True, "message": "Jcoin:10 EXP:10"}
    assert second["checkInOnSite"] == {"__typename": "SiteCheckIn", "isNew": False, "message": "今天已經簽到過了"}


async def test_the_albums_of_a_list_are_told_apart_in_few_calls(connected: GraphQLClient, demo: RunningDemo) -> None:
    query = "{ ranking { entries { album { id isSiteFavorite } } } }"

    listed = (await connected.ask(query))["ranking"]["entries"]

    favorites = {str(id) for id in demo.members.favorites_of("reader")}
    assert len(listed) == 80
    assert {entry["album"]["id"] for entry in listed if entry["album"]["isSiteFavorite"]} == favorites & {
        entry["album"]["id"] for entry in listed
    }
    assert demo.requests.count("/favorite") == 3


async def test_a_list_with_favourites_and_tags_is_within_the_budget(connected: GraphQLClient) -> None:
    query = "{ ranking { entries { album { isSiteFavorite tags { name } } } } }"

    assert len((await connected.ask(query))["ranking"]["entries"]) == 80


async def test_what_is_personal_is_in_no_shared_cache(connected: GraphQLClient, demo: RunningDemo) -> None:
    body = {"query": IS_FAVORITE, "variables": {"id": NO_FAVORITE}}

    before = await connected.http.post("/graphql", json=body)
    demo.members.set_favorite("reader", int(NO_FAVORITE), is_favorite=True)
    after = await connected.http.post("/graphql", json=body)

    assert before.headers["cache-control"] == after.headers["cache-control"] == "private, no-store"
    assert before.json()["data"] == {"album": {"isSiteFavorite": False}}
    assert after.json()["data"] == {"album": {"isSiteFavorite": True}}


async def test_a_password_is_in_no_error(server: GraphQLClient) -> None:
    wrong = 'mutation { connectSiteAccount(input: {username: "reader", password: "window-seat"}) { nothing } }'

    answers = [
        str(await server.answer(wrong)),
        str(await server.answer(CONNECT, name="reader", password="window-seat")),
        str(await server.answer(CONNECT, name=["reader"], password="window-seat")),
    ]

    assert not [answer for answer in answers if "window-seat" in answer]


# --- logging in by it --------------------------------------------------------------------------------------------

LOGIN = """mutation ($name: String!, $password: String!, $remember: Boolean! = false) {
  loginWithSite(input: {username: $name, password: $password, remember: $remember}) {
    __typename
    ... on Session { token user { name isAdmin } }
    ... on Error { code retryAfter }
  }
}"""
READER = {"name": "reader", "password": "correct-horse"}


async def test_who_logs_in_by_the_site_is_a_user_with_a_session_and_a_cookie(server: GraphQLClient) -> None:
    response = await server.http.post("/graphql", json={"query": LOGIN, "variables": READER})
    session = response.json()["data"]["loginWithSite"]

    assert session["user"] == {"name": "jm:reader", "isAdmin": False}
    assert response.headers["set-cookie"].startswith(f"jmgraph_session={session['token']}; ")
    assert response.headers["cache-control"] == "private, no-store"
    viewer = await server.answer("{ viewer { user { name } siteAccount { username } } }", bearer(session["token"]))
    assert viewer["data"]["viewer"] == {"user": {"name": "jm:reader"}, "siteAccount": {"username": "reader"}}
    server.http.cookies.clear()
    assert await server.ask("{ viewer { user { name } siteAccount { username } } }") == {
        "viewer": {"user": {"name": "owner"}, "siteAccount": None}
    }


async def test_a_closed_server_refuses_logins_by_the_site_but_keeps_the_sessions_of_before(
    server: GraphQLClient,
) -> None:
    session = (await server.ask(LOGIN, **READER))["loginWithSite"]
    await a_person(server.services, "alice")

    refused = await server.ask(LOGIN, **READER)
    viewer = await server.answer("{ viewer { siteAccount { state } } }", bearer(session["token"]))

    assert refused["loginWithSite"] == {"__typename": "AccessDenied", "code": "FORBIDDEN", "retryAfter": None}
    assert viewer["data"]["viewer"] == {"siteAccount": {"state": "CONNECTED"}}


async def test_after_five_wrong_passwords_the_site_is_not_asked_again(
    server: GraphQLClient, demo: RunningDemo
) -> None:
    wrong = READER | {"password": "wrong"}

    refused = [(await server.ask(LOGIN, **wrong))["loginWithSite"]["__typename"] for _ in range(5)]
    limited = (await server.ask(LOGIN, **READER))["loginWithSite"]

    assert refused == ["InvalidCredentials"] * 5
    assert (limited["__typename"], limited["code"]) == ("RateLimited", "RATE_LIMITED")
    assert 0 < limited["retryAfter"] <= 300
    assert demo.requests.count("/login") == 5


async def test_right_logins_at_once_are_all_right(server: GraphQLClient) -> None:
    answers = await asyncio.gather(*(server.ask(LOGIN, **READER) for _ in range(50)))

    assert {answer["loginWithSite"]["__typename"] for answer in answers} == {"Session"}


# --- what the viewer sees ----------------------------------------------------------------------------------------

ACCOUNT = """query ($folder: ID! = "0", $order: FavoriteOrder! = ADDED, $page: Int! = 1) {
  viewer { siteAccount {
    state username connectedAt
    folders { id name }
    favorites(folderId: $folder, orderBy: $order, page: $page) { items { id title } page pageCount total hasNextPage }
  } }
}"""


async def test_the_viewer_sees_folders_and_favourites(connected: GraphQLClient, demo: RunningDemo) -> None:
    account = (await connected.ask(ACCOUNT, page=2))["viewer"]["siteAccount"]
    of_folder = (await connected.ask(ACCOUNT, folder="7002", order="UPDATED"))["viewer"]["siteAccount"]

    assert (account["username"], account["state"]) == ("reader", "CONNECTED")
    assert account["folders"] == [
        {"id": "0", "name": "全部"},
        {"id": "7001", "name": "旅行"},
        {"id": "7002", "name": "機器"},
    ]
    page = account["favorites"]
    assert [int(item["id"]) for item in page["items"]] == demo.members.favorites_of("reader")[20:40]
    assert (page["page"], page["pageCount"], page["total"], page["hasNextPage"]) == (2, 3, 44, True)
    assert of_folder["favorites"]["total"] == 3


async def test_a_session_that_has_run_out_is_seen_in_the_query_that_finds_out(
    connected: GraphQLClient, demo: RunningDemo
) -> None:
    demo.members.end_sessions("reader")

    found = (await connected.ask(ACCOUNT))["viewer"]["siteAccount"]
    later = await connected.ask("{ viewer { siteAccount { state } } }")

    assert (found["state"], found["folders"], found["favorites"]) == ("EXPIRED", None, None)
    assert later == {"viewer": {"siteAccount": {"state": "EXPIRED"}}}
    assert (await connect(connected))["state"] == "CONNECTED"


async def test_a_site_that_is_away_is_an_error_of_its_field_alone(
    connected: GraphQLClient, demo: RunningDemo
) -> None:
    demo.knobs.set("api", path="/favorite", failure="drop")

    answer = await connected.answer("{ viewer { siteAccount { username state folders { id } } } }")

    account = answer["data"]["viewer"]["siteAccount"]
    assert (account["username"], account["state"], account["folders"]) == ("reader", "CONNECTED", None)
    assert answer["errors"][0]["path"] == ["viewer", "siteAccount", "folders"]
    assert answer["errors"][0]["extensions"]["code"] == "UPSTREAM_UNAVAILABLE"


async def test_a_folder_that_there_can_not_be_is_invalid_input(connected: GraphQLClient) -> None:
    error = await connected.error(ACCOUNT, folder="all")

    assert (error["code"], error["field"]) == ("INVALID_INPUT", "folderId")


# --- two people --------------------------------------------------------------------------------------------------


@pytest.fixture
async def two(server: GraphQLClient) -> tuple[Person, Person]:
    """Two people of a closed server, each with an account of the site."""
    alice, bob = await a_person(server.services, "alice"), await a_person(server.services, "bob")
    for person, name, password in ((alice, "reader", "correct-horse"), (bob, "traveller", "window-seat")):
        variables = {"name": name, "password": password}
        answer = await server.answer(CONNECT, person.headers, **variables)
        assert answer["data"]["connectSiteAccount"]["username"] == name
    return alice, bob


async def test_two_people_at_once_have_each_their_own_favourites(
    server: GraphQLClient, two: tuple[Person, Person], demo: RunningDemo
) -> None:
    alice, bob = two
    query = "query ($ids: [String!]!) { albums(ids: $ids) { id isSiteFavorite } }"
    ids = [FAVORITE, "438516", NO_FAVORITE]

    answers = await asyncio.gather(
        *(server.answer(query, person.headers, ids=ids) for _ in range(4) for person in (alice, bob)),
        server.answer(SET, alice.headers, id="333908", **{"is": True}),
        server.answer(SET, bob.headers, id=NO_FAVORITE, **{"is": False}),
    )

    for place, answer in enumerate(answers[:8]):
        told = {album["id"]: album["isSiteFavorite"] for album in answer["data"]["albums"]}
        is_alice = place % 2 == 0
        assert told == {
            FAVORITE: is_alice,
            "438516": not is_alice or 438516 in demo.members.favorites_of("reader"),
            NO_FAVORITE: False,
        }
    assert demo.members.favorites_of("reader")[0] == 333908
    assert demo.members.favorites_of("traveller") == [438516, 333908]
    assert {seen.session for seen in demo.requests.find("/login")} == {""}


async def test_who_is_not_logged_in_has_no_account_of_the_site(
    server: GraphQLClient, two: tuple[Person, Person]
) -> None:
    for query in (DISCONNECT, CHECK_IN):
        assert (await server.error(query))["code"] == "UNAUTHENTICATED"
