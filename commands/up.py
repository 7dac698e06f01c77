"""`jmgraph up`: Valkey, API and one worker in one terminal; when it ends, nothing is left running."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack

from commands.listener import base_url, listen, local_url, network_url, responds
from commands.server_file import RunningServer, announced
from commands.supervisor import ChildProcess, Supervisor, api_process
from services.processes import stop_on_signals
from services.redis import open_redis
from services.settings import VERSION, Settings
from services.tasks import cancel_and_wait

CONTAINER_FILES = ("/.dockerenv", "/run/.containerenv")
"""Docker and Podman put one into every container, whose own address is none for others."""

POLL_S = 0.2
"""Between two checks whether the API responds."""

Welcome = Callable[[str, str], str]
"""The text that a user sees first, from the base URL and the lines with all addresses."""


def welcome(base: str, addresses: str) -> str:
    """The first output of an `up`."""
    return f"jmgraph {VERSION} runs at {base}. Ctrl-C ends everything.\n\n{addresses}"


async def up(settings: Settings, environment: Mapping[str, str] | None = None, welcome: Welcome = welcome) -> int:
    """Run API and worker until a signal; gives the exit code: 0 after a signal, 1 when a child could not start.

    `environment` is added to that of the processes. The welcome is printed once the API responds.
    """
    stop = asyncio.Event()
    stop_on_signals(stop)
    async with AsyncExitStack() as stack:
        listener = stack.enter_context(listen(settings))
        await stack.enter_async_context(open_redis(settings))  # for the processes: starts it, or checks it once
        server = RunningServer(os.getpid(), local_url(listener), environment or {})
        stack.enter_context(announced(settings.data_dir, server))
        children = [
            api_process("api", listener, dict(environment or {})),
            ChildProcess("worker", ["worker"], environment or {}),
        ]
        supervisor = Supervisor(children, stop)
        stack.push_async_callback(supervisor.end)
        greeting = asyncio.create_task(_print_welcome(settings, listener, welcome))
        stack.push_async_callback(cancel_and_wait, greeting)
        return await supervisor.run()


async def _print_welcome(settings: Settings, listener: socket.socket, welcome: Welcome) -> None:
    while True:
        if await responds(local_url(listener)):
            break
        await asyncio.sleep(POLL_S)
    base = base_url(settings, listener)
    is_container = any(map(os.path.exists, CONTAINER_FILES))
    network = None if settings.public_url or is_container else network_url(listener)
    addresses = f"  page      {base}/\n  GraphiQL  {base}/graphql\n"
    addresses += f"  network   {network}/\n" if network else ""
    print(welcome(base, addresses), flush=True)  # noqa: T201 (output of the command)
