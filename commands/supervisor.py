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

from commands.listener import LISTENER, SHARED, listen
from commands.run import PARENT_PIPE
from services.processes import stop_on_signals
from services.settings import Settings
from services.tasks import cancel_and_wait

log = structlog.get_logger("jmgraph.up")

STOP_S = 25.0
"""Time for a child to end by itself before it is killed."""

RESTART_S = (0.5, 1.0, 2.0, 5.0, 10.0)
"""Waits before a child that ended is restarted; the last one from then on."""

STABLE_AFTER_S = 30.0
"""After this long a start counts as successful: the waits begin with the first one again."""

CANNOT_START = 1
"""Exit code of a command that printed in one line why it can't start."""


@dataclass(slots=True)
class ChildProcess:
    """A command of `jmgraph` as a process; `environment` is added to ours, `inherits` are its descriptors."""

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
    """Each child holds the read end of a pipe whose write end only we have: when we die, however that happens, the
    pipe closes and the child ends itself."""

    def __init__(self, children: list[ChildProcess], stop: asyncio.Event) -> None:
        self._children = children
        self._stop = stop
        self._exit_code = 0
        self._alive_read, self._alive_write = os.pipe()

    async def run(self) -> int:
        """Until the stop event, or until a child can't even start; gives the exit code."""
        keeping = [
            asyncio.create_task(self._keep_running(child), name=f"keep {child.name}") for child in self._children
        ]
        stopping = asyncio.create_task(self._stop.wait())
        ended, _ = await asyncio.wait([*keeping, stopping], return_when=asyncio.FIRST_COMPLETED)
        await cancel_and_wait(*keeping, stopping)
        for task in ended:
            task.result()
        return self._exit_code

    async def end(self) -> None:
        """Ask every child to end, wait, and kill what does not."""
        running = [child for child in self._children if child.is_running]
        for child in running:
            child.signal(signal.SIGTERM)
        await asyncio.gather(*(_ended(child) for child in running))
        os.close(self._alive_write)
        os.close(self._alive_read)

    async def _keep_running(self, child: ChildProcess) -> None:
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            code = await self._run(child)
            was_stable = loop.time() - began >= STABLE_AFTER_S
            if code == CANNOT_START and failures == 0 and not was_stable:
                self._exit_code = code
                return
            failures = 0 if was_stable else failures
            wait_s = RESTART_S[min(failures, len(RESTART_S) - 1)]
            failures += 1
            log.error("a process ended and is restarted", process=child.name, exit_code=code, wait_s=wait_s)
            await asyncio.sleep(wait_s)

    async def _run(self, child: ChildProcess) -> int:
        child.process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # files in the working directory must not replace our modules
            "-m",
            "cli",
            *child.arguments,
            env={**os.environ, **child.environment, PARENT_PIPE: str(self._alive_read)},
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=(self._alive_read, *child.inherits),
            process_group=0,  # Ctrl-C reaches us alone, and we end the children in order
        )
        return await child.process.wait()


async def _ended(child: ChildProcess) -> None:
    if child.process is None:
        return
    try:
        await asyncio.wait_for(child.process.wait(), STOP_S)
    except TimeoutError:
        log.warning("a process did not end by itself", process=child.name)
        child.signal(signal.SIGKILL)
        await child.process.wait()


async def serve_multiprocess(settings: Settings, workers: int) -> int:
    """Keep `workers` API processes until a signal; raises `ConfigurationError` in one line when it can't start."""
    stop = asyncio.Event()
    stop_on_signals(stop)
    with listen(settings) as listener:
        async with AsyncExitStack() as stack:
            supervisor = Supervisor(
                [api_process(f"api {number}", listener, {SHARED: "1"}) for number in range(1, workers + 1)], stop
            )
            stack.push_async_callback(supervisor.end)
            return await supervisor.run()


def api_process(name: str, listener: socket.socket, environment: dict[str, str] | None = None) -> ChildProcess:
    """One API process on a socket of ours; what connects while it is restarted waits in the socket's queue."""
    descriptor = listener.fileno()
    return ChildProcess(name, ["serve"], {**(environment or {}), LISTENER: str(descriptor)}, inherits=(descriptor,))
