"""From `jmgraph up` to a ready server: time, processor time, memory. `python -m benchmarks.start [CHECKOUT…]`.

With folders of other checkouts, each is started in turn; they use the packages of this environment.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.process_stats import descendants, pss_bytes
from benchmarks.processes import free_port, process, wait_for

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 4
"""The first of each makes its data directory, and is not counted."""
REST_S = 2.0
"""After it is ready: what is done in the background has been done."""
NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True)
class Start:
    """One start, with its end."""

    ready_s: float
    cpu_s: float
    memory_bytes: int


def main() -> None:
    """Start each checkout in turn, and print the fastest of each."""
    checkouts = [Path(argument).resolve() for argument in sys.argv[1:]] or [ROOT]
    with tempfile.TemporaryDirectory() as folder:
        found: dict[Path, list[Start]] = {checkout: [] for checkout in checkouts}
        for _ in range(ROUNDS):
            for number, checkout in enumerate(checkouts):
                found[checkout].append(_start(checkout, Path(folder) / str(number)))
    for checkout, starts in found.items():
        counted = starts[1:]
        print(
            f"{checkout.name:<24} ready after {min(start.ready_s for start in counted):.1f} s, "
            f"{min(start.cpu_s for start in counted):.1f} s of processor time until its end, "
            f"{min(start.memory_bytes for start in counted) / 1e6:.0f} MB at rest"
        )


def _start(checkout: Path, data_dir: Path) -> Start:
    port = free_port()
    environment = {
        "PYTHONPATH": str(checkout),
        "JMGRAPH_PORT": str(port),
        "JMGRAPH_DATA_DIR": str(data_dir),
        "JMGRAPH_JM_METHOD": "api",
        **{f"JMGRAPH_JM_{role}_URLS": NOWHERE for role in ("API", "HTML", "IMAGE")},
    }
    used_before, began = _cpu_of_children(), time.monotonic()
    os.chdir(checkout)  # `-m` looks there first
    with process(["-m", "cli", "up"], environment) as up:
        wait_for(f"http://127.0.0.1:{port}/readyz")
        ready_s = time.monotonic() - began
        time.sleep(REST_S)
        memory_bytes = sum(map(pss_bytes, (up.pid, *descendants(up.pid))))
    return Start(ready_s, _cpu_of_children() - used_before, memory_bytes)


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
