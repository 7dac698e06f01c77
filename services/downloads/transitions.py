"""Transitions between the states of a download, as functions of its row; the store checks that they are legal."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from services.downloads.records import (
    ACTIVE_STATES,
    DownloadFileRecord,
    DownloadProblemRecord,
    DownloadProgressRecord,
    DownloadRecord,
    DownloadRequest,
    DownloadState,
)
from services.downloads.row import DownloadRow, new_id
from services.errors import ErrorCode
from services.observability import request_id

WORK_STATES = frozenset({DownloadState.RUNNING, DownloadState.PACKING})
RETRY_STATES = frozenset({DownloadState.FAILED, DownloadState.CANCELLED, DownloadState.EXPIRED})
MAX_CRASHES = 5
"""Workers that may die running a download without a page gained; after that the download itself fails."""


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def now_ms() -> int:
    """Unix time in ms."""
    return time.time_ns() // 1_000_000


def new_row(request: DownloadRequest, title: str) -> DownloadRow:
    """The row of a new download."""
    id = new_id()
    download = DownloadRecord(
        id=id,
        revision=1,
        request=request,
        album_id=request.album_id,
        title=title,
        state=DownloadState.QUEUED,
        progress=DownloadProgressRecord(),
        problem=None,
        file=None,
        attempts=0,
        requested_at=now(),
        started_at=None,
        finished_at=None,
        expires_at=None,
    )
    return DownloadRow(
        download, job_id=new_id(), queued_at_ms=now_ms(), lease="", folder=new_id(), request_id=request_id()
    )


def claimed(row: DownloadRow, job_id: str, worker_id: str) -> DownloadRow | None:
    """Claimed by this worker; None when the job is outdated."""
    if row.state is not DownloadState.QUEUED or row.job_id != job_id:
        return None
    running = row.with_state(
        DownloadState.RUNNING,
        attempts=row.download.attempts + 1,
        started_at=row.download.started_at or now(),
    )
    return running.replace(job_id="", lease=worker_id)


def requeued(row: DownloadRow, *, crash_count: int = 0) -> DownloadRow:
    """Queued again at its old position, for another worker to continue."""
    progress = replace(row.download.progress, eta_s=None)
    queued = row.with_state(DownloadState.QUEUED, progress=progress)
    return queued.replace(job_id=new_id(), lease="", archive_key="", crash_count=crash_count)


def recovered(row: DownloadRow) -> DownloadRow:
    """After its worker died: queued again, or failed after too many crashes."""
    crash_count = row.crash_count + 1
    if crash_count <= MAX_CRASHES:
        return requeued(row, crash_count=crash_count)
    problem = DownloadProblemRecord(ErrorCode.INTERNAL, "Its worker ended again and again.", retryable=True)
    return failed(row, problem)


def failed(row: DownloadRow, problem: DownloadProblemRecord) -> DownloadRow:
    """Failed; its pages stay for a retry."""
    return _ended(row, DownloadState.FAILED, problem=problem)


def ready(row: DownloadRow, file: DownloadFileRecord, ttl_s: float) -> DownloadRow:
    """Ready; the file expires after `ttl_s`."""
    end = now()
    ended = _ended(row, DownloadState.READY, file=file, finished_at=end, expires_at=end + timedelta(seconds=ttl_s))
    return ended.replace(archive_key=row.archive_key)


def cancelled(row: DownloadRow) -> DownloadRow | None:
    """Cancelled; None when it has ended already."""
    if row.state not in ACTIVE_STATES:
        return None
    return _ended(row, DownloadState.CANCELLED)


def expired(row: DownloadRow) -> DownloadRow | None:
    """Expired; None when it has no file, or not yet."""
    if row.state is not DownloadState.READY or is_current(row):
        return None
    return row.with_state(DownloadState.EXPIRED, file=None).replace(archive_key="")


def is_current(row: DownloadRow) -> bool:
    """True while it is active, or has a file that has not expired."""
    if row.state is DownloadState.READY:
        return row.download.expires_at is not None and row.download.expires_at > now()
    return row.state.is_active


def retried(row: DownloadRow) -> DownloadRow | None:
    """Queued again at the end of the queue; None in a state that can't be. A failed one keeps its pages."""
    if row.state not in RETRY_STATES:
        return None
    keeps_pages = row.state is DownloadState.FAILED
    progress = row.download.progress if keeps_pages else DownloadProgressRecord()
    queued = row.with_state(
        DownloadState.QUEUED,
        progress=progress,
        problem=None,
        started_at=None,
        finished_at=None,
        expires_at=None,
    )
    return queued.replace(
        job_id=new_id(),
        queued_at_ms=now_ms(),
        crash_count=0,
        request_id=request_id(),
        folder=row.folder if keeps_pages else new_id(),
        chapters=row.chapters if keeps_pages else (),
    )


def _ended(row: DownloadRow, state: DownloadState, **changes: object) -> DownloadRow:
    progress = replace(row.download.progress, eta_s=None)
    ended = row.with_state(state, **{"progress": progress, "finished_at": now(), **changes})
    return ended.replace(job_id="", lease="", archive_key="")
