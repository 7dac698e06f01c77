"""Notices of the legacy API: each client is told once of each of its downloads, wherever the job ran.

What is kept is who waits for which download. The notice itself is drawn from the download's record when it is told,
so that no worker has to write one, and none is lost with a worker.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import orjson
import structlog

from services.connection_limit import ConnectionLimit
from services.downloads import DownloadRecord, Downloads, DownloadState, translate_queue_errors
from services.errors import QueueUnavailable
from services.notification_store import ERROR_MARK, SERIAL, NotificationStore, topic_of
from services.redis import Events, RedisClient, RedisUnavailable, Watcher
from services.tasks import to_its_end

log = structlog.get_logger("jmgraph.notices")

RETRY_S = 0.5
"""Between two looks while Redis is away."""
READY = "download_ready"
ERROR = "error"
CANCELLED_TEXT = "任务已取消"
REMOVED_TEXT = "任务已删除"


@dataclass(frozen=True, slots=True)
class Notification:
    """One message; its fields are the keys of the legacy API."""

    status: str
    file_name: str
    message: str

    @classmethod
    def ready(cls, file_name: str) -> Notification:
        """The file can be fetched; `file_name` without its ending."""
        return cls(READY, file_name, f"文件 '{file_name}' 已完成处理，可以下载。")

    @classmethod
    def failed(cls, reason: str) -> Notification:
        """There will be no file."""
        return cls(ERROR, "", f"下载任务失败: {reason}")


@asynccontextmanager
async def open_notifications(link: RedisClient, events: Events, downloads: Downloads) -> AsyncIterator[Notifications]:
    """The notices of this process."""
    yield Notifications(
        NotificationStore(link, events, downloads.limits), ConnectionLimit(link, events), events, downloads
    )


class Notifications:
    """What clients of the legacy API wait for; built by `open_notifications`."""

    def __init__(
        self, shelf: NotificationStore, seats: ConnectionLimit, events: Events, downloads: Downloads
    ) -> None:
        self.seats = seats
        """One for each socket of a client."""
        self._shelf = shelf
        self._events = events
        self._downloads = downloads

    async def expect(self, client_id: str, download_id: str) -> None:
        """Tell this client once when the download has ended; at once where it has. Raises `QueueUnavailable`."""
        with translate_queue_errors():
            await self._shelf.expect(client_id, download_id)

    async def fail(self, client_id: str, reason: str) -> None:
        """Tell this client once that no download could be started, and why. Raises `QueueUnavailable`."""
        with translate_queue_errors():
            await self._shelf.fail(client_id, reason)

    async def listen(self, client_id: str) -> AsyncGenerator[Notification, None]:
        """Every notice that this client was not told of before it came, then each as it comes. Never ends by itself.

        One counts as told when the next is asked for. All who listen for one client get all that comes meanwhile.
        """
        async with self._session(client_id) as session:
            while True:
                for due in await session.due():
                    yield due.notice
                    await to_its_end(session.mark(due))  # who leaves in the moment of hearing has heard
                await session.news()

    async def wait(self, client_id: str, seconds: float) -> list[Notification]:
        """The notices there are, or the first that come within so many seconds; empty when none does."""
        async with self._session(client_id) as session:
            deadline = asyncio.get_running_loop().time() + seconds
            while not (found := await session.due()):
                try:
                    async with asyncio.timeout_at(deadline):
                        await session.news()
                except TimeoutError:
                    return []
            for due in found:
                await session.mark(due)
            return [due.notice for due in found]

    @asynccontextmanager
    async def _session(self, client_id: str) -> AsyncIterator[_Session]:
        async with self._events.watch(topic_of(client_id), "ended:*") as watcher:
            yield _Session(self._shelf, self._downloads, watcher, client_id)


@dataclass(frozen=True, slots=True)
class _Due:
    """A notice to tell, and the mark that says that it was told."""

    field: str
    mark: str
    notice: Notification


class _Session:
    """One listener: what it has told, and what it waits for. Goes on over every outage."""

    def __init__(self, shelf: NotificationStore, downloads: Downloads, watcher: Watcher, client_id: str) -> None:
        self._shelf = shelf
        self._downloads = downloads
        self._watcher = watcher
        self._client_id = client_id
        self._done: dict[str, str] | None = None
        """Marks of what needs no telling here: told before this listener came, or by it."""
        self._awaited: set[str] = set()
        """Downloads that were seen under way here."""
        self._is_behind = False

    async def due(self) -> list[_Due]:
        """What is to be told now, in the order it was asked for; nothing while Redis is away."""
        self._is_behind = False
        try:
            waits, told = await self._shelf.read(self._client_id)
            if self._done is None:
                self._done = told
            found = [await self._look(field, serial) for field, serial in _in_order(waits)]
        except (RedisUnavailable, QueueUnavailable):
            log.debug("Notices can't be read, Redis is away")
            self._is_behind = True
            return []
        return [due for due in found if due and self._done.get(due.field) != due.mark]

    async def _look(self, field: str, serial: bytes) -> _Due | None:
        if field.startswith(ERROR_MARK):
            return await self._look_at_error(field, orjson.loads(serial))
        download = await self._downloads.find(field)
        if download and download.state.is_active:
            self._awaited.add(field)
            return None
        notice = self._notice_of(download, field)
        if notice is None:
            await self._shelf.forget(self._client_id, field)
            return None
        attempts = download.attempts if download else 0
        return _Due(field, f"{serial.decode()}:{attempts}", notice)

    async def _look_at_error(self, field: str, error: dict[str, object]) -> _Due | None:
        if time.time() - float(str(error["at"])) > self._shelf.life_s:
            await self._shelf.forget(self._client_id, field)
            return None
        return _Due(field, "told", Notification.failed(str(error["reason"])))

    def _notice_of(self, download: DownloadRecord | None, id: str) -> Notification | None:
        """What to say of a download that has ended; None when that is too long ago to matter."""
        if download is None:
            return Notification.failed(REMOVED_TEXT) if id in self._awaited else None
        if download.state is DownloadState.READY and download.file:
            return Notification.ready(download.file.name.removesuffix(f".{download.request.archive.extension}"))
        if download.state is DownloadState.EXPIRED or not download.finished_at:
            return None
        if time.time() - download.finished_at.timestamp() > self._shelf.life_s:
            return None
        return Notification.failed(download.problem.message if download.problem else CANCELLED_TEXT)

    async def mark(self, due: _Due) -> None:
        """It was told."""
        if self._done is not None:
            self._done[due.field] = due.mark
        try:
            await self._shelf.mark(self._client_id, due.field, due.mark)
        except RedisUnavailable:
            log.debug("A notice can't be marked as told, Redis is away")

    async def news(self) -> None:
        """Wait until there may be something to tell."""
        if self._is_behind:
            await asyncio.sleep(RETRY_S)
            return
        own = {topic_of(self._client_id), "ended:*"}
        while True:
            topics = await self._watcher.changed()
            if topics & own or any(topic.removeprefix("ended:") in self._awaited for topic in topics):
                return


def _in_order(waits: dict[bytes, bytes]) -> list[tuple[str, bytes]]:
    """Fields with their values in the order they were written."""
    fields = ((field.decode(), value) for field, value in waits.items() if field != SERIAL)
    return sorted(fields, key=lambda pair: int(pair[0][1:] if pair[0].startswith(ERROR_MARK) else pair[1]))
