"""Metrics: counters and gauges that Prometheus scrapes from `/metrics`.

With several processes on one data directory (`metrics_multiprocess.py`) any of them answers with the sums over all.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from services.observability.metrics_multiprocess import shared_registry
from services.tasks import cancel_and_wait

MEDIA_TYPE = CONTENT_TYPE_LATEST

REQUESTS = Counter("jmgraph_http_requests", "HTTP requests answered.", ["route", "method", "status"])
REQUEST_SECONDS = Histogram(
    "jmgraph_http_request_seconds",
    "Time until an answer was sent.",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
OPERATIONS = Counter(
    "jmgraph_graphql_operations",
    "GraphQL operations by type (query, mutation, subscription, unknown) and outcome: ok, cached (a whole answer), "
    "errors (in some fields), refused (before anything ran).",
    ["type", "outcome"],
)
SOCKETS = Gauge("jmgraph_sockets", "Open WebSockets.", ["route"], multiprocess_mode="livesum")
UPSTREAM_REQUESTS = Counter(
    "jmgraph_upstream_requests", "Requests to the site, each try.", ["host", "role", "outcome"]
)
UPSTREAM_SECONDS = Histogram(
    "jmgraph_upstream_request_seconds",
    "Time of one try at the site.",
    ["role"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40),
)
CACHE_READS = Counter("jmgraph_cache_reads", "Reads of the catalog's cache.", ["kind", "outcome"])
DOWNLOADS_ENDED = Counter("jmgraph_downloads_ended", "Downloads that workers brought to an end.", ["state"])
SUBSCRIBERS = Gauge(
    "jmgraph_subscribers",
    "Who watches downloads now, each running download's own worker among them.",
    multiprocess_mode="livesum",
)
DOWNLOADS = Gauge(
    "jmgraph_downloads", "Downloads by state, in the whole system.", ["state"], multiprocess_mode="livemostrecent"
)
QUEUE_DEPTH = Gauge("jmgraph_queue_depth", "Downloads that wait for a worker.", multiprocess_mode="livemostrecent")
WORKERS = Gauge("jmgraph_workers", "Workers with a fresh heartbeat.", multiprocess_mode="livemostrecent")
QUEUE_UP = Gauge("jmgraph_queue_up", "1 while Redis answers, else 0.", multiprocess_mode="livemostrecent")
LOOP_LAG = Gauge(
    "jmgraph_event_loop_lag_seconds",
    "How late the event loop woke up last; of several processes, the latest.",
    multiprocess_mode="livemax",
)

LAG_EVERY_S = 1.0
"""Between two measurements of the loop."""


def exposition() -> bytes:
    """All metrics in Prometheus's text format; memory and processor time are those of the process that answers."""
    shared = shared_registry()
    if shared is not None:
        ProcessCollector(registry=shared)
    return generate_latest(shared or REGISTRY)


def set_queue_gauges(queued: int, workers: int, by_state: Mapping[str, int]) -> None:
    """Set the gauges of the whole system, whichever process sets them."""
    QUEUE_UP.set(1)
    QUEUE_DEPTH.set(queued)
    WORKERS.set(workers)
    for state, count in by_state.items():
        DOWNLOADS.labels(state).set(count)


@asynccontextmanager
async def measured_process(subscribers: Callable[[], int]) -> AsyncIterator[None]:
    """Measure the event loop's lag and count subscribers while the block runs."""
    task = asyncio.create_task(_measure(subscribers), name="metrics")
    try:
        yield
    finally:
        await cancel_and_wait(task)


async def _measure(subscribers: Callable[[], int]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + LAG_EVERY_S
        await asyncio.sleep(LAG_EVERY_S)
        LOOP_LAG.set(max(0.0, loop.time() - due))
        SUBSCRIBERS.set(subscribers())
