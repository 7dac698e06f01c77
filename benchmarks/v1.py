"""Cached reads of the old API, compared with plain FastAPI and the same responses; one process, 32 connections."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import urllib.request
from pathlib import Path
from statistics import median
from urllib.parse import quote

from benchmarks.load import Load, get, load
from benchmarks.process_stats import cpu_seconds
from benchmarks.servers import asgi, jmgraph, read_json

ALBUM = "350234"
TAG = "雨林"
PATHS = {
    "rank": "/v1/rank/week",
    "search": f"/v1/search/{quote(TAG)}/1",
    "info": f"/v1/info/{ALBUM}",
    "cover": f"/v1/get/cover/{ALBUM}",
}
GOALS = {"rank": 2, "search": 2, "info": 2, "cover": 3}
SECONDS = 3.0
ROUNDS = 3
"""Rounds of each, alternating; the median is printed."""

WARM_UP_S = 1.0
"""The warm-up of `load`."""

Address = tuple[str, int]
Measured = tuple[Load, float]
"""A run, and µs of the server's CPU time per request; the warm-up is counted at the same rate."""


def _read(address: Address, path: str) -> bytes:
    with urllib.request.urlopen(f"http://{address[0]}:{address[1]}{path}", timeout=60) as response:
        body: bytes = response.read()
    return body


def _write_answers(ours: Address, folder: Path) -> None:
    answers = {
        "rank": {"week": read_json(ours, PATHS["rank"])},
        "search": {TAG: {"1": read_json(ours, PATHS["search"])}},
        "info": {ALBUM: read_json(ours, PATHS["info"])},
    }
    (folder / "answers.json").write_text(json.dumps(answers), "utf-8")
    (folder / f"{ALBUM}.jpg").write_bytes(_read(ours, PATHS["cover"]))


def main() -> None:
    """Measure and print; names of `PATHS` as arguments select what is measured."""
    wanted = sys.argv[1:] or list(PATHS)
    with tempfile.TemporaryDirectory() as folder, jmgraph() as ours:
        _write_answers(ours, Path(folder))
        os.environ["JMGRAPH_BENCH_V1"] = folder
        print("Old API, responses cached; one process, 32 connections")
        with asgi("benchmarks.plain_fastapi:app") as plain:
            for name in wanted:
                _compare(name, ours, plain)


def _compare(name: str, ours: Address, plain: Address) -> None:
    request = get(PATHS[name])
    rounds = [[_measured(address, request) for address in (plain, ours)] for _ in range(ROUNDS)]
    theirs, own = ([pair[side] for pair in rounds] for side in (0, 1))
    _print(f"plain FastAPI, {name}", theirs)
    _print(f"jmgraph, {name}", own)
    ratio = _median(own).requests_per_s / _median(theirs).requests_per_s
    cost = _cost_us(theirs) / _cost_us(own)
    print(
        f"  {name}: {ratio:.2f} times the requests a second, 1/{cost:.2f} of the CPU time each (goal {GOALS[name]})"
    )


def _measured(address: Address, request: bytes) -> Measured:
    began = cpu_seconds(address[1])
    seen = load(address, request, seconds=SECONDS)
    used = cpu_seconds(address[1]) - began
    return seen, used / (seen.requests_per_s * (SECONDS + WARM_UP_S)) * 1e6


def _median(rounds: list[Measured]) -> Load:
    return sorted((load for load, _ in rounds), key=lambda load: load.requests_per_s)[len(rounds) // 2]


def _cost_us(rounds: list[Measured]) -> float:
    return median(cost for _, cost in rounds)


def _print(name: str, rounds: list[Measured]) -> None:
    seen = _median(rounds)
    print(
        f"  {name:<24}{seen.requests_per_s:>9.0f}/s  p50 {seen.p50_ms:6.1f} ms  p95 {seen.p95_ms:6.1f} ms  "
        f"{_cost_us(rounds):6.0f} µs of CPU each  {seen.body_bytes / 1000:.1f} kB, {seen.failures} failures"
    )


if __name__ == "__main__":
    main()
