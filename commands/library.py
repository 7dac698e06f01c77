"""`jmgraph library`: the albums that a person keeps an eye on, by the host, whether the server runs or not."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC
from pathlib import Path

from rich.console import Console
from rich.table import Table

from services.catalog import parse_album_id
from services.container import Services, library_checker, open_services
from services.database.models import OWNER_ID
from services.downloads import DownloadState, KeptFile, Ownership
from services.errors import ConfigurationError, JmgraphError, UserNotFound
from services.library import LibraryOrder, LibraryQuery, LibraryRecord
from services.settings import Settings

PAGE_SIZE = 100


async def list_entries(settings: Settings, user: str | None, only_new: bool) -> int:
    """Print the entries, the one that changed last first, a line each."""
    async with open_services(settings) as services:
        user_id = await _user_id(services, user)
        entries = await _entries(services, user_id, only_new=only_new)
        await _print(services, user_id, entries)
    return 0


async def add(settings: Settings, user: str | None, ids: Sequence[str], auto_download: bool) -> int:
    """Add albums, or set what is downloaded of those that are there; 1 when one could not be added."""
    failed = 0
    async with open_services(settings) as services:
        user_id = await _user_id(services, user)
        for id in ids:
            try:
                entry = await services.library.add(user_id, parse_album_id(id), auto_download=auto_download)
                print(f"added {entry.album.id} {entry.album.title}")  # noqa: T201 (output of the command)
            except JmgraphError as error:
                failed += 1
                print(f"{id}: {error.message}")  # noqa: T201 (output of the command)
    return 1 if failed else 0


async def remove(settings: Settings, user: str | None, ids: Sequence[str]) -> int:
    """Remove albums; 1 when one was not there."""
    missing = 0
    async with open_services(settings) as services:
        user_id = await _user_id(services, user)
        for id in ids:
            was_there = await services.library.remove(user_id, parse_album_id(id))
            missing += not was_there
            print(f"removed {id}" if was_there else f"{id} is not in the library")  # noqa: T201 (output of the command)
    return 1 if missing else 0


async def check(settings: Settings, user: str | None) -> int:
    """Look at all albums now, and print those with new chapters."""
    async with open_services(settings) as services:
        user_id = await _user_id(services, user)
        count = await services.library.request_check(user_id)
        await library_checker(services).finish_requests()
        print(f"looked at {count} albums")  # noqa: T201 (output of the command)
        await _print(services, user_id, await _entries(services, user_id, only_new=True))
    return 0


async def scan(settings: Settings, user: str | None) -> int:
    """Compare the kept files with what is known of them, and print what was found."""
    async with open_services(settings) as services:
        user_id = await _user_id(services, user)
        owner = Ownership(None if user_id == OWNER_ID else user_id, sees_all=False)
        found = await services.downloads.owned(owner).scan_library(services.archives)
        expired = await services.downloads.list({DownloadState.EXPIRED}, PAGE_SIZE, None)
    print(f"{found.files} files: {found.adopted} adopted, {found.moved} found elsewhere")  # noqa: T201 (output)
    for path in found.unknown:
        print(f"names no album: {path}")  # noqa: T201 (output of the command)
    for download in expired.items:
        if download.is_kept and download.problem is not None:
            print(f"{download.album_id}: {download.problem.message}")  # noqa: T201 (output of the command)
    return 0


async def export(settings: Settings, ids: Sequence[str], to: Path) -> int:
    """Copy the kept files of albums, and print their paths; 1 when there are none of one."""
    missing = 0
    async with open_services(settings) as services:
        for id in ids:
            files = await services.kept.of_album(parse_album_id(id))
            copied = [path for file in files if (path := await _copy(services, file, to)) is not None]
            for path in copied:
                print(path)  # noqa: T201 (output of the command)
            if not copied:
                missing += 1
                print(f"nothing of {id} is kept", file=sys.stderr)  # noqa: T201 (output of the command)
    return 1 if missing else 0


async def _copy(services: Services, file: KeptFile, to: Path) -> Path | None:
    """The copy, which has its name only once it is whole; None where the file is not in the library."""
    found = await services.archives.open_range(file.key)
    if found is None:
        return None
    target = to / file.path
    partial = target.with_name(f".{file.id}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as stream:
            async for chunk in found.chunks:
                stream.write(chunk)
        return partial.replace(target)
    except OSError as error:
        raise ConfigurationError(f"--to {to}: {error.strerror}; a folder that can be written to") from None
    finally:
        partial.unlink(missing_ok=True)


async def _user_id(services: Services, name: str | None) -> str:
    """The id of the account of this name; without one, of the first account, or the owner of an open server."""
    if name is None:
        return OWNER_ID
    user = await services.people.accounts.find(name)
    if user is None:
        raise UserNotFound(name)
    return user.id


async def _entries(services: Services, user_id: str, *, only_new: bool) -> list[LibraryRecord]:
    query = LibraryQuery(has_new=True if only_new else None, order=LibraryOrder.UPDATED)
    page = await services.library.list(user_id, query, first=PAGE_SIZE)
    entries = list(page.items)
    while page.has_next:
        page = await services.library.list(user_id, query, first=PAGE_SIZE, after=page.cursors[-1])
        entries += page.items
    return entries


async def _print(services: Services, user_id: str, entries: Sequence[LibraryRecord]) -> None:
    """Print entries, with what is new and unread in them."""
    if not entries:
        print("no albums")  # noqa: T201 (output of the command)
        return
    table = Table("album", "new", "unread", "downloads", "looked at (UTC)", "title", box=None, pad_edge=False)
    for first in range(0, len(entries), PAGE_SIZE):
        part = entries[first : first + PAGE_SIZE]
        unread = await services.library.unread(user_id, [entry.album.id for entry in part])
        for entry in part:
            chapters = unread[entry.album.id]
            checked = entry.last_checked_at
            table.add_row(
                entry.album.id,
                str(len(chapters.new)),
                str(chapters.count),
                "yes" if entry.auto_download else "no",
                f"{checked.astimezone(UTC):%Y-%m-%d %H:%M}" if checked else "not yet",
                f"{entry.album.title} ({entry.last_error})" if entry.last_error else entry.album.title,
            )
    Console(highlight=False, markup=False, soft_wrap=True).print(table)
