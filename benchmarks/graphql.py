"""A ranking of 80 albums with all tags translated: cached, uncached and cold; compared with plain Strawberry."""

from __future__ import annotations

import json
import os
import tempfile
import time
from pathlib import Path

from benchmarks.load import Load, load, post_json
from benchmarks.servers import asgi, jmgraph, read_json

RANKING = """{ ranking { total entries { rank album { id title
  tags { name match translation { id name intro } } authors { name translation { id name } }
  pageCount viewCount } } } }"""

COLD_LATENCY_S = 0.15


def _print(name: str, result: Load) -> None:
    print(
        f"  {name:<44}{result.requests_per_s:>9.0f}/s  p50 {result.p50_ms:6.1f} ms  p95 {result.p95_ms:6.1f} ms  "
        f"{result.body_bytes / 1000:.0f} kB, {result.failures} failures"
    )


def _leaves(value: object) -> int:
    if isinstance(value, dict):
        return sum(_leaves(item) for item in value.values())
    if isinstance(value, list):
        return sum(_leaves(item) for item in value)
    return 1


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, jmgraph() as ours:
        answer = read_json(ours, "/graphql", {"query": RANKING})
        file = Path(folder) / "ranking.json"
        file.write_text(json.dumps(answer), "utf-8")
        os.environ["JMGRAPH_BENCH_RANKING"] = str(file)
        print(f"GraphQL: a ranking of 80 albums, {_leaves(answer)} leaves; one process, 32 connections")
        cached = load(ours, post_json("/graphql", {"query": RANKING}))
        zipped = load(ours, post_json("/graphql", {"query": RANKING}, accept_encoding="gzip"))
        with asgi("benchmarks.plain_strawberry:app") as plain_server:
            plain = load(plain_server, post_json("/graphql", {"query": RANKING}))
        warm = _warm(ours)
        _print("plain Strawberry, objects in memory", plain)
        _print("jmgraph, response cached", cached)
        _print("jmgraph, response cached, gzip", zipped)
        _print("jmgraph, response not cached, data warm", warm)
        print(f"  cached / plain: {cached.requests_per_s / plain.requests_per_s:.1f} (goal 15, and 500 a second)")
        print(f"  plain / warm: {plain.requests_per_s / warm.requests_per_s:.2f} (goal at most 2)")
    _cold()


def _warm(ours: tuple[str, int]) -> Load:
    """The same query with a root field that is not cached beside it, so that it is executed each time."""
    query = RANKING.rstrip().removesuffix("}") + " downloads(first: 1) { totalCount } }"
    return load(ours, post_json("/graphql", {"query": query}))


def _cold() -> None:
    with jmgraph() as ours:
        _slow_site(ours)
        began = time.perf_counter()
        read_json(ours, "/graphql", {"query": RANKING})
        print(f"  cold, 80 details at 150 ms each, 16 at once: {time.perf_counter() - began:.2f} s (goal 1.2)")


def _slow_site(ours: tuple[str, int]) -> None:
    hosts = read_json(ours, "/graphql", {"query": "{ server { upstream { hosts { url role } } } }"})
    assert isinstance(hosts, dict)
    for host in hosts["data"]["server"]["upstream"]["hosts"]:
        if host["role"] == "API":
            name, _, port = host["url"].removeprefix("http://").partition(":")
            knobs = {"target": "api", "path": "/album", "latency_s": COLD_LATENCY_S}
            read_json((name, int(port.rstrip("/"))), "/_demo/knobs", knobs)


if __name__ == "__main__":
    main()
