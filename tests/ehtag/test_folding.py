"""One spelling for all ways a name is written, and names that hold several spellings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ehtag import ChineseScript, fold, fold_many, in_script, other_scripts
from services.ehtag.folding import (
    loose_key_of,
    may_have_variants,
    pinyin_of,
    scripts_of,
    split_brackets,
    title_stems,
    variants_of,
)


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
def test_texts_folded_together_do_not_affect_each_other(names: list[str]) -> None:
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
def test_a_loose_key_ignores_punctuation_kana_and_the_genitive(one: str, other: str) -> None:
    assert fold(one) != fold(other)
    assert loose_key_of(fold(one)) == loose_key_of(fold(other))


@pytest.mark.parametrize("name", ["C+", "!!", "8", "の"])
def test_a_name_of_too_few_letters_has_no_loose_key(name: str) -> None:
    assert loose_key_of(fold(name)) == ""


@pytest.mark.parametrize(
    ("name", "outer", "inner"),
    [
        ("眼镜", ("眼镜",), ()),
        ("美春 | ミハル", ("美春", "ミハル"), ()),
        ("竜胆/三峯みね", ("竜胆", "三峯みね"), ()),
        ("甲 / 乙", ("甲", "乙"), ()),
        ("Fate/Zero", ("Fate/Zero",), ()),
        (".hack//SIGN", (".hack//SIGN",), ()),
        (".hack//黄昏", (".hack//黄昏",), ()),
        ("结城明日奈（亚丝娜）", ("结城明日奈",), ("亚丝娜",)),
        ("撥撥 (Tisen)", ("撥撥",), ("Tisen",)),
        ("断铁（干支門三十四，〇タ）", ("断铁",), ("干支門三十四", "〇タ")),
        ("露娜（一 | 二二 | 三三）", ("露娜",), ("二二", "三三")),
        ("榛名(鲑) | 春奈", ("榛名", "春奈"), ()),
        ("戴安娜 | 黛安娜（月）", ("戴安娜", "黛安娜"), ()),
        ("かん(だ)ち", ("かん(だ)ち",), ()),
        ("玩具总动员系列", ("玩具总动员系列", "玩具总动员"), ()),
    ],
)
def test_a_name_is_split_into_its_spellings(name: str, outer: tuple[str, ...], inner: tuple[str, ...]) -> None:
    assert variants_of(name) == (outer, inner)


def test_a_plain_name_has_no_parts_to_split() -> None:
    assert not may_have_variants("眼镜")
    assert may_have_variants("美春 | ミハル")
    assert may_have_variants("樱花大战系列")


@pytest.mark.parametrize(
    ("folded", "readings"),
    [
        ("原神", ["yuan shen"]),
        ("东方project", ["dong fang project"]),
        ("绿色", ["lv se"]),
        ("银行", ["yin hang"]),  # 行 alone is xing
        ("长月", ["chang yue", "zhang yue"]),
        ("山的花", ["shan de hua", "shan zhi hua"]),
        ("のり", []),
        ("绿り", []),
        ("abc", []),
    ],
)
def test_a_name_is_read_in_pinyin(folded: str, readings: list[str]) -> None:
    assert [" ".join(syllables) for syllables in pinyin_of(folded)] == readings


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("洛特（海港（物语））", ("洛特", "海港（物语）")),
        ("洛特 (Harbour)", ("洛特", "Harbour")),
        ("「洛特（海港）」", ("洛特", "海港")),
        ("洛特【海港】", ("洛特", "海港")),
        ("洛特", ("", "")),
        ("（海港）", ("", "")),
        ("洛特）", ("", "")),
    ],
)
def test_a_name_and_what_is_in_brackets_behind_it(name: str, parts: tuple[str, str]) -> None:
    assert split_brackets(name) == parts


@pytest.mark.parametrize(
    ("title", "stems"),
    [
        ("蒸汽廚房 第二季", ["蒸汽廚房"]),
        ("劇場版 蒸汽廚房3", ["蒸汽廚房3", "蒸汽廚房"]),
        ("Steam Kitchen: Dawn", ["Steam Kitchen"]),
        ("Steam Kitchen", []),
        ("風車", []),
        ("3", []),
    ],
)
def test_a_title_without_its_edition(title: str, stems: list[str]) -> None:
    assert title_stems(title) == stems


def test_a_name_in_two_scripts_is_split() -> None:
    assert scripts_of("獵人HUNTER x HUNTER") == ["獵人", "HUNTER x HUNTER"]
    assert scripts_of("獵人") == ["獵人"]


@pytest.mark.parametrize(
    ("text", "spellings"),
    [("机器人", ["機器人"]), ("機器人", ["机器人"]), ("頭发", ["頭髮", "头发"]), ("山", []), ("robot", []), ("", [])],
)
def test_a_text_is_written_in_the_other_scripts_of_chinese(text: str, spellings: list[str]) -> None:
    assert other_scripts(text) == spellings


@pytest.mark.parametrize(
    ("text", "simplified", "traditional"),
    [
        ("雨林深處的一天", "雨林深处的一天", "雨林深處的一天"),
        ("机器人", "机器人", "機器人"),
        ("國の島", "國の島", "國の島"),
        ("robot", "robot", "robot"),
    ],
)
def test_a_title_is_written_in_one_script_unless_it_is_japanese(text: str, simplified: str, traditional: str) -> None:
    assert in_script(text, ChineseScript.SIMPLIFIED) == simplified
    assert in_script(text, ChineseScript.TRADITIONAL) == traditional
