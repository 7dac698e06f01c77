"""The sessions of people at the site: the only module that reaches them. What it gives out is never a session.

Each is a row of its own, encrypted, and is decrypted for the one call that it goes with.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

import msgspec
import structlog
from sqlalchemy import ColumnElement, delete, select, update

from services.database import Database
from services.database.models import SiteAccountRow, UserRow
from services.errors import (
    InvalidCredentials,
    SiteLoginRequired,
    Unauthenticated,
    UpstreamFailure,
    UpstreamReason,
)
from services.people.records import SiteAccountRecord, User
from services.people.secret_box import SecretBox
from services.push import NotificationEvent, Outbox
from services.redis import LockBusy, Locks
from services.upstream import CheckInRecord, FavoriteOrder, FavoritePageRecord, SiteSession

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from services.upstream import SiteAccountClient, SiteLogin

log = structlog.get_logger("jmgraph.people")

T = TypeVar("T")

UserOf = Callable[[str, str], Awaitable[User]]
"""The user of this server for somebody's number and name at the site."""

CHANGE_S = 60.0
"""Of one change of a favourite, its reading and its retries included."""
LOCK_WAIT_S = 20.0
"""For another change of the same account, here or in another process."""

MAX_RENEWALS = 5
"""For one call. Others that use up a new session at the same time may be quicker."""

_BUSY = "Another change of this account at the site is not done yet; try again in a moment."


class SiteSessions:
    """One account of the site for each user at most.

    Every call for a user raises `SiteLoginRequired` without a connected account, and once its session has run out;
    with a remembered password a new session is begun instead. `UpstreamFailure` where the site can't be used.
    """

    def __init__(
        self, database: Database, secrets: SecretBox, site: SiteAccountClient, locks: Locks, outbox: Outbox
    ) -> None:
        self._database = database
        self._secrets = secrets
        self._site = site
        self._locks = locks
        self._outbox = outbox
        self._has_logged_wrong_key = False

    async def find(self, user_id: str) -> SiteAccountRecord | None:
        """The account that the user has connected."""
        if (row := await self._find_row(user_id)) is None:
            return None
        return SiteAccountRecord.of(row, is_expired=self._session_in(row) is None)

    async def connect(
        self,
        username: str,
        password: str,
        *,
        remember: bool,
        user_of: UserOf,
    ) -> tuple[User, SiteAccountRecord]:
        """Log in at the site, and join the account to a user in place of the one that was joined before.

        `user_of` gives the user for the number and the name that the site says. The password is kept, encrypted, if
        it is to be remembered. Raises `InvalidCredentials`, `StorageUnavailable`.
        """
        await self._database.check()  # nobody's password is sent to the site in vain
        login = await self._site.login(username, password)
        user = await user_of(login.session.user_id, login.username)
        row = SiteAccountRow(
            user_id=user.id,
            username=login.username,
            site_user_id=login.session.user_id,
            encrypted_session=self._encrypted(login),
            encrypted_password=self._secrets.encrypt(password) if remember else None,
            is_expired=False,
            connected_at_ms=int(time.time() * 1000),
        )
        async with self._database.write() as session:
            locked = select(UserRow.id).where(UserRow.id == user.id).with_for_update()
            if await session.scalar(locked) is None:
                raise Unauthenticated("This user does not exist any more.")
            await session.merge(row)
        return user, SiteAccountRecord.of(row, is_expired=False)

    async def disconnect(self, user_id: str) -> bool:
        """Forget the user's account, its session and its password; False where there was none."""
        async with self._database.write() as session:
            result = await session.execute(delete(SiteAccountRow).where(SiteAccountRow.user_id == user_id))
        return bool(result.rowcount)  # type: ignore[attr-defined]

    async def favorites(self, user_id: str, folder_id: str, order: FavoriteOrder, page: int) -> FavoritePageRecord:
        """A page of the user's favourites in a folder."""
        return await self._call(user_id, lambda session: self._site.favorites(session, folder_id, order, page))

    async def is_favorite(self, user_id: str, album_id: str) -> bool:
        """Whether the album is a favourite of the user."""
        return await self._call(user_id, lambda session: self._site.is_favorite(session, album_id))

    async def set_favorite(self, user_id: str, album_id: str, *, is_favorite: bool) -> None:
        """Make the album a favourite of the user, or none: one at a time for an account, over all processes."""

        async def change(session: SiteSession) -> None:
            await self._site.set_favorite(session, album_id, is_favorite=is_favorite)

        row = await self._get_row(user_id)
        async with self._exclusive(f"site-favorites:{row.site_user_id}"), _deadline(CHANGE_S):
            await self._call(user_id, change)

    async def check_in(self, user_id: str) -> CheckInRecord:
        """Check in at the site for today."""
        return await self._call(user_id, self._site.check_in)

    async def _call(self, user_id: str, call: Callable[[SiteSession], Awaitable[T]]) -> T:
        """What `call` gives with the user's session, or else with a new one."""
        session = self._session_in(await self._get_row(user_id))
        if session is None:
            raise SiteLoginRequired
        for _ in range(MAX_RENEWALS):
            try:
                return await call(session)
            except SiteLoginRequired:
                session = await self._renew(user_id, session)
        raise UpstreamFailure(UpstreamReason.GARBLED, "The site does not accept the session that it has just begun.")

    async def _renew(self, user_id: str, refused: SiteSession) -> SiteSession:
        """A session in place of one that has run out: by the remembered password, once for all who need it."""
        async with self._exclusive(f"site-login:{user_id}"):
            row = await self._get_row(user_id)
            session = self._session_in(row)
            if session is not None and session != refused:
                return session
            login = await self._log_in_again(row)
            if login is None:
                await self._expire(row)
                raise SiteLoginRequired
            await self._replace(row, encrypted_session=self._encrypted(login))
            return login.session

    async def _log_in_again(self, row: SiteAccountRow) -> SiteLogin | None:
        """A new login; None without a remembered password, or with one that the site refuses by now."""
        password = row.encrypted_password and self._secrets.decrypt(row.encrypted_password)
        if not password:
            return None
        try:
            login = await self._site.login(row.username, password)
        except InvalidCredentials:
            return None
        return login if login.session.user_id == row.site_user_id else None

    async def _expire(self, row: SiteAccountRow) -> None:
        """Note that the session has run out, and notify its user of it, once."""
        is_valid = SiteAccountRow.is_expired.is_(False)
        expire = (
            update(SiteAccountRow).where(*_is_same(row), is_valid).values(is_expired=True, encrypted_password=None)
        )
        async with self._database.write() as session:
            expired = await session.scalars(expire.returning(SiteAccountRow.user_id))
            await self._outbox.add(session, expired.all(), NotificationEvent.SITE_LOGIN_EXPIRED, {})
        await self._outbox.wake_up()

    async def _replace(self, row: SiteAccountRow, **values: object) -> None:
        """Change a row, unless the user has connected an account anew meanwhile."""
        async with self._database.write() as session:
            await session.execute(update(SiteAccountRow).where(*_is_same(row)).values(**values))

    async def _find_row(self, user_id: str) -> SiteAccountRow | None:
        async with self._database.read() as session:
            return await session.scalar(select(SiteAccountRow).where(SiteAccountRow.user_id == user_id))

    async def _get_row(self, user_id: str) -> SiteAccountRow:
        if (row := await self._find_row(user_id)) is None:
            raise SiteLoginRequired(is_expired=False)
        return row

    def _session_in(self, row: SiteAccountRow) -> SiteSession | None:
        """The session; None for one that has run out, or that was encrypted with another key."""
        if row.is_expired:
            return None
        if (cookies := self._secrets.decrypt(row.encrypted_session)) is None:
            self._log_wrong_key()
            return None
        return SiteSession(row.site_user_id, msgspec.json.decode(cookies, type=dict[str, str]))

    def _encrypted(self, login: SiteLogin) -> bytes:
        return self._secrets.encrypt(msgspec.json.encode(login.session.cookies).decode())

    def _log_wrong_key(self) -> None:
        if not self._has_logged_wrong_key:
            self._has_logged_wrong_key = True
            log.warning("accounts of the site are expired: they were encrypted with another secret key")

    @asynccontextmanager
    async def _exclusive(self, name: str) -> AsyncIterator[None]:
        try:
            async with self._locks.hold(name, wait_s=LOCK_WAIT_S):
                yield
        except LockBusy:
            raise UpstreamFailure(UpstreamReason.TIMEOUT, _BUSY) from None


def _is_same(row: SiteAccountRow) -> tuple[ColumnElement[bool], ...]:
    """Whether a row is still as it was read."""
    return SiteAccountRow.user_id == row.user_id, SiteAccountRow.encrypted_session == row.encrypted_session


@asynccontextmanager
async def _deadline(seconds: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise UpstreamFailure(UpstreamReason.TIMEOUT) from None
