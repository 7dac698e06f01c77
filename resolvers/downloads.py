"""Downloads: reads, live updates and changes."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

from resolvers.context import ID, Context
from services.catalog import parse_number
from services.downloads import (
    ArchiveFormat,
    DownloadPage,
    DownloadRecord,
    DownloadRequest,
    DownloadState,
    FeedBatch,
    ImageFormat,
)
from services.errors import InvalidInput, JmgraphError, QueueUnavailable
from services.tasks import gather_bounded

MAX_STARTS = 100
"""Downloads that are started at once."""
STARTS_AT_ONCE = 8


async def download(context: Context, id: ID) -> DownloadRecord | None:
    """One download; null when there is none of this id."""
    return await context.downloads.find(id)


async def downloads(
    context: Context, states: list[DownloadState] | None = None, first: int = 20, after: str | None = None
) -> DownloadPage:
    """Newest first."""
    return await context.downloads.list(states, first, after)


async def downloads_of_album(context: Context, album_id: str) -> list[DownloadRecord]:
    """Downloads of an album, newest first; none while Redis is unavailable, so that the album can still be read."""
    try:
        return await context.downloads.of_album(album_id)
    except QueueUnavailable:
        return []


async def start_download(
    context: Context,
    album_id: str,
    chapter_ids: list[ID] | None = None,
    archive: ArchiveFormat = ArchiveFormat.ZIP,
    image: ImageFormat = ImageFormat.ORIGINAL,
    quality: int = 90,
    force: bool = False,
    allow_missing: bool = False,
    keep: bool = False,
) -> DownloadRecord:
    """Queue a download. Asking again for the same album, chapters and formats while one is queued, running or ready
    returns that one, unless force; with keep, that one is kept.
    """
    number = parse_number(album_id, "albumId")
    request = DownloadRequest(
        album_id=number.digits,
        chapter_ids=tuple(chapter_ids or ()),
        archive=archive,
        image=image,
        quality=quality,
        force=force,
        allow_missing=allow_missing,
        keep=keep,
    )
    return await context.downloads.start(request, number.kind)


async def start_downloads(context: Context, inputs: list[dict[str, Any]]) -> list[DownloadRecord | JmgraphError]:
    """Queue up to 100 downloads, each as `startDownload` does; the results are in the order of the inputs. People are
    served in turn: many downloads of one don't hold up those of another.
    """
    if len(inputs) > MAX_STARTS:
        raise InvalidInput("inputs", f"At most {MAX_STARTS} downloads at once, not {len(inputs)}.")

    async def start(input: dict[str, Any]) -> DownloadRecord | JmgraphError:
        try:
            return await start_download(context, **input)
        except JmgraphError as error:
            return error

    return await gather_bounded(start, inputs, STARTS_AT_ONCE)


async def keep_download(context: Context, id: ID, keep: bool) -> DownloadRecord:
    """Lets a download's files stay in the library, where they never expire; or no longer: then they expire as others
    do. An archive that is READY is put into the library by a worker.
    """
    return await context.downloads.keep(id, keep=keep)


async def cancel_download(context: Context, id: ID) -> DownloadRecord:
    """Stops a queued or running download; keeps nothing on disk. Idempotent."""
    return await context.downloads.cancel(id)


async def retry_download(context: Context, id: ID) -> DownloadRecord:
    """Queues a failed, cancelled or expired download again, or one that is READY with pages missing, whose file stays
    until there is another; pages already fetched are kept. Any other state: returned as it is.
    """
    return await context.downloads.retry(id)


async def retry_failed_downloads(context: Context) -> list[DownloadRecord]:
    """Queues every failed download again."""
    return await context.downloads.retry_failed()


async def remove_download(context: Context, id: ID) -> ID:
    """Deletes a download's record and files; one that is under way is cancelled first."""
    await context.downloads.remove(id)
    return id


def download_status(context: Context, id: ID) -> AsyncGenerator[DownloadRecord, None]:
    """The download now, then every change; an unknown id is a NOT_FOUND error, a removed download completes (at most
    four a second; the newest wins), until it is READY, FAILED, CANCELLED or EXPIRED; then completes. A late
    subscriber still gets the final state.
    """
    return context.downloads.watch(id)


def download_feed(
    context: Context, ids: list[ID] | None = None, states: list[DownloadState] | None = None
) -> AsyncGenerator[FeedBatch, None]:
    """First the active downloads as one snapshot, then what changed, gathered into at most four messages a second."""
    return context.downloads.feed(ids, states)
