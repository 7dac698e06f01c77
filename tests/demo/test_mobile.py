"""The real async client of the mobile API reads the demo site."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from jmcomic import JmMagicConstants, MissingAlbumPhotoException

from demo.comments import comment_count
from demo.crypto import APP_VERSION
from demo.library import library
from demo.server import RunningDemo

pytestmark = pytest.mark.anyio


async def test_an_album_has_all_its_fields(mobile: Any) -> None:
    album = await mobile.get_album_detail("1208626")

    assert (album.name, album.page_count, album.views, album.likes) == ("河岸筆記：春分特輯", 20, "102497", "42")
    assert (album.authors, album.works, album.actors) == (["海岸線"], ["原創"], ["阿貝", "小葉"])
    assert album.tags == ["全彩", "中文", "短篇", "風景"]
    assert album.comment_count == 3
    assert album.pub_date == library().find(1208626).published.isoformat()  # type: ignore[union-attr]
    assert [(str(id), *rest) for id, *rest in album.episode_list] == [("1208626", "1", "河岸筆記：春分特輯")]
    assert len(album.related_list) == 10


async def test_a_series_lists_its_chapters_in_order(mobile: Any) -> None:
    album = await mobile.get_album_detail("333908")

    assert album.episode_list == [("333908", "1", "出發"), ("333909", "2", "轉彎"), ("333910", "3", "午後")]
    assert album.page_count == 45


async def test_a_chapter_has_its_album_its_pages_and_its_scramble_id(mobile: Any) -> None:
    photo = await mobile.get_photo_detail("333909")

    assert (photo.album_id, photo.album_index, photo.name) == ("333908", 2, "轉彎")
    assert photo.scramble_id == "220980"
    assert photo.page_arr == [f"{number:05}.webp" for number in range(1, 15)]
    assert photo.from_album.album_id == "333908"


@pytest.mark.parametrize("id", ["900404", "333909", "999999999"])
async def test_an_unknown_album_is_missing(mobile: Any, id: str) -> None:
    with pytest.raises(MissingAlbumPhotoException):
        await mobile.get_album_detail(id)


async def test_an_unknown_chapter_is_missing(mobile: Any) -> None:
    with pytest.raises(MissingAlbumPhotoException):
        await mobile.get_photo_detail("900404")


async def test_search_results_have_titles_and_no_tags(mobile: Any) -> None:
    found = await mobile.search_site("雨林")

    assert found.content[0][1]["name"] == "雨林深處的一天"
    assert found.content[0][1]["tags"] == []
    assert found.total == 1


async def test_a_query_that_is_an_album_number_gives_that_album(mobile: Any) -> None:
    found = await mobile.search_site("350234")

    assert list(found) == [("350234", "雨林深處的一天")]
    assert found.is_single_album


@pytest.mark.parametrize(
    ("call", "query"),
    [("search_work", "動物之森"), ("search_author", "林青野"), ("search_tag", "恐龍"), ("search_actor", "熊先生")],
)
async def test_a_search_of_one_field_looks_only_there(mobile: Any, call: str, query: str) -> None:
    field = {"search_work": "works", "search_author": "authors", "search_tag": "tags", "search_actor": "characters"}

    found = await getattr(mobile, call)(query)

    expected = {str(comic.id) for comic in library().comics if query in getattr(comic, field[call])}
    assert set(found.iter_id()) == expected != set()


@pytest.mark.parametrize("call", ["month_ranking", "week_ranking", "day_ranking"])
async def test_rankings_of_every_period_have_pages_of_eighty(mobile: Any, call: str) -> None:
    first, second = await getattr(mobile, call)(1), await getattr(mobile, call)(2)

    assert (len(first), len(second), first.total, first.page_count) == (80, 80, len(library().comics), 3)
    assert not set(first.iter_id()) & set(second.iter_id())


async def test_a_category_has_only_its_albums(mobile: Any) -> None:
    found = await mobile.categories_filter(1, "a", JmMagicConstants.CATEGORY_HANMAN, JmMagicConstants.ORDER_BY_VIEW)

    views = [library().find(int(id)).views for id in found.iter_id()]  # type: ignore[union-attr]
    assert {item["category"]["id"] for _, item in found.content} == {"hanman"}
    assert views == sorted(views, reverse=True)


async def test_comments_come_in_pages_of_ten_with_replies_and_spoilers(mobile: Any) -> None:
    first, third = await mobile.album_pagination("350234", 1), await mobile.album_pagination("350234", 3)

    assert (first.total, first.page_count, len(first), len(third)) == (25, 3, 10, 5)
    assert [comment.is_spoiler for comment in first][:4] == [False, False, False, True]
    assert [reply.parent_comment_id for reply in first[0].replies] == [first[0].comment_id] * 2
    assert first[0].parent_comment_id is None
    assert first[0].likes is not None
    assert first.comment_count == 16


async def test_the_forum_has_the_comments_of_all_albums(mobile: Any) -> None:
    page = await mobile.forum_pagination(1)

    assert page.total == sum(comment_count(comic) for comic in library().unscripted)


async def test_the_settings_name_the_version_the_client_has(mobile: Any) -> None:
    answer = await mobile.setting()

    assert answer.model_data.jm3_version == APP_VERSION == JmMagicConstants.APP_VERSION


async def test_the_list_of_hosts_can_be_refreshed(
    jm_option: Any, demo: RunningDemo, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jmcomic import AsyncJmApiClient, JmModuleConfig

    monkeypatch.setattr(JmModuleConfig, "FLAG_API_CLIENT_AUTO_UPDATE_DOMAIN", True)
    monkeypatch.setattr(JmModuleConfig, "DOMAIN_API_UPDATED_LIST", None)
    monkeypatch.setattr(JmModuleConfig, "API_URL_DOMAIN_SERVER_LIST", [demo.domains_url])
    client = AsyncJmApiClient(jm_option, domain_list=list(JmModuleConfig.DOMAIN_API_LIST))

    await client.auto_update_domain()
    await client.close()

    assert client.get_domain_list() == demo.api_urls


async def test_the_sync_client_reads_it_too(jm_option: Any, demo: RunningDemo) -> None:
    client = jm_option.new_jm_client(impl="api", domain_list=[demo.api_url])

    photo = client.get_photo_detail("221350")

    assert (photo.scramble_id, len(photo), photo.from_album.name) == ("220980", 12, "島嶼郵差")


def test_a_request_without_a_valid_token_is_refused(demo: RunningDemo, http: httpx.Client) -> None:
    bare = http.get(f"{demo.api_url}/album?id=350234")
    forged = http.get(f"{demo.api_url}/album?id=350234", headers={"token": "0" * 32, "tokenparam": "1,2.1.12"})

    assert (bare.status_code, forged.status_code) == (401, 401)
    assert bare.json() == {"code": 401, "data": [], "errorMsg": "Not legal.token"}
