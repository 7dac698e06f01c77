"""The components of the download life cycle, built and passed together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

from services.downloads.kept import KeptFiles
from services.downloads.leases import FileLocks, Leases
from services.downloads.maintenance import Cleanup, Reconciler
from services.downloads.ports import AlbumSource, ArchiveStorage, DownloadLimits, StagingFolders, Timings
from services.downloads.store import DownloadStore
from services.downloads.updates import UpdateHub, open_update_hub
from services.redis import Events, RedisClient, RedisUnavailable

log = structlog.get_logger("jmgraph.downloads")


@dataclass(frozen=True, slots=True)
class DownloadComponents:
    """What requests and workers share."""

    redis: RedisClient
    events: Events
    store: DownloadStore
    hub: UpdateHub
    file_locks: FileLocks
    leases: Leases
    reconciler: Reconciler
    cleanup: Cleanup
    albums: AlbumSource
    archives: ArchiveStorage
    kept: KeptFiles
    folders: StagingFolders
    limits: DownloadLimits
    timings: Timings


@asynccontextmanager
async def open_components(
    redis: RedisClient,
    events: Events,
    albums: AlbumSource,
    archives: ArchiveStorage,
    kept: KeptFiles,
    folders: StagingFolders,
    limits: DownloadLimits,
    timings: Timings,
) -> AsyncIterator[DownloadComponents]:
    """The components of this process. `ConfigurationError` when a newer version wrote the records."""
    store = DownloadStore(redis, events)
    leases = Leases(store, lease_s=timings.lease_s)
    try:
        await store.check_version()
    except RedisUnavailable:
        log.warning("Redis is unavailable; the version of its records is not checked")
    async with open_update_hub(store, events, retry_s=timings.retry_s) as hub:
        yield DownloadComponents(
            redis=redis,
            events=events,
            store=store,
            hub=hub,
            file_locks=FileLocks(store, lock_s=timings.lock_s),
            leases=leases,
            reconciler=Reconciler(store, leases),
            cleanup=Cleanup(store, archives, kept, folders, history_s=limits.history_s),
            albums=albums,
            archives=archives,
            kept=kept,
            folders=folders,
            limits=limits,
            timings=timings,
        )
