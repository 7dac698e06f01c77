"""Which workers live. A worker that is silent for a lease's time is dead, and what it had is free."""

from __future__ import annotations

import os
import secrets
import socket
import time

from services.downloads.store import Store
from services.redis import RedisUnavailable


def new_worker_id() -> str:
    """A name for this run of this process: "host:4711:9f3a21"."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"


class Leases:
    """Heartbeats of workers, and a judge of them that gives everybody time after an outage."""

    def __init__(self, store: Store, *, lease_s: float) -> None:
        self._store = store
        self._lease_s = lease_s
        self._in_touch_since: float | None = None

    async def beat(self, worker_id: str) -> None:
        """Say that this worker lives."""
        await self._store.workers("beat", worker_id, round(self._lease_s * 1000))

    async def leave(self, worker_id: str) -> None:
        """Say that this worker has ended."""
        await self._store.workers("leave", worker_id)

    async def alive(self) -> frozenset[str]:
        """Workers with a fresh heartbeat."""
        return frozenset(await self._store.workers("alive"))

    async def judge(self) -> frozenset[str] | None:
        """As `alive`, to tell the dead by; None until Redis was in reach for as long as a lease lasts.

        While Redis was away nobody could say that he lives.
        """
        try:
            alive = await self.alive()
        except RedisUnavailable:
            self._in_touch_since = None
            raise
        if self._in_touch_since is None:
            self._in_touch_since = time.monotonic()
        return alive if time.monotonic() - self._in_touch_since >= self._lease_s else None
