"""Notifications of the legacy API: each client is notified once of each of its downloads, whichever process ran it.

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
from services.tasks import shield_until_done

PREFIX = "jmgraph:notices:"
COUNTER_FIELD = b"#"
"""Field that counts the downloads a client has waited for."""
ERROR_PREFIX = "!"
"""First character of the fields of errors; other fields are ids of downloads."""

EXPECT = """
-- Wait for a download; again where its notification was sent already.
-- KEYS: waits, sent. ARGV: download id, seconds to keep, channel, topic.
local serial = redis.call('HGET', KEYS[1], ARGV[1])
local sent = redis.call('HGET', KEYS[2], ARGV[1])
if not serial or (sent and string.sub(sent, 1, #serial + 1) == serial .. ':') then
  serial = tostring(redis.call('HINCRBY', KEYS[1], '#', 1))
  redis.call('HSET', KEYS[1], ARGV[1], serial)
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('EXPIRE', KEYS[2], ARGV[2])
redis.call('PUBLISH', ARGV[3], ARGV[4])
"""
FAIL = """
-- Store the error of a request that started no download.
-- KEYS: waits. ARGV: the error as JSON, seconds to keep, channel, topic.
local serial = redis.call('HINCRBY', KEYS[1], '#', 1)
redis.call('HSET', KEYS[1], '!' .. serial, ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[2])
redis.call('PUBLISH', ARGV[3], ARGV[4])
"""


class NotificationStore:
    """Two hashes for each client: the downloads it waits for, in order, and what was sent to it."""

    def __init__(self, redis: RedisClient, events: Events, limits: DownloadLimits) -> None:
        self._redis = redis.client
        self._channel = events.channel
        self._expect = self._redis.register_script(EXPECT)
        self._fail = self._redis.register_script(FAIL)
        self.ttl_s = limits.ttl_s
        """An error is kept for as long as a file would be."""
        self._redis_ttl_s = round(limits.ttl_s + limits.history_s) + 1

    async def expect(self, client_id: str, download_id: str) -> None:
        """Wait for a download; again where its notification was sent already."""
        keys = [_waits_key(client_id), _sent_key(client_id)]
        await self._expect(keys=keys, args=[download_id, self._redis_ttl_s, self._channel, topic_of(client_id)])

    async def fail(self, client_id: str, reason: str) -> None:
        """Store the error of a request that started no download."""
        error = orjson.dumps({"reason": reason, "at": time.time()})
        await self._fail(
            keys=[_waits_key(client_id)], args=[error, self._redis_ttl_s, self._channel, topic_of(client_id)]
        )

    async def read(self, client_id: str) -> tuple[dict[bytes, bytes], dict[str, str]]:
        """Everything this client waits for, and the marks of what was sent to it."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hgetall(_waits_key(client_id))
            pipe.hgetall(_sent_key(client_id))
            waits, sent = await pipe.execute()
        return waits, {field.decode(): mark.decode() for field, mark in sent.items()}

    async def mark(self, client_id: str, field: str, mark: str) -> None:
        """Mark a notification as sent."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(_sent_key(client_id), field, mark)
            pipe.expire(_sent_key(client_id), self._redis_ttl_s)
            await pipe.execute()

    async def forget(self, client_id: str, field: str) -> None:
        """Remove a field that is no longer needed."""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hdel(_waits_key(client_id), field)
            pipe.hdel(_sent_key(client_id), field)
            await pipe.execute()


def _waits_key(client_id: str) -> str:
    return f"{PREFIX}waits:{client_id}"


def _sent_key(client_id: str) -> str:
    return f"{PREFIX}told:{client_id}"


def topic_of(client_id: str) -> str:
    """The topic that is published when this client waits for something more."""
    return f"notices:{client_id}"


log = structlog.get_logger("jmgraph.notices")

RETRY_S = 0.5
"""Between two reads while Redis is unavailable."""
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
async def open_notifications(
    redis: RedisClient, events: Events, downloads: Downloads
) -> AsyncIterator[Notifications]:
    """The notifications of this process."""
    yield Notifications(
        NotificationStore(redis, events, downloads.limits), ConnectionLimit(redis, events), events, downloads
    )


class Notifications:
    """What clients of the legacy API wait for; built by `open_notifications`."""

    def __init__(
        self, store: NotificationStore, connections: ConnectionLimit, events: Events, downloads: Downloads
    ) -> None:
        self.connections = connections
        """Limits the connections of each client."""
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

        One counts as sent when the next is requested. All listeners of a client get all that comes meanwhile.
        """
        async with self._session(client_id) as session:
            while True:
                for unsent in await session.unsent():
                    yield unsent.notification
                    await shield_until_done(
                        session.mark(unsent)
                    )  # a listener cancelled at this moment has received it
                await session.changed()

    async def wait(self, client_id: str, seconds: float) -> list[Notification]:
        """The notifications to send, or the first that come within so many seconds; empty when none does."""
        async with self._session(client_id) as session:
            deadline = asyncio.get_running_loop().time() + seconds
            while not (found := await session.unsent()):
                try:
                    async with asyncio.timeout_at(deadline):
                        await session.changed()
                except TimeoutError:
                    return []
            for unsent in found:
                await session.mark(unsent)
            return [unsent.notification for unsent in found]

    @asynccontextmanager
    async def _session(self, client_id: str) -> AsyncIterator[_Session]:
        async with self._events.watch(topic_of(client_id), "ended:*") as watcher:
            yield _Session(self._store, self._downloads, watcher, client_id)


@dataclass(frozen=True, slots=True)
class _Unsent:
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
        self._sent: dict[str, str] | None = None
        """Marks of what was sent before this listener came, or to it; None until the first read."""
        self._awaited: set[str] = set()
        """Downloads that were active when read here."""
        self._has_failed = False

    async def unsent(self) -> list[_Unsent]:
        """What is to be sent now, in the order of the requests; nothing while Redis is unavailable."""
        self._has_failed = False
        try:
            waits, sent = await self._store.read(self._client_id)
            if self._sent is None:
                self._sent = sent
            found = [await self._check(field, serial) for field, serial in _in_order(waits)]
        except (RedisUnavailable, QueueUnavailable):
            log.debug("notifications can't be read, Redis is unavailable")
            self._has_failed = True
            return []
        return [unsent for unsent in found if unsent and self._sent.get(unsent.field) != unsent.mark]

    async def _check(self, field: str, serial: bytes) -> _Unsent | None:
        if field.startswith(ERROR_PREFIX):
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
        return _Unsent(field, f"{serial.decode()}:{attempts}", notification)

    async def _check_error(self, field: str, error: dict[str, object]) -> _Unsent | None:
        if time.time() - float(str(error["at"])) > self._store.ttl_s:
            await self._store.forget(self._client_id, field)
            return None
        return _Unsent(field, "told", Notification.failed(str(error["reason"])))

    def _notification_of(self, download: DownloadRecord | None, id: str) -> Notification | None:
        """The notification of a download that has ended; None when that is too long ago to matter."""
        if download is None:
            return Notification.failed(REMOVED_TEXT) if id in self._awaited else None
        if download.state is DownloadState.READY and download.file:
            return Notification.ready(download.file.name.removesuffix(f".{download.request.archive.extension}"))
        if download.state is DownloadState.EXPIRED or not download.finished_at:
            return None
        if time.time() - download.finished_at.timestamp() > self._store.ttl_s:
            return None
        return Notification.failed(download.problem.message if download.problem else CANCELLED_TEXT)

    async def mark(self, unsent: _Unsent) -> None:
        """Mark a notification as sent."""
        if self._sent is not None:
            self._sent[unsent.field] = unsent.mark
        try:
            await self._store.mark(self._client_id, unsent.field, unsent.mark)
        except RedisUnavailable:
            log.debug("a notification can't be marked as sent, Redis is unavailable")

    async def changed(self) -> None:
        """Wait until there may be something to send."""
        if self._has_failed:
            await asyncio.sleep(RETRY_S)
            return
        own = {topic_of(self._client_id), "ended:*"}
        while True:
            topics = await self._watcher.changed()
            if topics & own or any(topic.removeprefix("ended:") in self._awaited for topic in topics):
                return


def _in_order(waits: dict[bytes, bytes]) -> list[tuple[str, bytes]]:
    """Fields with their values in the order they were written."""
    fields = ((field.decode(), value) for field, value in waits.items() if field != COUNTER_FIELD)
    return sorted(fields, key=lambda pair: int(pair[0][1:] if pair[0].startswith(ERROR_PREFIX) else pair[1]))
