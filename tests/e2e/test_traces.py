"""Traces, from processes of ours to a collector."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.conftest import Environ
from tests.e2e_processes import ask, command, wait_until_ready
from tests.otlp_collector import otlp_collector
from tests.waiting import wait_until

START = 'mutation { startDownload(input: { albumId: "600100" }) { ... on Download { id } } }'
READ = "query ($id: ID!) { download(id: $id) { state progress { pagesTotal } } }"


def test_one_trace_leads_from_the_request_over_the_queue_to_each_page(environ: Environ, tmp_path: Path) -> None:
    with (
        otlp_collector() as collector,
        command(tmp_path / "up", "up", **environ(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)) as up,
    ):
        wait_until_ready(up)
        id = ask(up.base, START)["startDownload"]["id"]
        wait_until(lambda: ask(up.base, READ, id=id)["download"]["state"] == "READY")
        page_count = ask(up.base, READ, id=id)["download"]["progress"]["pagesTotal"]
        assert up.stop().code == 0

    [download] = collector.named("download", jmgraph__download=id)
    [request] = [span for span in collector.named("request", http__route="/graphql") if span.id == download.parent]
    pages = [span for span in collector.named("site", jmgraph__role="IMAGE") if span.parent == download.id]
    assert (request.parent, request.attributes["http.request.method"]) == ("", "POST")
    assert {span.trace for span in (request, download, *pages)} == {request.trace}
    assert len(pages) == page_count == 8
    assert {span.attributes["jmgraph.request_id"] for span in (request, download, *pages)} == {
        request.attributes["jmgraph.request_id"]
    }
