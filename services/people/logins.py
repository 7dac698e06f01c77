"""Logging in by name and password: limited against guessing."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from cachetools import TTLCache

from services.errors import InvalidCredentials, LoginsLimited
from services.people.accounts import Accounts
from services.people.names import name_key
from services.people.records import User, Viewer
from services.redis import RedisClient, RedisUnavailable

MAX_WRONG = 5
"""Wrong passwords for one name, or from one address, until further attempts are refused."""
WINDOW_S = 300
"""From the first wrong password on."""
TURN_WAIT_S = 30.0
"""An attempt waits so long for those that began before it; none takes longer than a few seconds."""
TURN_POLL_S = 0.02
GIVEN_UP_S = 60.0
"""An attempt of a process that was killed counts as under way for so long."""
VERIFIED_S = 60.0
MAX_VERIFIED = 1024
MAX_COUNTED = 10_000
"""Names and addresses that are counted in this process while Redis is unavailable."""

_SCRIPT = Path(__file__).with_name("logins.lua")
_UNDER_WAY = ":under-way"


class Logins:
    """Verifies names with passwords, and counts the wrong ones."""

    def __init__(self, accounts: Accounts, limit: LoginLimit) -> None:
        self._accounts = accounts
        self._limit = limit
        self._verified: TTLCache[bytes, Viewer] = TTLCache(MAX_VERIFIED, VERIFIED_S)
        self._remembering = asyncio.Lock()  # a reader sends the same password many times at once

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
        async with self._remembering, self._attempt(name, address):
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

    def _attempt(self, name: str, address: str) -> AbstractAsyncContextManager[None]:
        return self._limit.attempt(f"name:{name_key(name)}", f"address:{address}")

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

    Attempts under way may all turn out wrong: of more at once than that, each waits until another is decided. So many
    at once are no way around the limit, and right ones are never taken for wrong ones.
    """

    def __init__(self, redis: RedisClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis = redis
        self._script = redis.client.register_script(_SCRIPT.read_text("utf-8"))
        self._wrong: TTLCache[str, list[float]] = TTLCache(MAX_COUNTED, WINDOW_S, clock)
        self._under_way: Counter[str] = Counter()
        self._clock = clock

    @asynccontextmanager
    async def attempt(self, *subjects: str) -> AsyncIterator[None]:
        """One attempt, which counts as wrong when `InvalidCredentials` is raised. Raises `LoginsLimited`."""
        keys, id = [_key(subject) for subject in subjects], secrets.token_hex(8)
        await self._begin(keys, id)
        try:
            yield
        except InvalidCredentials:
            await self._end(keys, id, is_wrong=True)
            raise
        except BaseException:
            await self._end(keys, id)
            raise
        await self._end(keys, id)

    async def _begin(self, keys: Sequence[str], id: str) -> None:
        """Return when the attempt is under way."""
        ends_at = time.monotonic() + TURN_WAIT_S
        while (wait_s := await self._try_to_begin(keys, id)) is not None:
            if wait_s > 0 or time.monotonic() > ends_at:
                raise LoginsLimited(wait_s or TURN_WAIT_S)
            await asyncio.sleep(TURN_POLL_S)
        self._under_way.update(keys)

    async def _try_to_begin(self, keys: Sequence[str], id: str) -> float | None:
        """None when it has begun, 0 when others must end first; else seconds to wait: too many were wrong."""
        names = [name for key in keys for name in (key, key + _UNDER_WAY)]
        try:
            wait_ms = await self._script(keys=names, args=[id, MAX_WRONG, int(GIVEN_UP_S * 1000)])
        except RedisUnavailable:
            return self._try_here(keys)
        return None if wait_ms < 0 else wait_ms / 1000

    def _try_here(self, keys: Sequence[str]) -> float | None:
        now = self._clock()
        wrong_of = {key: [at for at in self._wrong.get(key, ()) if now - at < WINDOW_S] for key in keys}
        waits_s = [WINDOW_S - (now - times[0]) for times in wrong_of.values() if len(times) >= MAX_WRONG]
        if waits_s:
            return max(waits_s)
        is_full = any(len(times) + self._under_way[key] >= MAX_WRONG for key, times in wrong_of.items())
        return 0.0 if is_full else None

    async def _end(self, keys: Sequence[str], id: str, *, is_wrong: bool = False) -> None:
        pipeline = self._redis.client.pipeline()
        for key in keys:
            if is_wrong:
                pipeline.incr(key)
                pipeline.expire(key, WINDOW_S, nx=True)
            pipeline.zrem(key + _UNDER_WAY, id)
        try:
            await pipeline.execute()
        except RedisUnavailable:
            for key in keys if is_wrong else ():
                self._wrong[key] = [*self._wrong.get(key, ()), self._clock()]
        finally:
            self._under_way.subtract(keys)
            self._under_way += Counter()  # forgets those with none


def _key(subject: str) -> str:
    """Without the name or address itself, which is nobody's business."""
    return "jmgraph:login:" + hashlib.sha256(subject.encode("utf-8", "surrogatepass")).hexdigest()[:32]
