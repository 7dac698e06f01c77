"""`server.json` in the data directory: says to other commands on this machine which `up` or `demo` runs there.

The process that wrote it holds a lock on it, which the kernel releases with the process: a file that nobody holds was
left behind by a kill -9, and is ignored and overwritten.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from services.settings import Settings

FILE_NAME = "server.json"

LOCK_ATTEMPTS = 5
LOCK_PAUSE_S = 0.02
"""A command that only looks whether a server runs holds the lock for an instant."""


@dataclass(frozen=True, slots=True)
class RunningServer:
    """An `up` or `demo`. `url` is its API's on this machine: "http://127.0.0.1:11111".

    `environment` is what it set for its processes beside what it was started with: the sample site of a demo, and its
    data directory. It never has a secret.
    """

    pid: int
    url: str
    environment: Mapping[str, str] = field(default_factory=dict)


def demo_data_dir(settings: Settings) -> Path:
    """Where a demo keeps its data: the setting, else a folder of its own under the default."""
    return settings.data_dir if "data_dir" in settings.model_fields_set else settings.data_dir / "demo"


@contextmanager
def announced(data_dir: Path, server: RunningServer) -> Iterator[None]:
    """Have the file there until the end of the block, unless another server on this data directory has its own."""
    path = data_dir / FILE_NAME
    file = _locked(path)
    if file is None:
        yield
        return
    with file:
        json.dump(asdict(server), file)
        file.flush()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def _locked(path: Path) -> IO[str] | None:
    """The file, empty and locked; None where another server holds it or nothing can be written."""
    for _ in range(LOCK_ATTEMPTS):
        try:
            file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "w", encoding="utf-8")
        except OSError:
            return None
        if _lock(file, fcntl.LOCK_EX) and _is_still(path, file):
            file.truncate()
            return file
        file.close()
        time.sleep(LOCK_PAUSE_S)
    return None


def find_server(settings: Settings) -> RunningServer | None:
    """The server that runs on the data directory of these settings, else on the demo's; None where none does."""
    for folder in dict.fromkeys((settings.data_dir, demo_data_dir(settings))):
        if server := _read(folder / FILE_NAME):
            return server
    return None


def _read(path: Path) -> RunningServer | None:
    try:
        with path.open(encoding="utf-8") as file:
            return None if _lock(file, fcntl.LOCK_SH) else RunningServer(**json.load(file))
    except (OSError, ValueError, TypeError):
        return None


def _lock(file: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_still(path: Path, file: IO[str]) -> bool:
    """False when a server that ended removed the file between our opening and locking it."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
