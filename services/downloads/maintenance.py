"""What goes on beside requests: expiry, clearing up, watching over workers."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable

import structlog

from services.downloads.components import DownloadComponents
from services.redis import RedisUnavailable
from services.tasks import end_tasks

log = structlog.get_logger("jmgraph.maintenance")

JITTER = (0.9, 1.1)
"""Factor of each wait, so that processes started together do not stay in step."""


async def maintain(engine: DownloadComponents) -> None:
    """Run every loop, over every outage, until cancelled."""
    timings = engine.timings
    steps = (
        (engine.upkeep.sweep, timings.sweep_s),
        (engine.upkeep.clear_folders, timings.reconcile_s),
        (engine.reconciler.free_the_dead, timings.heartbeat_s),
        (engine.reconciler.compare_with_queue, timings.reconcile_s),
    )
    loops = [asyncio.create_task(_keep(step, every_s), name="upkeep") for step, every_s in steps]
    try:
        await asyncio.gather(*loops)
    finally:
        await end_tasks(*loops)


async def _keep(step: Callable[[], Awaitable[None]], every_s: float) -> None:
    while True:
        try:
            await step()
        except RedisUnavailable:
            log.debug("Cleanup waits, Redis is away")
        except Exception:
            log.exception("A step of upkeep failed")
        await asyncio.sleep(every_s * random.uniform(*JITTER))
