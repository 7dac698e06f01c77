"""The shared cache of whole responses: what it stores, whom it answers, and when it stops."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from rest.middleware import ResponseCacheMiddleware
from services.settings import Settings
from tests.graphql_client import GraphQLClient, graphql_client

pytestmark = pytest.mark.anyio

INFO = "/v1/info/350234"
PUBLIC = {"Cache-Control": "public, max-age=60"}


class Counted:
    """An application that counts its requests, and answers each with the number of it, or with `body`."""

    def __init__(self, headers: dict[str, str] | None = None, status: int = 200, body: bytes | None = None) -> None:
        self.headers = PUBLIC if headers is None else headers
        self.status = status
        self.body = body
        self.requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.requests += 1
        body = str(self.requests).encode() if self.body is None else self.body
        await Response(body, self.status, self.headers)(scope, receive, send)


def client_of(app: ASGIApp, version: Callable[[], Hashable] = lambda: 0, **limits: int) -> httpx.AsyncClient:
    """A client of the application behind the cache."""
    cached = ResponseCacheMiddleware(app, version, **limits)
    return httpx.AsyncClient(transport=httpx.ASGITransport(cached), base_url="http://comics.test")


async def test_a_response_is_given_again_as_it_was_with_its_age(server: GraphQLClient) -> None:
    first = await server.http.get(INFO)
    again = await server.http.get(INFO)

    assert (again.status_code, again.content) == (200, first.content)
    assert "age" not in first.headers
    assert again.headers["age"] == "0"
    assert again.headers["content-type"] == "application/json"
    assert again.headers["cache-control"] == first.headers["cache-control"]
    assert again.headers["x-request-id"] != first.headers["x-request-id"]


@pytest.mark.parametrize(
    ("cache_control", "is_stored"),
    [
        ("public, max-age=60", True),
        ("Public, Max-Age=60, immutable", True),
        ("public, max-age=0, s-maxage=60", True),
        ("public, max-age=60, s-maxage=0", False),
        ("public", False),
        ("public, max-age=x", False),
        ("max-age=60", False),
        ("private, max-age=60", False),
        ("public, no-cache, max-age=60", False),
        ("public, no-store, max-age=60", False),
        ('public, no-cache="Set-Cookie", max-age=60', False),
    ],
)
async def test_only_public_responses_with_a_lifetime_are_stored(cache_control: str, is_stored: bool) -> None:
    app = Counted({"Cache-Control": cache_control})
    async with client_of(app) as client:
        answers = [(await client.get("/")).text for _ in range(2)]

    assert answers == (["1", "1"] if is_stored else ["1", "2"])


@pytest.mark.parametrize(
    "app",
    [
        Counted({}),
        Counted({**PUBLIC, "Set-Cookie": "session=1"}),
        Counted({**PUBLIC, "Warning": '110 - "Response is Stale"'}),
        Counted({**PUBLIC, "Vary": "*"}),
        Counted({**PUBLIC, "Age": "60"}),
        Counted(status=404),
        Counted(body=b"x" * (64 * 1024 + 1)),
    ],
)
async def test_other_responses_are_never_stored(app: Counted) -> None:
    async with client_of(app) as client:
        for _ in range(2):
            await client.get("/")

    assert app.requests == 2


@pytest.mark.parametrize(("method", "url"), [("POST", "/"), ("OPTIONS", "/"), ("GET", "/?page=2"), ("HEAD", "/new")])
async def test_requests_with_a_query_or_another_method_are_passed_on(method: str, url: str) -> None:
    app = Counted()
    async with client_of(app) as client:
        await client.get("/")
        for _ in range(2):
            await client.request(method, url)

    assert app.requests == 3


async def test_a_range_is_passed_on() -> None:
    app = Counted()
    async with client_of(app) as client:
        await client.get("/")
        await client.get("/", headers={"Range": "bytes=0-0"})

    assert app.requests == 2


async def test_head_is_answered_without_a_body() -> None:
    app = Counted(body=b"picture")
    async with client_of(app) as client:
        await client.get("/")
        head = await client.head("/")

    assert (app.requests, head.status_code, head.content) == (1, 200, b"")
    assert head.headers["content-length"] == "7"


@pytest.mark.parametrize("condition", ['"3f2a"', 'W/"3f2a"', '"0b1c", "3f2a"', "*"])
async def test_a_client_that_has_the_response_gets_304(condition: str) -> None:
    app = Counted({**PUBLIC, "ETag": '"3f2a"', "Content-Type": "image/png"})
    async with client_of(app) as client:
        await client.get("/")
        known = await client.get("/", headers={"If-None-Match": condition})
        other = await client.get("/", headers={"If-None-Match": '"0b1c"'})

    assert (known.status_code, known.content, app.requests) == (304, b"", 1)
    assert dict(known.headers) == {"cache-control": "public, max-age=60", "etag": '"3f2a"', "age": "0"}
    assert (other.status_code, other.content) == (200, b"1")


async def test_each_variant_of_the_headers_that_vary_names_is_stored() -> None:
    async def negotiate(scope: Scope, receive: Receive, send: Send) -> None:
        accepted = Request(scope).headers.get("accept", "")
        await Response(f"{accepted} {next(numbers)}", headers={**PUBLIC, "Vary": "Accept"})(scope, receive, send)

    numbers = iter(range(9))
    async with client_of(negotiate) as client:
        accepted = ["image/webp", "image/jpeg", "image/webp", "image/jpeg"]
        answers = [(await client.get("/", headers={"Accept": accept})).text for accept in accepted]

    assert answers == ["image/webp 0", "image/jpeg 1", "image/webp 0", "image/jpeg 1"]


async def test_each_host_scheme_and_sub_path_has_responses_of_its_own() -> None:
    app = Counted()
    cached = ResponseCacheMiddleware(app, lambda: 0)
    for base in ("http://comics.test", "https://comics.test", "http://elsewhere.test", "http://comics.test"):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(cached), base_url=base) as client:
            await client.get("/")
    transport = httpx.ASGITransport(cached, root_path="/comics")
    async with httpx.AsyncClient(transport=transport, base_url="http://comics.test") as client:
        await client.get("/")

    assert app.requests == 4


async def test_nothing_is_used_once_the_version_has_moved() -> None:
    app, versions = Counted(), ["old"]
    async with client_of(app, lambda: versions[-1]) as client:
        first = await client.get("/")
        versions.append("new")
        second, third = await client.get("/"), await client.get("/")

    assert [first.text, second.text, third.text] == ["1", "2", "2"]


async def test_memory_is_bounded_and_the_least_recently_used_is_dropped() -> None:
    app = Counted(body=b"x" * 1000)
    async with client_of(app, max_total_bytes=10_000) as client:
        for path in ("/a", "/b", "/c", "/a", "/d"):
            await client.get(path)
        assert app.requests == 4

        for path in ("/a", "/c", "/d"):
            await client.get(path)
        assert app.requests == 4

        await client.get("/b")
        assert app.requests == 5


async def test_a_body_in_parts_is_stored_when_it_is_complete() -> None:
    requests = []

    async def stream(scope: Scope, receive: Receive, send: Send) -> None:
        requests.append(scope["path"])

        async def parts() -> Any:
            yield b"ab"
            yield b"cd"
            if scope["path"] == "/broken":
                raise ConnectionError

        await StreamingResponse(parts(), headers=PUBLIC)(scope, receive, send)

    async with client_of(stream) as client:
        assert [(await client.get("/whole")).text for _ in range(2)] == ["abcd", "abcd"]
        for _ in range(2):
            with pytest.raises(Exception):  # noqa: B017 (whatever the transport makes of it)
                await client.get("/broken")

    assert requests == ["/whole", "/broken", "/broken"]


@pytest.mark.parametrize(
    "headers", [{"Authorization": "Bearer x"}, {"Cookie": "session=1"}, {"X-Request-ID": "mine"}]
)
async def test_what_is_public_is_public_for_everybody(server: GraphQLClient, headers: dict[str, str]) -> None:
    first = await server.http.get(INFO)

    again = await server.http.get(INFO, headers=headers)

    assert again.content == first.content
    assert "age" in again.headers
    assert again.headers["x-request-id"] == headers.get("X-Request-ID", again.headers["x-request-id"])


async def test_an_unknown_host_gets_nothing_that_was_stored_for_another(server: GraphQLClient) -> None:
    await server.http.get(INFO)

    response = await server.http.get(INFO, headers={"Host": "elsewhere.example"})

    assert response.status_code == 400


async def test_pages_of_other_origins_may_read_what_was_stored(server: GraphQLClient) -> None:
    await server.http.get(INFO)

    foreign = await server.http.get(INFO, headers={"Origin": "https://elsewhere.example"})

    assert foreign.headers["access-control-allow-origin"] == "*"
    assert "age" in foreign.headers


async def test_an_error_is_not_stored(server: GraphQLClient) -> None:
    for _ in range(2):
        response = await server.http.get("/v1/info/900404")

        assert response.status_code == 404
        assert "age" not in response.headers


async def test_what_was_stored_is_dropped_when_the_policy_learns_of_an_album_to_withhold(
    make_settings: Callable[..., Settings],
) -> None:
    async with graphql_client(make_settings(blocked_tags="測試封鎖")) as server:
        for _ in range(2):
            stored = await server.http.get("/v1/rank/week")
        assert "age" in stored.headers

        assert (await server.http.get("/v1/info/900451")).status_code == 404

        fresh = await server.http.get("/v1/rank/week")
        assert "age" not in fresh.headers


async def test_graphql_over_get_is_left_to_its_own_cache(server: GraphQLClient) -> None:
    parameters = {"query": "{ __typename }"}
    for _ in range(2):
        response = await server.http.get("/graphql", params=parameters)

        assert response.headers["cache-control"].startswith("public, max-age=")
        assert "cacheHits" in response.text
