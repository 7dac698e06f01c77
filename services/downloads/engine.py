"""The parts of the download engine, built together and held together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from services.downloads.holds import Holds
from services.downloads.leases import Leases
from services.downloads.live import Board, open_board
from services.downloads.ports import Albums, Archives, Folders
from services.downloads.reconciler import Reconciler
from services.downloads.store import Store
from services.downloads.timings import Timings
from services.downloads.upkeep import Upkeep
from services.events import Events
from services.redis import RedisLink, RedisUnavailable

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
class Engine:
    """What the doors' side and the workers' side share."""

    link: RedisLink
    events: Events
    store: Store
    board: Board
    holds: Holds
    leases: Leases
    reconciler: Reconciler
    upkeep: Upkeep
    albums: Albums
    archives: Archives
    folders: Folders
    limits: Limits
    timings: Timings


@asynccontextmanager
async def open_engine(
    link: RedisLink,
    events: Events,
    albums: Albums,
    archives: Archives,
    folders: Folders,
    limits: Limits,
    timings: Timings,
) -> AsyncIterator[Engine]:
    """The engine of this process. `ConfigurationError` when a newer version wrote the records."""
    store = Store(link, events)
    leases = Leases(store, lease_s=timings.lease_s)
    try:
        await store.check_version()
    except RedisUnavailable:
        log.warning("Redis is away; the version of its records is not checked")
    async with open_board(store, events, retry_s=timings.retry_s) as board:
        yield Engine(
            link=link,
            events=events,
            store=store,
            board=board,
            holds=Holds(store, hold_s=timings.hold_s),
            leases=leases,
            reconciler=Reconciler(store, leases),
            upkeep=Upkeep(store, archives, folders, history_s=limits.history_s),
            albums=albums,
            archives=archives,
            folders=folders,
            limits=limits,
            timings=timings,
        )
