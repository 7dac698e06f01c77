"""Downloads: one call to the service each."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Sequence

from resolvers.context import Context
from services.catalog import parse_album_id
from services.downloads import (
    ArchiveFormat,
    Download,
    DownloadPage,
    DownloadRequest,
    DownloadState,
    FeedBatch,
    ImageFormat,
)
from services.errors import QueueUnavailable
from services.observability import current_usage


async def find(context: Context, id: str) -> Download | None:
    """The download of this id, None when there is none."""
    current_usage().is_personal = True
    return await context.services.downloads.find(id)


async def page(
    context: Context, states: Collection[DownloadState] | None, first: int, after: str | None
) -> DownloadPage:
    """A page of downloads, newest first."""
    current_usage().is_personal = True
    return await context.services.downloads.list(states, first, after)


async def of_album(context: Context, album_id: str) -> list[Download]:
    """Downloads of an album, newest first; none while Redis is away, so that the album can still be read."""
    current_usage().is_personal = True
    try:
        return await context.services.downloads.of_album(album_id)
    except QueueUnavailable:
        return []


async def start(
    context: Context,
    *,
    album_id: str,
    chapter_ids: Sequence[str] | None,
    archive: ArchiveFormat,
    image: ImageFormat,
    quality: int,
    force: bool,
) -> Download:
    """Queue a download, or find the one that is the same."""
    request = DownloadRequest(
        album_id=parse_album_id(album_id, "albumId"),
        chapter_ids=tuple(chapter_ids or ()),
        archive=archive,
        image=image,
        quality=quality,
        force=force,
    )
    return await context.services.downloads.start(request)


async def cancel(context: Context, id: str) -> Download:
    """Stop a download."""
    return await context.services.downloads.cancel(id)


async def retry(context: Context, id: str) -> Download:
    """Queue an ended download again."""
    return await context.services.downloads.retry(id)


async def retry_failed(context: Context) -> list[Download]:
    """Queue every failed download again."""
    return await context.services.downloads.retry_failed()


async def remove(context: Context, id: str) -> None:
    """Delete a download's record and files."""
    await context.services.downloads.remove(id)


def watch(context: Context, id: str) -> AsyncGenerator[Download, None]:
    """The download now, then every change until its end."""
    return context.services.downloads.watch(id)


def feed(
    context: Context, ids: Collection[str] | None, states: Collection[DownloadState] | None
) -> AsyncGenerator[FeedBatch, None]:
    """The active downloads, then what changed."""
    return context.services.downloads.feed(ids, states)
