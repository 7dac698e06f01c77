"""What every process knows of the accounts without a query: whether there are any, and when something changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog
from sqlalchemy import exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.database import Database
from services.database.models import OWNER_ID, AccountsVersionRow, UserRow
from services.errors import StorageUnavailable
from services.people.blocked_tags import blocked_tags_of
from services.people.records import User, Viewer, moment
from services.redis import RedisClient, RedisUnavailable

log = structlog.get_logger("jmgraph.people")

POLL_S = 0.4
"""Between looks at the version of the accounts: a new account closes every process within a second."""
_CLOSED_KEY = "jmgraph:people:closed"


async def note_change(session: AsyncSession) -> None:
    """Tell all processes, when this transaction is committed, that accounts or tokens have changed."""
    await session.execute(update(AccountsVersionRow).values(version=AccountsVersionRow.version + 1))


class AccountsState:
    """Whether the server is closed: true while there is at least one account, that is a user with a password.

    Kept up to date by `poll`, in each process. While the database is away the last state stays; a process that starts
    then takes it from Redis, and is open when nothing is known there.
    """

    def __init__(self, database: Database, redis: RedisClient | None) -> None:
        self._database = database
        self._redis = redis
        self._on_change: list[Callable[[], None]] = []
        self._version: int | None = None
        self._changed = asyncio.Event()
        self._refreshing = asyncio.Lock()
        self.is_closed = False
        self.owner = Viewer(User(OWNER_ID, OWNER_ID, is_admin=True, created_at=moment(0)))
        """The user that everybody is while the server is open."""

    @property
    def version(self) -> int | None:
        """Changes whenever accounts or tokens do; None while they were never read."""
        return self._version

    def call_on_change(self, *functions: Callable[[], None]) -> None:
        """Call these when accounts or tokens have changed: they forget what they know."""
        self._on_change += functions

    async def load(self) -> None:
        """Read the state for the first time."""
        try:
            await self.refresh()
        except StorageUnavailable:
            self.is_closed = await self._was_closed()

    async def refresh(self) -> None:
        """Read the state now. Raises `StorageUnavailable`."""
        async with self._refreshing:  # so that an older answer never follows a newer one
            await self._refresh()

    async def _refresh(self) -> None:
        has_accounts = exists().where(UserRow.password_hash.is_not(None))
        async with self._database.read() as session:
            version, is_closed = (await session.execute(select(AccountsVersionRow.version, has_accounts))).one()
            if version == self._version:
                return
            owner = await session.get(UserRow, OWNER_ID)
            blocked_tags = await blocked_tags_of(session, OWNER_ID)
        is_news = is_closed != self.is_closed or self._version is None
        self._version, self.is_closed = version, is_closed
        if not is_closed and owner is not None:
            self.owner = Viewer(User.of(owner), blocked_tags=blocked_tags)
        for forget in self._on_change:
            forget()
        self._changed.set()
        self._changed = asyncio.Event()
        if is_news:
            await self._remember(is_closed)

    async def wait_for_change(self) -> None:
        """Return when accounts or tokens have changed, here or in another process."""
        await self._changed.wait()

    async def poll(self) -> None:
        """Read the state again and again; never returns."""
        while True:
            await asyncio.sleep(POLL_S)
            try:
                await self.refresh()
            except StorageUnavailable:
                continue  # the database has logged it
            except Exception:
                log.exception("the state of the accounts could not be read")

    async def _was_closed(self) -> bool:
        if self._redis is None:
            return False
        try:
            return bool(await self._redis.client.exists(_CLOSED_KEY))
        except RedisUnavailable:
            return False

    async def _remember(self, is_closed: bool) -> None:
        if self._redis is None:
            return
        try:
            if is_closed:
                await self._redis.client.set(_CLOSED_KEY, b"1")
            else:
                await self._redis.client.delete(_CLOSED_KEY)
        except RedisUnavailable:
            log.debug("the state of the accounts could not be kept in Redis")
