"""Values that the mutation tests found to be misread, each by itself."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from services.errors import UpstreamFailure, UpstreamReason
from services.upstream import RankingQuery, SearchQuery, UpstreamClient
from tests.upstream.mutated_site import MutatedSite
from tests.upstream.mutations import as_json

pytestmark = pytest.mark.anyio

OpenUpstream = Callable[..., AbstractAsyncContextManager[UpstreamClient]]


def with_values(**values: Any) -> Callable[[Any], bytes]:
    """The answer with these in place of its own values."""
    return lambda data: as_json(data | values)


async def test_pages_under_numbers_are_in_the_order_of_the_numbers(
    client_to_mutated: OpenUpstream, mutated_site: MutatedSite
) -> None:
    names = {"10": "00011.webp", "2": "00003.webp", "0": "00001.webp"}
    mutated_site.data = {"/chapter?": with_values(images=names)}
    async with client_to_mutated() as client:
        chapter = await client.chapter("350234")

    assert chapter is not None
    assert chapter.page_names == ("00001.webp", "00003.webp", "00011.webp")


@pytest.mark.parametrize("images", ["00001.webp", 17, True, "", None])
async def test_what_is_no_list_of_pages_is_no_chapter_without_pages(
    client_to_mutated: OpenUpstream, mutated_site: MutatedSite, images: object
) -> None:
    mutated_site.data = {"/chapter?": with_values(images=images)}
    async with client_to_mutated() as client:
        with pytest.raises(UpstreamFailure) as failed:
            await client.chapter("350234")

    assert failed.value.reason is UpstreamReason.GARBLED


@pytest.mark.parametrize(
    ("series", "ids", "has_all"),
    [
        ([{"id": "333908"}, None, {"id": "333910"}], ["333908", "333910"], False),
        ([{"id": "333908"}, {"id": "x"}], ["333908"], False),
        ("333908", ["333908"], False),
        ("", ["333908"], True),
    ],
)
async def test_a_list_of_chapters_that_is_not_whole_is_marked(
    client_to_mutated: OpenUpstream, mutated_site: MutatedSite, series: object, ids: list[str], has_all: bool
) -> None:
    mutated_site.data = {"/album?": with_values(series=series)}
    async with client_to_mutated() as client:
        album = await client.album("333908")

    assert album is not None
    assert ([chapter.id for chapter in album.chapters], album.has_all_chapters) == (ids, has_all)


async def test_a_web_page_that_links_to_no_chapter_is_completed_by_the_api(
    client_to_mutated: OpenUpstream, mutated_site: MutatedSite
) -> None:
    mutated_site.bodies = {"/album/": lambda page: page.partition(b'<a class="btn btn-primary reading"')[0]}
    async with client_to_mutated(jm_method="html") as client:
        album = await client.album("333908")

    assert album is not None
    assert [chapter.id for chapter in album.chapters] == ["333908", "333909", "333910"]


async def test_text_that_neither_json_nor_xml_can_hold_is_left_out(
    client_to_mutated: OpenUpstream, mutated_site: MutatedSite
) -> None:
    mutated_site.data = {"/album?": with_values(name="山\ud800 \0 行\x1b", description="一\x00\n二\udfff")}
    async with client_to_mutated() as client:
        album = await client.album("350234")

    assert album is not None
    assert (album.title, album.description) == ("山 行", "一\n二")


@pytest.mark.parametrize(
    ("total", "content"), [("213", []), ("213", None), (None, None), ("80", [None, {"id": "x"}, 17])]
)
async def test_a_list_that_shows_nothing_of_what_it_counts_is_no_empty_list(
    client_to_mutated: OpenUpstream, mutated_site: MutatedSite, total: object, content: object
) -> None:
    mutate = with_values(total=total, content=content)
    mutated_site.data = {"/search?": mutate, "/categories/filter?": mutate}
    async with client_to_mutated() as client:
        with pytest.raises(UpstreamFailure):
            await client.search(SearchQuery("料理"))
        with pytest.raises(UpstreamFailure):
            await client.ranking(RankingQuery())


@pytest.mark.parametrize(("page", "total", "content"), [(1, "0", None), (1, 0, {}), (3, "213", [])])
async def test_a_list_without_results_is_empty(
    client_to_mutated: OpenUpstream, mutated_site: MutatedSite, page: int, total: object, content: object
) -> None:
    mutated_site.data = {"/search?": with_values(total=total, content=content)}
    async with client_to_mutated() as client:
        found = await client.search(SearchQuery("料理", page=page))

    assert found.items == ()


async def test_replies_without_end_are_cut(client_to_mutated: OpenUpstream, mutated_site: MutatedSite) -> None:
    comment: dict[str, Any] = {"CID": "1", "content": "好"}
    for _ in range(300):
        comment = {**comment, "replys": [comment]}
    mutated_site.data = {"/forum?": with_values(list=[comment], total="1")}
    async with client_to_mutated() as client:
        page = await client.comments("350234", 1)

    assert page.comment_count == 11
