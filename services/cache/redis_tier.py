"""The second tier: bytes in Redis, and the claims by which one process at a time asks the site for a key.

Redis being away slows a read by one short wait at most: after a failure it is left alone for a few seconds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog

from services.redis import RedisClient, RedisUnavailable

log = structlog.get_logger("jmgraph.catalog")

T = TypeVar("T")

ANSWER_S = 0.75
"""Redis gets no more time than this; twice in a row too late and it is taken for dead."""
LATE_ANSWERS = 2
REST_S = 5.0
"""A dead Redis is left alone for so long."""
LOCK_S = 4.0
"""A claim whose holder says nothing for so long is free for the next."""
VERDICT_S = 3.0
"""How long a failure can be read by those who waited for it."""
TOKEN_BYTES = 16

# {value, whose, failure}; whose is "fresh", "mine" or its holder; the value begins with its fresh_until in ms
_CLAIM = """
local value = redis.call('GET', KEYS[1])
local fresh_until = value and tonumber(string.sub(value, 1, 15))
if fresh_until and fresh_until > tonumber(ARGV[1]) then return {value, 'fresh', false} end
local mine = redis.call('SET', KEYS[2], ARGV[2], 'NX', 'PX', ARGV[3])
return {value, mine and 'mine' or redis.call('GET', KEYS[2]), redis.call('GET', KEYS[3])}
"""
_SETTLE = """
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
return 1
"""
_GIVE_UP = """
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[2])
if ARGV[2] ~= '' then redis.call('SET', KEYS[3], ARGV[1] .. ARGV[2], 'PX', ARGV[3]) end
return 1
"""
_RENEW = "if redis.call('GET', KEYS[2]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[2], ARGV[2]) end return 0"


@dataclass(frozen=True, slots=True)
class Claim:
    """What one look at a key found. `holder` is the token of whose turn it is, None when it is nobody else's."""

    data: bytes | None = None
    is_fresh: bool = False
    holder: bytes | None = None
    failure: bytes | None = None

    @property
    def is_ours(self) -> bool:
        """True when the site is ours to ask."""
        return not self.is_fresh and self.holder is None


ALONE = Claim()
"""What a look finds while Redis is away: nothing there, and nobody to wait for."""


class RedisTier:
    """Bytes and claims by key. Nothing here raises for a Redis that is away: it reads as empty and free."""

    def __init__(
        self,
        link: RedisClient,
        *,
        lock_s: float = LOCK_S,
        rest_s: float = REST_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.lock_s = lock_s
        self._client = link.client
        self._rest_s = rest_s
        self._clock = clock
        self._resting_until = 0.0
        self._late = 0
        self._claim, self._settle, self._give_up, self._renew = (
            self._client.register_script(script) for script in (_CLAIM, _SETTLE, _GIVE_UP, _RENEW)
        )

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """The bytes of each key, in one call."""
        found = await self._ask(lambda: self._client.mget(keys)) if keys else []
        return [None] * len(keys) if found is None else list(found)

    async def put_many(self, values: Mapping[str, bytes], ttl_s: float) -> None:
        """Keep bytes under their keys, in one call."""
        pipe = self._client.pipeline(transaction=False)
        for key, data in values.items():
            pipe.set(key, data, px=_ms(ttl_s))
        await self._ask(pipe.execute)

    async def drop(self, key: str) -> None:
        """Forget the bytes of a key."""
        await self._ask(lambda: self._client.delete(key))

    async def claim(self, key: str, token: bytes) -> Claim:
        """Look at a key, and take the turn to ask the site for it when it is neither fresh nor taken."""
        found = await self._run(self._claim, key, _ms(self._clock()), token, _ms(self.lock_s))
        if found is None:
            return ALONE
        data, whose, failure = found
        is_taken = whose not in (b"fresh", b"mine")
        return Claim(data, whose == b"fresh", whose if is_taken else None, failure)

    async def settle(self, key: str, token: bytes, data: bytes, ttl_s: float) -> None:
        """Write what the turn was for, and end it."""
        await self._run(self._settle, key, token, data, _ms(ttl_s))

    async def give_up(self, key: str, token: bytes, failure: bytes = b"") -> None:
        """End a turn with nothing to show, and tell those who wait for it why."""
        await self._run(self._give_up, key, token, failure, _ms(VERDICT_S))

    async def renew(self, key: str, token: bytes) -> None:
        """Say that the holder is alive."""
        await self._run(self._renew, key, token, _ms(self.lock_s))

    async def _run(self, script: Callable[..., Awaitable[Any]], key: str, *args: object) -> Any | None:
        return await self._ask(lambda: script(keys=[key, f"{key}:turn", f"{key}:failure"], args=args))

    async def _ask(self, call: Callable[[], Awaitable[T]]) -> T | None:
        """What Redis says; None while it is away. After a rest one call tries it, the others still go without."""
        now = time.monotonic()
        if now < self._resting_until:
            return None
        is_trial = self._resting_until > 0
        if is_trial:
            self._resting_until = now + ANSWER_S
        try:
            async with asyncio.timeout(ANSWER_S):
                answer = await call()
        except TimeoutError:
            # one late answer may be our own fault: a busy loop sees its clock before its mail
            self._late += 1
            if self._late >= LATE_ANSWERS or is_trial:
                self._rest("late")
            return None
        except RedisUnavailable:
            self._rest("away")
            return None
        self._late = 0
        self._resting_until = 0.0
        return answer

    def _rest(self, why: str) -> None:
        self._resting_until = time.monotonic() + self._rest_s
        log.warning("redis is left alone, reading without it", why=why, rest_s=self._rest_s)


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))
