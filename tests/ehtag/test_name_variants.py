"""Names that hold several spellings."""

from __future__ import annotations

import pytest

from services.ehtag.folding import may_have_parts, parts_of


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
def test_a_name_is_taken_apart_where_spellings_meet(
    name: str, outer: tuple[str, ...], inner: tuple[str, ...]
) -> None:
    assert parts_of(name) == (outer, inner)


def test_a_plain_name_is_known_without_taking_it_apart() -> None:
    assert not may_have_parts("眼镜")
    assert may_have_parts("美春 | ミハル")
    assert may_have_parts("樱花大战系列")
