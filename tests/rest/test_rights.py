"""Every route beside GraphQL, and who may have it: a route that is not in the table here fails."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager

import pytest
from starlette.routing import BaseRoute, Route, Router, WebSocketRoute

from rest import routes
from schema import sdl
from services.people import TokenScope
from services.settings import Settings
from tests.graphql_client import GraphQLClient, graphql_client
from tests.persons import PASSWORD, Person, a_person, bearer

pytestmark = pytest.mark.anyio

PUBLIC = {
    "/",
    "/manifest.webmanifest",
    "/sw.js",
    "/assets/{name}",
    "/healthz",
    "/readyz",
    "/v1/login",
    "/v1/logout",
    "/api/database/~update-webhook",
}
"""For anybody: without these nobody could log in, watch over the server, or tell it that its remote has moved."""

DOWNLOADS = {
    "/downloads/{id}/{name}",
    "/v1/download/{file_name:remainder}",
    "/v1/download/album/{album_id:no_trailing_slash}",
    "/v1/notifications/{client_id:remainder}",
    "/ws/notifications/{client_id:remainder}",
}

METRICS = {"/metrics"}

FEEDS = ("", "/", "/rankings/{name}", "/newest", "/search", "/albums/{id}", "/library", "/continue", "/files")

READ = {
    "/v1/health",
    "/v1/rank/{time}",
    "/v1/search/{tag:remainder}/{num}",
    "/v1/info/{aid:no_trailing_slash}",
    "/v1/get/cover/{aid:no_trailing_slash}",
    "/v1/comments/{aid:no_trailing_slash}",
    "/v1/{timestamp}",
    "/images/covers/{album_id}",
    "/images/pages/{chapter_id}/{index}",
    "/api/database",
    "/api/database/~badge",
    "/api/database/~badge/all",
    "/api/database/~badge/{namespace}",
    "/api/database/all/~badge",
    "/api/database/{namespace}",
    "/api/database/{namespace}/~badge",
    "/api/database/{namespace}/~comment",
    "/api/database/{namespace}/{raw:remainder}",
    "/api/tools/status",
    "/api/tools/normalize",
    "/api/tools/normalize/{namespace}",
    "/api/tools/serialize/{raw}",
    "/api/tools/serialize/{namespace}/{raw:remainder}",
    "/api/tools/parse",
    "/api/tools/parse/{namespace}",
    "/openapi.json",
    "/schema.graphql",
    "/docs",
    *(f"/opds{path}" for path in ("/search.xml", "/covers/{id}", "/pages/{chapter_id}/{number}")),
    *(f"/opds/v2{path}" for path in ("/auth", "/publications/{id}", "/publications/{id}/manifest.json")),
    *(f"/opds{version}{path}" for version in ("", "/v2") for path in FEEDS),
}

OWN_CHECKS = {"/graphql", "/v1/favorites/folders", "/v1/favorites/{number:no_trailing_slash}"}
"""Each operation of GraphQL is checked: see `tests/schema/test_rights.py`. Favourites want an account of the site:
see `tests/rest/test_v1_site_account.py`.
"""

SAMPLES = {
    "{name}": "tea.zip",
    "{id}": "0193",
    "{album_id}": "350234",
    "{album_id:no_trailing_slash}": "350234",
    "{aid:no_trailing_slash}": "350234",
    "{chapter_id}": "350234",
    "{index}": "1",
    "{number}": "0",
    "{file_name:remainder}": "tea",
    "{client_id:remainder}": "phone",
    "{time}": "week",
    "{tag:remainder}": "tea",
    "{num}": "1",
    "{timestamp}": "1780000000000",
    "{namespace}": "other",
    "{raw}": "full color",
    "{raw:remainder}": "full color",
    "{path:remainder}": "nothing",
}


def leaves(found: Iterable[BaseRoute]) -> Iterator[Route | WebSocketRoute]:
    """All routes, those of routers too."""
    for route in found:
        if isinstance(route, Route) and isinstance(route.endpoint, Router):
            yield from leaves(route.endpoint.routes)
        else:
            assert isinstance(route, Route | WebSocketRoute), route
            yield route


async def _graphql(*_: object) -> None: ...


PATHS = {route.path for route in leaves(routes(_graphql, sdl))} - {"/api/{path:remainder}", "/{path:remainder}"}


def address_of(path: str) -> str:
    """An address of this route: the samples in the place of its parameters."""
    for parameter, sample in SAMPLES.items():
        path = path.replace(parameter, sample)
    assert "{" not in path, path
    return path


@asynccontextmanager
async def closed_server(
    make_settings: Callable[..., Settings], **settings: object
) -> AsyncIterator[tuple[GraphQLClient, Person, Person]]:
    """A server with an admin and another person."""
    async with graphql_client(make_settings(**settings)) as server:
        yield server, await a_person(server.services, "admin"), await a_person(server.services, "reader")


async def allowed(server: GraphQLClient, headers: dict[str, str]) -> set[str]:
    """The routes that a GET with these headers gets past the check of its sender."""
    found = set()
    for path in PATHS - OWN_CHECKS:
        params = {"client_id": "phone", "wait": "0"} if "download/album" in path or "/v1/notif" in path else None
        response = await server.http.get(address_of(path), headers=headers, params=params)
        found |= set() if response.status_code in (401, 403) else {path}
    return found


def test_every_route_is_in_the_table_once() -> None:
    tables = (PUBLIC, DOWNLOADS, METRICS, READ, OWN_CHECKS)

    assert set().union(*tables) == PATHS
    assert sum(map(len, tables)) == len(PATHS)


@pytest.mark.parametrize(
    ("guests", "rights"),
    [
        ("", PUBLIC),
        ("none", PUBLIC),
        ("read", PUBLIC | READ),
        ("all", PUBLIC | READ | DOWNLOADS | METRICS),
    ],
)
async def test_a_guest_of_a_closed_server_has_what_the_host_lets_guests_have(
    make_settings: Callable[..., Settings], guests: str, rights: set[str]
) -> None:
    async with closed_server(make_settings, guests=guests) as (server, _, _):
        assert await allowed(server, {}) == rights


async def test_a_person_has_everything_but_the_metrics_which_are_an_admin_s(
    make_settings: Callable[..., Settings],
) -> None:
    everything = PATHS - OWN_CHECKS
    async with closed_server(make_settings, api_keys="key") as (server, admin, reader):
        assert await allowed(server, reader.headers) == everything - METRICS
        assert await allowed(server, admin.headers) == everything
        assert await allowed(server, {"X-API-Key": "key"}) == everything


async def test_a_token_that_may_read_starts_nothing_and_scrapes_metrics(
    make_settings: Callable[..., Settings],
) -> None:
    async with closed_server(make_settings) as (server, admin, _):
        headers = bearer(await admin.access_token(TokenScope.READ))
        starting = "/v1/download/album/{album_id:no_trailing_slash}"

        assert await allowed(server, headers) == PATHS - OWN_CHECKS - {starting}
        started = await server.http.post(address_of(starting), json={"client_id": "phone"}, headers=headers)
        edited = await server.http.put("/api/database/other/tea", json={}, headers=headers)

    assert (started.status_code, edited.status_code) == (403, 403)
    assert edited.json()["code"] == "FORBIDDEN"


@pytest.mark.parametrize(("guests", "rights"), [("", PATHS - OWN_CHECKS), ("read", PUBLIC | READ), ("none", PUBLIC)])
async def test_with_keys_and_no_account_reads_stay_open_unless_the_host_says_otherwise(
    make_settings: Callable[..., Settings], guests: str, rights: set[str]
) -> None:
    starting = {"/v1/download/album/{album_id:no_trailing_slash}"}
    async with graphql_client(make_settings(api_keys="key", guests=guests)) as server:
        assert await allowed(server, {}) == rights - starting
        assert await allowed(server, {"X-API-Key": "key"}) == PATHS - OWN_CHECKS


async def test_an_open_server_is_open(make_settings: Callable[..., Settings]) -> None:
    async with graphql_client(make_settings(guests="none")) as server:
        assert await allowed(server, {}) == PATHS - OWN_CHECKS


async def test_what_is_no_route_says_nothing_to_a_guest(make_settings: Callable[..., Settings]) -> None:
    async with closed_server(make_settings) as (server, _, reader):
        for path in ("/nothing", "/api/nothing", "/v1/a/b/c", "/healthz/", "/assets", "/opds"):
            assert (await server.http.get(path)).status_code == 401, path
        assert (await server.http.get("/nothing", headers=reader.headers)).status_code == 404


async def test_a_guest_may_know_whether_the_server_is_ready_but_not_of_what_it_consists(
    make_settings: Callable[..., Settings],
) -> None:
    async with closed_server(make_settings) as (server, _, reader):
        guest = (await server.http.get("/readyz")).json()
        person = (await server.http.get("/readyz", headers=reader.headers)).json()

    assert (guest["status"], guest["checks"]) == ("degraded", {})
    assert person["checks"]["redis"]["status"] == "ok"


async def test_a_refusal_has_the_form_of_its_api(make_settings: Callable[..., Settings]) -> None:
    async with closed_server(make_settings) as (server, _, _):
        legacy = await server.http.get("/v1/rank/week")
        refused = await server.http.get("/v1/rank/week", headers=bearer("jmg_wrong"))
        tags = await server.http.get("/api/database", headers={"Origin": "https://elsewhere.example"})
        image = await server.http.get("/images/covers/350234")

    assert (legacy.status_code, legacy.json()) == (401, {"detail": "请先登录"})
    assert (refused.status_code, refused.json()) == (401, {"detail": "登录已过期，请重新登录"})
    assert (tags.json()["code"], tags.headers["access-control-allow-origin"]) == ("UNAUTHENTICATED", "*")
    assert set(image.json()) == {"code", "message", "retryable"}
    assert image.headers["www-authenticate"].startswith("Basic ")
    assert {response.headers["cache-control"] for response in (legacy, refused, tags, image)} == {"no-store"}


@pytest.mark.parametrize(("guests", "status"), [("read", 401), ("all", 428)])
async def test_edits_of_the_tag_database_by_guests_need_that_they_may_do_everything(
    make_settings: Callable[..., Settings], guests: str, status: int
) -> None:
    async with closed_server(make_settings, guests=guests) as (server, _, reader):
        headers = {"X-Token": "of-github"}
        guest = await server.http.put("/api/database/other/tea", json={}, headers=headers)
        person = await server.http.put("/api/database/other/tea", json={}, headers=headers | reader.headers)

    assert (guest.status_code, person.status_code) == (status, 428)


def _basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


async def test_many_requests_at_once_with_a_name_and_its_password(make_settings: Callable[..., Settings]) -> None:
    async with closed_server(make_settings) as (server, _, reader):
        headers = _basic(reader.user.name.upper(), PASSWORD)
        responses = await asyncio.gather(*(server.http.get("/v1/health", headers=headers) for _ in range(12)))

    assert {response.status_code for response in responses} == {200}


async def test_the_sixth_wrong_password_by_basic_is_429(make_settings: Callable[..., Settings]) -> None:
    async with closed_server(make_settings) as (server, _, reader):
        wrong = [await server.http.get("/v1/health", headers=_basic("nobody", f"wrong-{n}")) for n in range(6)]
        right = await server.http.get("/v1/health", headers=_basic(reader.user.name, PASSWORD))
        by_token = await server.http.get("/v1/health", headers=_basic("anything", reader.session))

    assert [response.status_code for response in wrong] == [401] * 5 + [429]
    assert 290 <= int(wrong[5].headers["retry-after"]) <= 300
    assert right.status_code == 429
    assert by_token.status_code == 200
