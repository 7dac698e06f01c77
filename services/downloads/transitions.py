"""Transitions between the states of a download, as functions of its row; the store checks that they are legal."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import structlog

from services.downloads.ports import PagesMissing
from services.downloads.records import (
    ACTIVE_STATES,
    DownloadFileRecord,
    DownloadProblemRecord,
    DownloadProgressRecord,
    DownloadRecord,
    DownloadRequest,
    DownloadState,
)
from services.downloads.row import DownloadRow, is_in_library, new_id
from services.downloads.row import kept as as_kept
from services.errors import ErrorCode, Internal, JmgraphError, UpstreamFailure
from services.observability import request_id, trace_parent

log = structlog.get_logger("jmgraph.runner")

WORK_STATES = frozenset({DownloadState.RUNNING, DownloadState.PACKING})
RETRY_STATES = frozenset({DownloadState.FAILED, DownloadState.CANCELLED, DownloadState.EXPIRED})
MOST_NOTES = 100
"""Kept in a record; an album may have thousands of pages of which each deserves one."""
RETRY_FAILED = "The retry failed"
MAX_CRASHES = 5
"""Workers that may die running a download without a page gained; after that the download itself fails."""


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


def now_ms() -> int:
    """Unix time in ms."""
    return time.time_ns() // 1_000_000


def new_row(request: DownloadRequest, title: str, owner_id: str | None = None) -> DownloadRow:
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
        owner_id=owner_id,
    )
    return DownloadRow(
        download,
        job_id=new_id(),
        queued_at_ms=now_ms(),
        lease="",
        folder=new_id(),
        request_id=request_id(),
        trace_parent=trace_parent(),
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
    return queued.replace(job_id=new_id(), lease="", archive_key=row.file_key, crash_count=crash_count)


def kept(row: DownloadRow) -> DownloadRow | None:
    """The same, to stay; None where it is that already. One that is READY with a plain archive is queued, for a
    worker to make kept files of it.
    """
    if row.download.is_kept:
        return None
    row = row.with_state(row.state, request=as_kept(row.download.request))
    if row.state is not DownloadState.READY or not row.download.files:
        return row
    return row.with_state(row.state, expires_at=None) if row.is_in_library else _queued_again(row, keeps_archive=True)


def let_go(row: DownloadRow, ttl_s: float) -> DownloadRow | None:
    """No longer to stay: its files expire after `ttl_s`; None where they did before."""
    if not row.download.is_kept:
        return None
    expires_at = now() + timedelta(seconds=ttl_s) if row.state is DownloadState.READY else row.download.expires_at
    return row.with_state(row.state, request=replace(row.download.request, keep=False), expires_at=expires_at)


def recovered(row: DownloadRow) -> DownloadRow:
    """After its worker died: queued again, or failed after too many crashes."""
    crash_count = row.crash_count + 1
    if crash_count <= MAX_CRASHES:
        return requeued(row, crash_count=crash_count)
    problem = DownloadProblemRecord(ErrorCode.INTERNAL, "Its worker ended again and again.", retryable=True)
    return failed(row, problem)


def failed(row: DownloadRow, problem: DownloadProblemRecord) -> DownloadRow:
    """Failed; its pages stay for a retry. One with an earlier archive is READY with that, and a note, instead."""
    if not row.download.files:
        return _ended(row, DownloadState.FAILED, problem=problem)
    others = (note for note in row.download.notes if not note.startswith(RETRY_FAILED))
    notes = limited_notes((f"{RETRY_FAILED}: {problem.message}", *others))
    return _restored(row, notes=notes, **({"expires_at": None} if row.download.is_kept else {}))


def ready(
    row: DownloadRow,
    files: Sequence[DownloadFileRecord],
    ttl_s: float,
    *,
    problem: DownloadProblemRecord | None = None,
    notes: tuple[str, ...] = (),
) -> DownloadRow:
    """Ready; the files expire after `ttl_s`, unless they are kept. `problem` says what it lacks, `notes` what was odd
    about it.
    """
    end = now()
    return _ended(
        row,
        DownloadState.READY,
        **_files(files),
        problem=problem,
        notes=limited_notes(notes),
        finished_at=end,
        expires_at=None if row.download.is_kept else end + timedelta(seconds=ttl_s),
    )


def _files(files: Sequence[DownloadFileRecord]) -> dict[str, object]:
    """The fields that have these files."""
    return {
        "file": files[0] if len(files) == 1 else None,
        "chapter_files": tuple(files) if len(files) > 1 else (),
    }


def limited_notes(notes: tuple[str, ...]) -> tuple[str, ...]:
    """The notes; of too many the first ones."""
    return notes if len(notes) <= MOST_NOTES else (*notes[: MOST_NOTES - 1], "There are more notes.")


def cancelled(row: DownloadRow) -> DownloadRow | None:
    """Cancelled, or READY again with its earlier archive; None when it has ended already."""
    if row.state not in ACTIVE_STATES:
        return None
    if not row.download.files:
        return _ended(row, DownloadState.CANCELLED)
    stays = row.download.is_kept and row.is_in_library
    return _restored(row, request=replace(row.download.request, keep=stays))


def expired(row: DownloadRow) -> DownloadRow | None:
    """Expired; None when it has no file, or not yet."""
    if row.state is not DownloadState.READY or is_current(row):
        return None
    expired = row.with_state(DownloadState.EXPIRED, **_files(()), problem=None)
    return expired.replace(archive_key="", is_in_library=False)


_LOST = DownloadProblemRecord(
    ErrorCode.NOT_FOUND,
    "The file was deleted, not by this server; retry the download to have it again.",
    retryable=True,
)


def lost(row: DownloadRow, key: str) -> DownloadRow | None:
    """Expired before its time, since the archive of this key is gone; None when it has ended otherwise by now."""
    if row.state is not DownloadState.READY or row.file_key != key:
        return None
    return row.with_state(DownloadState.EXPIRED, file=None, problem=_LOST).replace(archive_key="")


def kept_files_lost(row: DownloadRow, left: Sequence[DownloadFileRecord], count: int) -> DownloadRow | None:
    """Expired, since all but the files `left` of `count` kept ones are gone; None where it is neither that nor READY.

    It stays theirs: READY once they are back.
    """
    if row.state not in (DownloadState.READY, DownloadState.EXPIRED) or not row.is_in_library:
        return None
    if row.download.files == tuple(left):
        return None
    if not row.download.is_kept:
        expired = row.with_state(DownloadState.EXPIRED, **_files(()), problem=_LOST)
        return expired.replace(is_in_library=False)
    which = "The file was deleted" if count == 1 else f"{count - len(left)} of {count} files were deleted"
    message = f"{which} from the library, not by this server: put it back, or retry the download to have it again."
    problem = DownloadProblemRecord(ErrorCode.NOT_FOUND, message, retryable=True)
    return row.with_state(DownloadState.EXPIRED, **_files(left), problem=problem)


def found_again(row: DownloadRow, files: Sequence[DownloadFileRecord]) -> DownloadRow | None:
    """READY, since its kept files are back, or elsewhere in the library; None where nothing changes."""
    if row.state not in (DownloadState.READY, DownloadState.EXPIRED) or not row.is_in_library:
        return None
    if row.state is DownloadState.EXPIRED:
        return row.with_state(DownloadState.READY, **_files(files), problem=None, expires_at=None)
    return None if row.download.files == tuple(files) else row.with_state(DownloadState.READY, **_files(files))


def is_current(row: DownloadRow) -> bool:
    """True while it is active, or has a file that has not expired."""
    if row.state is DownloadState.READY and row.download.is_kept:
        return True
    if row.state is DownloadState.READY:
        return row.download.expires_at is not None and row.download.expires_at > now()
    return row.state.is_active


def is_missing_pages(row: DownloadRow) -> bool:
    """True for an archive that lacks pages: a retry fetches them. One that is kept and could not be put into the
    library lacks that.
    """
    is_elsewhere = row.download.is_kept and not row.is_in_library
    return row.state is DownloadState.READY and (row.download.problem is not None or is_elsewhere)


def can_be_retried(row: DownloadRow) -> bool:
    """True when `retried` gives a row."""
    return row.state in RETRY_STATES or (is_missing_pages(row) and is_current(row))


def retried(row: DownloadRow) -> DownloadRow | None:
    """Queued again at the end of the queue; None where there is nothing to retry.

    A failed one keeps its pages; so does one that is READY with pages missing, and its archive until it has another.
    """
    if not can_be_retried(row):
        return None
    return _queued_again(row, keeps_archive=is_missing_pages(row))


def _queued_again(row: DownloadRow, *, keeps_archive: bool) -> DownloadRow:
    keeps_pages = keeps_archive or row.state is DownloadState.FAILED
    earlier = row.download if keeps_archive else None
    queued = row.with_state(
        DownloadState.QUEUED,
        progress=row.download.progress if keeps_pages else DownloadProgressRecord(),
        problem=earlier and earlier.problem,
        **_files(earlier.files if earlier else ()),
        expires_at=earlier and earlier.expires_at,
        started_at=None,
        finished_at=None,
    )
    return queued.replace(
        job_id=new_id(),
        queued_at_ms=now_ms(),
        crash_count=0,
        request_id=request_id(),
        trace_parent=trace_parent(),
        folder=row.folder if keeps_pages else new_id(),
        chapters=row.chapters if keeps_pages else (),
    )


def _ended(row: DownloadRow, state: DownloadState, **changes: object) -> DownloadRow:
    progress = replace(row.download.progress, eta_s=None)
    ended = row.with_state(state, **{"progress": progress, "finished_at": now(), **changes})
    holds_files = any(map(is_in_library, ended.download.files))
    return ended.replace(job_id="", lease="", archive_key=ended.file_key, is_in_library=holds_files)


def _restored(row: DownloadRow, **changes: object) -> DownloadRow:
    """READY with the archive it had before a retry."""
    progress, problem = row.download.progress, row.download.problem
    missing_count = len(problem.missing_pages) if problem else 0
    pages_done = max(0, (progress.pages_total or 0) - missing_count)
    return _ended(row, DownloadState.READY, progress=replace(progress, pages_done=pages_done, eta_s=None), **changes)


def problem_from_error(error: Exception) -> DownloadProblemRecord:
    """The problem for an error; an unexpected one is logged and INTERNAL."""
    match error:
        case PagesMissing():
            source = "" if error.cause else " from the site"
            return _problem_of(error.cause, f"{_pages(error.missing)} can't be had{source}", error.missing)
        case UpstreamFailure():
            return DownloadProblemRecord(error.error_code, error.message, error.retryable, error.reason)
        case JmgraphError():
            return DownloadProblemRecord(error.error_code, error.message, error.retryable)
    log.error("a download failed unexpectedly", exc_info=error)
    return DownloadProblemRecord(ErrorCode.INTERNAL, Internal().message, retryable=True)


def missing_problem(missing: PagesMissing | None, chapters_left_out: int) -> DownloadProblemRecord | None:
    """The problem of an archive that lacks pages or chapters; None for one that is complete."""
    if missing is None and not chapters_left_out:
        return None
    pages = missing.missing if missing else ()
    left_out = [f"{_count(chapters_left_out, 'chapter')} without pages left out"] if chapters_left_out else []
    lacks = [f"{_pages(pages)} missing"] if pages else []
    cause = missing.cause if missing else None
    return _problem_of(cause, ", ".join(lacks + left_out), pages)


def _problem_of(
    cause: UpstreamFailure | None, what: str, missing: Sequence[tuple[str, int]]
) -> DownloadProblemRecord:
    return DownloadProblemRecord(
        code=cause.error_code if cause else ErrorCode.UPSTREAM_BROKEN,
        message=f"{what}: {cause.message}" if cause else f"{what}.",
        retryable=True,
        reason=cause.reason if cause else None,
        missing_pages=tuple(f"{chapter_id}/{page}" for chapter_id, page in missing),
    )


def _pages(missing: Sequence[tuple[str, int]]) -> str:
    return _count(len(missing), "page")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
