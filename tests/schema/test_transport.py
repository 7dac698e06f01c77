"""GraphQL over HTTP: methods, media types, caches, persisted queries."""

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
MUTATION = 'mutation { cancelDownload(id: "x") { __typename } }'


async def test_a_query_over_get_has_an_etag_and_is_revalidated(server: GraphQLClient) -> None:
    first = await server.http.get("/graphql", params={"query": QUERY})
    etag = first.headers["etag"]
    known = [("If-None-Match", '"another"'), ("If-None-Match", etag)]  # a list may have lines
    again = await server.http.get("/graphql", params={"query": QUERY}, headers=known)

    assert first.status_code == 200
    assert first.headers["cache-control"].startswith("public, max-age=")
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == etag


async def test_each_response_has_its_own_statistics(server: GraphQLClient) -> None:
    first = (await server.answer(QUERY))["extensions"]["jmgraph"]
    again = (await server.answer(QUERY))["extensions"]["jmgraph"]

    assert (first["upstreamCalls"], first["budgetLeft"]) == (1, 119)
    assert (again["upstreamCalls"], again["cacheHits"], again["budgetLeft"]) == (0, 1, 120)


async def test_a_result_as_an_event_has_statistics(server: GraphQLClient) -> None:
    response = await server.http.post("/graphql", json={"query": QUERY}, headers={"Accept": "text/event-stream"})
    answer = json.loads(response.text.partition("data: ")[2].partition("\n")[0])

    assert answer["data"]["album"]["id"] == "350234"
    assert (answer["extensions"]["jmgraph"]["upstreamCalls"], answer["extensions"]["jmgraph"]["budgetLeft"]) == (
        1,
        119,
    )


async def test_a_response_about_downloads_is_never_cached(server: GraphQLClient) -> None:
    response = await server.http.get("/graphql", params={"query": "{ downloads { totalCount } }"})

    assert response.headers["cache-control"] == "private, no-store"
    assert "etag" not in response.headers


async def test_a_cached_response_is_the_same_compressed_or_not(server: GraphQLClient) -> None:
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
async def test_a_response_is_compressed_only_for_clients_that_accept_it(
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
async def test_a_response_has_the_preferred_media_type(server: GraphQLClient, accepted: str, media_type: str) -> None:
    response = await server.http.post("/graphql", json={"query": QUERY}, headers={"Accept": accepted})

    assert response.headers["content-type"] == media_type


async def test_a_mutation_over_get_is_405_with_allow(server: GraphQLClient) -> None:
    response = await server.http.get("/graphql", params={"query": MUTATION})

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
async def test_an_invalid_request_is_refused_in_json(
    server: GraphQLClient, body: bytes, content_type: str, status: int
) -> None:
    response = await server.http.post("/graphql", content=body, headers={"Content-Type": content_type})

    assert response.status_code == status
    assert response.headers["content-type"] == "application/json"
    assert response.json()["errors"][0]["extensions"] == {"code": "BAD_REQUEST", "retryable": False}


async def test_the_newer_media_type_has_status_400_for_invalid_documents(server: GraphQLClient) -> None:
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
async def test_a_refused_operation_has_no_data(
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
async def test_a_stream_refuses_several_operations_and_none_named(server: GraphQLClient, method: str) -> None:
    text = 'mutation A { cancelDownload(id: "x") { __typename } } mutation B { retryFailedDownloads { id } }'
    arguments: dict[str, Any] = {"params": {"query": text}} if method == "GET" else {"json": {"query": text}}
    response = await server.http.request(method, "/graphql", headers={"Accept": "text/event-stream"}, **arguments)

    assert '"code":"BAD_REQUEST"' in response.text
    assert "DownloadNotFound" not in response.text


async def test_an_operation_that_failed_while_it_ran_has_data_and_status_200(server: GraphQLClient) -> None:
    body = {"query": "query ($page: Int) { ranking(page: $page) { page } }", "variables": {"page": None}}
    response = await server.http.post("/graphql", json=body, headers={"Accept": "application/graphql-response+json"})

    assert response.status_code == 200
    assert response.json()["data"] is None
    assert response.json()["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"


async def test_a_known_body_is_still_refused_under_another_media_type(server: GraphQLClient) -> None:
    body = json.dumps({"query": QUERY})
    read = await server.http.post("/graphql", content=body, headers={"Content-Type": "application/json"})
    form = await server.http.post("/graphql", content=body, headers={"Content-Type": "text/plain"})

    assert (read.status_code, form.status_code) == (200, 415)


async def test_only_a_browser_gets_the_graphiql_page(server: GraphQLClient) -> None:
    page = await server.http.get("/graphql", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    program = await server.http.get("/graphql", params={"query": QUERY}, headers={"Accept": "*/*"})

    assert page.headers["content-type"].startswith("text/html")
    assert program.headers["content-type"] == "application/json"


async def test_a_persisted_query_is_sent_once_and_then_named_by_its_hash(server: GraphQLClient) -> None:
    sha256 = hashlib.sha256(QUERY.encode()).hexdigest()
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": sha256}}

    unknown = await server.http.post("/graphql", json={"extensions": extensions})
    sent = await server.http.post("/graphql", json={"query": QUERY, "extensions": extensions})
    named = await server.http.get("/graphql", params={"extensions": json.dumps(extensions)})

    assert unknown.json()["errors"][0]["message"] == "PersistedQueryNotFound"
    assert unknown.json()["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
    assert sent.json()["data"] == named.json()["data"]


async def test_an_overlong_query_runs_but_is_not_persisted(server: GraphQLClient) -> None:
    query = "{ ehtag { version } } #" + "x" * 70_000
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": hashlib.sha256(query.encode()).hexdigest()}}

    sent = await server.http.post("/graphql", json={"query": query, "extensions": extensions})
    named = await server.http.post("/graphql", json={"extensions": extensions})

    assert sent.json()["data"] == {"ehtag": {"version": 7}}
    assert named.json()["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"


async def test_a_hash_of_another_query_is_refused(server: GraphQLClient) -> None:
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}
    response = await server.http.post("/graphql", json={"query": QUERY, "extensions": extensions})

    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


async def test_errors_of_any_path_are_json_without_a_traceback(server: GraphQLClient) -> None:
    for path in ("/nothing", "/v2/x", "/downloads/a/b", "/images/covers/x", "/images/pages/1/0", "/assets/../x"):
        response = await server.http.get(path)

        assert response.status_code in (400, 404), path
        body: dict[str, Any] = response.json()
        assert {"code", "message"} <= set(body), path


async def test_health_reports_redis_and_workers(server: GraphQLClient) -> None:
    assert (await server.http.get("/healthz")).json() == {"status": "ok"}
    ready = (await server.http.get("/readyz")).json()

    assert ready["status"] == "degraded"  # without a worker
    assert ready["checks"]["redis"]["status"] == "ok"
    assert ready["checks"]["worker"] == {"status": "down", "workers": 0, "queued": 0}


async def test_reads_work_while_redis_is_unavailable(make_settings: Callable[..., Settings]) -> None:
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
