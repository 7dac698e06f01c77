"""The worker: opens the services, runs downloads until a signal, closes. No logic."""

from __future__ import annotations

import asyncio

from services.container import library_checker, notifier, open_pipeline, open_services
from services.processes import lower_session_priority, stop_on_signals
from services.settings import Settings
from services.tasks import cancel_and_wait


async def run(settings: Settings) -> int:
    """Run downloads until a signal, then hand over what is under way; returns the exit code."""
    stop = asyncio.Event()
    stop_on_signals(stop)
    lower_session_priority()
    async with open_services(settings) as services, open_pipeline(services) as pipeline:
        sync_task = asyncio.create_task(services.tags.keep_synced(settings.ehtag_sync_every_s))
        check_task = asyncio.create_task(library_checker(services).run())
        notify_task = asyncio.create_task(notifier(services).run())
        try:
            await services.downloads.worker(pipeline, jobs=settings.download_jobs).run(stop)
        finally:
            await cancel_and_wait(sync_task, check_task, notify_task)
    return 0
