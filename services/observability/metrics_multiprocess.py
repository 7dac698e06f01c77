"""Metrics of several processes on one data directory, added up: each writes its own to files there, and the one
that is scraped reads them all.

A process is alive while it holds the lock on its `.alive` file, so that processes of several containers, whose
pids may be equal, are distinguished. The first process to start deletes older files; the counts of processes that
ended since then stay, or sums would shrink.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import prometheus_client.values
from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from services.errors import ConfigurationError

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable of prometheus_client with the folder."""

MAX_DEAD = 50
"""Ended processes whose counts are kept; a worker that dies every few seconds must not fill the disk."""

_lock_descriptors: list[int] = []
"""Of this process's lock file. Never closed: the kernel releases the lock when the process ends."""


def share_metrics(data_dir: Path) -> None:
    """Keep this process's metrics under `data_dir`; call it once, before `observability.metrics` is imported."""
    folder = data_dir / "metrics"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _exclusive(folder):
            if not any(_is_locked(file) for file in folder.glob("*.alive")):
                _clear(folder)
            id = secrets.token_hex(6)
            _lock_descriptors.append(_lock(folder / f"{id}.alive"))
    except OSError as error:
        raise ConfigurationError(f"JMGRAPH_DATA_DIR={str(data_dir)!r}: {error.strerror}; a folder") from None
    os.environ[FOLDER] = str(folder)
    value_class = prometheus_client.values.MultiProcessValue(lambda: id)  # type: ignore[no-untyped-call]
    prometheus_client.values.ValueClass = value_class


def shared_registry() -> CollectorRegistry | None:
    """The metrics of all processes; None where this one keeps its own."""
    if not _lock_descriptors:
        return None
    folder = Path(os.environ[FOLDER])
    with _exclusive(folder):
        _mark_dead_processes(folder)
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(folder))  # type: ignore[no-untyped-call]
    return registry


def _mark_dead_processes(folder: Path) -> None:
    """Drop the gauges of ended processes (the event loop's lag), and all files of the oldest beyond `MAX_DEAD`."""
    for file in folder.glob("*.alive"):
        if not _is_locked(file):
            mark_process_dead(file.stem, str(folder))  # type: ignore[no-untyped-call]
            file.rename(file.with_suffix(".dead"))
    dead = sorted(folder.glob("*.dead"), key=lambda file: file.stat().st_mtime)
    for file in dead[:-MAX_DEAD]:
        for metrics in folder.glob(f"*_{file.stem}.db"):
            metrics.unlink()
        file.unlink()


def _clear(folder: Path) -> None:
    for pattern in ("*.db", "*.alive", "*.dead"):
        for file in folder.glob(pattern):
            file.unlink()


@contextmanager
def _exclusive(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _lock(file: Path) -> int:
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return descriptor


def _is_locked(file: Path) -> bool:
    with file.open("rb") as probe:
        try:
            fcntl.flock(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
