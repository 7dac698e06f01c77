"""The folder of the embedded Valkey: who owns it, and at which address the server is."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from services.errors import ConfigurationError

LOCK_TRIES = 5
LOCK_PAUSE_S = 0.02
"""Somebody who only looks whether there is an owner holds the lock for an instant."""


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where the server of a data directory is; port and password stay the same over restarts where they can."""

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
class Folder:
    """The server's files: `address.json` (0600, it holds the password), `owner.lock`, the log and the data."""

    path: Path

    @classmethod
    def of(cls, data_dir: Path) -> Folder:
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
            for _ in range(LOCK_TRIES):
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
