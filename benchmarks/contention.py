"""Latency of a cached query on an idle server, and while a worker uses all cores."""

from __future__ import annotations

import http.client
import json
import statistics
import time

from benchmarks.servers import jmgraph, read_json

ALBUM = "900600"
"""Six hundred scrambled pages: about fifteen seconds of work."""

IDLE_S, BUSY_S, PAUSE_S = 6.0, 8.0, 0.01

QUERY = json.dumps({"query": "{ ranking { entries { rank album { id title } } } }"})
START = "mutation ($id: String!) { startDownload(input: {albumId: $id}) { ... on Download { id } } }"
STATE = "query ($id: ID!) { download(id: $id) { state } }"
REMOVE = "mutation ($id: ID!) { removeDownload(id: $id) { __typename } }"


def main() -> None:
    """Print both latencies. The demo site draws its pages beforehand: a real site is on another machine."""
    with jmgraph() as address:
        first = _start(address)
        while _ask(address, STATE, id=first)["download"]["state"] != "READY":
            time.sleep(0.2)
        _ask(address, REMOVE, id=first)
        _latencies_ms(address, 1.0)
        idle = _latencies_ms(address, IDLE_S)
        again = _start(address)
        _latencies_ms(address, 1.0)
        busy = _latencies_ms(address, BUSY_S)
        state = _ask(address, STATE, id=again)["download"]["state"]
    print(f"A cached query, one at a time; the download meanwhile: {state}")
    for name, took_ms in (("idle", idle), ("busy", busy)):
        print(f"  {name}: median {statistics.median(took_ms):.2f} ms, p95 {_p95(took_ms):.2f} ms of {len(took_ms)}")
    print(f"  p95 busy / idle: {_p95(busy) / _p95(idle):.2f} (goal at most 2)")


def _latencies_ms(address: tuple[str, int], seconds: float) -> list[float]:
    connection = http.client.HTTPConnection(*address)
    ends_at, took_ms = time.monotonic() + seconds, []
    while time.monotonic() < ends_at:
        began = time.perf_counter()
        connection.request("POST", "/graphql", QUERY, {"Content-Type": "application/json"})
        connection.getresponse().read()
        took_ms.append((time.perf_counter() - began) * 1000)
        time.sleep(PAUSE_S)
    connection.close()
    return took_ms


def _p95(took_ms: list[float]) -> float:
    return statistics.quantiles(took_ms, n=20)[-1]


def _start(address: tuple[str, int]) -> str:
    id: str = _ask(address, START, id=ALBUM)["startDownload"]["id"]
    return id


def _ask(address: tuple[str, int], query: str, **variables: str) -> dict[str, dict[str, str]]:
    answer = read_json(address, "/graphql", {"query": query, "variables": variables})
    assert isinstance(answer, dict)
    data: dict[str, dict[str, str]] = answer["data"]
    return data


if __name__ == "__main__":
    main()
