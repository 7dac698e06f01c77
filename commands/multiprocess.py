"""`jmgraph serve --workers N`: API processes on one listening socket; the process that keeps them loads no API."""

from __future__ import annotations

import asyncio
import socket
from contextlib import AsyncExitStack

from commands.listener import LISTENER, listen
from commands.supervisor import Part, Supervisor
from services.settings import Settings
from services.signals import stop_on_signals


async def serve_apart(settings: Settings, workers: int) -> int:
    """Keep `workers` API processes until a signal; raises `ConfigurationError` in one line for what can't be."""
    stop = asyncio.Event()
    stop_on_signals(stop)
    with listen(settings) as listener:
        async with AsyncExitStack() as stack:
            supervisor = Supervisor([api_part(f"api {number}", listener) for number in range(1, workers + 1)], stop)
            stack.push_async_callback(supervisor.end)
            return await supervisor.run()


def api_part(name: str, listener: socket.socket, environment: dict[str, str] | None = None) -> Part:
    """One API process on a socket of ours; what connects while it is started again waits in the socket's queue."""
    descriptor = listener.fileno()
    return Part(name, ["serve"], {**(environment or {}), LISTENER: str(descriptor)}, inherits=(descriptor,))
