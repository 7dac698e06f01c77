"""Why a download failed, in the words of its record."""

from __future__ import annotations

import structlog

from services.downloads.ports import PagesMissing
from services.downloads.records import DownloadProblem
from services.errors import ErrorCode, Internal, JmgraphError, UpstreamFailure

log = structlog.get_logger("jmgraph.problems")


def problem_of(error: Exception) -> DownloadProblem:
    """The problem an error is; one nobody foresaw is logged and INTERNAL."""
    match error:
        case PagesMissing():
            return _missing(error)
        case UpstreamFailure():
            return DownloadProblem(error.error_code, error.message, error.retryable, error.reason)
        case JmgraphError():
            return DownloadProblem(error.error_code, error.message, error.retryable)
    log.error("A download failed for a reason nobody foresaw", exc_info=error)
    return DownloadProblem(ErrorCode.INTERNAL, Internal().message, retryable=True)


def _missing(error: PagesMissing) -> DownloadProblem:
    count = len(error.missing)
    pages = tuple(f"{chapter_id}/{page}" for chapter_id, page in error.missing)
    what = f"{count} pages can't be had" if count != 1 else "1 page can't be had"
    return DownloadProblem(
        code=error.cause.error_code if error.cause else ErrorCode.UPSTREAM_BROKEN,
        message=f"{what}: {error.cause.message}" if error.cause else f"{what} from the site.",
        retryable=True,
        reason=error.cause.reason if error.cause else None,
        missing_pages=pages,
    )
