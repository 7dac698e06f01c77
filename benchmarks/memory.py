"""Memory that processes take: their proportional set size, in which shared pages count once over all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from pathlib import Path

LOOK_S = 0.1


def pss_bytes(pid: int) -> int:
    """Of one process; 0 for one that is gone, or where the system does not tell."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024


async def peak_mb(pid: int, work: Awaitable[object]) -> float:
    """The peak of a process while `work` is under way, looked at often."""
    peaks = [pss_bytes(pid)]

    async def watch() -> None:
        while True:
            peaks.append(pss_bytes(pid))
            await asyncio.sleep(LOOK_S)

    watching = asyncio.ensure_future(watch())
    try:
        await work
    finally:
        watching.cancel()
    return max(peaks) / 1e6
