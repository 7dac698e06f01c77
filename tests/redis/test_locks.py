"""Locks over processes."""

from __future__ import annotations

import asyncio

import pytest

from services.redis import LockBusy, Locks, RedisClient

pytestmark = pytest.mark.anyio


async def test_one_at_a_time_holds_a_lock_over_all_processes(redis_url: str) -> None:
    clients = [RedisClient(redis_url) for _ in range(3)]
    processes = [Locks(client) for client in clients]
    inside, most = 0, 0

    async def work(locks: Locks) -> None:
        nonlocal inside, most
        async with locks.hold("reader", wait_s=20):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.01)
            inside -= 1

    await asyncio.gather(*(work(locks) for locks in processes for _ in range(3)))

    assert (most, inside) == (1, 0)
    for client in clients:
        await client.aclose()


async def test_locks_of_other_names_are_free(redis_client: RedisClient) -> None:
    locks = Locks(redis_client)

    async with locks.hold("reader", wait_s=1), locks.hold("traveller", wait_s=1):
        pass


async def test_who_waits_too_long_is_told(redis_url: str) -> None:
    one, other = RedisClient(redis_url), RedisClient(redis_url)

    async with Locks(one).hold("reader", wait_s=1):
        with pytest.raises(LockBusy):
            async with Locks(other).hold("reader", wait_s=0.2):
                raise AssertionError("held twice")
    async with Locks(other).hold("reader", wait_s=1):
        pass
    await one.aclose()
    await other.aclose()


async def test_a_lock_is_renewed_while_it_is_held(redis_client: RedisClient) -> None:
    async with Locks(redis_client).hold("reader", wait_s=1):
        await redis_client.client.pexpire("jmgraph:lock:reader", 2000)
        while await redis_client.client.pttl("jmgraph:lock:reader") < 2500:  # noqa: ASYNC110 (Redis' clock passes)
            await asyncio.sleep(0.05)

    assert not await redis_client.client.exists("jmgraph:lock:reader")


async def test_without_redis_a_lock_holds_in_its_process() -> None:
    client = RedisClient("redis://127.0.0.1:9/0")
    locks = Locks(client)

    async with locks.hold("reader", wait_s=2):
        with pytest.raises(LockBusy):
            async with locks.hold("reader", wait_s=0.2):
                raise AssertionError("held twice")
    await client.aclose()
