"""`jmgraph up`: Valkey, API and one worker in one terminal; whatever ends, nothing is left running."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import structlog

from commands.parent import PARENT_PIPE
from services.settings import Settings
from services.valkey import embedded_valkey

log = structlog.get_logger("jmgraph.up")

STOP_S = 25.0
"""Time for a part to end by itself before it is killed."""

RESTART_S = (0.5, 1.0, 2.0, 5.0, 10.0)
"""Waits before a part that ended is started again; the last one from then on."""

LONG_LIFE_S = 30.0
"""A part that lived this long has started well: the waits begin anew."""


@dataclass(slots=True)
class Part:
    """A process of ours: a command of `jmgraph` or a module, with the environment it gets on top of ours."""

    name: str
    arguments: list[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    process: asyncio.subprocess.Process | None = None


def api_and_worker(environment: Mapping[str, str] | None = None) -> list[Part]:
    """The two parts of every `up`."""
    return [
        Part("api", ["-m", "cli", "serve"], environment or {}),
        Part("worker", ["-m", "cli", "worker"], environment or {}),
    ]


async def up(settings: Settings, parts: list[Part]) -> int:
    """Run the parts until a signal; gives the exit code: 0 after a signal, a part's own when it could not start."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        if not settings.redis_url.get_secret_value():
            await stack.enter_async_context(embedded_valkey(settings.data_dir))
        supervisor = Supervisor(parts, stop)
        stack.push_async_callback(supervisor.end)
        return await supervisor.run()


class Supervisor:
    """Keeps the parts running. Each holds the read end of a pipe whose write end only we have: when we die,
    however, the pipe closes and the part ends itself."""

    def __init__(self, parts: list[Part], stop: asyncio.Event) -> None:
        self._parts = parts
        self._stop = stop
        self._exit_code = 0
        self._alive_read, self._alive_write = os.pipe()
        os.set_inheritable(self._alive_read, True)

    async def run(self) -> int:
        """Until the stop event, or until a part can't even start."""
        keepers = [asyncio.create_task(self._keep(part)) for part in self._parts]
        stopping = asyncio.create_task(self._stop.wait())
        await asyncio.wait([*keepers, stopping], return_when=asyncio.FIRST_COMPLETED)
        for task in (*keepers, stopping):
            task.cancel()
        await asyncio.gather(*keepers, stopping, return_exceptions=True)
        return self._exit_code

    async def end(self) -> None:
        """Ask every part to end, wait, and kill what does not."""
        running = [part for part in self._parts if part.process and part.process.returncode is None]
        for part in running:
            _signal(part, signal.SIGTERM)
        await asyncio.gather(*(self._end(part) for part in running))
        os.close(self._alive_write)
        os.close(self._alive_read)

    async def _end(self, part: Part) -> None:
        if part.process is None:
            return
        try:
            await asyncio.wait_for(part.process.wait(), STOP_S)
        except TimeoutError:
            log.warning("a part did not end by itself", part=part.name)
            _signal(part, signal.SIGKILL)
            await part.process.wait()

    async def _keep(self, part: Part) -> None:
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            code = await self._run(part)
            if failures == 0 and loop.time() - began < LONG_LIFE_S and code == 1:
                self._exit_code = code  # it said in one line why it can't start
                return
            failures = 0 if loop.time() - began >= LONG_LIFE_S else failures + 1
            wait_s = RESTART_S[min(failures, len(RESTART_S) - 1)]
            log.error("a part ended and is started again", part=part.name, exit_code=code, wait_s=wait_s)
            await asyncio.sleep(wait_s)

    async def _run(self, part: Part) -> int:
        part.process = await asyncio.create_subprocess_exec(
            sys.executable,
            *part.arguments,
            env={**os.environ, **part.environment, PARENT_PIPE: str(self._alive_read)},
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=(self._alive_read,),
            start_new_session=True,
        )
        return await part.process.wait()


def _signal(part: Part, number: signal.Signals) -> None:
    if part.process is not None and part.process.returncode is None:
        part.process.send_signal(number)
