"""How fast the tag database opens, renders, is exported and searched: `python -m benchmarks.ehtag [FOLDER]`.

FOLDER holds the thirteen files of a tag database; the default is `../shared/ehtag/database`, next to the checkout.
Seconds of one core, each the best of three processes. Targets: ready to translate within 0.6 s and
100 MB for the whole process; a record in full form within 0.2 ms; the full export within 4 s.

Searches are those of `tag-search-sample.json` beside the folder, and 1,000 made from the records: raw tags with one
slip, names in pinyin, initials and Traditional characters, and the first two letters of each. Targets: of the sample
80 % right at the first place and 97 % on the first page of 20; 95 of 100 searches within 20 ms.
"""

from __future__ import annotations

import json
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from services.ehtag import (
    CommitRecord,
    Namespace,
    Signature,
    TagForm,
    TagKind,
    TagSearch,
    TagSnapshot,
    Translator,
    export,
    render_record,
)

_ROOT = Path(__file__).resolve().parent.parent
_DEFAULT_FOLDER = _ROOT.parent / "shared" / "ehtag" / "database"
_RECORDS = 2000
_RUNS = 3
_PAGE = 20
_SEARCHED = 200


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
    _measure_search(folder)


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


def _measure_search(folder: Path) -> None:
    snapshot = _snapshot(folder)
    Translator(snapshot)
    before_mb, started = _resident_mb(), time.process_time()
    search = TagSearch(snapshot)
    search.find("x")
    built_s = time.process_time() - started
    print(f"the first search builds the index: {built_s:.1f} s of one core, {_resident_mb() - before_mb:.0f} MB")
    sample = folder.parent / "tag-search-sample.json"
    if sample.is_file():
        places = [_place(search, entry["query"], entry["want"]) for entry in json.loads(sample.read_text("utf-8"))]
        first, found = (sum(place < limit for place in places) / len(places) for limit in (1, _PAGE))
        print(f"{len(places)} sample searches: {first:.0%} right first (target 80), {found:.0%} found (target 97)")
    times_ms = sorted(_search_ms(search, query) for query in _queries(snapshot))
    p95_ms = times_ms[len(times_ms) * 95 // 100]
    print(
        f"{len(times_ms)} searches: median {statistics.median(times_ms):.1f} ms, p95 {p95_ms:.1f} ms (target 20), "
        f"longest {times_ms[-1]:.0f} ms"
    )


def _place(search: TagSearch, query: str, wanted: str) -> int:
    """Records of the first page before the wanted one; all of them and more when it is not among them."""
    ids = [record.id for record in search.find(query)[:_PAGE]]
    return ids.index(wanted) if wanted in ids else _PAGE


def _search_ms(search: TagSearch, query: str) -> float:
    """A page with what matched, as the page of the explorer asks for it."""
    started = time.process_time()
    found = search.find(query)
    for position in range(len(found[:_PAGE])):
        found.matched(position)
    return (time.process_time() - started) * 1000


def _queries(snapshot: TagSnapshot) -> Iterator[str]:
    from opencc import OpenCC
    from pypinyin import lazy_pinyin  # 55 MB, which the measurements of memory must not have

    chance, to_traditional = random.Random(7), OpenCC("s2t").convert
    records = [record for namespace in Namespace for record in snapshot.records(namespace)]
    for record in chance.sample(records, _SEARCHED):
        syllables = lazy_pinyin(record.name.text)
        at = chance.randrange(len(record.raw))
        yield record.raw[:at] + chance.choice("aeiorst") + record.raw[at + 1 :]
        yield "".join(syllables)
        yield "".join(syllable[0] for syllable in syllables)
        yield to_traditional(record.name.text)
        yield record.raw[:2]


def _resident_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


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
