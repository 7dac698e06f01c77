"""Keeps the processes of a command running, and ends them all with it. Loads nothing of the API."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import structlog

from commands.listener import LISTENER, listen
from commands.run import PARENT_PIPE
from services.processes import stop_on_signals
from services.settings import Settings
from services.tasks import end_tasks

log = structlog.get_logger("jmgraph.up")

STOP_S = 25.0
"""Time for a part to end by itself before it is killed."""

RESTART_S = (0.5, 1.0, 2.0, 5.0, 10.0)
"""Waits before a part that ended is started again; the last one from then on."""

LONG_LIFE_S = 30.0
"""A part that lived this long has started well: the waits begin anew."""

CANNOT_START = 1
"""Exit code of a command that said in one line why it can't be."""


@dataclass(slots=True)
class Part:
    """A process of ours: a command of `jmgraph`, the environment it gets on top of ours, sockets it inherits."""

    name: str
    arguments: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    inherits: tuple[int, ...] = ()
    process: asyncio.subprocess.Process | None = None

    @property
    def is_running(self) -> bool:
        """True between its start and its end."""
        return self.process is not None and self.process.returncode is None

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, while it runs."""
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(number)


class Supervisor:
    """Each part holds the read end of a pipe whose write end only we have: when we die, however, the pipe closes
    and the part ends itself."""

    def __init__(self, parts: list[Part], stop: asyncio.Event) -> None:
        self._parts = parts
        self._stop = stop
        self._exit_code = 0
        self._alive_read, self._alive_write = os.pipe()

    async def run(self) -> int:
        """Until the stop event, or until a part can't even start; gives the exit code."""
        keepers = [asyncio.create_task(self._keep(part), name=f"keep {part.name}") for part in self._parts]
        stopping = asyncio.create_task(self._stop.wait())
        ended, _ = await asyncio.wait([*keepers, stopping], return_when=asyncio.FIRST_COMPLETED)
        await end_tasks(*keepers, stopping)
        for task in ended:
            task.result()
        return self._exit_code

    async def end(self) -> None:
        """Ask every part to end, wait, and kill what does not."""
        running = [part for part in self._parts if part.is_running]
        for part in running:
            part.signal(signal.SIGTERM)
        await asyncio.gather(*(_ended(part) for part in running))
        os.close(self._alive_write)
        os.close(self._alive_read)

    async def _keep(self, part: Part) -> None:
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            code = await self._run(part)
            lived_long = loop.time() - began >= LONG_LIFE_S
            if code == CANNOT_START and failures == 0 and not lived_long:
                self._exit_code = code
                return
            failures = 0 if lived_long else failures
            wait_s = RESTART_S[min(failures, len(RESTART_S) - 1)]
            failures += 1
            log.error("a part ended and is started again", part=part.name, exit_code=code, wait_s=wait_s)
            await asyncio.sleep(wait_s)

    async def _run(self, part: Part) -> int:
        part.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # what lies in the working directory must not stand in for our modules
            "-m",
            "cli",
            *part.arguments,
            env={**os.environ, **part.environment, PARENT_PIPE: str(self._alive_read)},
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=(self._alive_read, *part.inherits),
            process_group=0,  # Ctrl-C reaches us alone, and we end the parts in order
        )
        return await part.process.wait()


async def _ended(part: Part) -> None:
    if part.process is None:
        return
    try:
        await asyncio.wait_for(part.process.wait(), STOP_S)
    except TimeoutError:
        log.warning("a part did not end by itself", part=part.name)
        part.signal(signal.SIGKILL)
        await part.process.wait()


async def serve_multiprocess(settings: Settings, workers: int) -> int:
    """Keep `workers` API processes until a signal; raises `ConfigurationError` in one line when it can't start."""
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
