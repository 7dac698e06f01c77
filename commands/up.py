"""`jmgraph up`: Valkey, API and one worker in one terminal; when it ends, nothing is left running."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack

import structlog

from commands.listener import base_url, listen
from commands.supervisor import ChildProcess, Supervisor, api_process
from services.processes import stop_on_signals
from services.redis import open_redis
from services.settings import Settings
from services.tasks import cancel_and_wait

log = structlog.get_logger("jmgraph.up")

POLL_S = 0.2
"""Between two checks whether the API responds."""


async def up(
    settings: Settings, environment: Mapping[str, str] | None = None, report: Callable[[str], None] | None = None
) -> int:
    """Run API and worker until a signal; gives the exit code: 0 after a signal, 1 when a child could not start.

    `environment` is added to that of the processes; `report` is called with the API's address once it responds.
    """
    stop = asyncio.Event()
    stop_on_signals(stop)
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(listen(settings))
        await stack.enter_async_context(open_redis(settings))  # for the processes: starts it, or checks it once
        children = [
            api_process("api", listener, dict(environment or {})),
            ChildProcess("worker", ["worker"], environment or {}),
        ]
        supervisor = Supervisor(children, stop)
        stack.push_async_callback(supervisor.end)
        if report:
            reporting = asyncio.create_task(_report_address(settings, listener, report))
            stack.push_async_callback(cancel_and_wait, reporting)
        return await supervisor.run()


async def _report_address(settings: Settings, listener: socket.socket, report: Callable[[str], None]) -> None:
    host, port = listener.getsockname()[:2]
    while True:
        if await _responds(host, port):
            return report(base_url(settings, listener))
        await asyncio.sleep(POLL_S)


async def _responds(host: str, port: int) -> bool:
    """True once the API responds; the request waits in the socket's queue while the API starts."""
    try:
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
        line = await reader.readline()
        writer.close()
    except OSError:
        return False
    return b" 200 " in line
