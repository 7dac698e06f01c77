"""Processor time and memory of processes, from Linux's /proc. A busy machine does not change them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_LISTEN = "0A"

SAMPLE_S = 0.1
"""Seconds between two samples of memory."""


def cpu_seconds(port: int) -> float:
    """Processor seconds used so far by all processes that share the listening socket of this port."""
    inodes = _inodes(port)
    return sum(_used(folder) for folder in Path("/proc").glob("[0-9]*") if inodes & _sockets(folder))


def _used(folder: Path) -> float:
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _inodes(port: int) -> set[str]:
    """Inodes of the sockets that listen on a port."""
    table = Path("/proc/net/tcp")
    rows = [line.split() for line in table.read_text().splitlines()[1:]] if table.exists() else []
    return {f"socket:[{row[9]}]" for row in rows if row[3] == _LISTEN and int(row[1].rpartition(":")[2], 16) == port}


def _sockets(folder: Path) -> set[str]:
    try:
        return {str(entry.readlink()) for entry in (folder / "fd").iterdir()}
    except OSError:
        return set()  # it ended meanwhile, or belongs to another user


def pss_bytes(pid: int) -> int:
    """Proportional set size of a process, in which shared pages count once over all; 0 where it can't be read."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024


def descendants(pid: int) -> list[int]:
    """Child processes, and their children."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text("utf-8", "replace").rpartition(")")[2].split()[1])
        except OSError:
            continue  # it has ended
    found = [pid]
    for each in found:  # which grows meanwhile
        found += [child for child, parent in parents.items() if parent == each]
    return found[1:]


async def peak_mb(pid: int, work: Awaitable[object]) -> float:
    """Peak memory of a process in MB while `work` runs."""
    peaks = [pss_bytes(pid)]

    async def watch() -> None:
        while True:
            peaks.append(pss_bytes(pid))
            await asyncio.sleep(SAMPLE_S)

    watching = asyncio.ensure_future(watch())
    try:
        await work
    finally:
        watching.cancel()
    return max(peaks) / 1e6
