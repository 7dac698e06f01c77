"""What the tests of the JM site share: clients of the demo site, and servers that answer one page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from demo.server import RunningDemo
from services.redis import RedisClient
from services.settings import read_settings
from services.upstream import ListAddresses, UpstreamClient, open_upstream
from tests.upstream.mutated_site import MutatedSite

OpenUpstream = Callable[..., AbstractAsyncContextManager[UpstreamClient]]


@pytest.fixture
def upstream_to(demo: RunningDemo, tmp_path: Path) -> OpenUpstream:
    """Opens clients to the demo site; keywords are settings, `redis`, `on_attempt` and `list_addresses`."""

    def open_one(
        *,
        redis: RedisClient | None = None,
        on_attempt: Any = None,
        list_addresses: ListAddresses | None = None,
        **overrides: Any,
    ) -> AbstractAsyncContextManager[UpstreamClient]:
        usual = {
            "jm_method": "api",
            "jm_api_urls": tuple(demo.api_urls),
            "jm_html_urls": tuple(demo.html_urls),
            "jm_image_urls": tuple(demo.image_urls),
            "jm_timeout_s": 20.0,
            "jm_retries": 2,
            "data_dir": tmp_path,
        }
        settings = read_settings(**(usual | overrides))
        return open_upstream(settings, redis, on_attempt=on_attempt, list_addresses=list_addresses)

    return open_one


@pytest.fixture
async def mutated_site(pictures: Path) -> AsyncIterator[MutatedSite]:
    """The demo site with answers to mutate."""
    async with MutatedSite(pictures).serving() as site:
        yield site


@pytest.fixture
def client_to_mutated(upstream_to: OpenUpstream, mutated_site: MutatedSite) -> OpenUpstream:
    """Opens clients of that site, which make one attempt each."""

    def open_one(**overrides: Any) -> AbstractAsyncContextManager[UpstreamClient]:
        usual = {
            "jm_api_urls": (mutated_site.url,),
            "jm_html_urls": (mutated_site.url,),
            "jm_image_urls": (mutated_site.url,),
            "jm_timeout_s": 20.0,
            "jm_retries": 1,
            "jm_rate_per_s": 1e6,
        }
        return upstream_to(**(usual | overrides))

    return open_one


@pytest.fixture
async def answering() -> AsyncIterator[Callable[[str], Awaitable[str]]]:
    """Starts servers on loopback that answer every request with this page; gives their addresses."""
    servers: list[asyncio.Server] = []

    async def start(page: str) -> str:
        body = page.encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(head + body)
            await writer.drain()
            writer.close()

        servers.append(await asyncio.start_server(answer, "127.0.0.1", 0))
        return f"http://127.0.0.1:{servers[-1].sockets[0].getsockname()[1]}"

    yield start
    for server in servers:
        server.close()
        await server.wait_closed()
