"""The site's account in the legacy API."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from demo.server import RunningDemo
from services.settings import Settings
from tests.graphql_client import GraphQLClient, graphql_client
from tests.persons import a_person, bearer

pytestmark = pytest.mark.anyio

NO_FAVORITE, FAVORITE = "1208626", "350234"
READER = {"username": "reader", "password": "correct-horse"}
LOGIN_NEEDED = (401, {"detail": "请先登录"})
LOGIN_EXPIRED = (401, {"detail": "登录已过期，请重新登录"})


async def log_in(server: GraphQLClient) -> dict[str, str]:
    """The headers of somebody who has logged in as `reader`."""
    return bearer((await server.http.post("/v1/login", json=READER)).json()["token"])


async def test_a_login_gives_a_token(server: GraphQLClient) -> None:
    response = await server.http.post("/v1/login", json=READER)
    body = response.json()

    assert (response.status_code, body["status"], body["username"]) == (200, "success", "reader")
    assert body["token"].startswith("jmg_")
    assert response.headers["cache-control"] == "private, no-store"
    for headers in (bearer(body["token"]), {"X-Token": body["token"]}):
        assert (await server.http.get("/v1/favorites/folders", headers=headers)).status_code == 200


async def test_a_wrong_password_is_refused_in_the_old_words(server: GraphQLClient) -> None:
    response = await server.http.post("/v1/login", json=READER | {"password": "wrong"})

    assert (response.status_code, response.json()) == (401, {"detail": "用户名或密码错误"})


async def test_after_five_wrong_passwords_further_ones_have_to_wait(server: GraphQLClient) -> None:
    for _ in range(5):
        await server.http.post("/v1/login", json=READER | {"password": "wrong"})

    response = await server.http.post("/v1/login", json=READER)

    assert response.status_code == 429
    assert 0 < int(response.headers["retry-after"]) <= 300


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"username": "reader"}', b'{"username": 1, "password": 2}'])
async def test_a_login_wants_a_name_and_a_password(server: GraphQLClient, demo: RunningDemo, body: bytes) -> None:
    response = await server.http.post("/v1/login", content=body)

    assert (response.status_code, response.json()) == (400, {"detail": "username and password must be strings"})
    assert demo.requests.count("/login") == 0


async def test_a_closed_server_lets_nobody_log_in_by_the_site(server: GraphQLClient) -> None:
    await a_person(server.services, "alice")

    response = await server.http.post("/v1/login", json=READER)

    assert response.status_code == 403
    assert set(response.json()) == {"detail"}


async def test_a_page_of_a_foreign_origin_may_not_log_in(server: GraphQLClient) -> None:
    response = await server.http.post("/v1/login", json=READER, headers={"Origin": "https://elsewhere.example"})

    assert response.status_code == 403


async def test_a_site_that_answers_html_to_a_login_is_a_bad_gateway(server: GraphQLClient, demo: RunningDemo) -> None:
    demo.knobs.set("api", path="/login", failure="html")

    assert (await server.http.post("/v1/login", json=READER)).status_code == 502


async def test_after_a_logout_the_token_is_refused(server: GraphQLClient) -> None:
    headers = await log_in(server)

    ended = await server.http.post("/v1/logout", headers=headers)
    again = await server.http.post("/v1/logout")
    refused = await server.http.get("/v1/favorites/1", headers=headers)

    assert (ended.status_code, ended.json()) == (again.status_code, again.json()) == (200, {"status": "success"})
    assert (refused.status_code, refused.json()) == LOGIN_EXPIRED


async def test_folders_and_favourites_are_listed(server: GraphQLClient, demo: RunningDemo) -> None:
    headers = await log_in(server)

    folders = await server.http.get("/v1/favorites/folders", headers=headers)
    last = await server.http.get("/v1/favorites/3", headers=headers)
    of_folder = await server.http.get("/v1/favorites/1?folder_id=7002&order=mp", headers=headers)

    assert folders.json() == [
        {"folder_id": "0", "name": "全部"},
        {"folder_id": "7001", "name": "旅行"},
        {"folder_id": "7002", "name": "機器"},
    ]
    assert [int(line["aid"]) for line in last.json()] == demo.members.favorites_of("reader")[40:]
    assert set(last.json()[0]) == {"aid", "title"}
    assert (last.headers["x-total-count"], of_folder.headers["x-total-count"]) == ("44", "3")
    assert last.headers["cache-control"] == folders.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize(
    "path", ["/v1/favorites/0", "/v1/favorites/x", "/v1/favorites/1?order=mv", "/v1/favorites/1?folder_id=x"]
)
async def test_a_list_that_there_can_not_be_is_refused(server: GraphQLClient, path: str) -> None:
    response = await server.http.get(path, headers=await log_in(server))

    assert response.status_code == 400
    assert set(response.json()) == {"detail"}


async def test_a_favourite_is_set_and_unset(server: GraphQLClient, demo: RunningDemo) -> None:
    headers = await log_in(server)

    made = [await server.http.post(f"/v1/favorites/{aid}", headers=headers) for aid in (NO_FAVORITE, "JM1208626")]
    first = demo.members.favorites_of("reader")[0]
    unmade = [await server.http.delete(f"/v1/favorites/{NO_FAVORITE}", headers=headers) for _ in range(2)]

    assert [response.json() for response in made] == [
        {"status": "success", "aid": NO_FAVORITE, "favorite": True},
        {"status": "success", "aid": NO_FAVORITE, "favorite": True},
    ]
    assert [response.json() for response in unmade] == [
        {"status": "success", "aid": NO_FAVORITE, "favorite": False},
        {"status": "success", "aid": NO_FAVORITE, "favorite": False},
    ]
    assert (first, demo.members.favorites_of("reader")[0]) == (int(NO_FAVORITE), int(FAVORITE))


@pytest.mark.parametrize(("aid", "status"), [("900404", 404), ("900451", 404), ("x", 400)])
async def test_what_is_no_album_here_is_no_favourite(
    make_settings: Callable[..., Settings], aid: str, status: int
) -> None:
    async with graphql_client(make_settings(blocked_tags=("測試封鎖",))) as server:
        response = await server.http.post(f"/v1/favorites/{aid}", headers=await log_in(server))

    assert response.status_code == status
    assert set(response.json()) == {"detail"}


async def test_what_a_person_blocks_is_no_favourite_of_theirs(server: GraphQLClient) -> None:
    headers = await log_in(server)
    block = 'mutation { setBlockedTags(tags: ["狐狸"]) { __typename } }'
    assert "errors" not in await server.answer(block, headers)

    refused = await server.http.post(f"/v1/favorites/{FAVORITE}", headers=headers)
    listed = await server.http.get("/v1/favorites/1", headers=headers)

    assert refused.status_code == 404
    assert len(listed.json()) == 19
    assert FAVORITE not in {line["aid"] for line in listed.json()}


async def test_without_a_login_nothing_is_shown_or_changed(server: GraphQLClient, demo: RunningDemo) -> None:
    answers = [
        await server.http.get("/v1/favorites/folders"),
        await server.http.get("/v1/favorites/1"),
        await server.http.post(f"/v1/favorites/{NO_FAVORITE}"),
        await server.http.delete(f"/v1/favorites/{FAVORITE}"),
    ]

    assert [(answer.status_code, answer.json()) for answer in answers] == [LOGIN_NEEDED] * 4
    assert demo.requests.count("/favorite") == 0


async def test_a_closed_server_answers_guests_the_same(make_settings: Callable[..., Settings]) -> None:
    async with graphql_client(make_settings(guests="all")) as server:
        alice = await a_person(server.services, "alice")
        answers = [
            await server.http.get("/v1/favorites/1"),
            await server.http.post(f"/v1/favorites/{FAVORITE}"),
            await server.http.get("/v1/favorites/1", headers=alice.headers),
        ]

    assert [(answer.status_code, answer.json()) for answer in answers] == [LOGIN_NEEDED] * 3


async def test_a_session_that_the_site_has_ended_is_told(server: GraphQLClient, demo: RunningDemo) -> None:
    headers = await log_in(server)
    demo.members.end_sessions("reader")

    answers = [
        await server.http.get("/v1/favorites/1", headers=headers),
        await server.http.post(f"/v1/favorites/{NO_FAVORITE}", headers=headers),
    ]

    assert [(answer.status_code, answer.json()) for answer in answers] == [LOGIN_EXPIRED] * 2
