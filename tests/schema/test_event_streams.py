"""All operations of a client on one stream of events: whose it is, what it refuses, and when it ends."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import redis

from demo.server import RunningDemo
from tests.persons import PASSWORD, bearer
from tests.processes import Processes, environment_of, start_processes

FEED = "subscription { downloadFeed { isSnapshot } }"
VERSION = "{ ehtag { version } }"
LogIn = Callable[[str], httpx.Client]

HEADER = "X-GraphQL-Event-Stream-Token"


@pytest.fixture(scope="module")
def servers(demo_site: RunningDemo, valkey_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    """Two API processes on one Valkey and one data directory, closed by the accounts of alice and bob."""
    folder: Path = tmp_path_factory.mktemp("servers")
    with redis.Redis.from_url(valkey_url) as client:
        client.flushall()  # wrong passwords of other tests count for this address as well
    with start_processes(environment_of(demo_site, valkey_url, folder), folder, apis=2, workers=0) as processes:
        create = "mutation ($input: CreateUserInput!) { createUser(input: $input) { __typename } }"
        with httpx.Client(base_url=processes.url()) as http:
            ask(http, create, input={"name": "alice", "password": PASSWORD})
            log_in(http, "alice")
            ask(http, create, input={"name": "bob", "password": PASSWORD})
        yield processes


def ask(http: httpx.Client, query: str, **variables: Any) -> Any:
    """The data of a response without errors."""
    answer = http.post("/graphql", json={"query": query, "variables": variables}).json()
    assert "errors" not in answer, answer
    return answer["data"]


def log_in(http: httpx.Client, name: str) -> None:
    """Begin a session, by whose token this client is known from now on."""
    login = "mutation ($input: LoginInput!) { login(input: $input) { ... on Session { token } } }"
    session = ask(http, login, input={"name": name, "password": PASSWORD})["login"]
    http.headers.update(bearer(session["token"]))
    http.cookies.clear()


@pytest.fixture
def log_in_as(servers: Processes) -> Iterator[LogIn]:
    """Gives a client with a session of its own; "" for a guest."""
    with ExitStack() as stack:

        def client(name: str) -> httpx.Client:
            http = stack.enter_context(httpx.Client(base_url=servers.url(), timeout=30))
            if name:
                log_in(http, name)
            return http

        yield client


@contextmanager
def opened(http: httpx.Client) -> Iterator[tuple[str, Iterator[tuple[str, Any]]]]:
    """A stream: its token, and its events, each with its kind and its data."""
    token = http.put("/graphql").text
    headers = {HEADER: token, "Accept": "text/event-stream"}
    with http.stream("GET", "/graphql", headers=headers) as response:
        assert (response.status_code, response.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        yield token, _events(response.iter_lines())


def _events(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    for line in lines:
        if line.startswith("event: "):
            yield line[7:], json.loads(next(lines)[6:])


def start(http: httpx.Client, token: str, id: Any, query: str) -> httpx.Response:
    """The response to an operation that is to run on a stream."""
    return http.post("/graphql", json={"query": query, "extensions": {"operationId": id}}, headers={HEADER: token})


def code(response: httpx.Response) -> tuple[int, str]:
    """Status and code of an error."""
    return response.status_code, response.json()["errors"][0]["extensions"]["code"]


def test_operations_share_a_stream_each_with_its_id_and_end_alone(log_in_as: LogIn) -> None:
    http = log_in_as("alice")

    with opened(http) as (token, events):
        assert start(http, token, "feed", FEED).status_code == 202
        feed = next(events)
        assert start(http, token, "version", VERSION).status_code == 202
        version, ended = next(events), next(events)
        again = start(http, token, "feed", FEED)
        stopped = http.delete("/graphql", params={"operationId": "feed"}, headers={HEADER: token})
        restarted = start(http, token, "feed", FEED)
        anew = next(events)

    assert feed == ("next", {"id": "feed", "payload": {"data": {"downloadFeed": {"isSnapshot": True}}}})
    assert version[1]["payload"]["data"] == {"ehtag": {"version": 7}}
    assert ended == ("complete", {"id": "version"})
    assert code(again) == (409, "CONFLICT")
    assert (stopped.status_code, restarted.status_code) == (200, 202)
    assert anew[1]["id"] == "feed"


def test_an_operation_may_start_before_its_reserved_stream_opens(log_in_as: LogIn) -> None:
    http = log_in_as("alice")
    reserved = http.put("/graphql")

    assert start(http, reserved.text, "1", VERSION).status_code == 202
    with http.stream("GET", "/graphql", params={"token": reserved.text}) as response:
        kind, data = next(_events(response.iter_lines()))

    assert reserved.status_code == 201
    assert (kind, data["payload"]["data"]) == ("next", {"ehtag": {"version": 7}})


def test_a_stream_is_its_owner_s_alone(log_in_as: LogIn) -> None:
    alice, bob, guest = log_in_as("alice"), log_in_as("bob"), log_in_as("")

    with opened(alice) as (token, _):
        for other in (bob, log_in_as("alice")):  # another session may end while the first goes on
            assert code(start(other, token, "1", FEED)) == (404, "NOT_FOUND")
            assert code(other.get("/graphql", headers={HEADER: token})) == (404, "NOT_FOUND")
            assert code(other.delete("/graphql", headers={HEADER: token})) == (404, "NOT_FOUND")
        assert code(guest.put("/graphql")) == (401, "UNAUTHENTICATED")
        assert code(start(guest, token, "1", FEED)) == (401, "UNAUTHENTICATED")
        assert code(alice.get("/graphql", headers={HEADER: token})) == (409, "CONFLICT")


def test_a_stream_ends_when_its_session_does_and_its_token_with_it(log_in_as: LogIn) -> None:
    alice = log_in_as("alice")

    with opened(alice) as (token, events):
        start(alice, token, "feed", FEED)
        assert next(events)[0] == "next"
        ask(alice, "mutation { logout }")
        left = list(events)

    assert left == []
    assert code(start(log_in_as("alice"), token, "1", FEED)) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("id", "query", "status", "problem"),
    [
        (None, FEED, 400, "BAD_REQUEST"),
        (7, FEED, 400, "BAD_REQUEST"),
        ("1", "query A { __typename } query B { __typename }", 400, "BAD_REQUEST"),
    ],
)
def test_an_operation_that_can_not_run_is_refused_at_once(
    log_in_as: LogIn, id: Any, query: str, status: int, problem: str
) -> None:
    http = log_in_as("alice")

    with opened(http) as (token, _):
        assert code(start(http, token, id, query)) == (status, problem)


def test_rights_hold_for_each_operation_of_a_stream(log_in_as: LogIn) -> None:
    http = log_in_as("alice")

    with opened(http) as (token, _):
        http.headers["Origin"] = "https://elsewhere.example"
        assert code(start(http, token, "1", 'mutation { cancelDownload(id: "x") { __typename } }')) == (
            403,
            "FORBIDDEN",
        )


def test_another_process_does_not_know_a_stream_and_says_what_to_do(servers: Processes, log_in_as: LogIn) -> None:
    here = log_in_as("alice")

    with opened(here) as (token, _), httpx.Client(base_url=servers.url(1), headers=here.headers) as there:
        refused = start(there, token, "1", FEED)

    assert code(refused) == (404, "NOT_FOUND")
    assert "sticky sessions" in refused.json()["errors"][0]["message"]
