from __future__ import annotations

import pytest

from services.catalog.catalog import LAST_PAGE, check_page, normalised
from services.errors import InvalidInput
from services.upstream.records import SearchQuery


@pytest.mark.parametrize("page", [1, 2, LAST_PAGE])
def test_pages_that_may_be_there_can_be_asked_for(page: int) -> None:
    check_page(page)


@pytest.mark.parametrize("page", [0, -1, LAST_PAGE + 1, -(2**31), 2**63])
def test_other_pages_are_refused(page: int) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_page(page)

    assert refused.value.field == "page"


def test_a_page_below_one_is_refused_in_these_words() -> None:
    with pytest.raises(InvalidInput, match="page must be >= 1"):
        check_page(0)


def test_a_query_is_normalised() -> None:
    query = SearchQuery("  山\t 海\n", exclude=("-雪", "+雪", " 雪 ", "", "-", "full  color"))

    assert normalised(query) == SearchQuery("山 海", exclude=("雪", "full color"))


def test_an_empty_query_lists_everything() -> None:
    assert normalised(SearchQuery("  ")).text == ""


@pytest.mark.parametrize(
    ("query", "field"),
    [
        (SearchQuery("x" * 201), "query"),
        (SearchQuery("山\x00海"), "query"),
        (SearchQuery("山\x1b"), "query"),
        (SearchQuery("\ud800"), "query"),
        (SearchQuery("山", page=0), "page"),
        (SearchQuery("山", exclude=("x" * 61,)), "exclude"),
        (SearchQuery("山", exclude=("雪\x07",)), "exclude"),
        (SearchQuery("山", exclude=tuple(map(str, range(21)))), "exclude"),
    ],
)
def test_what_can_not_be_searched_for_is_refused_with_its_field(query: SearchQuery, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        normalised(query)

    assert refused.value.field == field
