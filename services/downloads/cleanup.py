"""What goes with time: files, records of ended downloads, archives that nobody may see, folders of nobody."""

from __future__ import annotations

import asyncio

import structlog

from services.downloads import transitions
from services.downloads.lists import in_state
from services.downloads.ports import Archives, Folders
from services.downloads.records import DownloadState
from services.downloads.store import IllegalTransition, Store
from services.errors import DownloadNotFound, JmgraphError

log = structlog.get_logger("jmgraph.upkeep")

KEEPS_FOLDER = frozenset({DownloadState.QUEUED, DownloadState.RUNNING, DownloadState.PACKING, DownloadState.FAILED})
"""States in which the pages on disk are still wanted."""
AT_ONCE = 100_000
"""More downloads than any history holds."""


class Cleanup:
    """Runs in every process; each step may be done by several at once."""

    def __init__(self, store: Store, archives: Archives, folders: Folders, *, history_s: float) -> None:
        self._store = store
        self._archives = archives
        self._folders = folders
        self._history_s = history_s

    async def sweep(self) -> None:
        """Expire files whose time has come, forget records that are old, delete what was thrown away."""
        await self._expire()
        await self._trim()
        await self.empty_trash()

    async def _expire(self) -> None:
        now_ms = transitions.now_ms()
        for id in await self._store.due("expiry", now_ms):
            if await self._store.is_held(id, now_ms):
                continue
            try:
                await self._store.change(id, transitions.expired)
            except (DownloadNotFound, IllegalTransition):
                continue

    async def _trim(self) -> None:
        for id in await self._store.due("history", transitions.now_ms() - round(self._history_s * 1000)):
            entry = await self._store.find(id)
            if entry and entry.state in transitions.RETRY_STATES:
                await self._store.remove(id)

    async def empty_trash(self) -> None:
        """Delete archives whose record has let go of them."""
        for key in await self._store.trash():
            try:
                await self._archives.delete(key)
            except JmgraphError as error:
                log.warning("An archive can't be deleted yet", reason=error.message)
                return
            await self._store.forget_trash(key)

    async def clear_folders(self) -> None:
        """Delete staging folders that no download of any process wants any more."""
        names = await asyncio.to_thread(self._names)  # before the records: a folder that is made now has one
        if not names:
            return
        page = await self._store.page([in_state(state) for state in KEEPS_FOLDER], count=AT_ONCE)
        wanted = {entry.folder for entry in page.entries}
        for name in names:
            if name not in wanted:
                await asyncio.to_thread(self._folders.remove, name)

    def _names(self) -> list[str]:
        return [path.name for path in self._folders.root.iterdir()] if self._folders.root.is_dir() else []
