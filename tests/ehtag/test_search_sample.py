"""Searching the real database: the sample of everyday queries, and queries made from the records themselves."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterable, Sequence, Set
from pathlib import Path

import pytest
from opencc import OpenCC
from pypinyin import lazy_pinyin

from services.ehtag import Namespace, TagRecord, TagSearch, TagSnapshot, fold
from tests.tag_tables import snapshot_in

_FIRST_PAGE = 20
_ASKED = 150
_CHINESE = re.compile("[\u4e00-\u9fff]{2,}")
_GENRES = (Namespace.FEMALE, Namespace.MALE, Namespace.MIXED, Namespace.OTHER)

Question = tuple[str, Set[str]]
"""A query, and the ids of which one should be first."""


@pytest.fixture(scope="module")
def snapshot(ehtag_folder: Path) -> TagSnapshot:
    return snapshot_in(ehtag_folder / "database")


@pytest.fixture(scope="module")
def search(snapshot: TagSnapshot) -> TagSearch:
    return TagSearch(snapshot)


@pytest.fixture(scope="module")
def records(snapshot: TagSnapshot) -> list[TagRecord]:
    """Genres, and works and characters that somebody wrote an introduction for; with Chinese names."""
    listed = [record for namespace in _GENRES for record in snapshot.records_uncached(namespace)]
    for namespace in (Namespace.PARODY, Namespace.CHARACTER):
        listed += [record for record in snapshot.records_uncached(namespace) if len(record.intro.source) > 100]
    chosen = [record for record in listed if _CHINESE.fullmatch(fold(record.name.text))]
    return random.Random(14).sample(chosen, _ASKED)


@pytest.fixture(scope="module")
def ids_of_name(snapshot: TagSnapshot) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for namespace, names in snapshot.name_lists.items():
        for (_, raw), name in zip(names.keys, names.names, strict=True):
            found.setdefault(name, set()).add(f"{namespace}:{raw}")
    return found


def _shares(search: TagSearch, asked: Iterable[Question]) -> tuple[float, float]:
    """Shares of the questions whose first answer is right, and that have a right one on the first page."""
    answers = [([record.id for record in search.find(query)[:_FIRST_PAGE]], wanted) for query, wanted in asked]
    first = [bool(ids) and ids[0] in wanted for ids, wanted in answers]
    found = [not wanted.isdisjoint(ids) for ids, wanted in answers]
    return sum(first) / len(answers), sum(found) / len(answers)


def _with_slip(word: str, random: random.Random) -> str:
    """The word with a letter too many, too few or wrong, or with two swapped."""
    at = random.randrange(1, len(word) - 1)
    letter = random.choice("abcdefghijklmnopqrstuvwxyz")
    return random.choice(
        [
            word[:at] + word[at + 1 :],
            word[:at] + letter + word[at:],
            word[:at] + letter + word[at + 1 :],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        ]
    )


def test_the_sample_of_queries_finds_its_records(
    search: TagSearch, snapshot: TagSnapshot, ehtag_folder: Path
) -> None:
    sample = json.loads((ehtag_folder / "tag-search-sample.json").read_text("utf-8"))
    keys = [(Namespace(namespace), raw) for namespace, _, raw in (entry["want"].partition(":") for entry in sample)]
    asked = [(entry["query"], {entry["want"]}) for entry, key in zip(sample, keys, strict=True) if snapshot.has(*key)]

    first, found = _shares(search, asked)

    assert len(asked) >= len(sample) - 1  # one names a record of another version
    assert first >= 0.8
    assert found >= 0.97


def _same_raw(record: TagRecord) -> set[str]:
    return {f"{namespace}:{record.raw}" for namespace in (*_GENRES, record.namespace)}


def test_names_are_found_by_pinyin(
    search: TagSearch, records: Sequence[TagRecord], ids_of_name: dict[str, set[str]]
) -> None:
    names = [fold(each.name.text) for each in records]
    asked = [("".join(lazy_pinyin(name)), ids_of_name[name]) for name in names]

    first, found = _shares(search, asked)

    assert first >= 0.9
    assert found >= 0.97


def test_names_are_found_by_the_initials_of_their_pinyin(
    search: TagSearch, records: Sequence[TagRecord], ids_of_name: dict[str, set[str]]
) -> None:
    names = [fold(each.name.text) for each in records]
    asked = [("".join(syllable[0] for syllable in lazy_pinyin(name)), ids_of_name[name]) for name in names]

    assert _shares(search, asked)[1] >= 0.95


def test_names_are_found_in_traditional_characters(
    search: TagSearch, records: Sequence[TagRecord], ids_of_name: dict[str, set[str]]
) -> None:
    to_traditional = OpenCC("s2t").convert
    asked = [(to_traditional(each.name.text), ids_of_name[fold(each.name.text)]) for each in records]

    first, found = _shares(search, asked)

    assert first >= 0.97
    assert found >= 0.97


def test_raw_tags_are_found_however_their_words_are_joined(search: TagSearch, records: Sequence[TagRecord]) -> None:
    joints = ("", "_", "-", "  ")
    asked = [(each.raw.replace(" ", joints[at % 4]), _same_raw(each)) for at, each in enumerate(records)]

    first, found = _shares(search, asked)

    assert first >= 0.97
    assert found >= 0.97


def test_raw_tags_are_found_in_spite_of_a_slip(search: TagSearch, records: Sequence[TagRecord]) -> None:
    chance = random.Random(5)
    long = [each for each in records if len(max(each.raw.split(), key=len)) > 5]
    words = [max(each.raw.split(), key=len) for each in long]
    asked = [
        (each.raw.replace(word, _with_slip(word, chance)), _same_raw(each))
        for each, word in zip(long, words, strict=True)
    ]

    first, found = _shares(search, asked)

    assert first >= 0.9
    assert found >= 0.97
