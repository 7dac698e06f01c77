"""Events between processes, over a real Valkey that is also stopped."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from services.redis import RedisClient, Watcher, embedded_valkey, open_events

pytestmark = pytest.mark.anyio


async def settled(watcher: Watcher) -> None:
    """Skip the first change, which only asks to read again: what follows was published."""
    await asyncio.wait_for(watcher.changed(), 5)


async def test_what_one_process_publishes_another_receives(redis_url: str) -> None:
    here, there = RedisClient(redis_url), RedisClient(redis_url)
    async with open_events(here) as ours, open_events(there) as theirs, ours.watch("ehtag") as watcher:
        await settled(watcher)

        await theirs.publish("download:1")
        await theirs.publish("ehtag")

        assert await asyncio.wait_for(watcher.changed(), 5) == {"ehtag"}
    await here.aclose()
    await there.aclose()


async def test_a_pattern_receives_all_its_topics_gathered_between_calls(redis_url: str) -> None:
    redis_client = RedisClient(redis_url)
    async with open_events(redis_client) as events, events.watch("download:*") as pattern, events.watch("end") as end:
        await settled(pattern)
        await settled(end)

        for topic in ("download:1", "other:1", "download:2", "download:1", "end"):
            await events.publish(topic)

        await asyncio.wait_for(end.changed(), 5)
        assert await pattern.changed() == {"download:1", "download:2"}
    await redis_client.aclose()


async def test_after_an_outage_every_watcher_is_told_to_read_again(tmp_path: Path) -> None:
    async with embedded_valkey(tmp_path) as url:
        redis_client = RedisClient(url)
        async with open_events(redis_client) as events, events.watch("download:7") as watcher:
            await settled(watcher)
            await redis_client.client.client_kill_filter(_type="pubsub")

            assert await asyncio.wait_for(watcher.changed(), 5) == {"download:7"}
        await redis_client.aclose()


async def test_publishing_while_redis_is_unavailable_raises_nothing(tmp_path: Path) -> None:
    async with embedded_valkey(tmp_path) as url:
        redis_client = RedisClient(url)
    async with open_events(redis_client) as events:
        await events.publish("download:7")
    await redis_client.aclose()


async def test_databases_of_one_server_do_not_receive_each_others_events(redis_url: str) -> None:
    zero, one = RedisClient(redis_url), RedisClient(redis_url.removesuffix("/0") + "/1")
    async with open_events(zero) as ours, open_events(one) as theirs, ours.watch("a", "b") as watcher:
        await settled(watcher)

        await theirs.publish("a")
        await ours.publish("b")

        assert await asyncio.wait_for(watcher.changed(), 5) == {"b"}
    await zero.aclose()
    await one.aclose()


async def test_a_thousand_watchers_that_come_and_go_leave_nothing(redis_url: str) -> None:
    redis_client = RedisClient(redis_url)
    async with open_events(redis_client) as events:
        async with events.watch("x") as watcher:
            await settled(watcher)
        tasks = len(asyncio.all_tasks())

        for number in range(1000):
            async with events.watch(f"download:{number}", "download:*"):
                pass

        assert len(asyncio.all_tasks()) == tasks
        assert await redis_client.client.pubsub_numsub(events.channel) == [(events.channel.encode(), 1)]
        assert not events.is_watched
    assert await redis_client.client.pubsub_channels() == []
    await redis_client.aclose()
