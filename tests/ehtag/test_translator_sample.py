"""The translator on the real database: the sample of the site's tags, and words that must find nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from services.ehtag import Translator
from services.ehtag.records import TagKind
from tests.tag_tables import snapshot_in

_KINDS = {
    "tag": TagKind.GENRE,
    "work": TagKind.WORK,
    "character": TagKind.CHARACTER,
    "author": TagKind.AUTHOR,
}

# Labels of the site, moods, callings, everyday things, and names of works and people.
_NO_GENRES = """
日常 亞人 劇情 劇情向 純愛 青年漫 女性向 男性向 完結 連載 連載中 短篇 長篇 超長篇 韓漫 漢化 禁漫漢化組 站長推薦
人妻 御姐 少女 學生 騎士 公主 鄰居 後輩 校園 職場 異世界 奇幻 科幻 搞笑 治癒 戀愛 長髮 金髮 短裙 制服 其他制服
原神 東方Project 歯車 初音未來 旅行 料理 風景 機械 帽子 圍巾
"""


@pytest.fixture(scope="module")
def translator(ehtag_folder: Path) -> Translator:
    return Translator(snapshot_in(ehtag_folder / "database"))


@pytest.fixture(scope="module")
def sample(ehtag_folder: Path) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads((ehtag_folder / "jm-tags-sample.json").read_text("utf-8"))
    return entries


def _answers(translator: Translator, sample: list[dict[str, Any]]) -> list[tuple[str | None, list[str]]]:
    answers: list[tuple[str | None, list[str]]] = []
    for entry in sample:
        record = translator.translate(entry["jm"], _KINDS[entry["kind"]]).record
        answers.append((record.id if record else None, entry["accept"]))
    return answers


def test_95_of_100_tags_with_a_record_find_it(translator: Translator, sample: list[dict[str, Any]]) -> None:
    asked = [(answer, accepted) for answer, accepted in _answers(translator, sample) if accepted]
    right = [answer for answer, accepted in asked if answer in accepted]

    assert len(right) / len(asked) >= 0.95


def test_99_of_100_translations_are_right(translator: Translator, sample: list[dict[str, Any]]) -> None:
    given = [(answer, accepted) for answer, accepted in _answers(translator, sample) if answer]
    right = [answer for answer, accepted in given if answer in accepted]

    assert len(right) / len(given) >= 0.99


def test_every_entry_of_the_table_points_at_a_record(translator: Translator) -> None:
    assert translator.reports == ()


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("怪物女孩", "female:monster girl"),
        ("女性支配", "female:femdom"),
        ("女僕", "female:maid"),
        ("護士", "female:nurse"),
        ("人魚", "female:mermaid"),
        ("兔女郎", "female:bunny girl"),
        ("偽娘", "male:tomgirl"),
        ("男教師", "male:teacher"),
        ("CG集", "reclass:artistcg"),
        ("非H", "reclass:non-h"),
        ("韓語", "language:korean"),
        ("溫泉", "location:onsen"),
        ("人妖♀", "male:cuntboy"),
        ("big breasts", "female:big breasts"),
    ],
)
def test_words_of_the_site_find_their_record(translator: Translator, name: str, tag: str) -> None:
    found = translator.translate(name, TagKind.GENRE)

    assert found.record is not None
    assert found.record.id == tag


@pytest.mark.parametrize("name", _NO_GENRES.split())
def test_labels_moods_and_works_are_no_genre(translator: Translator, name: str) -> None:
    assert translator.translate(name, TagKind.GENRE).record is None
