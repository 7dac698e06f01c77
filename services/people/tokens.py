"""Sessions and access tokens: 256 random bits, kept as SHA-256 alone."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from cachetools import LRUCache
from sqlalchemy import delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from services.database import Database
from services.database.models import TokenRow, UserRow
from services.errors import InvalidInput, Unauthenticated
from services.people.blocked_tags import blocked_tags_of
from services.people.records import AccessToken, IssuedToken, TokenScope, User, Viewer, is_id, milliseconds, moment
from services.people.state import note_change

PREFIX = "jmg_"
"""Of every token, so that it can't be taken for another service's."""
LONGEST_LABEL = 100
RENEWAL = 0.02
"""A session is renewed when this part of its life has passed, half a day of thirty: not at every use."""
MAX_KNOWN = 4096
LATEST_MS = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp() * 1000)
"""The last day of Python's calendar."""
KNOWN_S = 60.0
"""Verified tokens in memory; a change of tokens or accounts forgets all of them at once."""

_UNKNOWN: tuple[Viewer | None, float] = (None, 0.0)


class Tokens:
    """Issues, verifies and revokes tokens. `session_ttl_s` is how long a session lives unused."""

    def __init__(self, database: Database, session_ttl_s: float, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._session_ttl_ms = int(session_ttl_s * 1000)
        self._clock = clock
        self._remembered = _no_tokens()

    async def identify(self, token: str) -> Viewer:
        """Who holds this token. Raises `Unauthenticated` for one that is wrong, revoked or expired."""
        if (known := self.known(token)) is not None:
            return known
        digest, remembered = _digest(token), self._remembered
        viewer = await self._verify(digest)
        until_s = self._clock() + KNOWN_S
        if viewer.expires_at is not None:
            until_s = min(until_s, viewer.expires_at.timestamp())
        remembered[digest] = viewer, until_s  # where something has changed meanwhile, nobody reads this any more
        return viewer

    def known(self, token: str) -> Viewer | None:
        """As `identify` without a query: None for a token that has to be looked up, or has expired."""
        viewer, until_s = self._remembered.get(_digest(token), _UNKNOWN)
        return viewer if self._clock() < until_s else None

    async def start_session(self, user: User) -> IssuedToken:
        """A new session of this user."""
        now_ms = self._now_ms()
        async with self._database.write() as session:
            return await self._add(
                session,
                user,
                is_session=True,
                label="",
                scope=TokenScope.ADMIN,
                now_ms=now_ms,
                expires_at_ms=now_ms + self._session_ttl_ms,
            )

    async def create_access_token(
        self, user: User, label: str, scope: TokenScope = TokenScope.WRITE, expires_at: datetime | None = None
    ) -> IssuedToken:
        """A new access token. Raises `InvalidInput` for a bad label, or a time that has passed."""
        label = _parse_label(label)
        expires_at_ms = None if expires_at is None else milliseconds(expires_at)
        now_ms = self._now_ms()
        if expires_at_ms is not None and expires_at_ms <= now_ms:
            raise InvalidInput("expiresAt", "This time has passed.")
        if expires_at_ms is not None and expires_at_ms > LATEST_MS:
            raise InvalidInput("expiresAt", "No time after the year 9999; without one it never expires.")
        if scope is TokenScope.ADMIN and not user.is_admin:
            raise InvalidInput("scope", "Only an admin's token can have this scope.")
        async with self._database.write() as session:
            return await self._add(
                session,
                user,
                is_session=False,
                label=label,
                scope=scope,
                now_ms=now_ms,
                expires_at_ms=expires_at_ms,
            )

    async def list_access_tokens(self, user_id: str) -> Sequence[AccessToken]:
        """The access tokens of a user that have not expired, newest first."""
        is_valid = or_(TokenRow.expires_at_ms.is_(None), TokenRow.expires_at_ms > self._now_ms())
        query = select(TokenRow).where(TokenRow.user_id == user_id, TokenRow.is_session.is_(False), is_valid)
        async with self._database.read() as session:
            rows = await session.scalars(query.order_by(TokenRow.created_at_ms.desc(), TokenRow.id))
            return [AccessToken.of(row) for row in rows]

    async def revoke(self, user_id: str, token_id: str) -> bool:
        """End a token or session of this user; False where they have none of this id."""
        return is_id(token_id) and await self._delete(TokenRow.user_id == user_id, TokenRow.id == token_id) > 0

    async def revoke_sessions(self, user_id: str, *, but: str | None = None) -> None:
        """End all sessions of a user, one excepted."""
        await self._delete(TokenRow.user_id == user_id, TokenRow.is_session, TokenRow.id != (but or ""))

    async def remove_expired(self) -> None:
        """Delete the rows of tokens that have expired."""
        async with self._database.write() as session:
            await session.execute(delete(TokenRow).where(TokenRow.expires_at_ms <= self._now_ms()))

    def forget(self) -> None:
        """Verify every token anew: something has changed."""
        self._remembered = _no_tokens()

    async def _add(
        self,
        session: AsyncSession,
        user: User,
        *,
        is_session: bool,
        label: str,
        scope: TokenScope,
        now_ms: int,
        expires_at_ms: int | None,
    ) -> IssuedToken:
        token = PREFIX + secrets.token_urlsafe(32)
        row = TokenRow(
            id=secrets.token_hex(8),
            user_id=user.id,
            sha256=_digest(token),
            is_session=is_session,
            label=label,
            scope=scope.value,
            created_at_ms=now_ms,
            expires_at_ms=expires_at_ms,
        )
        session.add(row)
        expires_at = None if expires_at_ms is None else moment(expires_at_ms)
        return IssuedToken(row.id, token, label, scope, expires_at, user)

    async def _verify(self, digest: bytes) -> Viewer:
        query = select(TokenRow, UserRow).join(UserRow, UserRow.id == TokenRow.user_id)
        async with self._database.read() as session:
            found = (await session.execute(query.where(TokenRow.sha256 == digest))).one_or_none()
            if found is None:
                raise _refused()
            token, user = found
            blocked_tags = await blocked_tags_of(session, user.id)
        if token.expires_at_ms is not None and token.expires_at_ms <= self._now_ms():
            raise _refused()
        expires_at_ms = await self._note_use(token)
        return Viewer(
            user=User.of(user),
            scope=TokenScope(token.scope),
            token_id=token.id,
            is_session=token.is_session,
            expires_at=None if expires_at_ms is None else moment(expires_at_ms),
            blocked_tags=blocked_tags,
        )

    async def _note_use(self, token: TokenRow) -> int | None:
        """Note that a token is used, which renews a session; when it expires after that."""
        now_ms, expires_at_ms = self._now_ms(), token.expires_at_ms
        if token.is_session and expires_at_ms is not None:
            renewed_ms = now_ms + self._session_ttl_ms
            if renewed_ms - expires_at_ms < RENEWAL * self._session_ttl_ms:
                return expires_at_ms
            expires_at_ms = renewed_ms
        elif token.last_used_at_ms is not None and now_ms - token.last_used_at_ms < KNOWN_S * 1000:
            return expires_at_ms
        change = update(TokenRow).where(TokenRow.id == token.id)
        async with self._database.write() as session:
            await session.execute(change.values(last_used_at_ms=now_ms, expires_at_ms=expires_at_ms))
        return expires_at_ms

    async def _delete(self, *conditions: object) -> int:
        async with self._database.write() as session:
            result = await session.execute(delete(TokenRow).where(*conditions))  # type: ignore[arg-type]
            await note_change(session)
        self.forget()
        count: int = result.rowcount  # type: ignore[attr-defined]
        return count

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)


def _no_tokens() -> LRUCache[bytes, tuple[Viewer | None, float]]:
    """For holders of tokens, by hash, and until when they are believed, in the time of the clock."""
    return LRUCache(MAX_KNOWN)


def is_token(text: str) -> bool:
    """True for what is one of our tokens by its form."""
    return text.startswith(PREFIX)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _parse_label(label: str) -> str:
    label = " ".join(label.split())
    if not 1 <= len(label) <= LONGEST_LABEL:
        raise InvalidInput("label", f"A label has 1 to {LONGEST_LABEL} characters.")
    if not label.isprintable():
        raise InvalidInput("label", "A label has no control characters.")
    return label


def _refused() -> Unauthenticated:
    return Unauthenticated("This token is wrong, was revoked, or has expired; log in again.")
