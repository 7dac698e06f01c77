"""`/metrics`: figures for Prometheus."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from services.container import Services
from services.errors import QueueUnavailable
from services.observability import metrics


async def figures(request: Request) -> Response:
    """Every figure of the processes on this data directory, and of the queue as it is now."""
    await _look_at_queue(request.app.state.services)
    body = await run_in_threadpool(metrics.exposition)
    return Response(body, media_type=metrics.MEDIA_TYPE, headers={"Cache-Control": "no-store"})


async def _look_at_queue(services: Services) -> None:
    try:
        counts = await services.downloads.counts()
        by_state = await services.downloads.count_states()
    except QueueUnavailable:
        metrics.QUEUE_UP.set(0)
        return
    metrics.note_queue(counts.queued, counts.workers, {state.value: count for state, count in by_state.items()})


routes: list[BaseRoute] = [Route("/metrics", figures)]
