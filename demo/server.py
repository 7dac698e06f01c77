"""Runs the demo site on loopback: in this event loop, in a thread of its own, or (`python -m demo`) as a process."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from demo.asgi import Connection
from demo.images import ImageStore
from demo.knobs import ROLES, Knobs
from demo.library import library
from demo.members import Members
from demo.request_log import RequestLog
from demo.site import DOMAINS_PATH, DemoSite

HOSTS_EACH = 2
"""Hosts of each role: all serve the same comics, each with its own knobs."""

_BACKLOG = 256
_START_LIMIT_S = 20
_STOP_LIMIT_S = 10


@dataclass(frozen=True)
class RunningDemo:
    """A demo site that is running. Addresses are base URLs such as "http://127.0.0.1:40001".

    `knobs` and `requests` may be used from any thread of the process that runs the site. `dead_url` is an address
    that refuses connections.
    """

    site: DemoSite
    dead_url: str

    @property
    def api_urls(self) -> list[str]:
        """Hosts of the mobile API: "api-1", "api-2" for the knobs."""
        return self.site.urls("api")

    @property
    def html_urls(self) -> list[str]:
        """Hosts of the web pages: "html-1", "html-2"."""
        return self.site.urls("html")

    @property
    def image_urls(self) -> list[str]:
        """Hosts of the images: "image-1", "image-2"."""
        return self.site.urls("image")

    @property
    def api_url(self) -> str:
        """The first host of the mobile API."""
        return self.api_urls[0]

    @property
    def html_url(self) -> str:
        """The first host of the web pages."""
        return self.html_urls[0]

    @property
    def image_url(self) -> str:
        """The first host of the images."""
        return self.image_urls[0]

    @property
    def domains_url(self) -> str:
        """The list of API hosts, as jmcomic's `API_URL_DOMAIN_SERVER_LIST` wants it."""
        return self.api_url + DOMAINS_PATH

    @property
    def knobs(self) -> Knobs:
        """The knobs that make the site slow or broken."""
        return self.site.knobs

    @property
    def requests(self) -> RequestLog:
        """The log of requests."""
        return self.site.requests

    @property
    def members(self) -> Members:
        """The people who can log in, with their favourites."""
        return self.site.members

    @property
    def images(self) -> ImageStore:
        """The images that the image hosts send."""
        return self.site.images

    def warm(self, album_id: int | str) -> None:
        """Make all pages of an album now, so that a measurement does not include drawing them."""
        comic = library().find(int(album_id))
        for chapter in comic.chapters if comic else ():
            self.images.warm(chapter)

    def publish_chapter(self, album_id: int | str) -> str:
        """Add a chapter of eight pages to a comic; its number."""
        return str(library().publish(int(album_id)).id)

    def reset(self) -> None:
        """Reset the knobs, the people and the chapters, and clear the request log."""
        library().reset()
        self.knobs.reset()
        self.members.reset()
        self.requests.reset()


@asynccontextmanager
async def serve_demo(folder: Path, *, port: int = 0, hosts_each: int = HOSTS_EACH) -> AsyncIterator[RunningDemo]:
    """The demo site inside the running event loop, until the block ends.

    Pictures are kept under `folder`. Hosts listen on `port` and the ports after it; 0 chooses free ones. Raises
    OSError where a port is in use. Sets no signal handler.
    """
    with _prepared(folder, port, hosts_each) as (site, sockets, dead_url):
        server = _Server(_config(site))
        serving = asyncio.create_task(server.serve(sockets=sockets))
        try:
            async with asyncio.timeout(_START_LIMIT_S):
                await server.is_up.wait()
            yield RunningDemo(site, dead_url)
        finally:
            server.should_exit = True
            server.cut_connections()
            await serving


@contextmanager
def running_demo(folder: Path, *, port: int = 0, hosts_each: int = HOSTS_EACH) -> Iterator[RunningDemo]:
    """The demo site in a thread of its own, until the block ends; otherwise as `serve_demo`."""
    started: list[RunningDemo] = []
    failed: list[BaseException] = []
    is_up, stop = threading.Event(), threading.Event()

    async def run() -> None:
        async with serve_demo(folder, port=port, hosts_each=hosts_each) as demo:
            started.append(demo)
            is_up.set()
            await asyncio.to_thread(stop.wait)

    def work() -> None:
        try:
            asyncio.run(run())
        except BaseException as error:
            failed.append(error)
        finally:
            is_up.set()

    thread = threading.Thread(target=work, name="demo-site", daemon=True)
    thread.start()
    is_up.wait()
    try:
        if started:
            yield started[0]
    finally:
        stop.set()
        thread.join(_STOP_LIMIT_S)
    if failed:
        raise failed[0]


@contextmanager
def _prepared(folder: Path, port: int, hosts_each: int) -> Iterator[tuple[DemoSite, list[socket.socket], str]]:
    names = [f"{role}-{number}" for role in ROLES for number in range(1, hosts_each + 1)]
    sockets: list[socket.socket] = []
    refusing = socket.socket()
    try:
        for index in range(len(names)):
            sockets.append(_listening(port and port + index))
        refusing.bind(("127.0.0.1", 0))
        ports = [listener.getsockname()[1] for listener in sockets]
        site = DemoSite(folder, dict(zip(ports, names, strict=True)))
        yield site, sockets, f"http://127.0.0.1:{refusing.getsockname()[1]}"
    finally:
        for opened in (*sockets, refusing):
            opened.close()


def _listening(port: int) -> socket.socket:
    """A socket with an explicit protocol: only for these does asyncio turn off Nagle's algorithm (40 ms)."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError:
        listener.close()
        raise
    listener.listen(_BACKLOG)
    return listener


def _config(site: DemoSite) -> uvicorn.Config:
    protocol: Any = partial(_Protocol, site=site)
    return uvicorn.Config(
        site,
        http=protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=1,
    )


class _Server(uvicorn.Server):
    """A server that handles no signals and reports when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = asyncio.Event()

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        """Signals belong to the process that runs the site."""
        return nullcontext()

    def cut_connections(self) -> None:
        """Abort open connections, so that no hanging or slow response delays the end."""
        for connection in list(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's; then set `is_up`."""
        await super().startup(sockets)
        self.is_up.set()


class _Protocol(HttpToolsProtocol):
    """HTTP with connections that can be cut: at once by dead hosts, by apps through the scope."""

    def __init__(self, *args: Any, site: DemoSite, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._site = site

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Cut the connection where the host is dead."""
        super().connection_made(transport)
        self._connection = Connection(transport)
        if self.server and self.server[1] is not None and self._site.is_dead(self.server[1]):
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Mark the connection as closed."""
        super().connection_lost(exc)
        self._connection.mark_closed()

    def data_received(self, data: bytes) -> None:
        """Ignore the offer of HTTP/2 that curl makes with every request: the parser would then lose the body."""
        super().data_received(data.replace(b"\r\nUpgrade: h2c\r\n", b"\r\n", 1))

    def on_message_begin(self) -> None:
        """Put the connection into the scope."""
        super().on_message_begin()
        self.scope["extensions"] = {"demo": {"connection": self._connection}}
