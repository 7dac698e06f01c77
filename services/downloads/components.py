"""The parts of the download engine, built together and held together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from services.downloads.cleanup import Cleanup
from services.downloads.file_locks import FileLocks
from services.downloads.leases import Leases
from services.downloads.ports import Albums, Archives, Folders
from services.downloads.reconciler import Reconciler
from services.downloads.store import Store
from services.downloads.timings import Timings
from services.downloads.update_hub import UpdateHub, open_update_hub
from services.redis import Events, RedisClient, RedisUnavailable

log = structlog.get_logger("jmgraph.downloads")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a host allows, and how long things last."""

    data_dir: Path
    ttl_s: float
    history_s: float
    queue_limit: int
    disk_floor_bytes: int


@dataclass(frozen=True, slots=True)
class DownloadComponents:
    """What the doors' side and the workers' side share."""

    link: RedisClient
    events: Events
    store: Store
    board: UpdateHub
    holds: FileLocks
    leases: Leases
    reconciler: Reconciler
    upkeep: Cleanup
    albums: Albums
    archives: Archives
    folders: Folders
    limits: Limits
    timings: Timings


@asynccontextmanager
async def open_components(
    link: RedisClient,
    events: Events,
    albums: Albums,
    archives: Archives,
    folders: Folders,
    limits: Limits,
    timings: Timings,
) -> AsyncIterator[DownloadComponents]:
    """The engine of this process. `ConfigurationError` when a newer version wrote the records."""
    store = Store(link, events)
    leases = Leases(store, lease_s=timings.lease_s)
    try:
        await store.check_version()
    except RedisUnavailable:
        log.warning("Redis is away; the version of its records is not checked")
    async with open_update_hub(store, events, retry_s=timings.retry_s) as board:
        yield DownloadComponents(
            link=link,
            events=events,
            store=store,
            board=board,
            holds=FileLocks(store, hold_s=timings.hold_s),
            leases=leases,
            reconciler=Reconciler(store, leases),
            upkeep=Cleanup(store, archives, folders, history_s=limits.history_s),
            albums=albums,
            archives=archives,
            folders=folders,
            limits=limits,
            timings=timings,
        )
