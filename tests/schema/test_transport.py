"""GraphQL over HTTP: methods, media types, caches, persisted queries, who may change state."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from services.settings import Settings
from tests.graphql_client import GraphQLClient, graphql_client

pytestmark = pytest.mark.anyio

QUERY = '{ album(id: "350234") { id title } }'
CHANGE = 'mutation { cancelDownload(id: "x") { __typename } }'


async def test_a_query_over_get_can_be_kept_and_asked_again(server: GraphQLClient) -> None:
    first = await server.http.get("/graphql", params={"query": QUERY})
    etag = first.headers["etag"]
    known = [("If-None-Match", '"another"'), ("If-None-Match", etag)]  # a list may have lines
    again = await server.http.get("/graphql", params={"query": QUERY}, headers=known)

    assert first.status_code == 200
    assert first.headers["cache-control"].startswith("public, max-age=")
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == etag


async def test_the_figures_of_an_answer_are_its_own(server: GraphQLClient) -> None:
    first = (await server.answer(QUERY))["extensions"]["jmgraph"]
    again = (await server.answer(QUERY))["extensions"]["jmgraph"]

    assert (first["upstreamCalls"], first["budgetLeft"]) == (1, 119)
    assert (again["upstreamCalls"], again["cacheHits"], again["budgetLeft"]) == (0, 1, 120)


async def test_an_answer_as_an_event_tells_its_figures(server: GraphQLClient) -> None:
    response = await server.http.post("/graphql", json={"query": QUERY}, headers={"Accept": "text/event-stream"})
    answer = json.loads(response.text.partition("data: ")[2].partition("\n")[0])

    assert answer["data"]["album"]["id"] == "350234"
    assert (answer["extensions"]["jmgraph"]["upstreamCalls"], answer["extensions"]["jmgraph"]["budgetLeft"]) == (
        1,
        119,
    )


async def test_what_belongs_to_downloads_is_never_kept(server: GraphQLClient) -> None:
    response = await server.http.get("/graphql", params={"query": "{ downloads { totalCount } }"})

    assert response.headers["cache-control"] == "no-store"
    assert "etag" not in response.headers


async def test_a_cached_answer_is_the_same_compressed_or_not(server: GraphQLClient) -> None:
    query = "{ ranking { entries { rank album { id title } } } }"
    plain = await server.http.post("/graphql", json={"query": query}, headers={"Accept-Encoding": "identity"})
    async with server.http.stream(
        "POST", "/graphql", json={"query": query}, headers={"Accept-Encoding": "gzip"}
    ) as response:
        raw = b"".join([chunk async for chunk in response.aiter_raw()])

    assert response.headers["content-encoding"] == "gzip"
    assert len(raw) == int(response.headers["content-length"])
    assert json.loads(gzip.decompress(raw))["data"] == plain.json()["data"]


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip", "gzip"),
        ("br;q=1.0, GZIP;q=0.5", "gzip"),
        ("*", "gzip"),
        ("gzip;q=0", None),
        ("br, gzip; q=0.000", None),
        ("identity", None),
    ],
)
async def test_an_answer_is_compressed_only_for_who_takes_it(
    server: GraphQLClient, accepted: str, encoding: str | None
) -> None:
    query = "{ ranking { entries { rank album { id title } } } }"
    response = await server.http.post("/graphql", json={"query": query}, headers={"Accept-Encoding": accepted})

    assert response.headers.get("content-encoding") == encoding


@pytest.mark.parametrize(
    ("accepted", "media_type"),
    [
        ("application/graphql-response+json, application/json;q=0.9", "application/graphql-response+json"),
        ("Application/GraphQL-Response+JSON; charset=utf-8", "application/graphql-response+json"),
        ("application/json, application/graphql-response+json;q=0", "application/json"),
        ("application/graphql-response+json;q=0.5, application/json", "application/json"),
        ("*/*", "application/json"),
    ],
)
async def test_an_answer_has_the_media_type_that_is_preferred(
    server: GraphQLClient, accepted: str, media_type: str
) -> None:
    response = await server.http.post("/graphql", json={"query": QUERY}, headers={"Accept": accepted})

    assert response.headers["content-type"] == media_type


async def test_a_mutation_over_get_is_refused_with_the_method_that_works(server: GraphQLClient) -> None:
    response = await server.http.get("/graphql", params={"query": CHANGE})

    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"{}", "application/json", 400),
        (b'{"query": 1}', "application/json", 400),
        (b'{"query": "{a}", "variables": []}', "application/json", 400),
        (b'{"query": "query A {ehtag{version}} query B {ehtag{version}}"}', "application/json", 400),
        (b'{"query": "subscription { ehtagUpdated { version } }"}', "application/json", 400),
        (
            b'{"query": "{ __typename }", "variables": {"a": ' + b"[" * 900 + b"]" * 900 + b"}}",
            "application/json",
            400,
        ),
        (b'{"query": "{a}"}', "text/plain", 415),
        (b" " * ((1 << 20) + 1), "application/json", 413),
    ],
)
async def test_what_is_no_request_is_told_as_json(
    server: GraphQLClient, body: bytes, content_type: str, status: int
) -> None:
    response = await server.http.post("/graphql", content=body, headers={"Content-Type": content_type})

    assert response.status_code == status
    assert response.headers["content-type"] == "application/json"
    assert response.json()["errors"][0]["extensions"] == {"code": "BAD_REQUEST", "retryable": False}


async def test_clients_of_the_newer_media_type_get_it_and_its_status(server: GraphQLClient) -> None:
    headers = {"Accept": "application/graphql-response+json"}
    good = await server.http.post("/graphql", json={"query": QUERY}, headers=headers)
    bad = await server.http.post("/graphql", json={"query": "{ nothing }"}, headers=headers)

    assert good.headers["content-type"] == bad.headers["content-type"] == "application/graphql-response+json"
    assert (good.status_code, bad.status_code) == (200, 400)


@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        ("{", {}, "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("query ($page: Int!) { ranking(page: $page) { page } }", {"page": "x"}, "GRAPHQL_VALIDATION_FAILED"),
        ("{ ranking { entries { album { related { pageCount } } } } }", {}, "OPERATION_TOO_COSTLY"),
    ],
)
async def test_what_never_ran_has_no_data_and_says_so_by_its_status(
    server: GraphQLClient, query: str, variables: dict[str, Any], code: str
) -> None:
    body = {"query": query, "variables": variables}
    old = await server.http.post("/graphql", json=body)
    new = await server.http.post("/graphql", json=body, headers={"Accept": "application/graphql-response+json"})

    assert (old.status_code, new.status_code) == (200, 400)
    for answer in (old.json(), new.json()):
        assert "data" not in answer
        assert answer["errors"][0]["extensions"]["code"] == code


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_stream_runs_no_operation_that_was_not_named(server: GraphQLClient, method: str) -> None:
    text = 'mutation A { cancelDownload(id: "x") { __typename } } mutation B { retryFailedDownloads { id } }'
    asked_for: dict[str, Any] = {"params": {"query": text}} if method == "GET" else {"json": {"query": text}}
    response = await server.http.request(method, "/graphql", headers={"Accept": "text/event-stream"}, **asked_for)

    assert '"code":"BAD_REQUEST"' in response.text
    assert "DownloadNotFound" not in response.text


async def test_what_failed_while_it_ran_has_data_and_a_good_status(server: GraphQLClient) -> None:
    body = {"query": "query ($page: Int) { ranking(page: $page) { page } }", "variables": {"page": None}}
    response = await server.http.post("/graphql", json=body, headers={"Accept": "application/graphql-response+json"})

    assert response.status_code == 200
    assert response.json()["data"] is None
    assert response.json()["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_a_body_that_was_read_before_is_still_no_json_under_another_type(server: GraphQLClient) -> None:
    body = json.dumps({"query": QUERY})
    read = await server.http.post("/graphql", content=body, headers={"Content-Type": "application/json"})
    form = await server.http.post("/graphql", content=body, headers={"Content-Type": "text/plain"})

    assert (read.status_code, form.status_code) == (200, 415)


async def test_a_browser_gets_the_page_and_a_program_does_not(server: GraphQLClient) -> None:
    page = await server.http.get("/graphql", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    program = await server.http.get("/graphql", params={"query": QUERY}, headers={"Accept": "*/*"})

    assert page.headers["content-type"].startswith("text/html")
    assert program.headers["content-type"] == "application/json"


async def test_a_persisted_query_is_sent_once_and_then_named(server: GraphQLClient) -> None:
    sha256 = hashlib.sha256(QUERY.encode()).hexdigest()
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": sha256}}

    unknown = await server.http.post("/graphql", json={"extensions": extensions})
    sent = await server.http.post("/graphql", json={"query": QUERY, "extensions": extensions})
    named = await server.http.get("/graphql", params={"extensions": json.dumps(extensions)})

    assert unknown.json()["errors"][0]["message"] == "PersistedQueryNotFound"
    assert unknown.json()["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
    assert sent.json()["data"] == named.json()["data"]


async def test_a_query_of_no_honest_length_runs_but_is_not_kept(server: GraphQLClient) -> None:
    query = "{ ehtag { version } } #" + "x" * 70_000
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": hashlib.sha256(query.encode()).hexdigest()}}

    sent = await server.http.post("/graphql", json={"query": query, "extensions": extensions})
    named = await server.http.post("/graphql", json={"extensions": extensions})

    assert sent.json()["data"] == {"ehtag": {"version": 7}}
    assert named.json()["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"


async def test_a_hash_that_is_not_the_querys_is_refused(server: GraphQLClient) -> None:
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}
    response = await server.http.post("/graphql", json={"query": QUERY, "extensions": extensions})

    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null", "http://127.0.0.1:11112"])
async def test_a_foreign_page_may_read_but_change_nothing(server: GraphQLClient, origin: str) -> None:
    read = await server.http.post("/graphql", json={"query": QUERY}, headers={"Origin": origin})
    change = await server.http.post("/graphql", json={"query": CHANGE}, headers={"Origin": origin})

    assert read.status_code == 200
    assert read.headers["access-control-allow-origin"] == "*"
    assert (change.status_code, change.json()["errors"][0]["extensions"]["code"]) == (403, "FORBIDDEN")


@pytest.mark.parametrize("headers", [{}, {"Origin": "http://127.0.0.1:11111"}])
async def test_our_own_page_and_programs_may_change_state(server: GraphQLClient, headers: dict[str, str]) -> None:
    response = await server.http.post("/graphql", json={"query": CHANGE}, headers=headers)

    assert response.json()["data"] == {"cancelDownload": {"__typename": "DownloadNotFound"}}


async def test_pages_of_the_public_address_and_of_the_one_asked_are_our_own(
    make_settings: Callable[..., Settings],
) -> None:
    async with graphql_client(make_settings(public_url="https://comics.example/jm")) as server:
        for origin, status in (
            ("https://comics.example", 200),
            ("http://127.0.0.1:11111", 200),
            ("http://comics.example", 403),
        ):
            headers = {"Origin": origin}
            response = await server.http.post("/graphql", json={"query": CHANGE}, headers=headers)

            assert response.status_code == status, origin


async def test_a_host_with_keys_asks_for_one(make_settings: Callable[..., Settings]) -> None:
    async with graphql_client(
        make_settings(api_keys="first, second", cors_origins="https://friend.example")
    ) as server:

        async def status(**headers: str) -> int:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return (await server.http.post("/graphql", json={"query": CHANGE}, headers=named)).status_code

        assert await status() == 401
        assert await status(X_API_Key="third") == 401
        assert await status(X_API_Key="second") == 200
        assert await status(Authorization="Bearer first") == 200
        assert await status(X_API_Key="first", Origin="https://friend.example") == 200
        assert await status(X_API_Key="first", Origin="https://foe.example") == 403
        assert (await server.answer(QUERY))["data"]["album"]["id"] == "350234"


async def test_a_key_may_be_of_any_letters(make_settings: Callable[..., Settings]) -> None:
    async with graphql_client(make_settings(api_keys="開門")) as server:
        for name, value in (("X-API-Key", "開門"), ("Authorization", "Bearer 開門")):
            named = [(name.encode(), value.encode())]
            response = await server.http.post("/graphql", json={"query": CHANGE}, headers=named)
            assert response.status_code == 200


async def test_no_origin_is_foreign_even_where_ours_is_unknown(make_settings: Callable[..., Settings]) -> None:
    async with graphql_client(make_settings(allowed_hosts="*")) as server:
        headers = {"Host": "a:b", "Origin": "null"}
        response = await server.http.post("/graphql", json={"query": CHANGE}, headers=headers)

    assert response.status_code == 403


async def test_a_preflight_for_another_method_is_refused_in_json(server: GraphQLClient) -> None:
    asked_for = {"Origin": "http://friend.example", "Access-Control-Request-Method": "PUT"}

    response = await server.http.options("/v1/health", headers=asked_for)

    assert (response.status_code, response.headers["content-type"]) == (400, "application/json")
    assert response.json() == {"code": "BAD_REQUEST", "message": "Disallowed CORS method", "retryable": False}
    assert response.headers["access-control-allow-methods"] == "GET, HEAD, POST, OPTIONS"


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
async def test_only_known_host_names_are_answered(server: GraphQLClient, host: str, status: int) -> None:
    response = await server.http.get("/healthz", headers={"Host": host})

    assert response.status_code == status
    if status == 400:
        assert "JMGRAPH_ALLOWED_HOSTS" in response.json()["message"]


async def test_addresses_follow_a_trusted_proxy(server: GraphQLClient) -> None:
    headers = {
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "comics.example",
        "X-Forwarded-Prefix": "/jm",
    }
    response = await server.http.post(
        "/graphql", json={"query": '{ album(id: "350234") { cover { url } } }'}, headers=headers
    )

    assert response.json()["data"]["album"]["cover"]["url"] == "https://comics.example/jm/images/covers/350234"


async def test_a_page_of_a_rebound_name_can_not_play_the_proxy(server: GraphQLClient) -> None:
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


async def test_a_stranger_is_no_proxy(make_settings: Callable[..., Settings]) -> None:
    async with graphql_client(make_settings(trusted_proxies="10.0.0.0/8")) as server:
        response = await server.http.post(
            "/graphql",
            json={"query": '{ album(id: "350234") { cover { url } } }'},
            headers={"X-Forwarded-Host": "evil.example", "X-Forwarded-Prefix": "/x"},
        )

    assert response.json()["data"]["album"]["cover"]["url"] == "http://127.0.0.1:11111/images/covers/350234"


async def test_nothing_is_answered_with_a_trace_or_a_page_of_errors(server: GraphQLClient) -> None:
    for path in ("/nothing", "/v2/x", "/downloads/a/b", "/images/covers/x", "/images/pages/1/0", "/assets/../x"):
        response = await server.http.get(path)

        assert response.status_code in (400, 404), path
        body: dict[str, Any] = response.json()
        assert {"code", "message"} <= set(body), path


async def test_the_answers_of_health_are_small_and_true(server: GraphQLClient) -> None:
    assert (await server.http.get("/healthz")).json() == {"status": "ok"}
    ready = (await server.http.get("/readyz")).json()

    assert ready["status"] == "degraded"  # no worker is there
    assert ready["checks"]["redis"]["status"] == "ok"
    assert ready["checks"]["worker"] == {"status": "down", "workers": 0, "queued": 0}


async def test_a_redis_that_is_away_slows_and_breaks_no_read(make_settings: Callable[..., Settings]) -> None:
    async with graphql_client(make_settings(redis_url="redis://127.0.0.1:1/0")) as server:
        assert (await server.ask(QUERY))["album"]["id"] == "350234"
        listed = await server.ask('{ search(query: "350234") { items { title downloads { id } } } }')
        refused = await server.ask(
            'mutation { startDownload(input: {albumId: "350234"}) { __typename ... on Error { code retryable } } }'
        )
        ready = await server.http.get("/readyz")

    assert listed["search"]["items"] == [{"title": "雨林深處的一天", "downloads": []}]
    assert refused["startDownload"] == {"__typename": "QueueRejected", "code": "QUEUE_UNAVAILABLE", "retryable": True}
    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
