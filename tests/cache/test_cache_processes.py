"""Several real processes share one cache on one Valkey."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import pytest

from services.redis import RedisClient

pytestmark = pytest.mark.anyio

CLIENT = Path(__file__).with_name("cache_client.py")
ROOT = CLIENT.parent.parent.parent


async def start_client(url: str, *, lock_s: float = 4.0, reads: int = 1) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, str(CLIENT), url, str(lock_s), str(reads), stdout=PIPE, env={"PYTHONPATH": str(ROOT)}
    )


async def answer_of(process: Process) -> str:
    async with asyncio.timeout(20):
        out, _ = await process.communicate()
    return out.decode().strip()


async def calls_reach(redis_client: RedisClient, count: int) -> None:
    """Return once the site was called so many times."""
    for _ in range(2000):
        if int(await redis_client.client.get("calls") or 0) >= count:
            return
        await asyncio.sleep(0.01)
    raise TimeoutError("the site was not called")


async def connections_reach(redis_client: RedisClient, count: int) -> None:
    """Return once so many clients, besides our own, are connected to Valkey."""
    for _ in range(2000):
        if len(await redis_client.client.client_list()) > count:
            return
        await asyncio.sleep(0.01)
    raise TimeoutError("the processes did not connect")


async def test_fifty_reads_in_each_of_two_processes_make_one_call(redis_client: RedisClient, redis_url: str) -> None:
    processes = [await start_client(redis_url, reads=50) for _ in range(2)]
    await calls_reach(redis_client, 1)
    await connections_reach(redis_client, 2)

    await redis_client.client.set("release", "1")

    assert [await answer_of(process) for process in processes] == ["{'山行'}", "{'山行'}"]
    assert await redis_client.client.get("calls") == b"1"


async def test_when_the_lock_holder_is_killed_a_waiting_process_takes_over(
    redis_client: RedisClient, redis_url: str
) -> None:
    holder = await start_client(redis_url, lock_s=0.5)
    await calls_reach(redis_client, 1)
    waiting = [await start_client(redis_url, lock_s=0.5) for _ in range(2)]
    await connections_reach(redis_client, 3)

    holder.kill()
    await holder.wait()
    await calls_reach(redis_client, 2)
    await redis_client.client.set("release", "1")

    assert [await answer_of(process) for process in waiting] == ["{'山行'}", "{'山行'}"]
    assert await redis_client.client.get("calls") == b"2"


async def test_a_holder_that_takes_longer_than_the_lock_keeps_the_lock(
    redis_client: RedisClient, redis_url: str
) -> None:
    processes = [await start_client(redis_url, lock_s=0.3) for _ in range(2)]
    await calls_reach(redis_client, 1)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1.0):
            await calls_reach(redis_client, 2)
    await redis_client.client.set("release", "1")

    assert [await answer_of(process) for process in processes] == ["{'山行'}", "{'山行'}"]
    assert await redis_client.client.get("calls") == b"1"
