"""Health of each dependency, for `/readyz`."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from typing import Any

from services.container import Services
from services.errors import JmgraphError

Check = dict[str, Any]
"""`{"status": "ok"}`, or "down", with a measurement or a reason."""


async def check_health(services: Services, timeout_s: float) -> dict[str, Check]:
    """Every dependency by name; one that does not answer within `timeout_s` is down."""
    names = list(_CHECKS)
    checks = await asyncio.gather(*(_with_timeout(_CHECKS[name](services), timeout_s) for name in names))
    return dict(zip(names, checks, strict=True))


async def _with_timeout(check: Awaitable[Check], timeout_s: float) -> Check:
    try:
        async with asyncio.timeout(timeout_s):
            return await check
    except TimeoutError:
        return {"status": "down", "reason": "no answer in time"}
    except JmgraphError as error:
        return {"status": "down", "reason": error.message}


async def _redis(services: Services) -> Check:
    latency_ms = await services.redis.ping()
    if latency_ms is None:
        return {"status": "down", "reason": "Redis can't be reached"}
    return {"status": "ok", "latencyMs": round(latency_ms, 2)}


async def _worker(services: Services) -> Check:
    counts = await services.downloads.counts()
    return {"status": "ok" if counts.workers else "down", "workers": counts.workers, "queued": counts.queued}


async def _site(services: Services) -> Check:
    status = await services.catalog.status()
    if status.checked_at is not None and not status.reachable:
        return {"status": "down", "method": status.method, "reason": "no host of the site answers"}
    return {"status": "ok", "method": status.method}


async def _storage(services: Services) -> Check:
    await services.archives.stat("readiness")
    return {"status": "ok"}


async def _tags(services: Services) -> Check:
    state = services.tags.state
    return {"status": "ok", "head": state.sha, "isStarter": state.is_starter}


async def _people(services: Services) -> Check:
    await services.database.check()
    return {"status": "ok", "isClosed": services.people.state.is_closed}


async def _disk(services: Services) -> Check:
    settings = services.settings
    free_bytes = (await asyncio.to_thread(shutil.disk_usage, settings.data_dir)).free
    return {"status": "ok" if free_bytes >= settings.disk_floor_bytes else "down", "freeBytes": free_bytes}


_CHECKS: dict[str, Callable[[Services], Awaitable[Check]]] = {
    "redis": _redis,
    "worker": _worker,
    "site": _site,
    "storage": _storage,
    "ehtag": _tags,
    "people": _people,
    "disk": _disk,
}
