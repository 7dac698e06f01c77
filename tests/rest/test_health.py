"""Stale answers while the site is down, and health while dependencies fail and recover."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import anyio
import httpx
import pytest

from app import build_app
from demo.server import RunningDemo
from services.redis import embedded_valkey
from services.settings import Settings
from tests.graphql_client import BASE, graphql_client, running_worker
from tests.waiting import DEADLINE_S

pytestmark = pytest.mark.anyio

START = """mutation { startDownload(input: { albumId: "163348" }) {
  ... on Download { state } ... on Error { code }
} }"""
SEARCH = '{ search(query: "火車") { total } }'


async def again_until(
    ask: Callable[[], Awaitable[httpx.Response]], condition: Callable[[httpx.Response], bool]
) -> httpx.Response:
    """The first response that satisfies a condition."""
    with anyio.fail_after(DEADLINE_S):
        while True:
            response = await ask()
            if condition(response):
                return response
            await anyio.sleep(0.05)


def is_stale(response: httpx.Response) -> bool:
    stale: bool = response.json()["extensions"]["jmgraph"]["stale"]
    return stale


async def test_a_stale_answer_says_so_until_the_site_is_back(
    make_settings: Callable[..., Settings], demo: RunningDemo
) -> None:
    async with graphql_client(make_settings(cache_search_s=0.2, jm_timeout_s=1.0, jm_retries=1)) as server:

        async def ask() -> httpx.Response:
            return await server.http.get("/graphql", params={"query": SEARCH})

        fresh = await ask()
        demo.knobs.set("*", failure="server_error")
        stale = await again_until(ask, lambda response: is_stale(response) and "age" in response.headers)
        demo.knobs.reset()
        back = await again_until(ask, lambda response: not is_stale(response))

    assert "warning" not in fresh.headers
    assert stale.headers["warning"] == '110 - "Response is Stale"'
    assert int(stale.headers["age"]) >= 1
    assert stale.headers["cache-control"] == "public, max-age=0"
    assert stale.json()["data"] == fresh.json()["data"]
    assert stale.json()["extensions"]["jmgraph"]["ageSeconds"] >= 1
    assert "warning" not in back.headers


async def test_not_ready_before_the_services_are_open_and_while_stopping(
    make_settings: Callable[..., Settings],
) -> None:
    app = build_app(make_settings())
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE) as http:
        before = await http.get("/readyz")
        async with app.router.lifespan_context(app):
            open_now = await http.get("/readyz")
            app.state.stopping.set()
            stopping = await http.get("/readyz")
            alive = await http.get("/healthz")

    assert (before.status_code, before.json()) == (503, {"status": "unavailable", "checks": {}})
    assert open_now.status_code == 200
    assert stopping.status_code == 503
    assert (alive.status_code, alive.json()) == (200, {"status": "ok"})


async def test_each_dependency_has_an_entry(make_settings: Callable[..., Settings]) -> None:
    async with graphql_client(make_settings()) as server:
        without = (await server.http.get("/readyz")).json()
        async with running_worker(server.services):
            ready = await again_until(
                lambda: server.http.get("/readyz"),
                lambda response: bool(response.json()["checks"]["worker"]["workers"]),
            )

    assert without["status"] == "degraded"
    assert without["checks"]["worker"] == {"status": "down", "workers": 0, "queued": 0}
    assert ready.json()["status"] == "ready"
    assert list(ready.json()["checks"]) == ["redis", "worker", "site", "storage", "ehtag", "people", "disk"]


async def test_reads_work_while_redis_is_unavailable_and_downloads_when_it_is_back(
    make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    valkey = AsyncExitStack()
    url = await valkey.enter_async_context(embedded_valkey(tmp_path / "away"))
    async with graphql_client(make_settings(redis_url=url)) as server:
        await valkey.aclose()

        alive = await server.http.get("/healthz")
        ready = await server.http.get("/readyz")
        album = await server.ask('{ album(id: "350234") { id } }')
        refused = await server.ask(START)
        metrics = (await server.http.get("/metrics")).text

        assert alive.status_code == 200
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
        assert ready.json()["checks"]["redis"] == {"status": "down", "reason": "Redis can't be reached"}
        assert album == {"album": {"id": "350234"}}
        assert refused["startDownload"] == {"code": "QUEUE_UNAVAILABLE"}
        assert "\njmgraph_queue_up 0.0\n" in metrics
        async with embedded_valkey(tmp_path / "away"):
            back = await again_until(
                lambda: server.http.get("/readyz"),
                lambda response: response.json()["checks"]["redis"]["status"] == "ok",
            )
            started = await server.ask(START)
            assert back.json()["checks"]["redis"]["latencyMs"] > 0
            assert started["startDownload"] == {"state": "QUEUED"}
