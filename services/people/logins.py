"""Logging in by name and password: limited against guessing."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import structlog
from cachetools import TTLCache

from services.errors import InvalidCredentials, LoginsLimited
from services.people.accounts import Accounts
from services.people.names import name_key
from services.people.records import User, Viewer
from services.redis import RedisClient, RedisUnavailable

log = structlog.get_logger("jmgraph.people")

MAX_WRONG = 5
"""Wrong passwords for one name, or from one address, until further attempts are refused."""
WINDOW_S = 300
"""From the first wrong password on."""
VERIFIED_S = 60.0
MAX_VERIFIED = 1024
MAX_COUNTED = 10_000
"""Names and addresses that are counted in this process while Redis is unavailable."""


class Logins:
    """Verifies names with passwords, and counts the wrong ones."""

    def __init__(self, accounts: Accounts, limit: LoginLimit) -> None:
        self._accounts = accounts
        self._limit = limit
        self._verified: TTLCache[bytes, Viewer] = TTLCache(MAX_VERIFIED, VERIFIED_S)
        self._one_at_a_time = asyncio.Lock()  # right passwords that arrive at once must not count as many attempts

    async def verify(self, name: str, password: str, address: str) -> User:
        """The account of this name, if the password is its own; `address` is the client's.

        Raises `InvalidCredentials`; `LoginsLimited` after five wrong passwords in five minutes for the name or from
        the address, whether the name exists or not.
        """
        async with self._attempt(name, address):
            return await self._accounts.verify(name, password)

    async def verify_again(self, name: str, password: str, address: str) -> Viewer:
        """As `verify`, for HTTP Basic, which sends them with every request: remembered for a minute."""
        key = hashlib.sha256(f"{name}\0{password}".encode("utf-8", "surrogatepass")).digest()
        if (known := self._verified.get(key)) is not None:
            return known
        async with self._attempt(name, address):
            if (known := self._verified.get(key)) is not None:
                return known
            verified = self._verified
            user = await self._accounts.verify(name, password)
            viewer = verified[key] = await self._accounts.viewer(user)
            return viewer  # where something has changed meanwhile, nobody reads what is remembered any more

    @asynccontextmanager
    async def attempt(self, user: User, address: str) -> AsyncIterator[None]:
        """Around the check of a password that a user sends once more. Raises as `verify`."""
        async with self._attempt(user.name, address):
            yield

    @asynccontextmanager
    async def _attempt(self, name: str, address: str) -> AsyncIterator[None]:
        async with self._one_at_a_time, self._limit.attempt(f"name:{name_key(name)}", f"address:{address}"):
            yield

    @asynccontextmanager
    async def attempt_at_site(self, username: str, address: str) -> AsyncIterator[None]:
        """Around a login at the site: nobody guesses passwords there through this server. Raises as `verify`."""
        async with self._limit.attempt(f"site:{name_key(username)}", f"address:{address}"):
            yield

    def forget(self) -> None:
        """Verify every password anew: something has changed."""
        self._verified = TTLCache(MAX_VERIFIED, VERIFIED_S)


class LoginLimit:
    """Counts wrong passwords by what they were sent for, over all processes; in this one while Redis is unavailable.

    An attempt counts from its beginning, so that many at once are no way around the limit.
    """

    def __init__(self, redis: RedisClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis = redis
        self._counted: TTLCache[str, list[float]] = TTLCache(MAX_COUNTED, WINDOW_S, clock)
        self._clock = clock

    @asynccontextmanager
    async def attempt(self, *subjects: str) -> AsyncIterator[None]:
        """One attempt, which counts as wrong when `InvalidCredentials` is raised. Raises `LoginsLimited`."""
        keys = [_key(subject) for subject in subjects]
        wait_s = await self._begin(keys)
        if wait_s is not None:
            raise LoginsLimited(wait_s)
        try:
            yield
        except InvalidCredentials:
            raise
        except BaseException:
            await self._take_back(keys)
            raise
        await self._take_back(keys)

    async def _begin(self, keys: Sequence[str]) -> float | None:
        """Count an attempt; seconds to wait where one more is too many."""
        try:
            return await self._begin_in_redis(keys)
        except RedisUnavailable:
            return self._begin_here(keys)

    async def _begin_in_redis(self, keys: Sequence[str]) -> float | None:
        pipeline = self._redis.client.pipeline()
        for key in keys:
            pipeline.incr(key)
            pipeline.expire(key, WINDOW_S, nx=True)
            pipeline.pttl(key)
        answers = await pipeline.execute()
        waits = [
            ttl_ms / 1000 for count, ttl_ms in zip(answers[0::3], answers[2::3], strict=True) if count > MAX_WRONG
        ]
        if waits:
            await self._take_back(keys)
        return max(waits, default=None)

    def _begin_here(self, keys: Sequence[str]) -> float | None:
        waits = []
        for key in keys:
            times = [at for at in self._counted.get(key, ()) if self._clock() - at < WINDOW_S]
            if len(times) >= MAX_WRONG:
                waits.append(WINDOW_S - (self._clock() - times[0]))
            self._counted[key] = times
        if waits:
            return max(waits)
        for key in keys:
            self._counted[key].append(self._clock())
        return None

    async def _take_back(self, keys: Sequence[str]) -> None:
        """Uncount an attempt that was not wrong, or was not made."""
        for key in keys:
            if self._counted.get(key):
                self._counted[key].pop()
        try:
            pipeline = self._redis.client.pipeline()
            for key in keys:
                pipeline.decr(key)
                pipeline.expire(key, WINDOW_S, nx=True)
            await pipeline.execute()
        except RedisUnavailable:
            log.debug("an attempt to log in could not be uncounted")


def _key(subject: str) -> str:
    """Without the name or address itself, which is nobody's business."""
    return "jmgraph:login:" + hashlib.sha256(subject.encode("utf-8", "surrogatepass")).hexdigest()[:32]
