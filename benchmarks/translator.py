"""Opening the tag database, translating and searching: `python -m benchmarks.translator [FOLDER]`.

FOLDER holds the thirteen files of a tag database; the default is `../shared/ehtag/database`, next to the checkout.
One core. Targets: ready to translate within 0.6 s and 100 MB; 500 names within 10 ms; a search within 20 ms. Of the
samples beside the folder: 98 % of the tags with a record joined, 99.5 % of the joins right, namesakes 98 % right.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from services.ehtag import (
    CommitRecord,
    Namespace,
    Signature,
    TagKind,
    TagRecord,
    TagSearch,
    TagSnapshot,
    Translator,
)

_DEFAULT_FOLDER = Path(__file__).resolve().parent.parent.parent / "shared" / "ehtag" / "database"
_SAMPLES = ("jm-tags-sample.json", "namesakes-sample.json")
_KINDS = {
    "tag": TagKind.GENRE,
    "work": TagKind.WORK,
    "character": TagKind.CHARACTER,
    "author": TagKind.AUTHOR,
}
_QUERIES = ("a", "e", "full color", "全彩", "雙馬尾", "の", "touhou", "nothing like it")
_REPEATS = 20


def main(folder: Path) -> None:
    """Print one line per measurement."""
    if not folder.is_dir():
        raise SystemExit(f"No tag database at {folder}; name its folder.")
    _keep_to_one_core()
    files = {space: (folder / f"{space}.md").read_bytes() for space in Namespace}
    started = time.perf_counter()
    snapshot = _snapshot_of(files)
    translator = Translator(snapshot)
    translator.translate("全彩", TagKind.GENRE)
    opened_s = time.perf_counter() - started
    print(f"open {snapshot.count} records, ready to translate: {opened_s:.2f} s, {_peak_mb():.0f} MB for the process")

    names = _names_of(snapshot)
    first_ms = _ms(lambda: translator.translate_many(names, TagKind.GENRE))
    again_ms = _median_ms(lambda: translator.translate_many(names, TagKind.GENRE))
    print(f"translate {len(names)} names: {first_ms:.1f} ms first, {again_ms:.2f} ms again")

    for sample in map(folder.parent.joinpath, _SAMPLES):
        print(f"join {sample.stem}: {_joined(translator, sample)}")

    search = TagSearch(snapshot)
    for query in _QUERIES:
        found = len(search.find(query))
        took_ms = _median_ms(partial(_first_page, search, query))
        print(f"search {json.dumps(query, ensure_ascii=False)}: {took_ms:.1f} ms, {found} records")
    print(f"browse: {_median_ms(lambda: search.find(None)[20_000:20_020]):.1f} ms a page")


def _keep_to_one_core() -> None:
    if sys.platform == "linux":
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def _first_page(search: TagSearch, query: str) -> Sequence[TagRecord]:
    return search.find(query)[:20]


def _snapshot_of(files: dict[Namespace, bytes]) -> TagSnapshot:
    nobody = Signature("nobody", "nobody@localhost", datetime(2024, 1, 1, tzinfo=UTC))
    return TagSnapshot.from_files(files, 7, CommitRecord("0" * 40, "", nobody, nobody), "benchmark")


def _names_of(snapshot: TagSnapshot) -> list[str]:
    """500 different names, half of them known."""
    known = [record.name.text for record in snapshot.records(Namespace.FEMALE)][:250]
    return [*known, *(f"{name}之外{number}" for number, name in enumerate(known))]


def _joined(translator: Translator, sample: Path) -> str:
    """How many tags with a record are joined to a right one, and how many joins are right."""
    if not sample.is_file():
        return "no such file"
    entries = json.loads(sample.read_text("utf-8"))
    found = [translator.translate(entry["jm"], _KINDS[entry["kind"]]).record for entry in entries]
    given = [(record, entry["accept"]) for record, entry in zip(found, entries, strict=True) if record]
    right = sum(record.id in accepted for record, accepted in given)
    with_record = sum(bool(entry["accept"]) for entry in entries)
    return f"{right} of {with_record} joined, {right} of {len(given)} joins right"


def _median_ms(work: Callable[[], object]) -> float:
    return statistics.median(_ms(work) for _ in range(_REPEATS))


def _ms(work: Callable[[], object]) -> float:
    gc.collect()
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else _DEFAULT_FOLDER)
