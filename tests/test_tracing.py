"""Traces: requests, calls to the site and downloads, exported to OpenTelemetry only where it is configured."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from services.observability import telemetry
from tests.graphql_client import GraphQLClient, running_worker
from tests.persons import a_person, bearer
from tests.waiting import until

pytestmark = pytest.mark.anyio

START = 'mutation { startDownload(input: { albumId: "163348" }) { ... on Download { id } } }'


def _attributes(span: ReadableSpan) -> Mapping[str, Any]:
    return dict(span.attributes or {})


def _named(exporter: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [span for span in exporter.get_finished_spans() if span.name == name]


async def test_a_request_its_calls_to_the_site_and_its_download_are_traced(server: GraphQLClient) -> None:
    exporter = InMemorySpanExporter()
    with telemetry(SimpleSpanProcessor(exporter)):
        async with running_worker(server.services):
            await server.http.post("/graphql", json={"query": START}, headers={"X-Request-ID": "request-1"})
            await until(lambda: bool(_named(exporter, "download")))

    [request] = _named(exporter, "request")
    [download] = _named(exporter, "download")
    calls = _named(exporter, "site")
    assert _attributes(request) == {
        "http.request.method": "POST",
        "http.route": "/graphql",
        "http.response.status_code": 200,
        "jmgraph.request_id": "request-1",
    }
    assert _attributes(download)["jmgraph.request_id"] == "request-1"
    assert {_attributes(call)["jmgraph.outcome"] for call in calls} == {"OK"}
    parents = {call.parent.span_id for call in calls if call.parent}
    assert request.context.span_id in parents
    assert download.context.span_id in parents
    assert all(0 < (call.end_time or 0) - (call.start_time or 0) < 60e9 for call in calls)


async def test_no_span_has_a_secret_or_a_name(server: GraphQLClient) -> None:
    exporter = InMemorySpanExporter()
    with telemetry(SimpleSpanProcessor(exporter)):
        person = await a_person(server.services, "quillfeather")
        connect = (
            'mutation { connectSiteAccount(input: {username: "reader", password: "correct-horse"}) { __typename } }'
        )
        await server.answer(connect, headers=person.headers)
        await server.answer("{ viewer { siteAccount { favorites { total } } } }", headers=person.headers)
        await server.answer("{ viewer { user { name } } }", headers=bearer("jmg_" + "x" * 43))

    said = "".join(span.to_json() for span in exporter.get_finished_spans())
    calls = [dict(span.attributes or {}) for span in exporter.get_finished_spans() if span.name == "site"]
    secrets = ("quillfeather", "correct-horse", "reader", person.session, "x" * 43, "AVS")
    assert len(calls) >= 2
    assert [secret for secret in secrets if secret in said] == []


def test_the_sdk_is_not_imported_unless_it_is_configured() -> None:
    code = "import sys, app, worker; print([name for name in sys.modules if name.startswith('opentelemetry.sdk')])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
