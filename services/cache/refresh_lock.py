"""Turns: over all processes, one at a time does the work of a key; the others wait, and take over when it dies."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.cache.failure_codec import pack_failure, unpack_failure
from services.cache.redis_tier import ALONE, TOKEN_BYTES, Claim, RedisTier

LONGEST_WAIT_S = 90.0
"""Who has waited for another's turn for so long goes ahead without one."""
FIRST_LOOK_S = 0.015
LAST_LOOK_S = 0.1
"""Between two looks at a turn that another process holds."""


class RefreshLock:
    """One process's wish to do the work of a key."""

    def __init__(self, shared: RedisTier, key: str) -> None:
        self._shared = shared
        self._key = key
        self._token = secrets.token_bytes(TOKEN_BYTES)
        self._awaited: bytes | None = None
        self._pause_s = 0.0
        self._deadline = time.monotonic() + LONGEST_WAIT_S

    async def look(self) -> Claim:
        """One look at the key, a little after the one before. Look again until it is ours, or an answer will do."""
        if self._pause_s:
            await asyncio.sleep(self._pause_s)
        if time.monotonic() > self._deadline:
            return ALONE
        claim = await self._shared.claim(self._key, self._token)
        self._pause_s = min(max(FIRST_LOOK_S, self._pause_s * 1.4), LAST_LOOK_S)
        return claim

    async def heed(self, claim: Claim) -> None:
        """Raises the `UpstreamFailure` of the holder we waited for, when it gave up."""
        awaited, self._awaited = self._awaited, claim.holder
        if awaited is None or claim.failure is None or not claim.failure.startswith(awaited):
            return
        await self.leave(claim)
        raise unpack_failure(claim.failure[TOKEN_BYTES:])

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Keep the turn alive while the work lasts. When the work fails the turn ends, and those who wait for it
        hear why; otherwise `settle` or `give_up` ends it.
        """
        keeper = asyncio.create_task(self._keep())
        try:
            yield
        except BaseException as error:
            await self.give_up(pack_failure(error))
            raise
        finally:
            keeper.cancel()

    async def settle(self, data: bytes, ttl_s: float) -> None:
        """End the turn with its answer."""
        await self._shared.settle(self._key, self._token, data, ttl_s)

    async def give_up(self, failure: bytes = b"") -> None:
        """End the turn without one."""
        await self._shared.give_up(self._key, self._token, failure)

    async def leave(self, claim: Claim) -> None:
        """Go without doing the work: somebody else did it."""
        if claim.is_ours:
            await self.give_up()

    async def discard(self) -> None:
        """Forget the bytes of the key."""
        await self._shared.drop(self._key)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self._shared.lock_s / 3)
            await self._shared.renew(self._key, self._token)
