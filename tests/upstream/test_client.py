from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import date

import pytest

from demo.library import library
from demo.server import RunningDemo
from services.catalog import (
    AlbumOrder,
    AlbumSummary,
    Category,
    ChapterRef,
    Period,
    RankingQuery,
    SearchField,
    SearchQuery,
    SourceMethod,
)
from services.errors import InvalidInput
from services.observability import open_stats
from services.upstream import UpstreamClient

pytestmark = pytest.mark.anyio

OpenUpstream = Callable[..., AbstractAsyncContextManager[UpstreamClient]]

BOTH = pytest.mark.parametrize("method", ["api", "html"])


@BOTH
async def test_an_album_is_read_whole(upstream_to: OpenUpstream, method: str) -> None:
    async with upstream_to(jm_method=method) as upstream:
        album = await upstream.album("1208626")

    assert album is not None
    assert (album.id, album.title) == ("1208626", "河岸筆記：春分特輯")
    assert album.source is SourceMethod[method.upper()]
    assert album.authors == ("海岸線",)
    assert album.works == ("原創",)
    assert album.characters == ("阿貝", "小葉")
    assert album.tags == ("全彩", "中文", "短篇", "風景")
    assert (album.page_count, album.view_count, album.like_count, album.comment_count) == (20, 102497, 42, 3)
    assert album.published_on == date(2026, 4, 6)
    assert album.updated_on == (date(2026, 4, 9) if method == "html" else None)
    assert album.chapters == (ChapterRef("1208626", 1, "河岸筆記：春分特輯"),)
    assert album.related[0] == AlbumSummary("257816", "深海的光")


async def test_a_line_of_the_mobile_api_tells_author_category_and_day_one_of_a_page_the_category(
    upstream_to: OpenUpstream,
) -> None:
    query = SearchQuery("雨林深處", field=SearchField.SITE)
    async with upstream_to(jm_method="api") as api, upstream_to(jm_method="html") as html:
        (told,) = (await api.search(query)).items
        (untold,) = (await html.search(query)).items

    comic = library().find(350234)
    assert comic is not None
    assert told.authors == comic.authors[:1]
    assert told.category is Category(comic.category.upper())
    assert told.updated_on == comic.updated
    assert (untold.authors, untold.category, untold.updated_on) == (None, told.category, None)


@BOTH
async def test_a_line_of_a_category_is_of_this_category(upstream_to: OpenUpstream, method: str) -> None:
    async with upstream_to(jm_method=method) as upstream:
        ranking = await upstream.ranking(RankingQuery(category=Category.HANMAN))

    assert {line.album.category for line in ranking.entries} == {Category.HANMAN}


@BOTH
async def test_a_search_in_a_category_finds_its_albums_alone(upstream_to: OpenUpstream, method: str) -> None:
    async with upstream_to(jm_method=method) as upstream:
        everywhere = (await upstream.search(SearchQuery("機器人"))).items
        found = (await upstream.search(SearchQuery("機器人", category=Category.SINGLE))).items

    category_of = {str(comic.id): comic.category for comic in library().comics}
    assert [album.id for album in found] == [album.id for album in everywhere if category_of[album.id] == "single"]
    assert found


async def test_both_methods_agree_on_every_album(upstream_to: OpenUpstream) -> None:
    comics = [comic for comic in library().comics if comic.script is None][::8]
    async with upstream_to(jm_method="api") as api, upstream_to(jm_method="html") as html:
        for comic in comics:
            one, other = await api.album(str(comic.id)), await html.album(str(comic.id))
            assert one is not None
            assert other is not None
            for name in ("title", "description", "authors", "works", "characters", "tags", "page_count"):
                assert getattr(one, name) == getattr(other, name), (comic.id, name)
            for name in ("comment_count", "published_on", "chapters", "related"):
                assert getattr(one, name) == getattr(other, name), (comic.id, name)


@BOTH
async def test_a_title_with_every_odd_sign_arrives_as_it_is(upstream_to: OpenUpstream, method: str) -> None:
    async with upstream_to(jm_method=method) as upstream:
        album = await upstream.album("900255")

    comic = library().find(900255)
    assert album is not None
    assert comic is not None
    assert album.title == comic.title


@BOTH
async def test_chapters_come_in_reading_order_and_each_has_a_title(upstream_to: OpenUpstream, method: str) -> None:
    async with upstream_to(jm_method=method) as upstream:
        named = await upstream.album("333908")
        nameless = await upstream.album("900120")

    assert named is not None
    assert nameless is not None
    assert named.chapters == (
        ChapterRef("333908", 1, "出發"),
        ChapterRef("333909", 2, "轉彎"),
        ChapterRef("333910", 3, "午後"),
    )
    assert [chapter.title for chapter in nameless.chapters] == [f"第{number}話" for number in range(1, 13)]
    assert nameless.page_count == 24


@BOTH
async def test_the_number_of_a_chapter_leads_to_its_album(upstream_to: OpenUpstream, method: str) -> None:
    async with upstream_to(jm_method=method) as upstream:
        album = await upstream.album("333909")

    assert album is not None
    assert album.id == "333908"


@pytest.mark.parametrize("method", ["api", "html", "auto"])
async def test_what_is_not_there_is_none(upstream_to: OpenUpstream, method: str) -> None:
    async with upstream_to(jm_method=method) as upstream:
        assert await upstream.album("900404") is None
        assert await upstream.album("77") is None
        assert await upstream.chapter("77") is None
        assert await upstream.chapter("900141") is None
        assert await upstream.cover("77") is None


@BOTH
async def test_an_album_without_tags_has_none(upstream_to: OpenUpstream, method: str) -> None:
    async with upstream_to(jm_method=method) as upstream:
        album = await upstream.album("900100")

    assert album is not None
    assert (album.tags, album.authors, album.works, album.characters) == ((), (), (), ())


@BOTH
async def test_a_chapter_names_its_pages_and_how_they_are_cut(upstream_to: OpenUpstream, method: str) -> None:
    async with upstream_to(jm_method=method) as upstream:
        chapter = await upstream.chapter("333909")
        whole = await upstream.chapter("900091")
        gaps = await upstream.chapter("900030")
        empty = await upstream.chapter("900010")

    assert chapter is not None
    assert whole is not None
    assert gaps is not None
    assert empty is not None
    assert (chapter.id, chapter.album_id, chapter.title, chapter.scramble_id) == ("333909", "333908", "轉彎", 220980)
    assert chapter.page_names == tuple(f"{number:05}.webp" for number in range(1, 15))
    assert (whole.album_id, whole.scramble_id) == ("900091", 900092)
    assert gaps.page_names == tuple(f"{number:05}.webp" for number in (1, 2, 5, 10, 11, 102))
    assert empty.page_names == ()


@BOTH
async def test_a_search_pages_through_everything(upstream_to: OpenUpstream, method: str) -> None:
    async with upstream_to(jm_method=method) as upstream:
        pages = [await upstream.search(SearchQuery("全彩", page=number)) for number in (1, 2, 3, 4)]

    total = pages[0].total
    assert [page.page for page in pages] == [1, 2, 3, 4]
    assert {page.page_count for page in pages} == {3}
    assert {page.total for page in pages} == {total}
    assert [len(page.items) for page in pages] == [80, 80, total - 160, 0]
    assert len({item.id for page in pages for item in page.items}) == total


@pytest.mark.parametrize("field", SearchField)
@pytest.mark.parametrize(("order", "period"), list(zip(AlbumOrder, Period, strict=True)))
async def test_both_methods_find_the_same(
    upstream_to: OpenUpstream, field: SearchField, order: AlbumOrder, period: Period
) -> None:
    words = {SearchField.WORK: "原創", SearchField.AUTHOR: "山行月刊編輯部", SearchField.CHARACTER: "阿貝"}
    query = SearchQuery(words.get(field, "全彩"), order=order, period=period, field=field)

    async with upstream_to(jm_method="api") as api, upstream_to(jm_method="html") as html:
        one, other = await api.search(query), await html.search(query)

    assert one.total > 0 or period is not Period.ALL
    assert [item.id for item in one.items] == [item.id for item in other.items]
    assert (one.page, one.page_count, one.total) == (other.page, other.page_count, other.total)


async def test_only_lists_of_the_web_pages_carry_tags(upstream_to: OpenUpstream) -> None:
    async with upstream_to(jm_method="api") as api, upstream_to(jm_method="html") as html:
        bare, tagged = await api.search(SearchQuery("河岸筆記")), await html.search(SearchQuery("河岸筆記"))

    assert next(item.tags for item in bare.items if item.id == "1208626") is None
    assert next(item.tags for item in tagged.items if item.id == "1208626") == ("全彩", "中文", "短篇", "風景")


@BOTH
async def test_excluded_tags_are_left_out(upstream_to: OpenUpstream, demo: RunningDemo, method: str) -> None:
    async with upstream_to(jm_method=method) as upstream:
        everything = await upstream.search(SearchQuery("全彩"))
        without = await upstream.search(SearchQuery("全彩", exclude=("短篇", "", "full color")))

    assert 0 < without.total < everything.total
    assert demo.requests.count("search_query=%E5%85%A8%E5%BD%A9+-%E7%9F%AD%E7%AF%87&") == 1


@BOTH
@pytest.mark.parametrize("text", ["350234", "JM350234", " jm0350234 ", "３５０２３４"])
async def test_a_query_that_is_a_number_gives_that_album_alone(
    upstream_to: OpenUpstream, demo: RunningDemo, method: str, text: str
) -> None:
    async with upstream_to(jm_method=method) as upstream:
        found = await upstream.search(SearchQuery(text, page=3, exclude=("短篇",)))

    tags = ("全彩", "中文", "短篇", "狐狸", "眼鏡")
    assert found.items == (AlbumSummary("350234", "雨林深處的一天", tags),)
    assert (found.page, found.page_count, found.total) == (1, 1, 1)
    assert demo.requests.count("search_query=350234&") == 1


@pytest.mark.parametrize("order", AlbumOrder)
@pytest.mark.parametrize("period", Period)
async def test_both_methods_rank_the_same(upstream_to: OpenUpstream, order: AlbumOrder, period: Period) -> None:
    query = RankingQuery(period=period, order=order, page=2)

    async with upstream_to(jm_method="api") as api, upstream_to(jm_method="html") as html:
        one, other = await api.ranking(query), await html.ranking(query)

    assert [(line.rank, line.album.id) for line in one.entries] == [
        (line.rank, line.album.id) for line in other.entries
    ]
    assert [line.rank for line in one.entries] == list(range(81, 161))
    assert (one.period, one.page, one.total) == (period, 2, len(library().comics))


@BOTH
@pytest.mark.parametrize("category", Category)
async def test_every_category_has_its_own_ranking(upstream_to: OpenUpstream, method: str, category: Category) -> None:
    store = {Category.ALL: None, Category.THREE_D: "3D"}.get(category, category.value.lower())
    expected = sum(store in (None, comic.category) for comic in library().comics)

    async with upstream_to(jm_method=method) as upstream:
        ranking = await upstream.ranking(RankingQuery(category=category))

    assert ranking.total == expected


@BOTH
async def test_a_page_behind_the_last_is_empty_and_knows_the_total(upstream_to: OpenUpstream, method: str) -> None:
    async with upstream_to(jm_method=method) as upstream:
        ranking = await upstream.ranking(RankingQuery(page=9))

    assert (ranking.entries, ranking.total, ranking.page) == ((), len(library().comics), 9)


async def test_comments_come_by_the_api_whatever_the_method(upstream_to: OpenUpstream, demo: RunningDemo) -> None:
    async with upstream_to(jm_method="html") as upstream:
        page = await upstream.comments("350234", 3)
        nothing = await upstream.comments("77", 1)

    assert demo.requests.count(role="html") == 0
    assert (page.album_id, page.page, page.page_size, page.page_count, page.total) == ("350234", 3, 10, 3, 25)
    assert len(page.items) == 5
    assert page.comment_count == sum(1 + len(comment.replies) for comment in page.items)
    assert {comment.album_id for comment in page.items} == {"350234"}
    assert (nothing.items, nothing.total, nothing.page_count) == ((), 0, 0)


async def test_replies_have_the_id_of_their_comment(upstream_to: OpenUpstream) -> None:
    async with upstream_to() as upstream:
        page = await upstream.comments("350234", 1)

    replied = [comment for comment in page.items if comment.replies]
    assert replied
    assert all(reply.parent_id == comment.id for comment in replied for reply in comment.replies)
    assert all(comment.parent_id is None for comment in page.items)
    assert any(comment.is_spoiler for comment in page.items)


async def test_covers_and_pages_are_returned_as_the_cdn_sends_them(
    upstream_to: OpenUpstream, demo: RunningDemo
) -> None:
    async with upstream_to() as upstream:
        cover = await upstream.cover("350234")
        chapter = await upstream.chapter("333909")
        assert chapter is not None
        page = await upstream.page(chapter, 14)

    comic = library().find(333908)
    assert comic is not None
    assert cover == demo.images.cover(350234, False)
    assert page == demo.images.page(comic.chapters[1], 14)


@pytest.mark.parametrize("index", [0, -1, 15])
async def test_a_page_that_no_chapter_has_is_refused_without_a_request(
    upstream_to: OpenUpstream, demo: RunningDemo, index: int
) -> None:
    async with upstream_to() as upstream:
        chapter = await upstream.chapter("333909")
        assert chapter is not None
        with pytest.raises(InvalidInput):
            await upstream.page(chapter, index)

    assert demo.requests.count(role="image") == 0


async def test_each_call_counts_once_however_many_requests_it_takes(
    upstream_to: OpenUpstream, demo: RunningDemo
) -> None:
    demo.knobs.set("api", path="/album", failure="server_error", fail_next=2)
    async with upstream_to() as upstream:
        with open_stats() as stats:
            await upstream.album("350234")
            assert stats.upstream_calls == 1
            await upstream.ranking(RankingQuery())
            assert stats.upstream_calls == 2
            chapter = await upstream.chapter("350234")
            assert chapter is not None
            assert stats.upstream_calls == 3
            await upstream.page(chapter, 1)
            await upstream.cover("350234")
            await upstream.comments("350234", 1)
            assert stats.upstream_calls == 6


async def test_usage_is_counted_where_the_work_is_done_in_threads(upstream_to: OpenUpstream) -> None:
    async with upstream_to(jm_method="html") as upstream:
        with open_stats() as stats:
            await upstream.album("333909")

    assert stats.upstream_calls == 3  # asked as an album, as a chapter, and then its album


async def test_a_chapter_of_no_images_page_is_never_given_a_scramble_id(
    upstream_to: OpenUpstream, demo: RunningDemo
) -> None:
    demo.knobs.set("api", path="/chapter_view_template", failure="html", fail_next=1)
    async with upstream_to() as upstream:
        chapter = await upstream.chapter("900091")

    assert chapter is not None
    assert chapter.scramble_id == 900092
    assert demo.requests.count("/chapter_view_template") == 2
