"""Events between processes: "look again at this", over one Redis channel, with one reader a process.

A topic is `family:key` ("download:0193…"), or a lone word. An event carries no data: what it is about is read where
it is kept, so that a lost event costs a moment and never a fact.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import structlog

from services.redis.client import RedisClient, RedisUnavailable, translate_redis_errors
from services.tasks import end_tasks

log = structlog.get_logger("jmgraph.events")

READ_TIMEOUT_S = 15.0
"""After this long without a message the connection is asked whether it still lives."""
BACKOFF_S = (0.1, 2.0)
"""First and longest wait before connecting again."""


class Watcher:
    """What was announced of some topics since it was last asked."""

    __slots__ = ("_event", "_seen", "topics")

    def __init__(self, topics: frozenset[str]) -> None:
        self.topics = topics
        self._seen: set[str] = set()
        self._event = asyncio.Event()

    async def changed(self) -> frozenset[str]:
        """Wait until something was announced since the last call; the topics it was.

        After Redis was away everything may have changed: then these are the topics as they were asked for, a
        family's as "family:*".
        """
        await self._event.wait()
        self._event.clear()
        seen, self._seen = frozenset(self._seen), set()
        return seen

    def tell(self, topics: frozenset[str]) -> None:
        """Note these topics and wake who waits."""
        self._seen |= topics
        self._event.set()


class Events:
    """The process's one ear and mouth; built by `open_events`."""

    def __init__(self, link: RedisClient) -> None:
        self._link = link
        self._watchers: dict[str, set[Watcher]] = {}

    @property
    def channel(self) -> str:
        """Name of the Redis channel; channels are shared by all databases of a server, so ours names its own."""
        return f"jmgraph:{self._link.database}:events"

    @property
    def is_watched(self) -> bool:
        """True while anybody here watches anything."""
        return bool(self._watchers)

    async def announce(self, topic: str) -> None:
        """Tell every process to look again at `topic`. Never raises while Redis is away: who comes back looks."""
        try:
            await self._link.client.publish(self.channel, topic)
        except RedisUnavailable:
            log.debug("Not announced, Redis is away", topic=topic)

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

    def _tell(self, topic: str) -> None:
        told = frozenset((topic,))
        family = topic.partition(":")[0] + ":*"
        for key in (topic, family):
            for watcher in self._watchers.get(key, ()):
                watcher.tell(told)

    def _tell_all(self) -> None:
        for watcher in {watcher for watchers in self._watchers.values() for watcher in watchers}:
            watcher.tell(watcher.topics)

    async def read_forever(self) -> None:
        """Read the channel, over every outage; run once, by `open_events`."""
        backoff_s = BACKOFF_S[0]
        while True:
            began = asyncio.get_running_loop().time()
            try:
                with translate_redis_errors():
                    await self._read_until_lost()
            except RedisUnavailable as error:
                log.debug("Events can't be read, Redis is away", reason=str(error))
            except Exception:
                log.exception("Events can't be read")
            if asyncio.get_running_loop().time() - began > BACKOFF_S[1]:
                backoff_s = BACKOFF_S[0]
            await asyncio.sleep(random.uniform(backoff_s / 2, backoff_s))
            backoff_s = min(backoff_s * 2, BACKOFF_S[1])

    async def _read_until_lost(self) -> None:
        async with self._link.client.pubsub(ignore_subscribe_messages=True) as channel:
            async with asyncio.timeout(READ_TIMEOUT_S):
                await channel.subscribe(self.channel)
                await channel.parse_response()  # from here on nothing is missed
            self._tell_all()
            was_silent = False
            while True:
                message = await channel.get_message(timeout=READ_TIMEOUT_S)
                if message and message["type"] == "message":
                    self._tell(message["data"].decode(errors="replace"))
                elif message is None and was_silent:
                    return
                elif message is None:
                    await channel.ping()
                was_silent = message is None


@asynccontextmanager
async def open_events(link: RedisClient) -> AsyncIterator[Events]:
    """The events of this process; its reader ends with the block."""
    events = Events(link)
    reader = asyncio.create_task(events.read_forever(), name="events reader")
    try:
        yield events
    finally:
        await end_tasks(reader)
