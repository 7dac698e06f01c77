"""Holds on files that are being sent: while one lasts, the file does not expire, whichever process sends it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog

from services.downloads.store import Store
from services.downloads.transitions import now_ms
from services.redis import RedisUnavailable
from services.tasks import end_tasks

log = structlog.get_logger("jmgraph.holds")


class FileLocks:
    """Takes a hold, renews it for as long as the sending takes, and lets it go. One of a dead process runs out."""

    def __init__(self, store: Store, *, hold_s: float) -> None:
        self._store = store
        self._hold_s = hold_s

    @asynccontextmanager
    async def hold(self, id: str) -> AsyncIterator[bool]:
        """True while the file of this download can't expire; False when it has."""
        token = secrets.token_hex(8)
        if not await self._take(id, token):
            yield False
            return
        renewal = asyncio.create_task(self._renew(id, token), name="hold on a file")
        try:
            yield True
        finally:
            await end_tasks(renewal)
            with suppress(RedisUnavailable):
                await self._store.release(id, token)

    async def _take(self, id: str, token: str) -> bool:
        now = now_ms()
        return await self._store.hold(id, token, now_ms=now, until_ms=self._until(now))

    async def _renew(self, id: str, token: str) -> None:
        while True:
            await asyncio.sleep(self._hold_s / 3)
            try:
                await self._store.renew_hold(id, token, self._until(now_ms()))
            except RedisUnavailable:
                log.debug("A hold can't be renewed, Redis is away", download=id)

    def _until(self, now: int) -> int:
        return now + round(self._hold_s * 1000)
