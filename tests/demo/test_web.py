"""The real client of the web pages reads the demo site."""

from __future__ import annotations

from typing import Any

import pytest
from jmcomic import JmMagicConstants, MissingAlbumPhotoException

from demo.library import library
from demo.records import SITE_SCRAMBLE_ID, Script
from demo.scripted import LONG_TITLE, NO_IMAGES, UNSCRAMBLED
from demo.server import RunningDemo


def test_an_album_page_has_all_fields(web: Any) -> None:
    comic = library().find(1208626)
    assert comic is not None

    album = web.get_album_detail("1208626")

    assert (album.album_id, album.name, album.page_count) == ("1208626", comic.title, 20)
    assert (album.views, album.likes, album.comment_count) == ("102497", "42", 3)
    assert (album.authors, album.works, album.actors, album.tags) == (
        ["海岸線"],
        ["原創"],
        ["阿貝", "小葉"],
        ["全彩", "中文", "短篇", "風景"],
    )
    assert (album.pub_date, album.update_date) == (comic.published.isoformat(), comic.updated.isoformat())
    assert album.description == comic.description
    assert album.scramble_id == str(SITE_SCRAMBLE_ID)


def test_every_album_page_that_is_not_scripted_to_fail_can_be_read(web: Any) -> None:
    for comic in library().comics:
        script = comic.script or Script()
        if script.everywhere is None and "html" not in script.answers and not script.is_other_markup:
            album = web.get_album_detail(str(comic.id))
            assert (album.album_id, album.page_count, tuple(album.tags)) == (
                str(comic.id),
                comic.page_count,
                comic.tags,
            )
            if not script.sorts:
                assert len(album) == max(1, len(comic.chapters))


def test_counts_are_abbreviated_in_several_ways(demo: RunningDemo, web: Any) -> None:
    seen = {web.get_album_detail(str(comic.id)).views for comic in library().unscripted}

    assert any(text.endswith("M") for text in seen)
    assert any(text.endswith("K") for text in seen)
    assert any(text.startswith("[") and text.endswith("K]") for text in seen)
    assert any(text.endswith("万") for text in seen)
    assert any(text.isdigit() for text in seen)


def test_a_series_lists_its_chapters_in_order(web: Any) -> None:
    album = web.get_album_detail("333908")

    assert [(id, index, title.strip()) for id, index, title in album.episode_list] == [
        ("333908", "1", "出發"),
        ("333909", "2", "轉彎"),
        ("333910", "3", "午後"),
    ]


def test_a_chapter_page_names_its_pages_and_its_scramble_id(web: Any, demo: RunningDemo) -> None:
    photo = web.get_photo_detail("333909")

    assert (photo.album_id, photo.album_index, photo.name) == ("333908", 2, "轉彎")
    assert (photo.scramble_id, len(photo)) == ("220980", 14)
    assert photo[0].download_url == f"{demo.image_url}/media/photos/333909/00001.webp"


def test_a_chapter_may_have_a_scramble_id_of_its_own(web: Any) -> None:
    assert web.get_photo_detail(str(UNSCRAMBLED), fetch_album=False).scramble_id == str(UNSCRAMBLED + 1)


def test_a_chapter_without_images_is_read_as_one(web: Any) -> None:
    assert web.get_photo_detail(str(NO_IMAGES)).page_arr == []


@pytest.mark.parametrize("id", ["900404", "333909", "999999999"])
def test_an_unknown_album_redirects_to_the_error_page(web: Any, id: str) -> None:
    with pytest.raises(MissingAlbumPhotoException):
        web.get_album_detail(id)


def test_an_unknown_chapter_redirects_to_the_error_page(web: Any) -> None:
    with pytest.raises(MissingAlbumPhotoException):
        web.get_photo_detail("999999999")


def test_search_results_have_tags(web: Any) -> None:
    found = web.search_site("雨林")

    assert list(found.iter_id_title_tag()) == [
        ("350234", "雨林深處的一天", ["全彩", "中文", "短篇", "狐狸", "眼鏡"]),
    ]
    assert found.total == 1


def test_a_full_page_of_search_results_is_read_row_by_row(web: Any) -> None:
    found = web.search_tag("中文", page=2)

    expected = [comic for comic in library().comics if "中文" in comic.tags]
    assert (len(found), found.total) == (80, len(expected))
    by_id = {str(comic.id): comic for comic in expected}
    assert all(tuple(tags) == by_id[id].tags for id, _, tags in found.iter_id_title_tag())


def test_a_search_that_finds_nothing_is_an_empty_page(web: Any) -> None:
    found = web.search_site("這裡沒有這本書")

    assert (len(found), found.total) == (0, 0)


def test_a_query_that_is_an_album_number_redirects_to_it(web: Any) -> None:
    found = web.search_site("350234")

    assert (list(found), found.is_single_album) == ([("350234", "雨林深處的一天")], True)


@pytest.mark.parametrize("call", ["month_ranking", "week_ranking", "day_ranking"])
def test_rankings_equal_those_of_the_mobile_api(web: Any, jm_option: Any, demo: RunningDemo, call: str) -> None:
    mobile = jm_option.new_jm_client(impl="api", domain_list=[demo.api_url])

    for page in (1, 2, 3):
        ids = [str(id) for id in getattr(mobile, call)(page).iter_id()]
        assert list(getattr(web, call)(page).iter_id()) == ids


def test_a_category_can_be_limited_to_a_sub_category(web: Any) -> None:
    found = web.categories_filter(
        1, "a", JmMagicConstants.CATEGORY_DOUJIN, JmMagicConstants.ORDER_BY_VIEW, JmMagicConstants.SUB_DOUJIN_CG
    )

    assert {library().find(int(id)).sub_category for id in found.iter_id()} == {"CG"}  # type: ignore[union-attr]
    assert len(found) == found.total > 3


def test_titles_with_markup_are_escaped(web: Any) -> None:
    album = web.get_album_detail(str(LONG_TITLE))

    assert "&lt;角括號&gt;|豎線 &amp; 還有 .." in album.name
    assert "/反斜線\\冒號:星號*問號?&quot;引號&quot;" in album.name


def test_comments_come_with_their_replies(web: Any) -> None:
    page = web.album_pagination("350234", 1)

    assert (page.total, len(page), page.comment_count) == (25, 10, 16)
    assert (page[0].album_id, page[0].username, page[3].is_spoiler) == ("350234", "tea_time", True)
    assert len(web.forum_pagination(1)) == 10
