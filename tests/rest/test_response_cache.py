"""Answers given again without a walk through the house: only where they would be the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from rest.middleware.response_cache import LARGEST_BYTES, ResponseCacheMiddleware
from services.settings import Settings
from tests.graphql_client import GraphQLClient, graphql_client

pytestmark = pytest.mark.anyio

INFO = "/v1/info/350234"


def _kept(
    server: GraphQLClient, path: str = INFO, *headers: tuple[bytes, bytes], method: str = "GET", query: str = ""
) -> bool:
    scope = {
        "type": "http",
        "method": method,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(b"host", b"127.0.0.1:11111"), *headers],
    }
    return server.app.state.shortcuts.find(scope) is not None


async def test_an_answer_is_kept_and_given_again_as_it_was(server: GraphQLClient) -> None:
    first = await server.http.get(INFO)

    assert _kept(server)
    again = await server.http.get(INFO)
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["content-type"] == "application/json"
    assert again.headers["x-request-id"] != first.headers["x-request-id"]


@pytest.mark.parametrize(
    "header",
    [
        (b"origin", b"https://elsewhere.example"),
        (b"if-none-match", b"*"),
        (b"x-forwarded-prefix", b"/comics"),
        (b"x-request-id", b"mine"),
        (b"host", b"elsewhere.example"),
    ],
)
async def test_a_request_that_may_get_another_answer_is_not_answered_from_here(
    server: GraphQLClient, header: tuple[bytes, bytes]
) -> None:
    await server.http.get(INFO)

    assert not _kept(server, INFO, header)
    assert not _kept(server, method="HEAD")
    assert not _kept(server, query="a=b")


async def test_an_unknown_host_gets_nothing_that_was_kept_for_another(server: GraphQLClient) -> None:
    await server.http.get(INFO)

    stranger = await server.http.get(INFO, headers={"Host": "elsewhere.example"})

    assert stranger.status_code == 400


async def test_other_origins_may_read_what_was_kept_without_one(server: GraphQLClient) -> None:
    await server.http.get(INFO)

    foreign = await server.http.get(INFO, headers={"Origin": "https://elsewhere.example"})

    assert foreign.headers["access-control-allow-origin"] == "*"


async def test_a_refusal_is_not_kept(server: GraphQLClient) -> None:
    assert (await server.http.get("/v1/info/900404")).status_code == 404

    assert not _kept(server, "/v1/info/900404")


async def test_what_was_kept_is_forgotten_when_the_policy_learns_of_an_album_to_withhold(
    make_settings: Callable[..., Settings],
) -> None:
    async with graphql_client(make_settings(blocked_tags="測試封鎖")) as server:
        await server.http.get("/v1/rank/week")
        assert _kept(server, "/v1/rank/week")

        assert (await server.http.get("/v1/info/900451")).status_code == 404

        assert not _kept(server, "/v1/rank/week")


async def test_memory_is_bounded_and_the_least_recently_used_goes_first(server: GraphQLClient) -> None:
    shortcuts = ResponseCacheMiddleware(most_bytes=10_000)
    for path in ("/a", "/b", "/c"):
        shortcuts.keep(_request(server.app, path), Response(b"x" * 1000), 10)
    assert shortcuts.find(_request(server.app, "/a").scope) is not None

    shortcuts.keep(_request(server.app, "/d"), Response(b"x" * 1000), 10)

    there = [path for path in ("/a", "/b", "/c", "/d") if shortcuts.find(_request(server.app, path).scope)]
    assert there == ["/a", "/c", "/d"]


async def test_a_large_body_and_one_whose_time_is_over_are_not_kept(server: GraphQLClient) -> None:
    shortcuts = ResponseCacheMiddleware()
    shortcuts.keep(_request(server.app, "/large"), Response(b"x" * (LARGEST_BYTES + 1)), 10)
    shortcuts.keep(_request(server.app, "/stale"), Response(b"x"), 0)

    assert shortcuts.find(_request(server.app, "/large").scope) is None
    assert shortcuts.find(_request(server.app, "/stale").scope) is None


def _request(app: Starlette, path: str) -> Request:
    scope = {
        "type": "http",
        "method": "GET",
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
        "app": app,
    }
    return Request(scope)
