"""Sees to it that somebody is on every download: takes over from the dead, and compares records with the queue."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import structlog

from services.downloads import transitions
from services.downloads.leases import Leases
from services.downloads.lists import in_state
from services.downloads.records import DownloadState
from services.downloads.row import DownloadRow
from services.downloads.store import IllegalTransition, Store
from services.errors import DownloadNotFound

log = structlog.get_logger("jmgraph.reconciler")

AT_ONCE = 1000
"""Downloads looked at in one go."""


class Reconciler:
    """Runs in every process; several may find the same, and the store lets one of them act."""

    def __init__(self, store: Store, leases: Leases) -> None:
        self._store = store
        self._leases = leases

    async def free_the_dead(self) -> None:
        """Queue again what a worker had that no longer says it lives."""
        alive = await self._leases.judge()
        if alive is None:
            return
        page = await self._store.page([in_state(state) for state in transitions.WORK_STATES], count=AT_ONCE)
        for entry in page.entries:
            if entry.lease not in alive:
                await self._take_over(entry)

    async def _take_over(self, found: DownloadRow) -> None:
        def step(entry: DownloadRow) -> DownloadRow | None:
            if entry.state not in transitions.WORK_STATES or entry.lease != found.lease:
                return None
            return transitions.taken_from_dead(entry)

        if await self._change(found, step):
            log.warning("A worker died; its download goes on", download=found.download.id, worker=found.lease)

    async def free_forgotten(self, worker_id: str, is_here: Callable[[str], bool]) -> None:
        """Queue again what is in this worker's name and not in its hands: the answer to its claim was lost."""
        page = await self._store.page([in_state(state) for state in transitions.WORK_STATES], count=AT_ONCE)
        for entry in page.entries:
            if entry.lease == worker_id and not is_here(entry.download.id):
                await self._take_over(entry)

    async def compare_with_queue(self) -> None:
        """Give a fresh job to every queued download that has none."""
        page = await self._store.page([in_state(DownloadState.QUEUED)], count=AT_ONCE)
        has_job = await self._store.has_job(page.entries)
        for found in (entry for entry, has in zip(page.entries, has_job, strict=True) if not has):
            if await self._change(found, partial(_with_fresh_job, found)):
                log.warning("A queued download had no job; it has one now", download=found.download.id)

    async def _change(self, found: DownloadRow, step: Callable[[DownloadRow], DownloadRow | None]) -> bool:
        try:
            return (await self._store.change(found.download.id, step))[1]
        except (DownloadNotFound, IllegalTransition):
            return False


def _with_fresh_job(found: DownloadRow, entry: DownloadRow) -> DownloadRow | None:
    is_as_found = entry.state is DownloadState.QUEUED and entry.job_id == found.job_id
    return transitions.requeued(entry, crashes=entry.crashes) if is_as_found else None
