"""A thousand subscribers on twenty downloads: all receive READY, and plain queries stay fast meanwhile."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
import urllib.request
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from benchmarks.servers import jmgraph, read_json

SUBSCRIBERS = 1000
DOWNLOADS = 20
AT_ONCE = 50
QUERY = "{ server { version activeDownloads } }"
STATUS = "subscription ($id: ID!) { downloadStatus(id: $id) { revision state progress { percent } } }"
START = "mutation ($id: String!) { startDownload(input: {albumId: $id, force: true}) { ... on Download { id } } }"
ALBUM = "438516"
"""Sixty scrambled pages: long enough that all are subscribed before the first ends."""


def _memory_bytes(address: tuple[str, int]) -> float:
    with urllib.request.urlopen(f"http://{address[0]}:{address[1]}/metrics", timeout=10) as response:
        text = response.read().decode()
    line = next(line for line in text.splitlines() if line.startswith("process_resident_memory_bytes"))
    return float(line.split()[1])


async def _open(address: tuple[str, int], id: str) -> ClientConnection:
    socket = await connect(
        f"ws://{address[0]}:{address[1]}/graphql",
        subprotocols=[Subprotocol("graphql-transport-ws")],
        compression=None,
    )
    await socket.send('{"type": "connection_init"}')
    await socket.recv()
    payload = {"query": STATUS, "variables": {"id": id}}
    await socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
    return socket


async def _watch(socket: ClientConnection) -> tuple[str, bool]:
    """The last state, and whether revisions only grew."""
    state, revision, only_grew = "", -1, True
    async for text in socket:
        frame: Any = json.loads(text)
        if frame["type"] == "complete":
            break
        status = frame["payload"]["data"]["downloadStatus"]
        only_grew = only_grew and status["revision"] > revision
        state, revision = status["state"], status["revision"]
    await socket.close()
    return state, only_grew


async def _query_meanwhile(address: tuple[str, int], ended: asyncio.Event) -> list[float]:
    took_ms = []
    while not ended.is_set():
        began = time.perf_counter()
        await asyncio.to_thread(read_json, address, "/graphql", {"query": QUERY})
        took_ms.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(0.02)
    return took_ms


async def _run(address: tuple[str, int]) -> None:
    started = [read_json(address, "/graphql", {"query": START, "variables": {"id": ALBUM}}) for _ in range(DOWNLOADS)]
    ids = [answer["data"]["startDownload"]["id"] for answer in started if isinstance(answer, dict)]
    before = _memory_bytes(address)
    sockets: list[ClientConnection] = []
    for first in range(0, SUBSCRIBERS, AT_ONCE):
        numbers = range(first, first + AT_ONCE)
        sockets += await asyncio.gather(*(_open(address, ids[number % DOWNLOADS]) for number in numbers))
    memory = (_memory_bytes(address) - before) / SUBSCRIBERS
    ended = asyncio.Event()
    querying = asyncio.create_task(_query_meanwhile(address, ended))
    ends = await asyncio.gather(*(_watch(socket) for socket in sockets))
    ended.set()
    took_ms = await querying
    ready = sum(state == "READY" for state, _ in ends)
    p95 = statistics.quantiles(took_ms, n=20)[-1]
    print(f"Live: {SUBSCRIBERS} subscribers on {DOWNLOADS} downloads")
    print(f"  received READY: {ready}; revisions only grew for {sum(grew for _, grew in ends)}")
    print(f"  a plain query meanwhile: p95 {p95:.1f} ms over {len(took_ms)} (goal 100)")
    print(f"  memory a subscriber: {memory / 1000:.0f} kB (goal 60)")


def main() -> None:
    """Measure and print."""
    with jmgraph(download_jobs="1") as address:
        asyncio.run(_run(address))


if __name__ == "__main__":
    main()
