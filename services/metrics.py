"""Figures for who runs this: counters and gauges that Prometheus scrapes from `/metrics`.

With several API processes on one address (`serve --workers`) each keeps its figures in files of
`PROMETHEUS_MULTIPROC_DIR`, and whichever is asked adds them up.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

MEDIA_TYPE = CONTENT_TYPE_LATEST

REQUESTS = Counter("jmgraph_http_requests", "HTTP requests answered.", ["route", "method", "status"])
REQUEST_SECONDS = Histogram(
    "jmgraph_http_request_seconds",
    "Time until the first byte of an answer.",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
SOCKETS = Gauge("jmgraph_sockets", "Open WebSockets.", ["route"], multiprocess_mode="livesum")
UPSTREAM_REQUESTS = Counter("jmgraph_upstream_requests", "Requests to the site, each try.", ["host", "role", "outcome"])
UPSTREAM_SECONDS = Histogram(
    "jmgraph_upstream_request_seconds",
    "Time of one try at the site.",
    ["role"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40),
)
CACHE_READS = Counter("jmgraph_cache_reads", "Reads of the catalog's cache.", ["kind", "outcome"])
PAGES = Counter("jmgraph_download_pages", "Pages of downloads put on disk.", ["outcome"])
SUBSCRIBERS = Gauge("jmgraph_subscribers", "Watchers of downloads and feeds.", multiprocess_mode="livesum")
DOWNLOADS = Gauge("jmgraph_downloads", "Downloads by state, over all processes.", ["state"], multiprocess_mode="max")
QUEUE_DEPTH = Gauge("jmgraph_queue_depth", "Downloads that wait for a worker.", multiprocess_mode="max")
WORKERS = Gauge("jmgraph_workers", "Workers with a fresh heartbeat.", multiprocess_mode="max")
LOOP_LAG = Gauge(
    "jmgraph_event_loop_lag_seconds", "How late the event loop woke up last.", multiprocess_mode="livemax"
)

LAG_EVERY_S = 1.0


def exposition() -> bytes:
    """All figures in Prometheus's text format."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def note_downloads(queued: int, workers: int, by_state: Mapping[str, int]) -> None:
    """Set the gauges that are true for all processes together."""
    QUEUE_DEPTH.set(queued)
    WORKERS.set(workers)
    for state, count in by_state.items():
        DOWNLOADS.labels(state).set(count)


@asynccontextmanager
async def measured_loop() -> AsyncIterator[None]:
    """Measure the event loop's lag while the block runs."""
    task = asyncio.create_task(_measure_lag())
    try:
        yield
    finally:
        task.cancel()


async def _measure_lag() -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + LAG_EVERY_S
        await asyncio.sleep(LAG_EVERY_S)
        LOOP_LAG.set(max(0.0, loop.time() - due))
