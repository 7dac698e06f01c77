"""The state of this server."""

from __future__ import annotations

from dataclasses import dataclass

from resolvers.context import Context
from services.catalog import UpstreamStatus
from services.downloads import QueueCounts
from services.errors import QueueUnavailable
from services.observability import current_stats
from services.settings import VERSION

_NO_QUEUE = QueueCounts(queued=0, active=0, workers=0)
"""Returned while Redis is unavailable."""


@dataclass(frozen=True, slots=True)
class ServerState:
    """Version, site and queue at one moment."""

    version: str
    upstream: UpstreamStatus
    counts: QueueCounts


async def server(context: Context) -> ServerState:
    """Version, upstream method and health of this server."""
    current_stats().is_private = True
    services = context.services
    try:
        counts = await services.downloads.counts()
    except QueueUnavailable:
        counts = _NO_QUEUE
    return ServerState(version=VERSION, upstream=await services.catalog.status(), counts=counts)
