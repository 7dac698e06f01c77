"""Who may read and write: origins, API keys, host names, proxies."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from services.settings import Settings
from tests.graphql_client import GraphQLClient, graphql_client

pytestmark = pytest.mark.anyio

QUERY = '{ album(id: "350234") { id title } }'
MUTATION = 'mutation { cancelDownload(id: "x") { __typename } }'


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null", "http://127.0.0.1:11112"])
async def test_a_page_of_a_foreign_origin_may_read_but_not_write(server: GraphQLClient, origin: str) -> None:
    read = await server.http.post("/graphql", json={"query": QUERY}, headers={"Origin": origin})
    change = await server.http.post("/graphql", json={"query": MUTATION}, headers={"Origin": origin})

    assert read.status_code == 200
    assert read.headers["access-control-allow-origin"] == "*"
    assert (change.status_code, change.json()["errors"][0]["extensions"]["code"]) == (403, "FORBIDDEN")


@pytest.mark.parametrize("headers", [{}, {"Origin": "http://127.0.0.1:11111"}])
async def test_our_own_page_and_programs_may_write(server: GraphQLClient, headers: dict[str, str]) -> None:
    response = await server.http.post("/graphql", json={"query": MUTATION}, headers=headers)

    assert response.json()["data"] == {"cancelDownload": {"__typename": "DownloadNotFound"}}


async def test_the_public_url_and_the_requested_one_are_our_own_origins(
    make_settings: Callable[..., Settings],
) -> None:
    async with graphql_client(make_settings(public_url="https://comics.example/jm")) as server:
        for origin, status in (
            ("https://comics.example", 200),
            ("http://127.0.0.1:11111", 200),
            ("http://comics.example", 403),
        ):
            headers = {"Origin": origin}
            response = await server.http.post("/graphql", json={"query": MUTATION}, headers=headers)

            assert response.status_code == status, origin


async def test_a_host_with_api_keys_requires_one_to_write(make_settings: Callable[..., Settings]) -> None:
    async with graphql_client(
        make_settings(api_keys="first, second", cors_origins="https://friend.example")
    ) as server:

        async def status(**headers: str) -> int:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return (await server.http.post("/graphql", json={"query": MUTATION}, headers=named)).status_code

        assert await status() == 401
        assert await status(X_API_Key="third") == 401
        assert await status(X_API_Key="second") == 200
        assert await status(Authorization="Bearer first") == 200
        assert await status(X_API_Key="first", Origin="https://friend.example") == 200
        assert await status(X_API_Key="first", Origin="https://foe.example") == 403
        assert (await server.answer(QUERY))["data"]["album"]["id"] == "350234"


async def test_an_api_key_may_have_any_characters(make_settings: Callable[..., Settings]) -> None:
    async with graphql_client(make_settings(api_keys="開門")) as server:
        for name, value in (("X-API-Key", "開門"), ("Authorization", "Bearer 開門")):
            named = [(name.encode(), value.encode())]
            response = await server.http.post("/graphql", json={"query": MUTATION}, headers=named)
            assert response.status_code == 200


async def test_the_null_origin_is_foreign_even_where_ours_is_unknown(make_settings: Callable[..., Settings]) -> None:
    async with graphql_client(make_settings(allowed_hosts="*")) as server:
        headers = {"Host": "a:b", "Origin": "null"}
        response = await server.http.post("/graphql", json={"query": MUTATION}, headers=headers)

    assert response.status_code == 403


async def test_a_preflight_for_another_method_is_refused_in_json(server: GraphQLClient) -> None:
    headers = {"Origin": "http://friend.example", "Access-Control-Request-Method": "PATCH"}

    response = await server.http.options("/v1/health", headers=headers)

    assert (response.status_code, response.headers["content-type"]) == (400, "application/json")
    assert response.json() == {"code": "BAD_REQUEST", "message": "Disallowed CORS method", "retryable": False}
    assert response.headers["access-control-allow-methods"] == "GET, HEAD, POST, PUT, DELETE, OPTIONS"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.example", 400),
        ("localhost:11111", 200),
        ("127.0.0.1", 200),
        ("[::1]:80", 200),
        ("192.168.1.9:11111", 200),
    ],
)
async def test_only_trusted_host_names_are_served(server: GraphQLClient, host: str, status: int) -> None:
    response = await server.http.get("/healthz", headers={"Host": host})

    assert response.status_code == status
    if status == 400:
        assert "JMGRAPH_ALLOWED_HOSTS" in response.json()["message"]


async def test_a_browser_at_an_unknown_host_name_gets_a_page_that_names_the_setting(server: GraphQLClient) -> None:
    browser = {"Host": "Comics.example:8080", "Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}

    page = await server.http.get("/", headers=browser)
    hostile = await server.http.get("/", headers={**browser, "Host": "<script>alert(1)</script>"})

    assert (page.status_code, page.headers["content-type"]) == (400, "text/html; charset=utf-8")
    assert page.headers["content-security-policy"] == "default-src 'none'"
    assert re.findall(r'lang="([\w-]+)"', page.text) == ["zh-Hans", "zh-Hant", "en"]
    assert page.text.count("<code>JMGRAPH_ALLOWED_HOSTS=comics.example</code>") == 3
    assert "<script>" not in hostile.text


@pytest.mark.parametrize("accept", ["*/*", "application/json", "application/json, text/html"])
async def test_a_program_at_an_unknown_host_name_gets_json(server: GraphQLClient, accept: str) -> None:
    response = await server.http.get("/", headers={"Host": "comics.example", "Accept": accept})

    assert (response.status_code, response.headers["vary"]) == (400, "Accept")
    assert response.json() == {
        "code": "BAD_REQUEST",
        "message": "This host name is not answered here; JMGRAPH_ALLOWED_HOSTS adds it.",
        "retryable": False,
    }


async def test_urls_follow_the_headers_of_a_trusted_proxy(server: GraphQLClient) -> None:
    headers = {
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "comics.example",
        "X-Forwarded-Prefix": "/jm",
    }
    response = await server.http.post(
        "/graphql", json={"query": '{ album(id: "350234") { cover { url } } }'}, headers=headers
    )

    assert response.json()["data"]["album"]["cover"]["url"] == "https://comics.example/jm/images/covers/350234"


async def test_dns_rebinding_can_not_use_proxy_headers(server: GraphQLClient) -> None:
    forged = {"Host": "evil.example", "X-Forwarded-Host": "localhost"}
    rebound = await server.http.get("/healthz", headers=forged)
    preflight = await server.http.options(
        "/graphql",
        headers={
            "Origin": "http://203.0.113.7",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type, X-Forwarded-Host",
        },
    )

    assert rebound.status_code == 400
    assert preflight.status_code == 403
    assert "access-control-allow-origin" not in preflight.headers


async def test_headers_of_an_untrusted_proxy_are_ignored(make_settings: Callable[..., Settings]) -> None:
    async with graphql_client(make_settings(trusted_proxies="10.0.0.0/8")) as server:
        response = await server.http.post(
            "/graphql",
            json={"query": '{ album(id: "350234") { cover { url } } }'},
            headers={"X-Forwarded-Host": "evil.example", "X-Forwarded-Prefix": "/x"},
        )

    assert response.json()["data"]["album"]["cover"]["url"] == "http://127.0.0.1:11111/images/covers/350234"
