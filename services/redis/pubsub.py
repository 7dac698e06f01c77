"""Events between processes: "look again at this", over one Redis channel, with one reader a process.

A topic is `family:key` ("download:0193…"), or a lone word. An event carries no data: what it is about is read
from its store, so that a lost event delays an update and loses no data.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import structlog

from services.redis.client import RedisClient, RedisUnavailable, translate_redis_errors
from services.tasks import cancel_and_wait

log = structlog.get_logger("jmgraph.events")

READ_TIMEOUT_S = 15.0
"""After this long without a message the connection is checked with a PING."""
BACKOFF_S = (0.1, 2.0)
"""First and longest wait before connecting again."""


class Watcher:
    """Collects the topics that were published since the last `changed`."""

    __slots__ = ("_event", "_published", "topics")

    def __init__(self, topics: frozenset[str]) -> None:
        self.topics = topics
        self._published: set[str] = set()
        self._event = asyncio.Event()

    async def changed(self) -> frozenset[str]:
        """Wait until something is published; the topics published since the last call.

        After an outage of Redis everything may have changed: then it returns the topics it was made with, a whole
        family as "family:*".
        """
        await self._event.wait()
        self._event.clear()
        published, self._published = frozenset(self._published), set()
        return published

    def notify(self, topics: frozenset[str]) -> None:
        """Add these topics and wake the task that waits in `changed`."""
        self._published |= topics
        self._event.set()


class Events:
    """Publishes events, and hands those received to watchers; one per process, built by `open_events`."""

    def __init__(self, redis: RedisClient) -> None:
        self._redis = redis
        self._watchers: dict[str, set[Watcher]] = {}

    @property
    def channel(self) -> str:
        """Name of the Redis channel; channels are shared by all databases of a server, so ours names its own."""
        return f"jmgraph:{self._redis.database}:events"

    @property
    def is_watched(self) -> bool:
        """True while anybody here watches anything."""
        return bool(self._watchers)

    async def publish(self, topic: str) -> None:
        """Notify the watchers of `topic` in every process. Does not raise while Redis is unavailable: after an outage
        all watchers are notified.
        """
        try:
            await self._redis.client.publish(self.channel, topic)
        except RedisUnavailable:
            log.debug("an event was not published, Redis is unavailable", topic=topic)

    @asynccontextmanager
    async def watch(self, *topics: str) -> AsyncIterator[Watcher]:
        """A watcher of these topics; "family:*" is every topic of that family."""
        watcher = Watcher(frozenset(topics))
        with self._registered(watcher):
            yield watcher

    @contextmanager
    def _registered(self, watcher: Watcher) -> Iterator[None]:
        for topic in watcher.topics:
            self._watchers.setdefault(topic, set()).add(watcher)
        try:
            yield
        finally:
            for topic in watcher.topics:
                self._watchers[topic].discard(watcher)
                if not self._watchers[topic]:
                    del self._watchers[topic]

    def _notify(self, topic: str) -> None:
        topics = frozenset((topic,))
        family = topic.partition(":")[0] + ":*"
        for key in (topic, family):
            for watcher in self._watchers.get(key, ()):
                watcher.notify(topics)

    def _notify_all(self) -> None:
        for watcher in {watcher for watchers in self._watchers.values() for watcher in watchers}:
            watcher.notify(watcher.topics)

    async def read_forever(self) -> None:
        """Read the channel, reconnecting after each outage; run once, by `open_events`."""
        backoff_s = BACKOFF_S[0]
        while True:
            began = asyncio.get_running_loop().time()
            try:
                with translate_redis_errors():
                    await self._read_until_lost()
            except RedisUnavailable as error:
                log.debug("events can't be read, Redis is unavailable", reason=str(error))
            except Exception:
                log.exception("events can't be read")
            if asyncio.get_running_loop().time() - began > BACKOFF_S[1]:
                backoff_s = BACKOFF_S[0]
            await asyncio.sleep(random.uniform(backoff_s / 2, backoff_s))
            backoff_s = min(backoff_s * 2, BACKOFF_S[1])

    async def _read_until_lost(self) -> None:
        async with self._redis.client.pubsub(ignore_subscribe_messages=True) as channel:
            async with asyncio.timeout(READ_TIMEOUT_S):
                await channel.subscribe(self.channel)
                await channel.parse_response()  # from here on no event is missed
            self._notify_all()
            was_silent = False
            while True:
                message = await channel.get_message(timeout=READ_TIMEOUT_S)
                if message and message["type"] == "message":
                    self._notify(message["data"].decode(errors="replace"))
                elif message is None and was_silent:
                    return
                elif message is None:
                    await channel.ping()
                was_silent = message is None


@asynccontextmanager
async def open_events(redis: RedisClient) -> AsyncIterator[Events]:
    """The events of this process; its reader ends with the block."""
    events = Events(redis)
    reader = asyncio.create_task(events.read_forever(), name="events reader")
    try:
        yield events
    finally:
        await cancel_and_wait(reader)
