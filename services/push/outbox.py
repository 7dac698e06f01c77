"""The outbox: notifications that are to be sent, as rows beside what they tell of, in one transaction with it.

So none is lost, and none is sent for what did not happen; and what could not be sent waits there for its next
attempt, however often a worker is started again.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from services.database.models import NotificationDeliveryRow, NotificationEventRow, NotificationTargetRow
from services.push.records import NotificationEvent
from services.redis import Events

TOPIC = "notifications"
"""Of the event that there is something to send."""
ID_PREFIX = "msg_"


class Outbox:
    """`has_titles`: whether titles of albums may be in notifications."""

    def __init__(self, events: Events, *, has_titles: bool, clock: Callable[[], float] = time.time) -> None:
        self._events = events
        self._has_titles = has_titles
        self._clock = clock

    async def add(
        self,
        session: AsyncSession,
        user_ids: Collection[str],
        event: NotificationEvent,
        data: Mapping[str, Any],
        *,
        title: str | None = None,
        key: str | None = None,
    ) -> None:
        """Notify those of these users who want to hear of such events, once this transaction is committed.

        What has the same `key` is sent once. Call `wake_up` behind the transaction, so that it is sent at once.
        """
        is_of_user = NotificationEventRow.user_id == NotificationTargetRow.user_id
        wants = and_(is_of_user, NotificationEventRow.event == event.value)
        query = select(NotificationTargetRow.id).join(NotificationEventRow, wants)
        targets = (await session.scalars(query.where(NotificationTargetRow.user_id.in_(user_ids)))).all()
        id_of = {_id_of(key or secrets.token_hex(16), target): target for target in targets}
        known = select(NotificationDeliveryRow.id).where(NotificationDeliveryRow.id.in_(id_of))
        added = set(await session.scalars(known)) if key and id_of else set()
        shown = {"title": title} if self._has_titles and title else {}
        now_ms = int(self._clock() * 1000)
        session.add_all(
            NotificationDeliveryRow(
                id=id,
                target_id=target,
                event=event.value,
                data={**data, **shown},
                created_at_ms=now_ms,
                attempts=0,
                due_at_ms=now_ms,
            )
            for id, target in id_of.items()
            if id not in added
        )

    async def wake_up(self) -> None:
        """Have a worker look for what is to be sent."""
        await self._events.publish(TOPIC)


def _id_of(key: str, target_id: str) -> str:
    return ID_PREFIX + hashlib.sha256(f"{key}\n{target_id}".encode()).hexdigest()[:32]
