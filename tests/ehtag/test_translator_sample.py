"""The translator on the real database: the sample of the site's tags, and words that must find nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from services.ehtag import Namespace, TagKind, TagMatch, TagRecord, TagSnapshot, Translator
from tests.tag_tables import snapshot_in

_KINDS = {
    "tag": TagKind.GENRE,
    "work": TagKind.WORK,
    "character": TagKind.CHARACTER,
    "author": TagKind.AUTHOR,
}

# Labels of the site, moods, callings, everyday things, and characters.
_NO_GENRES = """
日常 亞人 劇情 劇情向 純愛 青年漫 女性向 男性向 完結 連載 連載中 短篇 長篇 超長篇 韓漫 漢化 禁漫漢化組 站長推薦
人妻 御姐 少女 學生 騎士 公主 鄰居 後輩 校園 職場 異世界 奇幻 科幻 搞笑 治癒 戀愛 長髮 金髮 短裙 制服 其他制服
人生 傳說 監督 情緒 星空 彩頁 初音未來 旅行 料理 風景 機械 帽子 圍巾
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


def test_98_of_100_tags_with_a_record_find_it(translator: Translator, sample: list[dict[str, Any]]) -> None:
    asked = [(answer, accepted) for answer, accepted in _answers(translator, sample) if accepted]
    right = [answer for answer, accepted in asked if answer in accepted]

    assert len(right) / len(asked) >= 0.98


def test_995_of_1000_translations_are_right(translator: Translator, sample: list[dict[str, Any]]) -> None:
    given = [(answer, accepted) for answer, accepted in _answers(translator, sample) if answer]
    right = [answer for answer, accepted in given if answer in accepted]

    assert len(right) / len(given) >= 0.995


def test_98_of_100_namesakes_are_right(translator: Translator, ehtag_folder: Path) -> None:
    namesakes: list[dict[str, Any]] = json.loads((ehtag_folder / "namesakes-sample.json").read_text("utf-8"))

    right = [answer for answer, accepted in _answers(translator, namesakes) if answer in accepted]
    assert len(right) / len(namesakes) >= 0.98


def test_the_works_of_an_album_tell_namesakes_apart(translator: Translator) -> None:
    def first_of(name: str, work: str) -> str | None:
        record = translator.translate(name, TagKind.CHARACTER, [work]).record
        return record.id if record else None

    assert first_of("胡桃", "原神") == "character:hu tao"
    assert first_of("胡桃", "莉可麗絲") == "character:kurumi"
    assert first_of("夏洛特", "碧藍幻想") == "character:charlotta fenia"
    assert first_of("空", "遊戲人生") == "character:sora"


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("露西（賽博朋克：邊緣行者）", "character:lucyna kushinada"),
        ("三笠（碧藍航線）", "character:mikasa"),
        ("康娜（碧藍幻想）", "character:canna"),
        ("阿蕾奇諾", "character:arlecchino"),
        ("僕人", "character:arlecchino"),
        ("Hakurei Reimu", "character:reimu hakurei"),
        ("Hatsune Miku", "character:miku hatsune"),
        ("原神胡桃", "character:hu tao"),
    ],
)
def test_characters_find_their_record(translator: Translator, name: str, tag: str) -> None:
    found = translator.translate(name, TagKind.CHARACTER)

    assert found.record is not None
    assert found.record.id == tag


def test_nearly_every_name_of_two_words_is_found_with_its_family_name_first(
    translator: Translator, ehtag_folder: Path
) -> None:
    raws = [record.raw for record in snapshot_in(ehtag_folder / "database").records(Namespace.CHARACTER)]
    swapped = {" ".join(reversed(raw.split())): raw for raw in raws if raw.count(" ") == 1}

    found = translator.translate_many(list(swapped), TagKind.CHARACTER)
    wrong = [one.name for one in found if one.record is None or one.record.raw != swapped[one.name]]
    assert len(swapped) > 5000
    assert len(wrong) <= 6


def test_nearly_every_namesake_is_found_by_the_work_that_it_refers_to(
    translator: Translator, ehtag_folder: Path
) -> None:
    snapshot = snapshot_in(ehtag_folder / "database")
    asked = [
        (f"{name}（{work.name.text}）", record.id)
        for name, records in _by_name(snapshot).items()
        for record in records
        for work in _works_of_its_own(snapshot, record, records)
    ]

    found = translator.translate_many([name for name, _ in asked], TagKind.CHARACTER)
    right = [id for (_, id), one in zip(asked, found, strict=True) if one.record and one.record.id == id]
    assert len(asked) > 100
    assert len(right) / len(asked) >= 0.98


def _by_name(snapshot: TagSnapshot) -> dict[str, list[TagRecord]]:
    by_name: dict[str, list[TagRecord]] = {}
    for record in snapshot.records(Namespace.CHARACTER):
        by_name.setdefault(record.name.text, []).append(record)
    return {name: records for name, records in by_name.items() if len(records) > 1}


def _works_of_its_own(snapshot: TagSnapshot, record: TagRecord, namesakes: list[TagRecord]) -> list[TagRecord]:
    """The works that the introduction of this record refers to, and of none of its namesakes."""
    others = " ".join(other.intro.source for other in namesakes if other is not record)
    raws = re.findall(r"`(?:p:)?([^`:]+)`", record.intro.source)
    works = (snapshot.find(Namespace.PARODY, raw) for raw in dict.fromkeys(raws) if f"{raw}`" not in others)
    return [work for work in works if work]


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


@pytest.mark.parametrize(
    ("name", "tag"),
    [("原神", "parody:genshin impact"), ("東方Project", "parody:touhou project"), ("歯車", "artist:haguruma")],
)
def test_works_and_authors_are_found_among_genres(translator: Translator, name: str, tag: str) -> None:
    found = translator.translate(name, TagKind.GENRE)

    assert found.record is not None
    assert (found.record.id, found.match) == (tag, TagMatch.ELSEWHERE)


@pytest.mark.parametrize("name", _NO_GENRES.split())
def test_labels_moods_and_works_are_no_genre(translator: Translator, name: str) -> None:
    assert translator.translate(name, TagKind.GENRE).record is None
