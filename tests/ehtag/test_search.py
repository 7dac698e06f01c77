"""Searching the records by a user's words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from services.ehtag import (
    MatchedText,
    Namespace,
    TagMatchedField,
    TagRecord,
    TagSearch,
    TagSnapshot,
    parse_aliases,
)
from tests.tag_tables import COMMIT, snapshot_of

_RECORDS = {
    Namespace.LANGUAGE: {"english": "英语"},
    Namespace.PARODY: {"glass city": "玻璃之城", "10": "十", "9": "九", "star voyage": "星海旅行"},
    Namespace.CHARACTER: {"glass": "玻璃（星海旅行）", "ume tanaka": "田中梅"},
    Namespace.MALE: {"glasses": "眼镜👓", "sunglasses": "太阳镜"},
    Namespace.FEMALE: {
        "glasses": "眼镜👓",
        "monoeye": "眼",
        "sea glass": "海・玻璃",
        "full tail": "全尾 | 长尾",
        "big hat": "大帽",
        "long hair": "长发",
    },
    Namespace.MIXED: {"glass roof": "玻璃顶"},
    Namespace.OTHER: {"full color": "全彩", "glasswork": "玻璃制品"},
}
_ALIASES = """
[genre]
"メガネ" = "female:glasses"
"墨鏡" = ["male:sunglasses", "female:glasses"]
"FC" = "other:full color"
[work]
"航海記" = "parody:star voyage"
[character]
[author]
"""
_INTRODUCTIONS = """| tag | name | intro | links |
| --- | --- | --- | --- |
| snow owl | 雪鸮 | 《雪鸮》（日语：シロフクロウ（しろ ふくろう），又译：白猫头鹰），见[北极](/arctic)。 |  |
| forest | 森林 | 树木<br>很多，住着雪鸮。 |  |
"""


@pytest.fixture(scope="module")
def search() -> TagSearch:
    return TagSearch(snapshot_of(_RECORDS), parse_aliases(_ALIASES))


@pytest.fixture(scope="module")
def introduced() -> TagSearch:
    files = {Namespace.OTHER: _INTRODUCTIONS.encode()}
    return TagSearch(TagSnapshot.from_files(files, 7, COMMIT, "repo"), parse_aliases(_ALIASES))


def _ids(search: TagSearch, query: str | None, *namespaces: Namespace) -> list[str]:
    return [record.id for record in search.find(query, namespaces or None)]


def _matched(search: TagSearch, query: str, at: int = 0) -> tuple[str, TagMatchedField, str] | None:
    """The text that matched, what it is, and the part between start and end."""
    found = search.find(query).matched(at)
    return found and (found.text, found.field, found.text[found.start : found.start + found.length])


def test_exact_texts_come_first_then_prefixes_then_words_then_parts(search: TagSearch) -> None:
    assert _ids(search, "glass") == [
        "character:glass",
        "female:glasses",
        "other:glasswork",
        "male:glasses",
        "mixed:glass roof",
        "parody:glass city",
        "female:sea glass",
        "male:sunglasses",
    ]


def test_genres_come_before_works_and_works_before_people(search: TagSearch) -> None:
    assert _ids(search, "玻璃") == [
        "character:glass",  # its name without the work in brackets
        "other:glasswork",
        "mixed:glass roof",
        "parody:glass city",
        "female:sea glass",
    ]


def test_of_equal_weight_the_shorter_text_comes_first(search: TagSearch) -> None:
    assert _ids(search, "full") == ["female:full tail", "other:full color"]
    assert _ids(search, "眼") == ["female:monoeye", "female:glasses", "male:glasses"]


def test_of_equal_texts_the_tag_of_more_albums_comes_first() -> None:
    snapshot = snapshot_of({Namespace.FEMALE: {"hat a": "帽甲", "hat b": "帽乙", "hat cc": "帽丙"}})
    search = TagSearch(snapshot)
    counts: Mapping[tuple[Namespace, str], int] = {(Namespace.FEMALE, "hat b"): 3, (Namespace.FEMALE, "hat cc"): 9}

    assert [record.raw for record in search.find("hat")] == ["hat a", "hat b", "hat cc"]
    assert [record.raw for record in search.find("hat", None, counts)] == ["hat b", "hat a", "hat cc"]


@pytest.mark.parametrize(
    "query", ["眼鏡", "眼镜", " 眼鏡 ", "眼鏡👓", "GLASSES", "ｇｌａｓｓｅｓ", "メガネ", "めがね"]
)
def test_any_form_of_a_name_finds_it(search: TagSearch, query: str) -> None:
    assert _ids(search, query)[:2] == ["female:glasses", "male:glasses"]


@pytest.mark.parametrize(
    "query", ["full color", "Full  Color", "full_color", "full-color", "fullcolor", "full: color!"]
)
def test_blanks_and_punctuation_do_not_matter(search: TagSearch, query: str) -> None:
    assert _ids(search, query) == ["other:full color"]


def test_every_spelling_in_a_name_counts(search: TagSearch) -> None:
    assert _ids(search, "海玻璃") == ["female:sea glass"]
    assert _ids(search, "長尾") == ["female:full tail"]
    assert _ids(search, "星海旅行") == ["parody:star voyage", "character:glass"]


def test_every_spelling_of_the_alias_table_counts(search: TagSearch) -> None:
    assert _ids(search, "fc") == ["other:full color"]
    assert _ids(search, "航海记") == ["parody:star voyage"]
    assert _ids(search, "墨镜") == ["male:sunglasses", "female:glasses", "male:glasses"]


@pytest.mark.parametrize("query", ["quancai", "quan cai", "quan'cai", "QuanCai", "qc"])
def test_names_are_found_by_pinyin_and_by_its_initials(search: TagSearch, query: str) -> None:
    assert _ids(search, query)[0] == "other:full color"


def test_a_character_with_several_readings_is_found_by_the_right_one(search: TagSearch) -> None:
    assert _ids(search, "changfa") == ["female:long hair"]


@pytest.mark.parametrize(
    "query",
    ["f:glasses", "F：glasses", "female:glasses", "女性:眼镜", "女：眼鏡", 'female:"glasses$"', " f : glasses"],
)
def test_a_prefix_narrows_the_search_to_a_namespace(search: TagSearch, query: str) -> None:
    assert _ids(search, query) == ["female:glasses"]


def test_a_prefix_alone_lists_its_namespace(search: TagSearch) -> None:
    assert _ids(search, "m:") == ["male:glasses", "male:sunglasses"]
    assert _ids(search, "m:", Namespace.FEMALE) == []


def test_what_is_no_namespace_belongs_to_the_query(search: TagSearch) -> None:
    assert _ids(search, "sun:glasses") == ["male:sunglasses"]


@pytest.mark.parametrize("query", ["glsses", "glassses", "glaxses", "gla sess", "lgasses", "glasse5"])
def test_one_slip_of_the_finger_is_forgiven(search: TagSearch, query: str) -> None:
    assert _ids(search, query)[:2] == ["female:glasses", "male:glasses"]


@pytest.mark.parametrize(
    ("query", "id"),
    [
        ("glases sea", "female:sea glass"),
        ("sea galss", "female:sea glass"),
        ("voyagr", "parody:star voyage"),
        ("star vojage", "parody:star voyage"),
        ("quancia", "other:full color"),
        ("fullcolro", "other:full color"),
    ],
)
def test_a_slip_is_forgiven_in_each_word_and_in_pinyin(search: TagSearch, query: str, id: str) -> None:
    assert _ids(search, query)[0] == id


def test_two_slips_and_slips_in_short_words_are_not_forgiven(search: TagSearch) -> None:
    assert _ids(search, "glxsxes") == []
    assert _ids(search, "tial") == []
    assert _ids(search, "玻黎") == []


def test_an_exact_text_is_no_slip_of_another() -> None:
    search = TagSearch(snapshot_of({Namespace.OTHER: {"sunny": "晴", "funny": "趣"}}))

    assert _ids(search, "sunny") == ["other:sunny"]


def test_words_are_found_in_any_order(search: TagSearch) -> None:
    assert _ids(search, "tanaka ume") == ["character:ume tanaka"]
    assert _ids(search, "color full") == ["other:full color"]


def test_namespaces_narrow_a_search(search: TagSearch) -> None:
    assert _ids(search, "glasses", Namespace.FEMALE) == ["female:glasses"]
    assert _ids(search, "glasses", Namespace.OTHER, Namespace.LANGUAGE) == []


@pytest.mark.parametrize("query", [None, "glasses"])
def test_a_search_in_no_namespace_finds_nothing(search: TagSearch, query: str | None) -> None:
    assert len(search.find(query, ())) == 0


@pytest.mark.parametrize("query", [None, "", "  "])
def test_without_a_query_every_record_comes_in_release_order(search: TagSearch, query: str | None) -> None:
    assert _ids(search, query, Namespace.PARODY) == [
        "parody:9",
        "parody:10",
        "parody:glass city",
        "parody:star voyage",
    ]
    assert len(search.find(query)) == 18
    assert _ids(search, query)[0] == "language:english"
    assert search.find(query).matched(0) is None


def test_a_query_of_decoration_alone_finds_nothing(search: TagSearch) -> None:
    assert _ids(search, "☆") == []


def test_a_page_is_a_slice_of_the_results(search: TagSearch) -> None:
    found = search.find("glass")

    assert len(found) == 8
    assert [record.id for record in found[1:3]] == ["female:glasses", "other:glasswork"]
    assert found[-1].id == "male:sunglasses"
    assert found[9:12] == []
    assert (found.position_of("other:glasswork"), found.position_of("other:nothing")) == (2, None)


def test_introductions_are_found_last_and_by_the_names_they_tell(introduced: TagSearch) -> None:
    assert _ids(introduced, "シロフクロウ") == ["other:snow owl"]
    assert _ids(introduced, "しろふくろう") == ["other:snow owl"]
    assert _ids(introduced, "白貓頭鷹") == ["other:snow owl"]
    assert _ids(introduced, "雪鸮") == ["other:snow owl", "other:forest"]
    assert _ids(introduced, "arctic") == []


def test_the_matched_text_says_what_it_is_and_where_the_match_stands(search: TagSearch) -> None:
    assert search.find("full-c")[0].id == "other:full color"
    assert search.find("full-c").matched(0) == MatchedText("full color", TagMatchedField.RAW, 0, 6)
    assert _matched(search, "眼鏡") == ("眼镜👓", TagMatchedField.NAME, "眼镜")
    assert _matched(search, "長尾") == ("全尾 | 长尾", TagMatchedField.NAME, "长尾")
    assert _matched(search, "めが") == ("メガネ", TagMatchedField.ALIAS, "メガ")
    assert _matched(search, "cai") == ("全彩", TagMatchedField.PINYIN, "彩")
    assert _matched(search, "xhlx") == ("星海旅行", TagMatchedField.PINYIN, "星海旅行")
    assert _matched(search, "glsses") == ("glasses", TagMatchedField.RAW, "glasses")


def test_of_an_introduction_the_line_around_the_match_is_shown(introduced: TagSearch) -> None:
    assert _matched(introduced, "很多") == ("很多，住着雪鸮。", TagMatchedField.INTRO, "很多")
    assert _matched(introduced, "白猫头") == ("白猫头鹰", TagMatchedField.ALIAS, "白猫头")


def test_the_index_is_built_once_and_at_the_first_query() -> None:
    read: list[Namespace] = []

    class Recorded(TagSnapshot):
        def records_uncached(self, namespace: Namespace) -> Iterator[TagRecord]:
            read.append(namespace)
            return super().records_uncached(namespace)

    search = TagSearch(Recorded.from_files({Namespace.OTHER: _INTRODUCTIONS.encode()}, 7, COMMIT, "repo"))

    assert len(search.find(None)[:5]) == 2
    assert read == []
    assert _ids(search, "owl") == _ids(search, "snow") == ["other:snow owl"]
    assert read == [Namespace.OTHER]
