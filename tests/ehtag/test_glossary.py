"""The starter glossary that ships with jmgraph."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import pytest

from demo.comics import comics
from services.ehtag import TagSnapshot, Translator
from services.ehtag.records import Namespace, TagKind
from tests.tag_tables import COMMIT, snapshot_in

# The demo's tags that the glossary has a record for; the others are labels and things no record is about.
_DEMO_GENRES = """
全彩 中文 日語 英語 單行本 教程 像素畫 眼鏡 太陽鏡 圍裙 手套 和服 白大褂 運動服 頭戴式耳機 西裝 海盜 雙馬尾 丸子頭
雀斑 翅膀 機器人 外星人 狐狸 熊 恐龍 龍
"""

# What the site's own page of themes lists and EhTag has a record for.
_THEMES = """
無修正 校服 教師 百合 Yaoi 性轉 NTR 女裝 全彩 熟女 巨乳 貧乳 女性支配 女僕 護士 泳裝 眼鏡 連褲襪 兔女郎 群交 足交
束縛 肛交 阿黑顏 藥物 扶他 調教 野外露出 催眠 自慰 觸手 獸交 怪物女孩 皮物 ryona CG 獵奇 非H
"""


@pytest.fixture(scope="module")
def glossary() -> TagSnapshot:
    folder = files("services.ehtag") / "glossary"
    contents: Mapping[Namespace, bytes] = {space: (folder / f"{space}.md").read_bytes() for space in Namespace}
    return TagSnapshot.from_files(contents, 7, COMMIT, "glossary")


def test_it_has_a_file_with_name_and_description_for_each_namespace(glossary: TagSnapshot) -> None:
    assert [info.namespace for info in glossary.namespaces] == list(Namespace)
    assert all(info.name and info.description for info in glossary.namespaces)


def test_it_has_no_problem(glossary: TagSnapshot) -> None:
    assert glossary.reports() == []
    assert all(record.intro.text for space in Namespace for record in glossary.records(space))


def test_it_covers_the_demo(glossary: TagSnapshot) -> None:
    translator = Translator(glossary)
    shown = {tag for comic in comics() for tag in comic.tags}
    works = {work for comic in comics() for work in comic.works}

    found = {tag for tag in shown if translator.translate(tag, TagKind.GENRE).record}
    assert set(_DEMO_GENRES.split()) & shown == found
    assert all(translator.translate(work, TagKind.WORK).record for work in works)


@pytest.mark.parametrize("theme", _THEMES.split())
def test_it_covers_the_themes_of_the_site(glossary: TagSnapshot, theme: str) -> None:
    assert Translator(glossary).translate(theme, TagKind.GENRE).record is not None


def test_it_holds_more_than_the_two_hundred_commonest(glossary: TagSnapshot) -> None:
    assert glossary.count >= 200


def test_its_tags_are_tags_of_the_real_database(glossary: TagSnapshot, ehtag_folder: Path) -> None:
    real = snapshot_in(ehtag_folder / "database")

    ours = [(space, record.raw) for space in Namespace for record in glossary.records(space)]
    assert [key for key in ours if not real.has(*key)] == []
