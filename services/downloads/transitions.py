"""The moves of a download between its states, as functions of the entry; the store checks that they are legal."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from services.downloads.records import (
    ACTIVE_STATES,
    Download,
    DownloadFile,
    DownloadProblem,
    DownloadProgress,
    DownloadRequest,
    DownloadState,
)
from services.downloads.row import DownloadRow, new_id
from services.errors import ErrorCode
from services.observability import request_id

WORK_STATES = frozenset({DownloadState.RUNNING, DownloadState.PACKING})
RETRY_STATES = frozenset({DownloadState.FAILED, DownloadState.CANCELLED, DownloadState.EXPIRED})
MAX_CRASHES = 5
"""Workers that may die over a download without a page gained; then it is the download that kills them."""


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def now_ms() -> int:
    """The time in ms since 1970."""
    return time.time_ns() // 1_000_000


def new_entry(request: DownloadRequest, title: str) -> DownloadRow:
    """A download that was just asked for."""
    id = new_id()
    download = Download(
        id=id,
        revision=1,
        request=request,
        album_id=request.album_id,
        title=title,
        state=DownloadState.QUEUED,
        progress=DownloadProgress(),
        problem=None,
        file=None,
        attempts=0,
        requested_at=now(),
        started_at=None,
        finished_at=None,
        expires_at=None,
    )
    return DownloadRow(
        download, job_id=new_id(), place_ms=now_ms(), lease="", folder=new_id(), request_id=request_id()
    )


def claimed(entry: DownloadRow, job_id: str, worker_id: str) -> DownloadRow | None:
    """The entry in this worker's hands; None when the job is an old one."""
    if entry.state is not DownloadState.QUEUED or entry.job_id != job_id:
        return None
    running = entry.at(
        DownloadState.RUNNING,
        attempts=entry.download.attempts + 1,
        started_at=entry.download.started_at or now(),
    )
    return replace(running, job_id="", lease=worker_id)


def requeued(entry: DownloadRow, *, crashes: int = 0) -> DownloadRow:
    """Back in the queue at its old place, for another worker to go on."""
    progress = replace(entry.download.progress, eta_s=None)
    queued = entry.at(DownloadState.QUEUED, progress=progress)
    return replace(queued, job_id=new_id(), lease="", archive_key="", crashes=crashes)


def taken_from_dead(entry: DownloadRow) -> DownloadRow:
    """What becomes of a download whose worker died: queued again, or failed when it has killed too many."""
    crashes = entry.crashes + 1
    if crashes <= MAX_CRASHES:
        return requeued(entry, crashes=crashes)
    problem = DownloadProblem(ErrorCode.INTERNAL, "Its worker ended again and again.", retryable=True)
    return failed(entry, problem)


def failed(entry: DownloadRow, problem: DownloadProblem) -> DownloadRow:
    """Ended by a problem; its pages stay for a retry."""
    return _ended(entry, DownloadState.FAILED, problem=problem)


def ready(entry: DownloadRow, file: DownloadFile, ttl_s: float) -> DownloadRow:
    """Ended well, the file alive for so long."""
    end = now()
    return replace(
        _ended(entry, DownloadState.READY, file=file, finished_at=end, expires_at=end + timedelta(seconds=ttl_s)),
        archive_key=entry.archive_key,
    )


def cancelled(entry: DownloadRow) -> DownloadRow | None:
    """Stopped; None when it has ended already."""
    if entry.state not in ACTIVE_STATES:
        return None
    return _ended(entry, DownloadState.CANCELLED)


def expired(entry: DownloadRow) -> DownloadRow | None:
    """Its file gone; None when it has none to lose, or not yet."""
    if entry.state is not DownloadState.READY or not is_over(entry):
        return None
    return replace(entry.at(DownloadState.EXPIRED, file=None), archive_key="")


def is_over(entry: DownloadRow) -> bool:
    """True when it has ended without a file, or its file's time has come."""
    if entry.state is DownloadState.READY:
        return entry.download.expires_at is None or entry.download.expires_at <= now()
    return not entry.state.is_active


def retried(entry: DownloadRow) -> DownloadRow | None:
    """Queued again at the end of the queue; None in a state that can't be. A failed one keeps its pages."""
    if entry.state not in RETRY_STATES:
        return None
    keeps_pages = entry.state is DownloadState.FAILED
    progress = entry.download.progress if keeps_pages else DownloadProgress()
    queued = entry.at(
        DownloadState.QUEUED,
        progress=progress,
        problem=None,
        started_at=None,
        finished_at=None,
        expires_at=None,
    )
    return replace(
        queued,
        job_id=new_id(),
        place_ms=now_ms(),
        crashes=0,
        request_id=request_id(),
        folder=entry.folder if keeps_pages else new_id(),
        chapters=entry.chapters if keeps_pages else (),
    )


def _ended(entry: DownloadRow, state: DownloadState, **changes: object) -> DownloadRow:
    progress = replace(entry.download.progress, eta_s=None)
    ended = entry.at(state, **{"progress": progress, "finished_at": now(), **changes})
    return replace(ended, job_id="", lease="", archive_key="")
