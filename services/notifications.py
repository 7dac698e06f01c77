"""Notifications of the legacy API: each client is notified once of each of its downloads, wherever the job ran.

Stored is which client waits for which download. The message itself is made from the record of the download when it is
sent, so that no worker has to write one, and none is lost with a worker.
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
from services.downloads import DownloadLimits, DownloadRecord, Downloads, DownloadState, translate_queue_errors
from services.errors import QueueUnavailable
from services.redis import Events, RedisClient, RedisUnavailable, Watcher
from services.tasks import to_its_end

PREFIX = "jmgraph:notices:"
SERIAL = b"#"
"""Field that counts the downloads a client has waited for."""
ERROR_MARK = "!"
"""First character of the fields of errors; other fields are ids of downloads."""

EXPECT = """
-- Wait for a download; again where its notification was sent already.
-- KEYS: waits, told. ARGV: download id, seconds to keep, channel, topic.
local serial = redis.call('HGET', KEYS[1], ARGV[1])
local told = redis.call('HGET', KEYS[2], ARGV[1])
if not serial or (told and string.sub(told, 1, #serial + 1) == serial .. ':') then
  serial = tostring(redis.call('HINCRBY', KEYS[1], '#', 1))
  redis.call('HSET', KEYS[1], ARGV[1], serial)
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[2])
redis.call('PUBLISH', ARGV[3], ARGV[4])
"""
FAIL = """
-- Store an error that came before there was a download.
-- KEYS: waits. ARGV: the error as JSON, seconds to keep, channel, topic.
local serial = redis.call('HINCRBY', KEYS[1], '#', 1)
redis.call('HSET', KEYS[1], '!' .. serial, ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('PUBLISH', ARGV[3], ARGV[4])
"""


class NotificationStore:
    """Two hashes for each client: `waits` has the downloads it waits for, in order; `told` what was sent to it."""

    def __init__(self, link: RedisClient, events: Events, limits: DownloadLimits) -> None:
        self._redis = link.client
        self._channel = events.channel
        self._expect = self._redis.register_script(EXPECT)
        self._fail = self._redis.register_script(FAIL)
        self.life_s = limits.ttl_s
        """An error is kept for as long as a file would be."""
        self._keep_s = round(limits.ttl_s + limits.history_s) + 1

    async def expect(self, client_id: str, download_id: str) -> None:
        """Wait for a download; again where its notification was sent already."""
        keys = [_waits(client_id), _told(client_id)]
        await self._expect(keys=keys, args=[download_id, self._keep_s, self._channel, topic_of(client_id)])

    async def fail(self, client_id: str, reason: str) -> None:
        """Store an error that came before there was a download."""
        error = orjson.dumps({"reason": reason, "at": time.time()})
        await self._fail(keys=[_waits(client_id)], args=[error, self._keep_s, self._channel, topic_of(client_id)])

    async def read(self, client_id: str) -> tuple[dict[bytes, bytes], dict[str, str]]:
        """All that this client waits for, and the marks of what was sent to it."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hgetall(_waits(client_id))
            pipe.hgetall(_told(client_id))
            waits, told = await pipe.execute()
        return waits, {field.decode(): mark.decode() for field, mark in told.items()}

    async def mark(self, client_id: str, field: str, mark: str) -> None:
        """Mark a notification as sent."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(_told(client_id), field, mark)
            pipe.expire(_told(client_id), self._keep_s)
            await pipe.execute()

    async def forget(self, client_id: str, field: str) -> None:
        """Remove a field that is no longer needed."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hdel(_waits(client_id), field)
            pipe.hdel(_told(client_id), field)
            await pipe.execute()


def _waits(client_id: str) -> str:
    return f"{PREFIX}waits:{client_id}"


def _told(client_id: str) -> str:
    return f"{PREFIX}told:{client_id}"


def topic_of(client_id: str) -> str:
    """The topic that is announced when this client waits for something more."""
    return f"notices:{client_id}"


log = structlog.get_logger("jmgraph.notices")

RETRY_S = 0.5
"""Between two reads while Redis is away."""
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
        """The file is ready; `file_name` without its ending."""
        return cls(READY, file_name, f"文件 '{file_name}' 已完成处理，可以下载。")

    @classmethod
    def failed(cls, reason: str) -> Notification:
        """The download has failed."""
        return cls(ERROR, "", f"下载任务失败: {reason}")


@asynccontextmanager
async def open_notifications(link: RedisClient, events: Events, downloads: Downloads) -> AsyncIterator[Notifications]:
    """The notifications of this process."""
    yield Notifications(
        NotificationStore(link, events, downloads.limits), ConnectionLimit(link, events), events, downloads
    )


class Notifications:
    """What clients of the legacy API wait for; built by `open_notifications`."""

    def __init__(
        self, store: NotificationStore, sockets: ConnectionLimit, events: Events, downloads: Downloads
    ) -> None:
        self.sockets = sockets
        """Limits the sockets of each client."""
        self._store = store
        self._events = events
        self._downloads = downloads

    async def expect(self, client_id: str, download_id: str) -> None:
        """Notify this client once when the download has ended, or now if it has. Raises `QueueUnavailable`."""
        with translate_queue_errors():
            await self._store.expect(client_id, download_id)

    async def fail(self, client_id: str, reason: str) -> None:
        """Notify this client once that no download could be started, and why. Raises `QueueUnavailable`."""
        with translate_queue_errors():
            await self._store.fail(client_id, reason)

    async def listen(self, client_id: str) -> AsyncGenerator[Notification, None]:
        """Every notification that was not sent to this client yet, then each as it comes. Never ends by itself.

        One counts as sent when the next is asked for. All listeners of a client get all that comes meanwhile.
        """
        async with self._session(client_id) as session:
            while True:
                for due in await session.due():
                    yield due.notification
                    await to_its_end(session.mark(due))  # a listener that leaves at this moment has received it
                await session.changed()

    async def wait(self, client_id: str, seconds: float) -> list[Notification]:
        """The notifications to send, or the first that come within so many seconds; empty when none does."""
        async with self._session(client_id) as session:
            deadline = asyncio.get_running_loop().time() + seconds
            while not (found := await session.due()):
                try:
                    async with asyncio.timeout_at(deadline):
                        await session.changed()
                except TimeoutError:
                    return []
            for due in found:
                await session.mark(due)
            return [due.notification for due in found]

    @asynccontextmanager
    async def _session(self, client_id: str) -> AsyncIterator[_Session]:
        async with self._events.watch(topic_of(client_id), "ended:*") as watcher:
            yield _Session(self._store, self._downloads, watcher, client_id)


@dataclass(frozen=True, slots=True)
class _Due:
    """A notification to send, and the mark for it."""

    field: str
    mark: str
    notification: Notification


class _Session:
    """One listener: what was sent to it, and what it waits for. Survives outages of Redis."""

    def __init__(self, store: NotificationStore, downloads: Downloads, watcher: Watcher, client_id: str) -> None:
        self._store = store
        self._downloads = downloads
        self._watcher = watcher
        self._client_id = client_id
        self._done: dict[str, str] | None = None
        """Marks of what was sent before this listener came, or to it."""
        self._awaited: set[str] = set()
        """Downloads that were active when read here."""
        self._is_behind = False

    async def due(self) -> list[_Due]:
        """What is to be sent now, in the order of the requests; nothing while Redis is away."""
        self._is_behind = False
        try:
            waits, told = await self._store.read(self._client_id)
            if self._done is None:
                self._done = told
            found = [await self._check(field, serial) for field, serial in _in_order(waits)]
        except (RedisUnavailable, QueueUnavailable):
            log.debug("notifications can't be read, Redis is away")
            self._is_behind = True
            return []
        return [due for due in found if due and self._done.get(due.field) != due.mark]

    async def _check(self, field: str, serial: bytes) -> _Due | None:
        if field.startswith(ERROR_MARK):
            return await self._check_error(field, orjson.loads(serial))
        download = await self._downloads.find(field)
        if download and download.state.is_active:
            self._awaited.add(field)
            return None
        notification = self._notification_of(download, field)
        if notification is None:
            await self._store.forget(self._client_id, field)
            return None
        attempts = download.attempts if download else 0
        return _Due(field, f"{serial.decode()}:{attempts}", notification)

    async def _check_error(self, field: str, error: dict[str, object]) -> _Due | None:
        if time.time() - float(str(error["at"])) > self._store.life_s:
            await self._store.forget(self._client_id, field)
            return None
        return _Due(field, "told", Notification.failed(str(error["reason"])))

    def _notification_of(self, download: DownloadRecord | None, id: str) -> Notification | None:
        """What to say of a download that has ended; None when that is too long ago to matter."""
        if download is None:
            return Notification.failed(REMOVED_TEXT) if id in self._awaited else None
        if download.state is DownloadState.READY and download.file:
            return Notification.ready(download.file.name.removesuffix(f".{download.request.archive.extension}"))
        if download.state is DownloadState.EXPIRED or not download.finished_at:
            return None
        if time.time() - download.finished_at.timestamp() > self._store.life_s:
            return None
        return Notification.failed(download.problem.message if download.problem else CANCELLED_TEXT)

    async def mark(self, due: _Due) -> None:
        """Mark a notification as sent."""
        if self._done is not None:
            self._done[due.field] = due.mark
        try:
            await self._store.mark(self._client_id, due.field, due.mark)
        except RedisUnavailable:
            log.debug("A notice can't be marked as told, Redis is away")

    async def changed(self) -> None:
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
