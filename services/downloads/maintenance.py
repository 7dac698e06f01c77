"""Background maintenance, in every process: expiry, clean-up, supervision of workers."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import structlog

from services.downloads import transitions
from services.downloads.kept import KeptFiles
from services.downloads.leases import Leases
from services.downloads.ports import ArchiveStorage, StagingFolders, Timings
from services.downloads.records import DownloadState
from services.downloads.row import HOLDER, DownloadRow, in_state
from services.downloads.store import DownloadStore, IllegalTransition
from services.errors import DownloadNotFound, JmgraphError, StorageUnavailable
from services.redis import RedisUnavailable
from services.tasks import cancel_and_wait, gather_bounded, repeat

log = structlog.get_logger("jmgraph.maintenance")

JITTER = (0.9, 1.1)
"""Factor of each wait, so that processes started together do not run it at the same time."""


async def maintain(cleanup: Cleanup, reconciler: Reconciler, timings: Timings) -> None:
    """Run every step periodically, through outages too, until cancelled."""
    steps = (
        (cleanup.sweep, timings.sweep_s),
        (cleanup.clear_folders, timings.reconcile_s),
        (cleanup.restore_kept, timings.reconcile_s),
        (reconciler.requeue_lost, timings.heartbeat_s),
        (reconciler.compare_with_queue, timings.reconcile_s),
    )
    loops = [asyncio.create_task(_repeat(step, every_s), name="maintenance") for step, every_s in steps]
    try:
        await asyncio.gather(*loops)
    finally:
        await cancel_and_wait(*loops)


async def _repeat(step: Callable[[], Awaitable[None]], every_s: float) -> None:
    def pause_s() -> float:
        return every_s * random.uniform(*JITTER)

    await repeat(step, pause_s=pause_s, retry_s=pause_s, on_error=_log_error)


def _log_error(error: Exception) -> None:
    if isinstance(error, RedisUnavailable | StorageUnavailable):
        log.debug("maintenance waits, Redis or the database is unavailable")
    else:
        log.error("a step of maintenance failed", exc_info=error)


STATES_WITH_FOLDER = frozenset(
    {DownloadState.QUEUED, DownloadState.RUNNING, DownloadState.PACKING, DownloadState.READY, DownloadState.FAILED}
)
"""States in which the pages on disk may still be needed; of READY ones those that lack pages, for a retry."""
_MAX_ROWS = 100_000
"""More downloads than any history has."""


_BATCH_ROWS = 1000
"""Downloads read in one call."""
_LOOKS_AT_ONCE = 16
"""Files that are looked for at the same time."""


class Cleanup:
    """Removes what has expired. Runs in every process; each step may be done by several at once."""

    def __init__(
        self,
        store: DownloadStore,
        archives: ArchiveStorage,
        kept: KeptFiles,
        folders: StagingFolders,
        *,
        history_s: float,
    ) -> None:
        self._store = store
        self._archives = archives
        self._kept = kept
        self._folders = folders
        self._history_s = history_s

    async def sweep(self) -> None:
        """Expire files, remove old records, and delete the archives of both."""
        await self._expire()
        await self._remove_old_records()
        await self.delete_marked_archives()

    async def _expire(self) -> None:
        now_ms = transitions.now_ms()
        for id in await self._store.due("expiry", now_ms):
            if await self._store.is_file_locked(id, now_ms):
                continue
            try:
                await self._store.change(id, transitions.expired)
            except (DownloadNotFound, IllegalTransition):
                continue

    async def _remove_old_records(self) -> None:
        for id in await self._store.due("history", transitions.now_ms() - round(self._history_s * 1000)):
            row = await self._store.find(id)
            if row and row.state in transitions.RETRY_STATES:
                await self._store.remove(id)

    async def without_lost_archives(self, rows: Sequence[DownloadRow]) -> list[DownloadRow]:
        """The rows as they are after each file that was deleted behind our back was noticed: EXPIRED, or without the
        file while a retry makes another.
        """
        return list(await asyncio.gather(*map(self._without_lost_archive, rows)))

    async def _without_lost_archive(self, row: DownloadRow) -> DownloadRow:
        if row.is_in_library:
            return await self._with_kept_files(row)
        key = row.file_key
        if not key or not transitions.is_current(row) or not await self._archives.is_missing(key):
            return row
        if row.state.is_active:
            return row.with_state(row.state, file=None)
        try:
            noticed, is_changed = await self._store.change(row.download.id, partial(transitions.lost, key=key))
        except (DownloadNotFound, IllegalTransition):
            return row
        if is_changed:
            log.warning("an archive was deleted, not by this server", download=row.download.id)
        return noticed

    async def _with_kept_files(self, row: DownloadRow) -> DownloadRow:
        """The row as it is after each kept file was noticed that was deleted, or is back."""
        if row.state not in (DownloadState.READY, DownloadState.EXPIRED):
            return row
        are_missing = await gather_bounded(
            lambda file: self._archives.is_missing(file.key), row.download.files, _LOOKS_AT_ONCE
        )
        if row.state is DownloadState.READY and not any(are_missing):
            return row
        return await self.compare_kept(row)

    async def compare_kept(self, row: DownloadRow) -> DownloadRow:
        """The row with the kept files that it holds and that are there: EXPIRED where one is gone, READY once all are
        back.
        """
        try:
            held = await self._kept.of_download(row.download.id, row.download.request.chapter_ids)
        except StorageUnavailable:
            return row
        are_missing = await gather_bounded(lambda file: self._archives.is_missing(file.key), held, _LOOKS_AT_ONCE)
        left = [file.record for file, is_missing in zip(held, are_missing, strict=True) if not is_missing]
        is_whole = bool(left) and len(left) == len(held)

        def step(row: DownloadRow) -> DownloadRow | None:
            if is_whole:
                return transitions.found_again(row, left)
            return transitions.kept_files_lost(row, left, len(held))

        try:
            noticed, is_changed = await self._store.change(row.download.id, step)
        except (DownloadNotFound, IllegalTransition):
            return row
        if is_changed:
            log.warning(
                "kept files are there again" if is_whole else "kept files were deleted, not by this server",
                download=row.download.id,
                count=len(held),
                left=len(left),
            )
        return noticed

    async def restore_kept(self) -> None:
        """Put the records of kept downloads back where Redis has lost them."""
        ids = await self._kept.download_ids()
        for start in range(0, len(ids), _BATCH_ROWS):
            part = ids[start : start + _BATCH_ROWS]
            for id, is_there in zip(part, await self._store.exist(part), strict=True):
                if not is_there and (row := await self._kept.find_download(id)) is not None:
                    await self._restore(row)

    async def _restore(self, row: DownloadRow) -> None:
        if await self._store.restore(row):
            log.info("a kept download is there again", download=row.download.id)
        if await self._kept.find_download(row.download.id) is None:  # it was removed at this moment
            await self._store.remove(row.download.id)

    async def delete_marked_archives(self) -> None:
        """Delete archives that no record refers to any more."""
        for key in await self._store.marked_for_deletion():
            try:
                await (self._release(key) if key.startswith(HOLDER) else self._archives.delete(key))
            except JmgraphError as error:
                log.warning("an archive can't be deleted yet", reason=error.message)
                return
            await self._store.unmark_for_deletion(key)

    async def _release(self, key: str) -> None:
        """Let go of the kept files of a download, unless it holds some again."""
        row = await self._store.find(key.removeprefix(HOLDER))
        if row is None or not row.is_in_library:
            await self._kept.release(key.removeprefix(HOLDER))

    async def clear_folders(self) -> None:
        """Delete staging folders that no download of any process needs any more."""
        # folders first: a record is older than its folder, so the records read next include those of all folders
        names = await asyncio.to_thread(self._folder_names)
        if not names:
            return
        page = await self._store.page([in_state(state) for state in STATES_WITH_FOLDER], count=_MAX_ROWS)
        wanted = {row.folder for row in page.rows if not row.download.is_complete}
        for name in names:
            if name not in wanted:
                await asyncio.to_thread(self._folders.remove, name)

    def _folder_names(self) -> list[str]:
        return [path.name for path in self._folders.root.iterdir()] if self._folders.root.is_dir() else []


class Reconciler:
    """Makes sure that every active download is queued or has a worker. Runs in every process.

    Several processes may find the same download; the store lets one of them change it.
    """

    def __init__(self, store: DownloadStore, leases: Leases) -> None:
        self._store = store
        self._leases = leases

    async def requeue_lost(self) -> None:
        """Queue the downloads of dead workers again."""
        alive = await self._leases.alive_for_takeover()
        if alive is None:
            return
        page = await self._store.page([in_state(state) for state in transitions.WORK_STATES], count=_BATCH_ROWS)
        for row in page.rows:
            if row.lease not in alive:
                await self._recover(row)

    async def _recover(self, found: DownloadRow) -> None:
        def step(row: DownloadRow) -> DownloadRow | None:
            if row.state not in transitions.WORK_STATES or row.lease != found.lease:
                return None
            return transitions.recovered(row)

        if await self._change(found, step):
            log.warning("a worker died; its download is queued again", download=found.download.id, worker=found.lease)

    async def requeue_unclaimed(self, worker_id: str, is_running: Callable[[str], bool]) -> None:
        """Queue downloads again that this worker has claimed but does not run: the answer to its claim was lost."""
        page = await self._store.page([in_state(state) for state in transitions.WORK_STATES], count=_BATCH_ROWS)
        for row in page.rows:
            if row.lease == worker_id and not is_running(row.download.id):
                await self._recover(row)

    async def compare_with_queue(self) -> None:
        """Give a new job to every queued download that has none."""
        page = await self._store.page([in_state(DownloadState.QUEUED)], count=_BATCH_ROWS)
        has_job = await self._store.has_job(page.rows)
        for found in (row for row, has in zip(page.rows, has_job, strict=True) if not has):
            if await self._change(found, partial(_with_new_job, found)):
                log.warning("a queued download had no job; it has one now", download=found.download.id)

    async def _change(self, found: DownloadRow, step: Callable[[DownloadRow], DownloadRow | None]) -> bool:
        try:
            return (await self._store.change(found.download.id, step))[1]
        except (DownloadNotFound, IllegalTransition):
            return False


def _with_new_job(found: DownloadRow, row: DownloadRow) -> DownloadRow | None:
    is_as_found = row.state is DownloadState.QUEUED and row.job_id == found.job_id
    return transitions.requeued(row, crash_count=row.crash_count) if is_as_found else None
