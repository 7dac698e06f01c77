"""The worker's door: opens the services, works until a signal, closes. No logic."""

from __future__ import annotations

import asyncio
import signal

from services.settings import Settings
from services.tag_clock import keep_tags_synced
from services.wiring import open_pipeline, open_services


async def run(settings: Settings) -> int:
    """Make downloads until SIGINT or SIGTERM, then hand over what is under way; gives the exit code."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with open_services(settings) as services, open_pipeline(services) as pipeline:
        clock = asyncio.create_task(keep_tags_synced(services.tags, services.redis, settings.ehtag_sync_every_s))
        await services.downloads.worker(pipeline, jobs=settings.download_jobs).run(stop)
        clock.cancel()
    return 0
