"""Where and of what people are notified: what they set, see and test."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.database import Database
from services.database.models import NotificationEventRow, NotificationTargetRow, UserRow
from services.errors import InvalidInput, RateLimited, Unauthenticated
from services.push.records import (
    NO_ANSWER,
    TEST,
    NotificationEvent,
    NotificationMessage,
    NotificationSettings,
    NotificationTest,
    SendOutcome,
)
from services.push.sender import LONGEST_URL, MASK, NotificationSender, masked
from services.tasks import gather_bounded

MOST_URLS = 20
TESTS_AT_ONCE = 4
TESTS_S = 45.0
"""Of all tests together; an address whose turn does not come in that time gives no answer."""

WRONG_KEY = "It was stored with another secret key, and can't be read: set it again."


class Encryption(Protocol):
    """What encrypts addresses; see `services.people.SecretBox`."""

    def encrypt(self, text: str) -> bytes:
        """The text, readable with this key alone."""
        ...

    def decrypt(self, data: bytes) -> str | None:
        """The text; None for what was encrypted with another key."""
        ...


@dataclass(frozen=True, slots=True)
class _StoredTarget:
    """A stored address; `url` is None where it was encrypted with another key."""

    id: str
    url: str | None = field(repr=False)

    @property
    def shown(self) -> str:
        return MASK if self.url is None else masked(self.url)


class PushNotifications:
    """The notifications of people, by user id. Each call raises `StorageUnavailable` while the database is away."""

    def __init__(
        self,
        database: Database,
        encryption: Encryption,
        sender: NotificationSender,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._encryption = encryption
        self._sender = sender
        self._clock = clock
        self._testing: set[str] = set()

    async def find(self, user_id: str) -> NotificationSettings:
        """Where a user is notified, masked, and of what."""
        query = select(NotificationEventRow.event).where(NotificationEventRow.user_id == user_id)
        async with self._database.read() as session:
            targets = await self._targets(session, user_id)
            events = set(await session.scalars(query))
        return _settings(targets, [event for event in NotificationEvent if event.value in events])

    async def set(
        self, user_id: str, urls: Sequence[str], events: Sequence[NotificationEvent]
    ) -> NotificationSettings:
        """Notify a user at these addresses, of these events, instead of those before.

        An address in the masked form that `find` gives stays as it is stored. Raises `InvalidInput` ("urls").
        """
        texts = _cleaned(urls)
        async with self._database.read() as session:
            stored = await self._targets(session, user_id)
        wanted = _matched(texts, stored)
        await self._sender.check([text for text, target in zip(texts, wanted, strict=True) if target is None])
        targets = [
            target or _StoredTarget(secrets.token_hex(8), text) for text, target in zip(texts, wanted, strict=True)
        ]
        async with self._database.write() as session:
            await self._store(session, user_id, targets, {target.id for target in stored})
            await session.execute(delete(NotificationEventRow).where(NotificationEventRow.user_id == user_id))
            session.add_all(NotificationEventRow(user_id=user_id, event=event.value) for event in set(events))
        return _settings(targets, [event for event in NotificationEvent if event in events])

    async def test(self, user_id: str) -> Sequence[NotificationTest]:
        """Send a test to each of a user's addresses now; what became of it.

        Raises `RateLimited` while an earlier test of the user is being sent.
        """
        if user_id in self._testing:
            raise RateLimited("Your earlier test is still being sent.", retry_after_s=TESTS_S)
        self._testing.add(user_id)
        try:
            async with self._database.read() as session:
                targets = await self._targets(session, user_id)
            ends_at = asyncio.get_running_loop().time() + TESTS_S
            return await gather_bounded(lambda target: self._test(target, ends_at), targets, TESTS_AT_ONCE)
        finally:
            self._testing.discard(user_id)

    async def _test(self, target: _StoredTarget, ends_at: float) -> NotificationTest:
        if target.url is None:
            return NotificationTest(target.shown, is_ok=False, message=WRONG_KEY)
        at = datetime.fromtimestamp(self._clock(), UTC)
        message = NotificationMessage(f"msg_{secrets.token_hex(16)}", TEST, at, {})
        try:
            async with asyncio.timeout_at(ends_at):
                result = await self._sender.send(target.url, message)
        except TimeoutError:
            result = NO_ANSWER
        return NotificationTest(target.shown, result.outcome is SendOutcome.DELIVERED, result.message)

    async def _targets(self, session: AsyncSession, user_id: str) -> Sequence[_StoredTarget]:
        query = select(NotificationTargetRow).where(NotificationTargetRow.user_id == user_id)
        rows = await session.scalars(query.order_by(NotificationTargetRow.position))
        return [_StoredTarget(row.id, self._encryption.decrypt(row.encrypted_url)) for row in rows]

    async def _store(
        self, session: AsyncSession, user_id: str, targets: Sequence[_StoredTarget], stored: Collection[str]
    ) -> None:
        """Replace the addresses of a user. What is to be sent to those that stay is still sent."""
        locked = select(UserRow.id).where(UserRow.id == user_id).with_for_update()
        if await session.scalar(locked) is None:
            raise Unauthenticated("This user does not exist any more.")
        rows = await session.scalars(select(NotificationTargetRow).where(NotificationTargetRow.user_id == user_id))
        left = {row.id: row for row in rows}
        for position, target in enumerate(targets):
            if (row := left.pop(target.id, None)) is not None:
                row.position = position
            elif target.id not in stored and target.url is not None:
                encrypted = self._encryption.encrypt(target.url)
                session.add(
                    NotificationTargetRow(id=target.id, user_id=user_id, position=position, encrypted_url=encrypted)
                )
        for row in left.values():
            await session.delete(row)


def _settings(targets: Sequence[_StoredTarget], events: Sequence[NotificationEvent]) -> NotificationSettings:
    return NotificationSettings(tuple(target.shown for target in targets), tuple(events))


def _cleaned(urls: Sequence[str]) -> list[str]:
    """The addresses without blanks around them, each once; several may look the same where they are masked."""
    texts: list[str] = []
    for text in (url.strip() for url in urls):
        if MASK in text or text not in texts:
            texts.append(text)
    if len(texts) > MOST_URLS:
        raise InvalidInput("urls", f"At most {MOST_URLS} addresses, not {len(texts)}.")
    for place, text in enumerate(texts, 1):
        if not text or len(text) > LONGEST_URL or not text.isprintable():
            raise InvalidInput("urls", f"Address {place} is not a line of 1 to {LONGEST_URL} characters.")
    return texts


def _matched(texts: Sequence[str], stored: Sequence[_StoredTarget]) -> list[_StoredTarget | None]:
    """For each text the stored address that it is, as it is or masked; of several that look the same the next one."""
    left = list(stored)
    matched: list[_StoredTarget | None] = []
    for place, text in enumerate(texts, 1):
        found = next((target for target in left if text == (target.shown if MASK in text else target.url)), None)
        if found is not None:
            left.remove(found)
        elif MASK in text:
            raise InvalidInput("urls", f"Address {place} is masked, and is none of yours: write it in full.")
        matched.append(found)
    return matched
