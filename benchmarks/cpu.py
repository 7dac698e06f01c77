"""Processor time of a server, from Linux's /proc: what a busy machine does to rates, it does not do to this."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_LISTEN = "0A"


def cpu_seconds(port: int) -> float:
    """Seconds that all processes which share the socket that listens on this port have used so far."""
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
        return {str(row.readlink()) for row in (folder / "fd").iterdir()}
    except OSError:
        return set()  # it ended meanwhile, or is somebody else's
