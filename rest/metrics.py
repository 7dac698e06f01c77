"""`/metrics`: figures for Prometheus."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from services import metrics
from services.errors import QueueUnavailable


async def figures(request: Request) -> Response:
    """Every figure of this process, and of the queue as it is now."""
    try:
        counts = await request.app.state.services.downloads.counts()
        metrics.note_downloads(counts.queued, counts.workers, {"QUEUED": counts.queued, "ACTIVE": counts.active})
    except QueueUnavailable:
        metrics.note_downloads(0, 0, {})
    return Response(metrics.exposition(), media_type=metrics.MEDIA_TYPE, headers={"Cache-Control": "no-store"})


routes: list[BaseRoute] = [Route("/metrics", figures)]
