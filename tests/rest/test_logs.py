"""The log names what people read by numbers and ids, never by title or name, and has no secrets."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator

import pytest
import structlog

from demo.server import RunningDemo
from services.observability import set_up_log
from services.settings import Settings
from tests.graphql_client import graphql_client, running_worker
from tests.waiting import until

pytestmark = pytest.mark.anyio

TITLE = '{ album(id: "350234") { title } broken: album(id: "900200") { title } }'
START = 'mutation { startDownload(input: { albumId: "350234" }) { ... on Download { id } } }'
LOST = 'mutation { startDownload(input: { albumId: "900007" }) { ... on Download { id } } }'
TOKEN = "ghp_" + "secret" * 6


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """The log of this test as a host reads it, at level info."""
    words = io.StringIO()
    root, before = logging.getLogger(), structlog.get_config()
    handlers, level = list(root.handlers), root.level
    monkeypatch.setattr("sys.stderr", words)
    set_up_log("info", "json")
    yield words
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.configure(**before)


async def test_no_title_and_no_token_is_in_the_log(
    make_settings: Callable[..., Settings], demo: RunningDemo, log: io.StringIO
) -> None:
    async with graphql_client(make_settings()) as server, running_worker(server.services):
        data = (await server.answer(TITLE))["data"]
        await server.http.get("/v1/search/火車/1")
        await server.http.put("/api/database/female/glasses", json={}, headers={"X-Token": TOKEN, "If-Match": '"x"'})
        for mutation in (START, LOST):
            await server.http.post("/graphql", json={"query": mutation}, headers={"X-Request-ID": "request-1"})
        await until(lambda: "a download is ready" in log.getvalue() and "a download failed" in log.getvalue())

    words = log.getvalue()
    events = [json.loads(line) for line in words.splitlines()]
    assert data["album"]["title"] not in words
    assert "示範" not in words
    assert "火車" not in words
    assert TOKEN not in words
    [ready] = [event for event in events if event["event"] == "a download is ready"]
    assert ready["request_id"] == "request-1"
    assert ready["level"] == "info"


def test_values_under_secret_names_become_stars(log: io.StringIO) -> None:
    structlog.get_logger("jmgraph.test").warning("something happened", api_key="hidden", ehtag_token="hidden")

    [event] = [json.loads(line) for line in log.getvalue().splitlines()]
    assert (event["api_key"], event["ehtag_token"]) == ("**********", "**********")
