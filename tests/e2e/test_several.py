"""Several API processes and workers on one Valkey: each process can answer for all of them."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import AsyncExitStack, ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from demo.server import RunningDemo
from tests.e2e.conftest import Environ
from tests.e2e_processes import Command, ask, command, descendants, is_alive, wait_until_ready
from tests.waiting import DEADLINE_S, until

pytestmark = pytest.mark.anyio

START = 'mutation { startDownload(input: { albumId: "%s", archive: CBZ }) { ... on Download { id } } }'
WATCH = "subscription ($id: ID!) { downloadStatus(id: $id) { revision state file { url } } }"
FEED = "subscription { downloadFeed { __typename } }"


async def states_over_sse(base: str, id: str) -> list[str]:
    """The states that a subscription over server-sent events sends, to its end."""
    body = {"query": WATCH, "variables": {"id": id}}
    states = []
    async with (
        httpx.AsyncClient(timeout=DEADLINE_S) as http,
        http.stream("POST", f"{base}/graphql", json=body, headers={"Accept": "text/event-stream"}) as answer,
    ):
        async for line in answer.aiter_lines():
            if line.startswith("data: {"):
                states.append(json.loads(line[6:])["data"]["downloadStatus"]["state"])
    return states


async def states_over_socket(base: str, id: str) -> list[str]:
    """The states that a subscription over a WebSocket sends, to its end."""
    states = []
    async with connect(
        f"{base.replace('http', 'ws')}/graphql", subprotocols=[Subprotocol("graphql-transport-ws")]
    ) as socket:
        await subscribe(socket, WATCH, id=id)
        async for frame in socket:
            message = json.loads(frame)
            if message["type"] == "next":
                states.append(message["payload"]["data"]["downloadStatus"]["state"])
            if message["type"] == "complete":
                return states
    raise AssertionError("the socket closed before its end")


async def subscribe(socket: Any, query: str, **variables: Any) -> None:
    await socket.send(json.dumps({"type": "connection_init"}))
    assert json.loads(await socket.recv())["type"] == "connection_ack"
    payload = {"query": query, "variables": variables}
    await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))


def metric(text: str, name: str, **labels: str) -> float:
    """The sum of a metric's samples with these labels."""
    wanted = [f'{key}="{value}"' for key, value in labels.items()]
    samples = [line.rpartition(" ") for line in text.splitlines() if re.match(rf"{name}[ {{]", line)]
    return sum(float(value) for sample, _, value in samples if all(label in sample for label in wanted))


async def test_every_subscription_follows_every_download_to_its_end(
    environ: Environ, tmp_path: Path, redis_url: str, demo: RunningDemo
) -> None:
    demo.knobs.set("image", latency_s=0.02)
    settings = environ(JMGRAPH_REDIS_URL=redis_url, JMGRAPH_DOWNLOAD_JOBS="1")
    with ExitStack() as stack:
        apis = stack.enter_context(command(tmp_path / "apis", "serve", "--workers", "2", **settings))
        workers = [stack.enter_context(command(tmp_path / f"w{n}", "worker", **settings)) for n in range(2)]
        wait_until_ready(apis)
        for worker in workers:
            await until(lambda worker=worker: len(worker.events("the worker is ready")) == 1)  # type: ignore[misc]

        ids = [ask(apis.base, START % album)["startDownload"]["id"] for album in ("163348", "240117")]
        seen = await asyncio.gather(
            *(
                states_of(apis.base, id)
                for id in ids
                for states_of in (states_over_sse, states_over_socket)
                for _ in range(2)
            )
        )

        assert [states[-1] for states in seen] == ["READY"] * 8
        assert all("RUNNING" in states or states == ["READY"] for states in seen)
        await until(lambda: sum(len(worker.events("a download is ready")) for worker in workers) == 2)
        await _check_metrics(apis, workers)
        _check_no_stream_is_reserved(apis)
        await _check_streams_end(apis)


async def metrics_of(api: Command) -> str:
    """Its metrics, in the text format of Prometheus."""
    async with httpx.AsyncClient(timeout=DEADLINE_S) as http:
        return (await http.get(f"{api.base}/metrics")).text


async def _check_metrics(apis: Command, workers: list[Command]) -> None:
    """The metrics of any API process include those of all processes, the workers too."""
    text = await metrics_of(apis)

    assert metric(text, "jmgraph_graphql_operations_total", type="mutation", outcome="ok") == 2
    assert metric(text, "jmgraph_graphql_operations_total", type="subscription", outcome="ok") == 8
    assert metric(text, "jmgraph_downloads_ended_total", state="READY") == 2
    assert metric(text, "jmgraph_downloads", state="READY") == 2
    assert metric(text, "jmgraph_workers") == 2
    assert metric(text, "jmgraph_queue_up") == 1
    assert metric(text, "jmgraph_upstream_requests_total", role="IMAGE", outcome="OK") >= 16
    request_ids = {event["request_id"] for worker in workers for event in worker.events("a download is ready")}
    assert len(request_ids) == 2


def _check_no_stream_is_reserved(apis: Command) -> None:
    """A stream for all operations lives in one process, and the next request may reach another: refused at once."""
    refused = httpx.put(f"{apis.base}/graphql")

    assert refused.status_code == 501
    assert "--workers" in refused.json()["errors"][0]["message"]


async def _check_streams_end(apis: Command) -> None:
    """SIGTERM ends open streams within seconds, and leaves nothing."""
    pids = descendants(apis.process.pid)
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=DEADLINE_S))
        stream = await stack.enter_async_context(
            http.stream("POST", f"{apis.base}/graphql", json={"query": FEED}, headers={"Accept": "text/event-stream"})
        )
        lines = stream.aiter_lines()
        assert (await anext(lines)) == "event: next"
        socket = await stack.enter_async_context(
            connect(f"{apis.base.replace('http', 'ws')}/graphql", subprotocols=[Subprotocol("graphql-transport-ws")])
        )
        await subscribe(socket, FEED)
        assert json.loads(await socket.recv())["type"] == "next"

        ended = apis.stop()

        assert ended.code == 0
        assert [pid for pid in pids if is_alive(pid)] == []
        assert [line async for line in lines if line.startswith("event")] == []
        with suppress(ConnectionClosed):
            assert [frame async for frame in socket if json.loads(frame)["type"] == "next"] == []
        assert socket.close_code in (1001, 1012)
