"""Accounts: users with a password. While there is none, the server is open and everybody is its owner."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Sequence
from dataclasses import replace

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from services.database import Database
from services.database.models import OWNER_ID, BlockedTagRow, TokenRow, UserRow
from services.errors import Conflict, InvalidCredentials, Unauthenticated
from services.people.blocked_tags import blocked_tags_of, parse_tags
from services.people.names import check_password, name_key, parse_name
from services.people.records import SITE_PREFIX, User, Viewer, is_id
from services.people.state import AccountsState, note_change

OWNER_NAME = "owner"
HASH_MEMORY_KIB = 19 * 1024
HASH_PASSES = 2
"""Argon2id as OWASP's Password Storage Cheat Sheet has it for one thread: 30 ms of a core. The library's default, 64
MiB and four threads, is much for a small box.
"""
MAX_HASHES_AT_ONCE = 2


class Accounts:
    """The accounts of this server, and the users without a password beside them."""

    def __init__(self, database: Database, state: AccountsState) -> None:
        self._database = database
        self._state = state
        self._hasher = PasswordHasher(time_cost=HASH_PASSES, memory_cost=HASH_MEMORY_KIB, parallelism=1)
        self._hashing = asyncio.Semaphore(MAX_HASHES_AT_ONCE)
        self._decoy: str | None = None

    async def owner(self) -> User | None:
        """The user that everybody is while the server is open; None once it is closed."""
        async with self._database.read() as session:
            row = await session.get(UserRow, OWNER_ID)
        return None if row is None or row.password_hash is not None else User.of(row)

    async def create(self, name: str, password: str, *, is_admin: bool = False, as_first_only: bool = False) -> User:
        """A new account. The first one is an admin, and takes over what the owner of the open server had.

        Raises `InvalidInput` for a name or password that can't be, `Conflict` for a name that is taken; with
        `as_first_only`, `Unauthenticated` where somebody else has made the first one.
        """
        shown = parse_name(name)
        check_password(password)
        password_hash = await self._hash(password)
        try:
            async with self._database.write() as session:
                row = await _owner_row(session)
                if row is None and as_first_only:
                    raise Unauthenticated("This server has an account by now: log in first.")
                if row is None:
                    row = _new_row(shown, is_admin=is_admin)
                    session.add(row)
                else:
                    row.name, row.name_key, row.is_admin, row.created_at_ms = shown, name_key(shown), True, _now_ms()
                row.password_hash = password_hash
                await note_change(session)
        except IntegrityError:
            raise Conflict("This name is taken.") from None
        await self._state.refresh()
        return User.of(row)

    async def verify(self, name: str, password: str) -> User:
        """The account of this name, if the password is its own.

        Raises `InvalidCredentials`, after the same time for a name that does not exist.
        """
        async with self._database.read() as session:
            row = await session.scalar(select(UserRow).where(UserRow.name_key == name_key(name)))
        stored = None if row is None else row.password_hash
        decoy = await self._decoy_hash()
        is_right = await self._matches(stored or decoy, password)
        if row is None or stored is None or not is_right:
            raise InvalidCredentials
        return User.of(row)

    async def viewer(self, user: User) -> Viewer:
        """A user who has just sent their password, as who is asking."""
        async with self._database.read() as session:
            return Viewer(user, blocked_tags=await blocked_tags_of(session, user.id))

    async def change_password(self, user_id: str, old: str, new: str, *, session_id: str | None = None) -> None:
        """Set a new password, and end all sessions but this one.

        Raises `InvalidCredentials` for a wrong old one, `InvalidInput` for a new one that can't be.
        """
        check_password(new, "newPassword")
        async with self._database.read() as session:
            row = await session.get(UserRow, user_id)
        stored = None if row is None else row.password_hash
        if stored is None or not await self._matches(stored, old):
            raise InvalidCredentials
        await self._store_password(user_id, await self._hash(new), but_session=session_id)

    async def set_password(self, name: str, password: str) -> bool:
        """Set an account's password, as the host may, and end all its sessions; False without such an account."""
        check_password(password)
        user = await self.find(name)
        if user is None or user.is_of_site:
            return False
        await self._store_password(user.id, await self._hash(password))
        return True

    async def find(self, name: str) -> User | None:
        """The user of this name, in any case and width; not the owner of an open server."""
        async with self._database.read() as session:
            row = await session.scalar(select(UserRow).where(UserRow.name_key == name_key(name)))
        is_user = row is not None and (row.id != OWNER_ID or row.password_hash is not None)
        return User.of(row) if row is not None and is_user else None

    async def list(self) -> Sequence[User]:
        """All accounts, and users of the site, oldest first."""
        query = select(UserRow).order_by(UserRow.created_at_ms, UserRow.id)
        async with self._database.read() as session:
            rows = await session.scalars(query)
            return [User.of(row) for row in rows if row.id != OWNER_ID or row.password_hash is not None]

    async def remove(self, user_id: str) -> bool:
        """Remove a user and all that is theirs; False where there is none.

        With the last account the server is open again. Raises `Conflict` for the last admin of other accounts.
        """
        if not is_id(user_id):
            return False
        async with self._database.write() as session:
            row = await session.get(UserRow, user_id, with_for_update=True)
            if row is None or (row.id == OWNER_ID and row.password_hash is None):
                return False
            await _check_is_not_last_admin(session, row)
            await session.delete(row)
            await session.flush()
            if row.password_hash is not None and await _count_accounts(session) == 0:
                session.add(_new_owner())
            await note_change(session)
        await self._state.refresh()
        return True

    async def site_user(self, site_user_id: str, username: str) -> User:
        """The user that an account of the site signs in as, made at the first time.

        It is known by its number there, since a name may go over to somebody else. One whose name another user has
        already gets its number behind it.
        """
        id, name = f"jm-{site_user_id}", SITE_PREFIX + username
        try:
            return await self._find_or_add(id, name)
        except IntegrityError:  # so it is, or another process was first
            return await self._find_or_add(id, f"{name} ({site_user_id})")

    async def set_blocked_tags(self, viewer: Viewer, tags: Sequence[str]) -> Viewer:
        """Withhold albums with these tags from this person, instead of the ones before. Raises `InvalidInput`."""
        blocked = parse_tags(tags)
        async with self._database.write() as session:
            await session.execute(delete(BlockedTagRow).where(BlockedTagRow.user_id == viewer.user.id))
            session.add_all(BlockedTagRow(user_id=viewer.user.id, tag=tag) for tag in blocked)
            await note_change(session)
        await self._state.refresh()
        return replace(viewer, blocked_tags=blocked)

    async def _find_or_add(self, id: str, name: str) -> User:
        async with self._database.write() as session:
            row = await session.get(UserRow, id)
            if row is None:
                row = _new_row(name, is_admin=False, id=id)
                session.add(row)
        return User.of(row)

    async def _store_password(self, user_id: str, password_hash: str, *, but_session: str | None = None) -> None:
        """Store a new password's hash, and end the sessions of the user, one excepted."""
        others = delete(TokenRow).where(TokenRow.user_id == user_id, TokenRow.is_session)
        if but_session is not None:
            others = others.where(TokenRow.id != but_session)
        async with self._database.write() as session:
            await session.execute(update(UserRow).where(UserRow.id == user_id).values(password_hash=password_hash))
            await session.execute(others)
            await note_change(session)
        await self._state.refresh()

    async def _hash(self, password: str) -> str:
        async with self._hashing:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def _matches(self, password_hash: str, password: str) -> bool:
        try:
            async with self._hashing:
                return await asyncio.to_thread(self._hasher.verify, password_hash, password.encode(errors="replace"))
        except VerificationError:
            return False

    async def _decoy_hash(self) -> str:
        """A hash to compare with where there is none, which takes the same time."""
        if self._decoy is None:
            self._decoy = await self._hash(secrets.token_urlsafe(16))
        return self._decoy


async def _owner_row(session: AsyncSession) -> UserRow | None:
    """The owner's row, locked, where no account has taken it over."""
    query = select(UserRow).where(UserRow.id == OWNER_ID, UserRow.password_hash.is_(None))
    return await session.scalar(query.with_for_update())


async def _check_is_not_last_admin(session: AsyncSession, row: UserRow) -> None:
    is_account = UserRow.password_hash.is_not(None)
    admins = await session.scalar(select(func.count()).where(is_account, UserRow.is_admin, UserRow.id != row.id))
    if row.is_admin and row.password_hash is not None and not admins and await _count_accounts(session) > 1:
        raise Conflict("This is the last admin; make another one first, or remove the other accounts.")


async def _count_accounts(session: AsyncSession) -> int:
    count = await session.scalar(select(func.count()).where(UserRow.password_hash.is_not(None)))
    return count or 0


def _new_row(name: str, *, is_admin: bool, id: str | None = None) -> UserRow:
    return UserRow(
        id=id or secrets.token_hex(8),
        name=name,
        name_key=name_key(name),
        is_admin=is_admin,
        created_at_ms=_now_ms(),
    )


def _new_owner() -> UserRow:
    return UserRow(id=OWNER_ID, name=OWNER_NAME, name_key=OWNER_NAME, is_admin=True, created_at_ms=_now_ms())


def _now_ms() -> int:
    return int(time.time() * 1000)
