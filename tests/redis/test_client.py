"""The Redis client: what is raised when Redis is unavailable, does not answer, or refuses."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.errors import ConfigurationError
from services.redis import RedisClient, RedisUnavailable, embedded_valkey, open_redis
from services.settings import Settings, read_settings

pytestmark = pytest.mark.anyio


def settings_for(data_dir: Path, url: str) -> Settings:
    return read_settings(data_dir=data_dir, redis_url=url)


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def silent_url() -> Iterator[str]:
    """A server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0"


async def test_a_ping_gives_the_round_trip_in_ms(tmp_path: Path, redis_url: str) -> None:
    async with open_redis(settings_for(tmp_path, redis_url)) as redis_client:
        latency_ms = await redis_client.ping()
    assert latency_ms is not None
    assert 0 < latency_ms < 1000


async def test_without_redis_the_client_opens_and_every_call_raises_unavailable(tmp_path: Path) -> None:
    url = f"redis://127.0.0.1:{closed_port()}/0"

    async with open_redis(settings_for(tmp_path, url)) as redis_client:
        assert await redis_client.ping() is None
        with pytest.raises(RedisUnavailable):
            await redis_client.client.get("x")
        async with redis_client.client.pipeline() as pipe:
            pipe.get("x")
            with pytest.raises(RedisUnavailable):
                await pipe.execute()
        with pytest.raises(RedisUnavailable):
            await redis_client.client.register_script("return 1")()


async def test_it_reconnects_when_redis_comes_back(tmp_path: Path) -> None:
    async with embedded_valkey(tmp_path) as url:
        redis_client = RedisClient(url)
        assert await redis_client.client.set("kept", "yes")
    with pytest.raises(RedisUnavailable):
        await redis_client.client.get("kept")

    async with embedded_valkey(tmp_path):
        assert await redis_client.client.get("kept") == b"yes"
        await redis_client.aclose()


async def test_a_silent_redis_costs_one_wait_and_not_one_per_call(silent_url: str) -> None:
    redis_client = RedisClient(silent_url, command_timeout_s=0.3)
    with pytest.raises(RedisUnavailable):
        await redis_client.client.get("x")

    began = time.perf_counter()
    for _ in range(20):
        with pytest.raises(RedisUnavailable):
            await redis_client.client.get("x")
    assert time.perf_counter() - began < 0.2
    await redis_client.aclose()


async def test_a_full_redis_is_unavailable_and_a_wrong_command_is_a_bug(tmp_path: Path, redis_url: str) -> None:
    async with open_redis(settings_for(tmp_path, redis_url)) as redis_client:
        await redis_client.client.set("text", "x")
        with pytest.raises(Exception, match="not an integer"):
            await redis_client.client.incr("text")
        await redis_client.client.config_set("maxmemory", "1")
        try:
            with pytest.raises(RedisUnavailable):
                await redis_client.client.set("more", "x")
        finally:
            await redis_client.client.config_set("maxmemory", "0")


async def test_a_refused_password_ends_the_start_with_one_line_without_the_password(
    tmp_path: Path, valkey_url: str
) -> None:
    url = valkey_url.replace("redis://", "redis://somebody:hunter2@")

    with pytest.raises(ConfigurationError, match="JMGRAPH_REDIS_URL") as caught:
        async with open_redis(settings_for(tmp_path, url)):
            pass

    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_a_client_never_prints_its_password() -> None:
    assert "hunter2" not in repr(RedisClient("redis://:hunter2@127.0.0.1:1/0"))


async def test_without_a_url_the_embedded_server_is_used_and_joined(tmp_path: Path) -> None:
    async with open_redis(settings_for(tmp_path, "")) as owner:
        async with open_redis(settings_for(tmp_path, ""), join=True) as joiner:
            await owner.client.set("greeting", "hello")
            assert await joiner.client.get("greeting") == b"hello"
        assert await owner.ping() is not None
