"""`jmgraph serve`: the API in this process."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import structlog
import uvicorn
from uvicorn.loops.auto import auto_loop_factory

from commands.listener import base_url, listen
from commands.websocket_protocol import SocketProtocol
from services.settings import Settings
from services.signals import stop_on_signals

log = structlog.get_logger("jmgraph.serve")

GRACE_S = 10
"""How long running requests may take once the server is asked to stop; streams are told to end at once."""

LARGEST_FRAME_BYTES = 1 << 20
"""Of a WebSocket: no operation is longer over HTTP either."""
PING_S = 20.0
"""How often a WebSocket is pinged, and how long its answer may take."""


class WebApp(Protocol):
    """The application, whose lifespan this command opens itself, so that a start that can't be ends in one line."""

    state: Any
    router: Any

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request or socket."""


async def serve(settings: Settings, build_app: Callable[[Settings], WebApp]) -> int:
    """Serve until a signal; raises `ConfigurationError` in one line for what can't be."""
    stop = asyncio.Event()
    stop_on_signals(stop)
    with listen(settings) as listener:
        await _serve_here(settings, build_app(settings), listener, stop)
    return 0


async def _serve_here(settings: Settings, app: WebApp, listener: socket.socket, stop: asyncio.Event) -> None:
    async with app.router.lifespan_context(app):
        server = _Server(_config(app))
        stopping = asyncio.create_task(_stop(server, app.state.stopping, stop))
        log.info("The API listens", url=base_url(settings, listener), pid=os.getpid())
        await server.serve(sockets=[listener])
        stopping.cancel()
    log.info("The API has ended", pid=os.getpid())


async def _stop(server: uvicorn.Server, stopping: asyncio.Event, stop: asyncio.Event) -> None:
    await stop.wait()
    stopping.set()
    server.should_exit = True


def web_loop() -> asyncio.AbstractEventLoop:
    """The quickest event loop there is here: uvloop's where it is installed."""
    return auto_loop_factory()()


class _Server(uvicorn.Server):
    """Uvicorn's server without its signal handlers: those are the command's."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield


def _config(app: WebApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        lifespan="off",
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        ws=SocketProtocol,
        ws_max_size=LARGEST_FRAME_BYTES,
        ws_ping_interval=PING_S,
        ws_ping_timeout=PING_S,
        timeout_graceful_shutdown=GRACE_S,
    )
