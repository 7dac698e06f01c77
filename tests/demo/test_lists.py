"""Lists of the demo site: content, order, and first pages."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from demo.comics import BENCHMARK_ALBUM_ID
from demo.library import library
from demo.lists import ListPage, browse, search
from demo.records import PageKind
from demo.scripted import BLOCKED_TAG, BLOCKED_TAG_ALBUMS, SAME_TITLE

CATEGORIES = (
    "0",
    "doujin",
    "single",
    "short",
    "another",
    "hanman",
    "meiman",
    "doujin_cosplay",
    "3D",
    "english_site",
)


def _search(query: str, main_tag: str = "0", order: str = "mr", period: str = "a", page: int = 1) -> ListPage:
    return search(query, main_tag=main_tag, order=order, period=period, page=page)


def _ids(found: ListPage) -> list[int]:
    return [comic.id for comic in found.comics]


def test_the_lists_have_three_pages() -> None:
    assert len(library().unscripted) == 170
    assert [len(browse(order="mv", period="a", page=page).comics) for page in (1, 2, 3, 4)] == [80, 80, 59, 0]


def test_numbers_of_comics_and_chapters_are_never_used_twice() -> None:
    chapters = [chapter.id for comic in library().comics for chapter in comic.chapters]

    assert max(Counter(chapters).values()) == 1
    assert {comic.id for comic in library().comics} <= set(chapters)


def test_the_sixty_comics_have_eight_to_sixty_pages_and_some_have_chapters() -> None:
    sixty = [comic for comic in library().unscripted if not comic.title.startswith("《")]

    assert len(sixty) == 60
    assert {comic.page_count for comic in sixty} >= {8, 40, 60}
    assert {len(comic.chapters) for comic in sixty} == {1, 2, 3, 4, 5}


def test_the_comic_of_the_benchmarks_is_one_chapter_of_sixty_scrambled_webp_pages() -> None:
    comic = library().find(BENCHMARK_ALBUM_ID)
    assert comic is not None

    (chapter,) = comic.chapters

    assert {(page.kind, page.width, page.height) for page in chapter.pages} == {(PageKind.WEBP, 960, 1360)}
    assert (len(chapter.pages), chapter.scramble_id <= chapter.id) == (60, True)


@pytest.mark.parametrize("order", ["mr", "mv", "tf", "mp", "tr", "md"])
@pytest.mark.parametrize("period", ["a", "m", "w", "t"])
def test_no_scripted_comic_is_on_the_first_page_of_a_list(order: str, period: str) -> None:
    for category in CATEGORIES:
        found = browse(order=order, period=period, page=1, category=category)
        assert found.comics
        assert all(comic.script is None for comic in found.comics)
    for query in ("", "全彩", "中文"):
        for main_tag in ("0", "3"):
            found = _search(query, main_tag, order, period)
            assert found.comics
            assert all(comic.script is None for comic in found.comics)


def test_every_category_has_comics_and_every_comic_is_in_one() -> None:
    held = {category: set(_ids(browse(order="mr", period="a", page=1, category=category))) for category in CATEGORIES}

    assert all(held.values())
    assert sum(browse(order="mr", period="a", page=1, category=name).total for name in CATEGORIES[1:]) == 219


def test_each_period_has_its_own_order() -> None:
    first = {period: tuple(_ids(browse(order="mv", period=period, page=1))[:10]) for period in ("a", "m", "w", "t")}

    assert len(set(first.values())) == 4


@pytest.mark.parametrize("order", ["mr", "mv", "tf", "mp"])
def test_a_list_is_in_descending_order(order: str) -> None:
    value = {"mr": "published", "mv": "views", "tf": "likes", "mp": "page_count"}[order]

    values = [getattr(comic, value) for comic in browse(order=order, period="a", page=1).comics]

    assert values == sorted(values, reverse=True)


def test_a_search_is_limited_by_its_period() -> None:
    totals = [_search("", period=period).total for period in ("a", "m", "w", "t")]

    assert totals == sorted(totals, reverse=True)
    assert totals[0] == 219
    assert 0 < totals[3] < totals[2] < totals[1] < totals[0]


def test_every_word_is_required_with_a_plus_or_without() -> None:
    assert _ids(_search("+全彩 狐狸")) == _ids(_search("狐狸 +全彩"))
    assert set(_ids(_search("狐狸 眼鏡"))) == {350234}


def test_words_with_a_minus_are_excluded() -> None:
    with_foxes = set(_ids(_search("狐狸")))

    assert set(_ids(_search("狐狸 -眼鏡"))) == with_foxes - {350234}


def test_exclusions_that_leave_nothing_give_the_list_without_them() -> None:
    assert _ids(_search("狐狸 -全彩")) == _ids(_search("狐狸"))


def test_a_search_of_tags_matches_whole_tags_only() -> None:
    assert 407932 in _ids(_search("恐龍", "3"))
    assert 407932 not in _ids(_search("龍", "3"))
    assert 407932 in _ids(_search("龍", "0"))


def test_a_number_redirects_only_to_an_album_that_exists() -> None:
    assert _search("350234").redirect == 350234
    assert (_search("900404").redirect, _search("900404").total) == (None, 0)
    assert _search("333909").redirect is None


def test_a_query_may_contain_a_blocked_tag() -> None:
    assert set(_ids(_search(BLOCKED_TAG, "3"))) == set(BLOCKED_TAG_ALBUMS)


def test_two_comics_share_a_title() -> None:
    one, other = (library().find(id) for id in SAME_TITLE)

    assert one is not None
    assert other is not None
    assert one.title == other.title


def test_unlisted_albums_exist_and_are_in_no_list() -> None:
    comic, chapter = library().find(2_004_999), library().find_chapter(2_009_999)

    assert comic is not None
    assert chapter is not None
    assert (comic.title, comic.page_count, chapter[1].id) == ("倉庫第5000冊", 8, 2_009_999)
    assert library().find(2_010_000) is None
    assert _search("倉庫").total == 0


def test_names_have_no_blanks_which_the_web_pages_patterns_would_lose() -> None:
    names = {
        name
        for comic in library().comics
        for names in (comic.tags, comic.works, comic.characters, comic.authors)
        for name in names
    }

    assert not [name for name in names if re.search(r"\s", name)]
