"""The curated table of the site's spellings."""

from __future__ import annotations

import tomllib

import pytest

from services.ehtag.aliases import (
    AliasTable,
    built_in_aliases,
    japanese_names_in,
    parse_aliases,
    sound_key_of,
    split_id,
)
from services.ehtag.folding import loose_key_of
from services.ehtag.records import Namespace, TagKind

_TABLE = """
qualifiers = ["FGO"]

[genre]
"眼鏡娘" = "female:glasses"
"馬尾" = ["female:ponytail", "male:ponytail"]
"女裝" = { to = "male:crossdressing", why = "it is men who do" }
"小眼鏡" = "female:glasses"

[work]
"火影" = "parody:naruto"

[none.genre]
"a mood" = ["日常", "治癒"]
"""


def ids_of(table: AliasTable, folded: str, kind: TagKind) -> tuple[str, ...] | None:
    return table.find(folded, loose_key_of(folded), kind)


def test_an_entry_is_found_by_any_form_of_its_spelling() -> None:
    table = parse_aliases(_TABLE)

    assert ids_of(table, "眼镜娘", TagKind.GENRE) == ("female:glasses",)
    assert ids_of(table, "马尾", TagKind.GENRE) == ("female:ponytail", "male:ponytail")
    assert ids_of(table, "女装", TagKind.GENRE) == ("male:crossdressing",)


def test_punctuation_and_kana_do_not_hide_an_entry() -> None:
    table = parse_aliases('[work]\n"Sky Train!" = "parody:sky train"\n"そらのふね" = "parody:sky ship"')

    assert ids_of(table, "skytrain", TagKind.WORK) == ("parody:sky train",)
    assert ids_of(table, "ソラのフネ", TagKind.WORK) == ("parody:sky ship",)


def test_kinds_are_separate_and_none_is_an_entry() -> None:
    table = parse_aliases(_TABLE)

    assert ids_of(table, "火影", TagKind.WORK) == ("parody:naruto",)
    assert ids_of(table, "火影", TagKind.GENRE) is None
    assert ids_of(table, "日常", TagKind.GENRE) == ()
    assert ids_of(table, "日常", TagKind.WORK) is None


def test_the_first_spelling_of_a_record_is_the_sites_own() -> None:
    table = parse_aliases(_TABLE)

    assert table.spellings["female:glasses"] == ("眼鏡娘", "小眼鏡")
    assert "male:ponytail" not in table.spellings


def test_a_wrong_table_is_reported() -> None:
    table = parse_aliases('[genre]\n"眼鏡" = "female:glasses"\n"眼镜" = "male:glasses"\n"馬尾" = "ponytail"')

    assert [report.message for report in table.reports()] == [
        "眼鏡: another spelling of it means something else",
        "馬尾: ponytail is not namespace:raw",
    ]


def test_what_is_no_toml_is_refused() -> None:
    with pytest.raises(tomllib.TOMLDecodeError):
        parse_aliases('[genre]\n"眼鏡" = ')


@pytest.mark.parametrize(
    ("tag", "key"),
    [
        ("other:full color", (Namespace.OTHER, "full color")),
        ("nowhere:full color", None),
        ("full color", None),
        ("other:", None),
    ],
)
def test_an_id_is_a_namespace_and_a_raw_tag(tag: str, key: tuple[Namespace, str] | None) -> None:
    assert split_id(tag) == key


def test_the_built_in_table_is_valid() -> None:
    assert list(built_in_aliases().reports()) == []


def test_no_genre_means_a_work_or_a_person() -> None:
    allowed = {"female", "mixed", "male", "other", "language", "location", "reclass"}
    entries = [(spelling, tag) for kind, spelling, tag in built_in_aliases().entries() if kind is TagKind.GENRE]

    assert len(entries) > 2000
    assert {tag.partition(":")[0] for _, tag in entries} == allowed


@pytest.mark.parametrize(
    ("name", "intro", "names"),
    [
        ("田中花", "日语：田中はな（たなか はな）\n出自：`snow line`", ["田中はな", "たなか はな"]),
        ("田中花", "日文：田中花", ["田中花"]),
        ("田中花", "田中花（日语：たなかはな，英语：Tanaka Hana）是角色", ["たなかはな"]),
        ("田中花", "田中花（たなか はな / Tanaka Hana）是角色", ["たなか はな"]),
        ("蒸汽厨房", "《蒸汽厨房》（スチームキッチン）是一部作品", ["スチームキッチン"]),
        ("蒸汽厨房", "由やまだ创作的漫画", []),
        ("蒸汽厨房", "《别的作品》（べつのさくひん）的续集", []),
        ("蒸汽厨房", "蒸汽与厨房", []),
    ],
)
def test_introductions_give_names_in_japanese(name: str, intro: str, names: list[str]) -> None:
    assert japanese_names_in(name, intro) == names


def test_only_transcriptions_have_a_sound_key() -> None:
    assert sound_key_of("伊莉莎白") == sound_key_of("伊丽莎白") != ""
    assert sound_key_of("神里绫华") == sound_key_of("莉娜") == sound_key_of("elisabeth") == ""
