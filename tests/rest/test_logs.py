"""The log names what people read by numbers and ids, never by title or name, and has no secrets."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import structlog

from demo.server import RunningDemo
from services.observability import set_up_log
from services.settings import Settings
from tests.graphql_client import graphql_client, running_worker
from tests.processes import environment_of, start_processes
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


def test_no_person_password_or_session_of_the_site_is_in_the_log_at_any_level(
    demo: RunningDemo, redis_url: str, tmp_path: Path
) -> None:
    environment = environment_of(demo, redis_url, tmp_path / "data") | {"JMGRAPH_LOG_LEVEL": "debug"}
    credentials = {"username": "reader", "password": "correct-horse"}
    with start_processes(environment, tmp_path, apis=1, workers=0) as running, httpx.Client(timeout=30) as http:
        token = http.post(f"{running.url()}/v1/login", json=credentials).json()["token"]
        http.headers["Authorization"] = f"Bearer {token}"
        http.post(f"{running.url()}/graphql", json={"query": "mutation { checkInOnSite { __typename } }"})
        http.post(f"{running.url()}/v1/favorites/1208626")
        demo.knobs.set("api", failure="html")
        http.get(f"{running.url()}/v1/favorites/1")
        http.post(f"{running.url()}/v1/login", json=credentials)

    words = (tmp_path / "api-0.log").read_text("utf-8")
    sessions = {seen.session for seen in demo.requests if seen.session}
    assert "/daily?user_id=" in words
    assert "the site could not be used" in words
    assert len(sessions) == 1
    for secret in ("reader", "correct-horse", "5001", token, *sessions):
        assert secret not in words


def test_values_under_secret_names_become_stars(log: io.StringIO) -> None:
    structlog.get_logger("jmgraph.test").warning("something happened", api_key="hidden", ehtag_token="hidden")

    [event] = [json.loads(line) for line in log.getvalue().splitlines()]
    assert (event["api_key"], event["ehtag_token"]) == ("**********", "**********")
