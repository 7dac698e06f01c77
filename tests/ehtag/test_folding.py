"""One spelling for all ways a name is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ehtag import fold, fold_many
from services.ehtag.folding import loose_key_of


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("全彩", "全彩"),
        ("連褲襪", "连裤袜"),
        ("艾爾登法環", "艾尔登法环"),
        ("竜の剣", "龙の剑"),
        ("東方Ｐｒｏｊｅｃｔ", "东方project"),
        ("ＡＩＲ🕊", "air"),
        ("妖精🧚‍♀️", "妖精"),
        ("人妖♂", "人妖"),
        ("蕾米莉亞・斯卡雷特", "蕾米莉亚斯卡雷特"),
        ("蕾米莉亚·斯卡雷特", "蕾米莉亚斯卡雷特"),
        ("Full  Color", "fullcolor"),
        ("【推しの子】", "推しの子"),
        ("崩壞：星穹鐵道", "崩坏:星穹铁道"),
        ("穿著", "穿着"),
        ("姊妹", "姐妹"),
        ("姉妹", "姐妹"),
        ("HUNTER×HUNTER", "hunterxhunter"),
        ("^^", "^^"),
        ("☆♪", ""),
        ("", ""),
    ],
)
def test_a_name_folds_to_one_spelling(written: str, folded: str) -> None:
    assert fold(written) == folded


def test_traditional_simplified_and_japanese_forms_of_a_character_meet() -> None:
    assert fold("巫女與劍") == fold("巫女与剑") == fold("巫女與剣")
    assert fold("江戸") == fold("江戶") == fold("江户")
    assert fold("衛星") == fold("卫星")


def test_folding_many_is_folding_each() -> None:
    names = ["眼鏡", "", "Fate/Zero", "乾媽", "皇后", "後宮", "🎮"]

    assert fold_many(names) == [fold(name) for name in names]
    assert fold_many([]) == []


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), max_size=8))
def test_no_text_disturbs_its_neighbours(names: list[str]) -> None:
    assert fold_many(names) == [fold(name) for name in names]


@given(st.text(max_size=40))
def test_folding_takes_any_text_and_leaves_no_blank(name: str) -> None:
    assert not any(character.isspace() for character in fold(name))


def test_a_lone_half_of_a_character_is_dropped() -> None:
    assert fold("a\ud83db") == "ab"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("崩壞：星穹鐵道", "崩坏星穹铁道"),
        ("Love Live!", "LoveLive"),
        ("鬼滅の刃", "鬼灭之刃"),
        ("進撃の巨人", "进击的巨人"),
        ("こーひー・めーかー", "コーヒーメーカー"),
    ],
)
def test_skeletons_forget_punctuation_kana_and_the_genitive(one: str, other: str) -> None:
    assert fold(one) != fold(other)
    assert loose_key_of(fold(one)) == loose_key_of(fold(other))


@pytest.mark.parametrize("name", ["C+", "!!", "8", "の"])
def test_too_little_has_no_skeleton(name: str) -> None:
    assert loose_key_of(fold(name)) == ""
