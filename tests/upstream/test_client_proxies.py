from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest

from demo.server import RunningDemo
from services.errors import UpstreamFailure, UpstreamReason
from services.network import is_loopback, without_credentials
from services.upstream import UpstreamClient
from services.upstream.transport import Proxies

pytestmark = pytest.mark.anyio

OpenUpstream = Callable[..., AbstractAsyncContextManager[UpstreamClient]]

SYSTEM = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@dataclass
class Proxy:
    """A plain HTTP proxy on loopback that notes what goes through it."""

    url: str = ""
    lines: list[str] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)

    serving: set[asyncio.Task[None]] = field(default_factory=set)

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take a connection; `end` waits for it."""
        task = asyncio.ensure_future(self._serve(reader, writer))
        self.serving.add(task)
        task.add_done_callback(self.serving.discard)

    async def end(self) -> None:
        """End what is under way, so that no socket outlives the test."""
        for task in list(self.serving):
            task.cancel()
        await asyncio.gather(*self.serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with closing(writer):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            line, *headers = head.split("\r\n")
            self.lines.append(line)
            self.headers += headers
            _, target, _ = line.split(" ")
            host, _, path = target.removeprefix("http://").partition("/")
            name, _, port = host.partition(":")
            onward, back = await asyncio.open_connection(name, int(port))
            plain = [one for one in headers if one and not one.lower().startswith(("proxy-", "connection"))]
            async with closing(back):
                back.write("\r\n".join([f"GET /{path} HTTP/1.1", *plain, "Connection: close", "", ""]).encode())
                while chunk := await onward.read(65536):
                    writer.write(chunk)


@asynccontextmanager
async def closing(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    """Close the connection at the end of the block, and wait until it is."""
    try:
        yield
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    proxy = Proxy()
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield proxy
        await proxy.end()


@pytest.fixture
def system_proxy(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets the proxy variables of the system."""
    for name in SYSTEM:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)

    def set_to(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    return set_to


@pytest.mark.parametrize("method", ["api", "html"])
async def test_one_setting_sends_everything_through_the_proxy(
    upstream_to: OpenUpstream, demo: RunningDemo, proxy: Proxy, method: str
) -> None:
    url = proxy.url.replace("http://", "http://user:secret@")
    async with upstream_to(jm_method=method, jm_proxy=url) as upstream:
        chapter = await upstream.chapter("350234")
        assert chapter is not None
        assert await upstream.page(chapter, 1)
        assert await upstream.album("350234") is not None

    assert len(proxy.lines) == len(demo.requests)
    assert any("/media/photos/350234/00001.webp" in line for line in proxy.lines)
    assert any(header.lower().startswith("proxy-authorization: basic") for header in proxy.headers)


async def test_a_dead_proxy_makes_the_site_unreachable_and_keeps_its_secret(upstream_to: OpenUpstream) -> None:
    async with upstream_to(jm_proxy="http://user:secret@127.0.0.1:1", jm_retries=1) as upstream:
        with pytest.raises(UpstreamFailure) as raised:
            await upstream.album("350234")
        status = await upstream.status()

    assert raised.value.reason is UpstreamReason.UNREACHABLE
    assert "secret" not in str(raised.value) + str(status)


@pytest.mark.parametrize("method", ["api", "html"])
async def test_the_systems_proxy_never_applies_to_loopback(
    upstream_to: OpenUpstream, proxy: Proxy, system_proxy: Callable[..., None], method: str
) -> None:
    system_proxy(http_proxy=proxy.url, all_proxy=proxy.url)
    async with upstream_to(jm_method=method) as upstream:
        chapter = await upstream.chapter("350234")
        assert chapter is not None
        assert await upstream.page(chapter, 1)

    assert proxy.lines == []


def test_the_systems_proxy_applies_elsewhere(system_proxy: Callable[..., None]) -> None:
    system_proxy(https_proxy="http://proxy.example:3128", no_proxy="direct.example")
    proxies = Proxies("")

    assert proxies.of("https://site.example") == "http://proxy.example:3128"
    assert proxies.of("http://site.example") == ""
    assert proxies.of("https://direct.example") == ""
    assert proxies.of("https://127.0.0.2:8443") == ""


def test_the_setting_wins_over_the_system_for_every_address(system_proxy: Callable[..., None]) -> None:
    system_proxy(https_proxy="http://proxy.example:3128", no_proxy="*")
    proxies = Proxies("socks5h://127.0.0.1:1080")

    assert {proxies.of(url) for url in ("https://site.example", "http://127.0.0.1:1")} == {"socks5h://127.0.0.1:1080"}


@pytest.mark.parametrize(
    ("host", "is_here"),
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("demo.localhost", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("10.0.0.1", False),
        ("localhost.example", False),
        ("", False),
    ],
)
def test_loopback_is_this_machine(host: str, is_here: bool) -> None:
    assert is_loopback(host) is is_here


def test_an_address_is_shown_without_its_credentials() -> None:
    assert without_credentials("http://user:secret@a.example:8080/path") == "http://a.example:8080/path"
    assert without_credentials("https://a.example") == "https://a.example"
