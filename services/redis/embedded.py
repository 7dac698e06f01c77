"""Runs the embedded Valkey of a data directory, or joins the one that another process runs.

The process that holds `valkey/owner.lock` runs the server and stops it; others on the same data directory join it by
the address in `valkey/address.json`. The kernel releases the lock with its process, so that a server left behind by
a kill -9 is adopted by the next owner. It listens on loopback, since the path of a socket has 107 bytes at most.
"""

from __future__ import annotations

import asyncio
import secrets
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import structlog

from services.errors import ConfigurationError
from services.redis.embedded_server import (
    POLL_S,
    ServerAddress,
    ServerDirectory,
    free_port,
    is_free,
    is_our_server,
    pid_exists,
    pid_of,
    spawn,
    terminate,
    until_ready,
)
from services.tasks import cancel_and_wait

log = structlog.get_logger("jmgraph.valkey")

JOIN_TIMEOUT_S = 5.0
"""How long a process waits for an owner that is just starting."""
WATCH_S = 0.25
"""How soon a server that died is noticed and started again."""
START_ATTEMPTS = 5
"""Another program may take the free port between finding and using it."""


@asynccontextmanager
async def embedded_valkey(data_dir: Path) -> AsyncIterator[str]:
    """URL of this data directory's Valkey, which runs until the end of the block.

    This process owns it, unless another one does already: then the server is joined, and taken over when its owner
    ends. A server that dies meanwhile is started again on the same port.
    Raises `ConfigurationError` when it can't be started here.
    """
    folder = ServerDirectory.of(data_dir)
    async with folder.owner_lock() as is_owner:
        if is_owner:
            async with _run_as_owner(folder) as url:
                yield url
            return
    url = await join_valkey(data_dir)
    takeover = asyncio.create_task(_take_over(folder), name="valkey takeover")
    try:
        yield url
    finally:
        await cancel_and_wait(takeover)


@asynccontextmanager
async def _run_as_owner(folder: ServerDirectory) -> AsyncIterator[str]:
    server = EmbeddedServer(folder)
    try:
        await server.start()
        watch = asyncio.create_task(server.keep_alive(), name="valkey watch")
        try:
            yield server.address.url
        finally:
            await cancel_and_wait(watch)
    finally:
        await server.stop()


async def _take_over(folder: ServerDirectory) -> None:
    """Run the server as soon as its owner has ended (a `download` that was started before the `up`, say)."""
    while True:
        await asyncio.sleep(WATCH_S)
        async with folder.owner_lock() as is_owner:
            if not is_owner:
                continue
            log.info("the owner of Valkey has ended; this process runs it now")
            async with _run_as_owner(folder):
                await asyncio.Event().wait()


async def join_valkey(data_dir: Path) -> str:
    """URL of the Valkey that another process runs on this data directory; `ConfigurationError` when none does."""
    folder = ServerDirectory(data_dir / "valkey")
    deadline = asyncio.get_running_loop().time() + JOIN_TIMEOUT_S
    while True:
        address = folder.read_address()
        if address and await pid_of(address):
            return address.url
        if not folder.has_owner() or asyncio.get_running_loop().time() > deadline:
            raise ConfigurationError(
                f"JMGRAPH_REDIS_URL is empty and no Valkey runs on JMGRAPH_DATA_DIR={str(data_dir)!r}: "
                "start `jmgraph up` on this data directory, or set JMGRAPH_REDIS_URL"
            )
        await asyncio.sleep(POLL_S)


class EmbeddedServer:
    """One server process: ours, or adopted from an owner that was killed."""

    def __init__(self, folder: ServerDirectory) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.address = ServerAddress(port=0, password="", pid=0)

    async def start(self) -> None:
        """Adopt the server that runs here, or start one."""
        previous = self._folder.read_address()
        pid = await pid_of(previous) if previous else None
        if previous and pid:
            log.info("adopting the Valkey of a killed process", pid=pid)
            self.address = replace(previous, pid=pid)
            return
        if previous and is_our_server(previous):
            await terminate(previous.pid)
        await self._launch(previous or ServerAddress(port=0, password=secrets.token_urlsafe(32), pid=0))

    async def keep_alive(self) -> None:
        """Start the server again, on the same port, whenever it has ended."""
        while True:
            await asyncio.sleep(WATCH_S)
            if self._is_alive():
                continue
            log.warning("Valkey ended unexpectedly; starting it again")
            try:
                ServerDirectory.of(self._folder.path.parent)  # the folder may have been removed
                await self._launch(self.address, attempts=1, may_change_port=False)
            except (ConfigurationError, OSError) as error:  # a full disk, no memory for a process
                log.error("Valkey can't be started again; retrying", reason=str(error))

    async def stop(self) -> None:
        """Stop the server; it writes its data first."""
        if not self.address.pid:
            return
        await terminate(self.address.pid, self._process)
        with suppress(OSError):  # the next start checks whose an old pid is
            self._folder.write_address(replace(self.address, pid=0))

    def _is_alive(self) -> bool:
        if self._process:
            return self._process.poll() is None
        return pid_exists(self.address.pid)

    async def _launch(
        self, wanted: ServerAddress, *, attempts: int = START_ATTEMPTS, may_change_port: bool = True
    ) -> None:
        """`may_change_port`: take another port where the last one is in use; only while no client knows the port."""
        port = wanted.port
        for _ in range(attempts):
            if may_change_port and not (port and is_free(port)):
                port = free_port()
            if await self._run(replace(wanted, port=port)):
                return
            port = 0 if may_change_port else port
        raise ConfigurationError(
            f"the embedded Valkey does not start; {str(self._folder.path / 'valkey.log')!r} says why, "
            "or set JMGRAPH_REDIS_URL"
        )

    async def _run(self, wanted: ServerAddress) -> bool:
        self._folder.write_address(wanted)  # first: a server whose address is not stored could not be adopted
        process = spawn(self._folder.path, wanted)
        try:
            self._process, self.address = process, replace(wanted, pid=process.pid)
            self._folder.write_address(self.address)
            return await until_ready(self.address, process)
        except BaseException:
            process.kill()
            process.wait()
            raise
