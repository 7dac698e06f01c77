"""How fast the tag database opens, renders and is exported, against what is promised.

`python benchmarks/ehtag.py [FOLDER]`; FOLDER holds `database/` as the official repository does, by default
`../shared/ehtag` (or JMGRAPH_TEST_EHTAG). One core; each figure is the best of a few runs.
"""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RECORDS = 2000
RUNS = 3


def main(folder: Path) -> int:
    """Print one line a target; 1 when one is missed."""
    if not (folder / "database").is_dir():
        print(f"no tag database in {folder}; give its folder as the argument")
        return 1
    opened = min((_measured("open", folder) for _ in range(RUNS)), key=lambda figures: figures[0])
    warm_ms = min(_measured("record", folder)[0] for _ in range(RUNS))
    export_s = min(_measured("export", folder)[0] for _ in range(RUNS))
    results = [
        _line("open, ready to translate", opened[0], "s", 0.6),
        _line("memory of that process", opened[1], "MB", 100),
        _line("a record in full form, warm", warm_ms, "ms", 0.2),
        _line("whole full export", export_s, "s", 4),
    ]
    return 0 if all(results) else 1


def _line(what: str, value: float, unit: str, target: float) -> bool:
    kept = value < target
    print(f"{what:32} {value:8.3f} {unit:3} target {target:g} {unit}{'' if kept else '  MISSED'}")
    return kept


def _measured(what: str, folder: Path) -> tuple[float, float]:
    """A figure and the peak memory in MB, of a process of its own."""
    command = [sys.executable, __file__, what, str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    figure, memory = done.stdout.split()
    return float(figure), float(memory)


def _open(folder: Path) -> float:
    """Seconds from nothing but the interpreter's imports to the first translated name."""
    from services.ehtag.records import TagKind
    from services.ehtag.translator import Translator

    snapshot = _snapshot  # its imports, too, are no part of opening
    start = time.perf_counter()
    Translator(snapshot(folder)).translate("彩色", TagKind.GENRE)
    return time.perf_counter() - start


def _record(folder: Path) -> float:
    """Milliseconds a record takes that was never rendered before, in a process that has rendered others."""
    from services.ehtag.forms import TagForm, render_record
    from services.ehtag.records import Namespace

    snapshot = _snapshot(folder)
    records = [record for namespace in Namespace for record in snapshot.records(namespace)]
    chosen = random.Random(7).sample(records, 2 * RECORDS)
    for record in chosen[:RECORDS]:
        render_record(record, TagForm.FULL)
    start = time.perf_counter()
    for record in chosen[RECORDS:]:
        render_record(record, TagForm.FULL)
    return (time.perf_counter() - start) / RECORDS * 1000


def _export(folder: Path) -> float:
    """Seconds for the whole full form, as bytes."""
    from services.ehtag.export import export
    from services.ehtag.forms import TagForm

    snapshot = _snapshot(folder)
    start = time.perf_counter()
    for _ in export(snapshot, TagForm.FULL):
        pass
    return time.perf_counter() - start


def _snapshot(folder: Path):  # type: ignore[no-untyped-def]
    from services.ehtag.records import Commit, Namespace, Signature
    from services.ehtag.snapshot import TagSnapshot

    files = {namespace: (folder / "database" / f"{namespace}.md").read_bytes() for namespace in Namespace}
    nobody = Signature("", "", datetime(2024, 1, 1, tzinfo=UTC))
    return TagSnapshot.from_files(files, 7, Commit("", "", nobody, nobody), "")


MEASURES: dict[str, Callable[[Path], float]] = {"open": _open, "record": _record, "export": _export}

if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] in MEASURES:
        figure = MEASURES[sys.argv[1]](Path(sys.argv[2]))
        print(figure, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    else:
        default = os.environ.get("JMGRAPH_TEST_EHTAG", str(ROOT.parent / "shared" / "ehtag"))
        sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else default)))
