"""`jmgraph serve`: the API in this process, with WebSockets that close even when the client does not read."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, cast

import structlog
import uvicorn
from uvicorn.loops.auto import auto_loop_factory
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from commands.listener import SHARED, base_url, listen
from services.network import is_loopback
from services.processes import stop_on_signals
from services.settings import Settings

_UNREADABLE = b'{"detail":"The request for a WebSocket could not be read: its address or a header is too long."}'
_REFUSAL = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: "
    + str(len(_UNREADABLE)).encode()
    + b"\r\n\r\n"
    + _UNREADABLE
)


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """One connection.

    uvicorn 0.54 leaves a handshake that its parser refused without an answer, for ever. And when it closes a
    connection, it waits for the client to read what was sent before: for ever too, if the client no longer reads.
    """

    abort_after_s = 15.0
    """Longer than a closing handshake may take (10 s)."""

    def data_received(self, data: bytes) -> None:
        """Called with bytes of the client."""
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.transport.is_closing():
            self.transport.write(_REFUSAL)
            self._close()

    def keepalive_timeout(self) -> None:
        """No answer to a ping."""
        super().keepalive_timeout()
        self._close()

    async def run_asgi(self) -> None:
        """The application, from the handshake to its end."""
        await super().run_asgi()
        self.loop.call_later(self.abort_after_s, self._abort)

    def _close(self) -> None:
        self.transport.close()
        self.loop.call_later(self.abort_after_s, self._abort)

    def _abort(self) -> None:
        if not self.disconnected:
            cast(Any, self.transport).abort()


log = structlog.get_logger("jmgraph.serve")

GRACE_S = 10
"""How long running requests may take once the server is asked to stop; streams are closed at once."""

LARGEST_FRAME_BYTES = 1 << 20
"""Of a WebSocket: no operation is longer over HTTP either."""
PING_S = 20.0
"""How often a WebSocket is pinged, and how long its answer may take."""


class WebApp(Protocol):
    """The application, whose lifespan this command opens itself, so that a failed start ends in one line."""

    state: Any
    router: Any

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request or socket."""


async def serve(settings: Settings, build_app: Callable[[Settings], WebApp]) -> int:
    """Serve until a signal; raises `ConfigurationError` in one line when it can't start."""
    stop = asyncio.Event()
    stop_on_signals(stop)
    with listen(settings) as listener:
        app = build_app(settings)
        app.state.shares_address = bool(os.environ.pop(SHARED, ""))
        await _serve_app(settings, app, listener, stop)
    return 0


async def _serve_app(settings: Settings, app: WebApp, listener: socket.socket, stop: asyncio.Event) -> None:
    async with app.router.lifespan_context(app):
        server = _Server(_config(app))
        stopping = asyncio.create_task(_stop(server, app.state.stopping, stop))
        log.info("the API listens", url=base_url(settings, listener), pid=os.getpid())
        _warn_when_open(settings, is_closed=app.state.services.access.is_closed)
        await server.serve(sockets=[listener])
        stopping.cancel()
    log.info("the API has ended", pid=os.getpid())


def _warn_when_open(settings: Settings, *, is_closed: bool) -> None:
    if not is_loopback(settings.host) and not settings.api_keys and not is_closed:
        log.warning(
            "OPEN TO THE NETWORK: whoever reaches this address can read everything, and start and remove downloads; "
            "add an account with jmgraph user add, or set JMGRAPH_API_KEYS for changes alone",
            host=settings.host,
            port=settings.port,
        )


async def _stop(server: uvicorn.Server, stopping: asyncio.Event, stop: asyncio.Event) -> None:
    await stop.wait()
    stopping.set()
    server.should_exit = True


def web_loop() -> asyncio.AbstractEventLoop:
    """The fastest event loop available: uvloop's where it is installed."""
    return auto_loop_factory()()


class _Server(uvicorn.Server):
    """Uvicorn's server without its signal handlers: the command has its own."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Install none."""
        yield


def _config(app: WebApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        lifespan="off",
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        ws=WebSocketProtocol,
        ws_max_size=LARGEST_FRAME_BYTES,
        ws_ping_interval=PING_S,
        ws_ping_timeout=PING_S,
        timeout_graceful_shutdown=GRACE_S,
    )
