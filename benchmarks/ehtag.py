"""How fast the tag database opens, renders and is exported: `python -m benchmarks.ehtag [FOLDER]`.

FOLDER holds the thirteen files of a tag database; the default is `../shared/ehtag/database`, next to the checkout.
Seconds of one core, each the best of three processes. Targets: ready to translate within 0.6 s and
100 MB for the whole process; a record in full form within 0.2 ms; the full export within 4 s.
"""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from services.ehtag import (
    CommitRecord,
    Namespace,
    Signature,
    TagForm,
    TagKind,
    TagSnapshot,
    Translator,
    export,
    render_record,
)

_ROOT = Path(__file__).resolve().parent.parent
_DEFAULT_FOLDER = _ROOT.parent / "shared" / "ehtag" / "database"
_RECORDS = 2000
_RUNS = 3


def main(folder: Path) -> None:
    """Print one line per target."""
    if not folder.is_dir():
        raise SystemExit(f"No tag database at {folder}; name its folder.")
    open_s, open_mb = min(_run("open", folder) for _ in range(_RUNS))
    record_s, _ = min(_run("record", folder) for _ in range(_RUNS))
    export_s, _ = min(_run("export", folder) for _ in range(_RUNS))
    print(f"open, ready to translate: {open_s:.2f} s (target 0.6), {open_mb:.0f} MB for the process (target 100)")
    print(f"a record in full form, warm: {record_s * 1000:.3f} ms (target 0.2)")
    print(f"the full export: {export_s:.2f} s (target 4)")


def _run(what: str, folder: Path) -> tuple[float, float]:
    """Seconds and peak memory in MB of one measurement, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.ehtag", str(folder), what]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=True)
    seconds, megabytes = map(float, done.stdout.split())
    return seconds, megabytes


def _open(folder: Path) -> float:
    """From the files to the first translated name, without imports."""
    started = time.process_time()
    Translator(_snapshot(folder)).translate("全彩", TagKind.GENRE)
    return time.process_time() - started


def _record(folder: Path) -> float:
    """One record, rendered for the first time after others have been."""
    snapshot = _snapshot(folder)
    records = [record for namespace in Namespace for record in snapshot.records(namespace)]
    chosen = random.Random(7).sample(records, 2 * _RECORDS)
    for record in chosen[:_RECORDS]:
        render_record(record, TagForm.FULL)
    started = time.process_time()
    for record in chosen[_RECORDS:]:
        render_record(record, TagForm.FULL)
    return (time.process_time() - started) / _RECORDS


def _export(folder: Path) -> float:
    """The whole full form, as bytes."""
    snapshot = _snapshot(folder)
    started = time.process_time()
    for _ in export(snapshot, TagForm.FULL):
        pass
    return time.process_time() - started


def _snapshot(folder: Path) -> TagSnapshot:
    files = {namespace: (folder / f"{namespace}.md").read_bytes() for namespace in Namespace}
    nobody = Signature("", "", datetime(2024, 1, 1, tzinfo=UTC))
    return TagSnapshot.from_files(files, 7, CommitRecord("", "", nobody, nobody), "")


_MEASURES: dict[str, Callable[[Path], float]] = {"open": _open, "record": _record, "export": _export}

if __name__ == "__main__":
    match sys.argv[1:]:
        case [folder, what]:
            print(_MEASURES[what](Path(folder)), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        case [folder]:
            main(Path(folder))
        case _:
            main(_DEFAULT_FOLDER)
