"""Searching the records."""

from __future__ import annotations

import pytest

from services.ehtag import TagSearch
from services.ehtag.records import Namespace
from tests.tag_tables import snapshot_of

_RECORDS = {
    Namespace.LANGUAGE: {"english": "英语"},
    Namespace.PARODY: {"glass city": "玻璃之城", "10": "十", "9": "九"},
    Namespace.MALE: {"glasses": "眼镜👓", "sunglasses": "太阳镜"},
    Namespace.FEMALE: {"glasses": "眼镜👓", "monoeye": "眼", "sea glass": "海・玻璃", "full tail": "全尾 | 长尾"},
    Namespace.OTHER: {"full color": "全彩"},
}


@pytest.fixture(scope="module")
def search() -> TagSearch:
    return TagSearch(snapshot_of(_RECORDS))


def _ids(search: TagSearch, query: str | None, *namespaces: Namespace) -> list[str]:
    return [record.id for record in search.find(query, namespaces)]


def test_equal_names_come_first_then_those_that_begin_with_the_query(search: TagSearch) -> None:
    assert _ids(search, "glasses") == ["male:glasses", "female:glasses", "male:sunglasses"]
    assert _ids(search, "glass") == [
        "parody:glass city",
        "male:glasses",
        "female:glasses",
        "male:sunglasses",
        "female:sea glass",
    ]
    assert _ids(search, "眼") == ["female:monoeye", "male:glasses", "female:glasses"]


@pytest.mark.parametrize("query", ["眼鏡", "眼镜", " 眼鏡 ", "眼鏡👓", "GLASSES"])
def test_any_form_of_a_name_finds_it(search: TagSearch, query: str) -> None:
    assert _ids(search, query)[:2] == ["male:glasses", "female:glasses"]


def test_names_are_searched_without_blanks_and_dots_and_raw_tags_with_them(search: TagSearch) -> None:
    assert _ids(search, "海玻璃") == ["female:sea glass"]
    assert _ids(search, "Full  Color") == ["other:full color"]
    assert _ids(search, "長尾") == ["female:full tail"]


def test_namespaces_narrow_a_search(search: TagSearch) -> None:
    assert _ids(search, "glasses", Namespace.FEMALE) == ["female:glasses"]
    assert _ids(search, "glasses", Namespace.OTHER, Namespace.LANGUAGE) == []


@pytest.mark.parametrize("query", [None, "", "  "])
def test_without_a_query_every_record_comes_in_release_order(search: TagSearch, query: str | None) -> None:
    assert _ids(search, query, Namespace.PARODY) == ["parody:9", "parody:10", "parody:glass city"]
    assert len(search.find(query)) == 11
    assert _ids(search, query)[0] == "language:english"


def test_a_query_of_decoration_alone_finds_nothing(search: TagSearch) -> None:
    assert _ids(search, "☆") == []


def test_a_page_is_a_slice_of_the_results(search: TagSearch) -> None:
    found = search.find("glass")

    assert len(found) == 5
    assert [record.id for record in found[1:3]] == ["male:glasses", "female:glasses"]
    assert found[-1].id == "female:sea glass"
    assert found[9:12] == []
