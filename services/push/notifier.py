"""The notifier of a worker: puts downloads that have ended into the outbox, and sends what is due there."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy import delete, select, update

from services.database import Database
from services.database.models import OWNER_ID, NotificationDeliveryRow, NotificationTargetRow
from services.downloads import DownloadRecord, Downloads, DownloadState
from services.errors import QueueUnavailable, StorageUnavailable
from services.push.outbox import TOPIC, Outbox
from services.push.push_notifications import Encryption
from services.push.records import NotificationEvent, NotificationMessage, SendOutcome
from services.push.sender import NotificationSender
from services.redis import Events, LockBusy, Locks
from services.tasks import cancel_and_wait

log = structlog.get_logger("jmgraph.push")

RETRY_DELAYS_S = (5.0, 60.0, 600.0, 3600.0)
"""Before each further attempt; then it is given up."""
LOCK = "notifier"
LOCK_WAIT_S = 30.0
HOLD_S = 300.0
"""A worker holds the lock for so long at most, then another may take it."""
POLL_S = 5.0
"""Between looks at what is due, unless an event wakes the notifier."""
SENDS_AT_ONCE = 8
SENDS_OF_A_USER = 3
"""At once: nobody's slow address holds up what others are sent."""
DUE_AT_ONCE = 100
ENDED_AT_ONCE = 100
LONGEST_DELAY_S = 86400.0
"""A download that ended longer ago, while no worker ran, is not told any more."""

_EVENTS = {
    DownloadState.READY: NotificationEvent.DOWNLOAD_READY,
    DownloadState.FAILED: NotificationEvent.DOWNLOAD_FAILED,
}


@dataclass(frozen=True, slots=True)
class _Delivery:
    """A notification that is due, with its address."""

    id: str
    user_id: str
    target_id: str
    attempts: int
    notification: NotificationMessage
    url: str | None = field(repr=False)


class Notifier:
    """Sends notifications; one worker at a time does."""

    def __init__(
        self,
        database: Database,
        downloads: Downloads,
        outbox: Outbox,
        sender: NotificationSender,
        encryption: Encryption,
        events: Events,
        locks: Locks,
        *,
        retry_delays_s: Sequence[float] = RETRY_DELAYS_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._downloads = downloads
        self._outbox = outbox
        self._sender = sender
        self._encryption = encryption
        self._events = events
        self._locks = locks
        self._retry_delays_s = retry_delays_s
        self._clock = clock
        self._sending: dict[str, tuple[str, asyncio.Task[None]]] = {}
        """By the id of what is being sent: the user, and the task."""
        self._wake_up = asyncio.Event()
        self._has_logged_wrong_key = False

    async def run(self) -> None:
        """Send until cancelled, through outages of the database and of Redis."""
        listening = asyncio.create_task(self._listen())
        try:
            while True:
                with suppress(LockBusy):
                    async with self._locks.hold(LOCK, wait_s=LOCK_WAIT_S):
                        await self._work_for(HOLD_S)
        finally:
            await cancel_and_wait(listening, *(task for _, task in self._sending.values()))

    async def send_due(self) -> None:
        """Tell of downloads that have ended, and send all that is due now."""
        while await self._collect():
            pass
        while await self._start_due() or self._sending:
            await asyncio.wait([task for _, task in self._sending.values()], return_when=asyncio.FIRST_COMPLETED)

    async def _work_for(self, seconds: float) -> None:
        ends_at = time.monotonic() + seconds
        while time.monotonic() < ends_at:
            self._wake_up.clear()
            try:
                await self._collect()
                await self._start_due()
            except (StorageUnavailable, QueueUnavailable):
                await asyncio.sleep(POLL_S)  # logged where it is noticed
            except Exception:
                log.exception("the notifier failed")
                await asyncio.sleep(POLL_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_S):
                    await self._wake_up.wait()
        if self._sending:
            await asyncio.wait([task for _, task in self._sending.values()])

    async def _listen(self) -> None:
        async with self._events.watch(TOPIC, "ended:*") as watcher:
            while True:
                await watcher.changed()
                self._wake_up.set()

    async def _collect(self) -> bool:
        """Put downloads that have ended into the outbox; False when there were none."""
        ended = await self._downloads.list_ended(ENDED_AT_ONCE)
        if not ended:
            return False
        async with self._database.write() as session:
            for entry in ended:
                download = entry.download
                if download is None or self._is_old(download):
                    continue
                await self._outbox.add(
                    session,
                    [download.owner_id or OWNER_ID],
                    _EVENTS[entry.state],
                    _data_of(entry.state, download),
                    title=download.title,
                    key=f"{download.id}:{entry.state}:{download.attempts}",
                )
        await self._downloads.forget_ended(ended)
        return True

    def _is_old(self, download: DownloadRecord) -> bool:
        return download.finished_at is None or download.finished_at.timestamp() < self._clock() - LONGEST_DELAY_S

    async def _start_due(self) -> bool:
        """Begin to send what is due, as far as there is room; False where nothing was begun."""
        room, before = SENDS_AT_ONCE - len(self._sending), set(self._sending)
        begun = False
        of_user = Counter(user_id for user_id, _ in self._sending.values())
        for delivery in await self._due() if room > 0 else ():
            if room == 0:
                break
            if delivery.id in before or of_user[delivery.user_id] >= SENDS_OF_A_USER:
                continue
            room, begun = room - 1, True
            of_user[delivery.user_id] += 1
            task = asyncio.create_task(self._deliver(delivery))
            self._sending[delivery.id] = delivery.user_id, task
        return begun

    async def _due(self) -> Sequence[_Delivery]:
        now_ms = int(self._clock() * 1000)
        query = select(NotificationDeliveryRow, NotificationTargetRow).join(
            NotificationTargetRow, NotificationTargetRow.id == NotificationDeliveryRow.target_id
        )
        is_due = NotificationDeliveryRow.due_at_ms <= now_ms
        order = (NotificationDeliveryRow.due_at_ms, NotificationDeliveryRow.id)
        async with self._database.read() as session:
            rows = await session.execute(query.where(is_due).order_by(*order).limit(DUE_AT_ONCE))
            return [
                _Delivery(
                    row.id,
                    target.user_id,
                    target.id,
                    row.attempts,
                    NotificationMessage(
                        row.id, row.event, datetime.fromtimestamp(row.created_at_ms / 1000, UTC), row.data
                    ),
                    self._encryption.decrypt(target.encrypted_url),
                )
                for row, target in rows
            ]

    async def _deliver(self, delivery: _Delivery) -> None:
        """Send one, and store what became of it. Where that fails it is still due, and sent again with its id."""
        try:
            await self._note(delivery, await self._outcome_of(delivery))
        except StorageUnavailable:
            await asyncio.sleep(POLL_S)
        finally:
            self._sending.pop(delivery.id, None)
            self._wake_up.set()

    async def _outcome_of(self, delivery: _Delivery) -> SendOutcome:
        if delivery.url is None:
            self._log_wrong_key()
            return SendOutcome.REFUSED
        try:
            outcome = (await self._sender.send(delivery.url, delivery.notification)).outcome
        except Exception as error:  # without its traceback, whose frames have the address
            log.error("a notification could not be sent", error=type(error).__name__)
            outcome = SendOutcome.UNANSWERED
        if outcome is not SendOutcome.DELIVERED:
            log.info(
                "a notification was not delivered",
                about=delivery.notification.type,
                user=delivery.user_id,
                outcome=outcome.value,
                attempt=delivery.attempts + 1,
            )
        return outcome

    async def _note(self, delivery: _Delivery, outcome: SendOutcome) -> None:
        is_it = NotificationDeliveryRow.id == delivery.id
        attempts = delivery.attempts + 1
        async with self._database.write() as session:
            if outcome is SendOutcome.GONE:
                gone = delete(NotificationTargetRow).where(NotificationTargetRow.id == delivery.target_id)
                await session.execute(gone)  # and with it all that was to be sent there
            elif outcome is SendOutcome.UNANSWERED and attempts <= len(self._retry_delays_s):
                due_at_ms = int((self._clock() + self._retry_delays_s[attempts - 1]) * 1000)
                again = update(NotificationDeliveryRow).where(is_it).values(attempts=attempts, due_at_ms=due_at_ms)
                await session.execute(again)
            else:
                await session.execute(delete(NotificationDeliveryRow).where(is_it))

    def _log_wrong_key(self) -> None:
        if not self._has_logged_wrong_key:
            self._has_logged_wrong_key = True
            log.warning("addresses of notifications can't be read: they were encrypted with another secret key")


def _data_of(state: DownloadState, download: DownloadRecord) -> dict[str, Any]:
    data: dict[str, Any] = {"albumId": download.album_id, "downloadId": download.id}
    if download.request.chapter_ids:
        data["chapterIds"] = list(download.request.chapter_ids)
    if state is DownloadState.READY:
        return data | {"isComplete": download.is_complete}
    return data | {"code": download.problem.code.value} if download.problem else data
