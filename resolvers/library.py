"""The viewer's library."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from resolvers.context import ID, Context
from services.catalog import parse_album_id
from services.library import LibraryOrder, LibraryPage, LibraryQuery, LibraryRecord, UnreadChapters

NOTHING_UNREAD = UnreadChapters(0, ())


async def add_to_library(
    context: Context, album_id: ID, auto_download: bool = False, notify: bool = True
) -> LibraryRecord:
    """Adds an album to your library: one that you keep an eye on. An album that is there stays as it is, with these
    settings.
    """
    user_id = context.require_viewer().user.id
    return await context.services.library.showing(context.catalog).add(
        user_id, parse_album_id(album_id, "albumId"), auto_download=auto_download, notify=notify
    )


async def remove_from_library(context: Context, album_id: ID) -> bool:
    """Removes an album from your library; false when it was not there. Where you have read it stays known."""
    user_id = context.require_viewer().user.id
    return await context.services.library.remove(user_id, parse_album_id(album_id, "albumId"))


async def check_library(context: Context) -> int:
    """Looks for new chapters of the albums in your library now, after what people wait for; how many are looked at.
    Those that were looked at within the last minute are left out.
    """
    return await context.services.library.request_check(context.require_viewer().user.id)


async def library_updated(context: Context) -> AsyncGenerator[LibraryRecord, None]:
    """Entries of your library whenever they change: new chapters were found, an album could not be read, other
    settings.
    """
    user_id = context.require_viewer().user.id
    async with aclosing(context.services.library.showing(context.catalog).watch(user_id)) as records:
        async for record in records:
            yield record


async def library(
    context: Context,
    first: int,
    after: str | None,
    *,
    has_new: bool | None = None,
    query: str | None = None,
    order_by: LibraryOrder | None = None,
) -> LibraryPage:
    """A page of the viewer's library."""
    user_id = context.require_viewer().user.id
    chosen = LibraryQuery(has_new, query or "", order_by or LibraryOrder.ADDED)
    return await context.services.library.showing(context.catalog).list(user_id, chosen, first=first, after=after)


async def library_entry(context: Context, album_id: str) -> LibraryRecord | None:
    """The viewer's entry of an album; None for who is no person."""
    viewer = context.viewer
    return None if viewer is None else await context.loaders.library_entry_of.load((viewer.user.id, album_id))


async def unread_chapters(context: Context, album_id: str) -> UnreadChapters:
    """What the viewer has not read of an album in the library."""
    user_id = context.require_viewer().user.id
    return await context.loaders.unread_of.load((user_id, album_id)) or NOTHING_UNREAD
