"""Leases of workers on downloads, and locks on files that are being sent. Both expire with a dead process."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog

from services.downloads.store import DownloadStore
from services.downloads.transitions import now_ms
from services.redis import RedisUnavailable
from services.tasks import cancel_and_wait


def new_worker_id() -> str:
    """A unique name of this process: "host:4711:9f3a21"."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"


class Leases:
    """Heartbeats of workers, and which of them count as dead."""

    def __init__(self, store: DownloadStore, *, lease_s: float) -> None:
        self._store = store
        self._lease_s = lease_s
        self._reachable_since: float | None = None

    async def heartbeat(self, worker_id: str) -> None:
        """Report that this worker is alive."""
        await self._store.workers("beat", worker_id, round(self._lease_s * 1000))

    async def leave(self, worker_id: str) -> None:
        """Report that this worker has ended."""
        await self._store.workers("leave", worker_id)

    async def alive(self) -> frozenset[str]:
        """Workers with a fresh heartbeat."""
        return frozenset(await self._store.workers("alive"))

    async def alive_for_takeover(self) -> frozenset[str] | None:
        """As `alive`, for deciding who is dead; None until Redis has been reachable for as long as a lease lasts.

        During an outage of Redis no worker could report.
        """
        try:
            alive = await self.alive()
        except RedisUnavailable:
            self._reachable_since = None
            raise
        if self._reachable_since is None:
            self._reachable_since = time.monotonic()
        return alive if time.monotonic() - self._reachable_since >= self._lease_s else None


log = structlog.get_logger("jmgraph.file_locks")


class FileLocks:
    """Locks on files: taken, renewed while the file is sent, and released. The lock of a dead process expires."""

    def __init__(self, store: DownloadStore, *, lock_s: float) -> None:
        self._store = store
        self._lock_s = lock_s

    @asynccontextmanager
    async def lock(self, id: str) -> AsyncIterator[bool]:
        """Keep the file of this download from expiring; False when it has expired already."""
        token = secrets.token_hex(8)
        if not await self._take(id, token):
            yield False
            return
        renewal = asyncio.create_task(self._renew(id, token), name="lock on a file")
        try:
            yield True
        finally:
            await cancel_and_wait(renewal)
            with suppress(RedisUnavailable):
                await self._store.release_file_lock(id, token)

    async def _take(self, id: str, token: str) -> bool:
        now = now_ms()
        return await self._store.lock_file(id, token, now_ms=now, until_ms=self._until(now))

    async def _renew(self, id: str, token: str) -> None:
        while True:
            await asyncio.sleep(self._lock_s / 3)
            try:
                await self._store.renew_file_lock(id, token, self._until(now_ms()))
            except RedisUnavailable:
                log.debug("a lock can't be renewed, Redis is unavailable", download=id)

    def _until(self, now: int) -> int:
        return now + round(self._lock_s * 1000)
