"""Albums, rankings, search and comments over GraphQL."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from demo.library import library
from demo.server import RunningDemo
from services.settings import Settings
from tests.graphql_client import GraphQLClient, graphql_client

pytestmark = pytest.mark.anyio

RANKING = "{ ranking { total entries { rank album { id title tags { name translation { id name } match } } } } }"


async def test_a_ranking_comes_with_its_tags_translated(server: GraphQLClient) -> None:
    data = await server.ask(RANKING)

    entries = data["ranking"]["entries"]
    assert [entry["rank"] for entry in entries] == list(range(1, 81))
    translated = {tag["name"]: tag["translation"] for entry in entries for tag in entry["album"]["tags"]}
    assert translated["全彩"]["id"] == "other:full color"
    assert translated["機器人"]["id"] == "female:robot"


async def test_a_ranking_is_paged_to_its_end(server: GraphQLClient) -> None:
    query = "query ($page: Int!) { ranking(page: $page) { page pageCount total hasNextPage entries { rank } } }"
    pages = [(await server.ask(query, page=page))["ranking"] for page in (1, 2, 3)]

    assert [(page["page"], page["pageCount"], page["hasNextPage"]) for page in pages] == [
        (1, 3, True),
        (2, 3, True),
        (3, 3, False),
    ]
    assert pages[2]["entries"][-1]["rank"] == pages[0]["total"]


async def test_titles_alone_cost_one_call(server: GraphQLClient) -> None:
    assert await server.cost("{ ranking { entries { rank album { id title cover { url } url } } } }") == 1


async def test_details_of_a_list_cost_one_call_each_and_no_more(server: GraphQLClient) -> None:
    assert await server.cost("{ ranking { entries { album { tags { name } authors { name } pageCount } } } }") == 81
    assert await server.cost("{ ranking { entries { album { description works { name } } } } }") == 0


async def test_what_a_list_tells_of_its_albums_costs_no_call_for_each(make_settings: Callable[..., Settings]) -> None:
    lines = "id category authors { name } known { authors pageCount viewCount updatedOn }"
    listed = f'{{ search(query: "雨林深處") {{ items {{ {lines} }} }} }}'
    async with graphql_client(make_settings(jm_method="api")) as server:
        assert await server.cost(listed) == 1
        (before,) = (await server.ask(listed))["search"]["items"]
        await server.ask('{ album(id: "350234") { pageCount } }')
        (after,) = (await server.ask("query Again " + listed))["search"]["items"]

    comic = library().find(350234)
    assert comic is not None
    assert before["category"] == comic.category.upper()
    assert [author["name"] for author in before["authors"]] == before["known"]["authors"] == [comic.authors[0]]
    assert before["known"]["updatedOn"] == comic.updated.isoformat()
    assert (before["known"]["pageCount"], after["known"]["pageCount"]) == (None, 24)


async def test_a_record_says_how_the_site_spells_it(server: GraphQLClient) -> None:
    tag = (await server.ask('{ tag(namespace: FEMALE, raw: "robot") { searchText albums { total } } }'))["tag"]

    found = await server.ask("query ($q: String!) { search(query: $q, field: TAG) { total } }", q=tag["searchText"])
    assert tag["searchText"] == "機器人"
    assert tag["albums"]["total"] == found["search"]["total"] > 0


async def test_titles_are_given_in_the_script_that_is_asked_for(server: GraphQLClient) -> None:
    query = """{ album(id: "350234") { title simplified: title(script: SIMPLIFIED) same: title(script: TRADITIONAL)
      chapters { title(script: SIMPLIFIED) } } }"""

    album = (await server.ask(query))["album"]

    assert (album["title"], album["simplified"], album["same"]) == (
        "雨林深處的一天",
        "雨林深处的一天",
        "雨林深處的一天",
    )
    assert album["chapters"] == [{"title": "雨林深处的一天"}]


async def test_an_album_has_all_its_fields(server: GraphQLClient) -> None:
    data = await server.ask(
        """{ album(id: "JM350234") { id title url description authors { name kind } works { name } characters { name }
        tags { name kind match translation { id } } pageCount viewCount likeCount commentCount publishedOn updatedOn
        chapters { id index title pageCount pages { index url } } related { id title } source downloads { id }
        cover { url thumbnail: url(size: THUMBNAIL) width height placeholder }
        comments { total page pageCount hasNextPage items { id author text isSpoiler postedAt likes replies { id } } }
        } }"""
    )

    album = data["album"]
    assert album["id"] == "350234"
    assert (album["pageCount"], album["viewCount"], album["likeCount"]) == (24, 1404, 38)
    assert [tag["name"] for tag in album["tags"]] == ["全彩", "中文", "短篇", "狐狸", "眼鏡"]
    assert {tag["kind"] for tag in album["tags"]} == {"GENRE"}
    assert album["source"] == "API"
    assert [(chapter["id"], chapter["index"], chapter["pageCount"]) for chapter in album["chapters"]] == [
        ("350234", 1, 24)
    ]
    assert album["chapters"][0]["pages"][6] == {"index": 7, "url": "http://127.0.0.1:11111/images/pages/350234/7"}
    assert album["cover"] == {
        "url": "http://127.0.0.1:11111/images/covers/350234",
        "thumbnail": "http://127.0.0.1:11111/images/covers/350234?size=thumbnail",
        "width": None,
        "height": None,
        "placeholder": None,
    }
    assert album["comments"]["total"] == 25
    assert album["downloads"] == []


async def test_a_missing_album_is_null_without_an_error(server: GraphQLClient) -> None:
    assert await server.ask('{ album(id: "900404") { id } }') == {"album": None}


@pytest.mark.parametrize(
    "id",
    ["350234", "JM350234", "jm 350234", " 350234 ", "禁漫車：JM350234", "https://18comic.vip/album/350234/title"],
)
async def test_an_album_is_found_by_number_or_url(server: GraphQLClient, id: str) -> None:
    assert await server.ask("query ($id: String!) { album(id: $id) { id } }", id=id) == {"album": {"id": "350234"}}


async def test_the_id_of_a_chapter_finds_its_album(server: GraphQLClient) -> None:
    data = await server.ask('{ album(id: "333909") { id chapters { id index } } }')

    assert data["album"]["id"] == "333908"
    assert [chapter["id"] for chapter in data["album"]["chapters"]] == ["333908", "333909", "333910"]


async def test_a_chapter_is_read_by_itself(server: GraphQLClient) -> None:
    query = "query ($id: ID!) { chapter(id: $id) { id index title pageCount pages { index url } } }"

    chapter = (await server.ask(query, id="333909"))["chapter"]

    assert (chapter["id"], chapter["index"]) == ("333909", 2)
    assert chapter["pageCount"] == len(chapter["pages"]) > 0
    assert chapter["pages"][0]["url"] == "http://127.0.0.1:11111/images/pages/333909/1"
    assert await server.cost(query, id="333910") == 1  # its album is cached by now
    assert await server.ask(query, id="900404") == {"chapter": None}


async def test_many_albums_keep_their_order_with_null_for_missing_ones(server: GraphQLClient) -> None:
    data = await server.ask('{ albums(ids: ["1208626", "900404", "JM350234", "1208626"]) { id } }')

    assert data["albums"] == [{"id": "1208626"}, None, {"id": "350234"}, {"id": "1208626"}]


async def test_one_broken_album_is_an_error_at_its_place_in_the_list(server: GraphQLClient) -> None:
    answer = await server.answer('{ albums(ids: ["350234", "900200"]) { id tags { name } } }')

    assert answer["data"]["albums"][0]["id"] == "350234"
    assert answer["data"]["albums"][1] is None
    assert answer["errors"][0]["path"] == ["albums", 1]
    assert answer["errors"][0]["extensions"] == {
        "code": "UPSTREAM_BROKEN",
        "retryable": True,
        "reason": "GARBLED",
    }


@pytest.mark.parametrize(
    "text",
    ["350234", "jm 350234", "【JM：350234】", "#350234", f"https://18comic.vip/album/350234/{'%E5%B1%B1' * 30}"],
)
async def test_a_search_for_a_number_gives_that_album(server: GraphQLClient, text: str) -> None:
    query = "query ($text: String!) { search(query: $text) { total pageCount hasNextPage items { id } } }"

    data = await server.ask(query, text=text)

    assert data["search"] == {"total": 1, "pageCount": 1, "hasNextPage": False, "items": [{"id": "350234"}]}


async def test_a_search_leaves_out_excluded_tags(server: GraphQLClient) -> None:
    query = (
        'query ($out: [String!]!) { search(query: "中文", field: TAG, exclude: $out) { items { tags { name } } } }'
    )
    with_robots = await server.ask(query, out=[])
    without = await server.ask(query, out=["機器人"])

    assert any(tag["name"] == "機器人" for album in with_robots["search"]["items"] for tag in album["tags"])
    assert not any(tag["name"] == "機器人" for album in without["search"]["items"] for tag in album["tags"])


async def test_ranks_continue_across_pages(server: GraphQLClient) -> None:
    data = await server.ask("{ ranking(page: 2, period: MONTH, orderBy: LIKES) { period page entries { rank } } }")

    assert (data["ranking"]["period"], data["ranking"]["page"]) == ("MONTH", 2)
    assert data["ranking"]["entries"][0]["rank"] == 81


async def test_the_same_query_has_the_size_of_a_cover_once_it_was_fetched(server: GraphQLClient) -> None:
    query = "{ ranking { entries { album { id cover { width height placeholder } } } } }"
    before = (await server.ask(query))["ranking"]["entries"][0]["album"]
    await server.http.get(f"/images/covers/{before['id']}?size=thumbnail")
    after = (await server.ask(query))["ranking"]["entries"][0]["album"]["cover"]

    assert before["cover"] == {"width": None, "height": None, "placeholder": None}
    assert (after["width"], after["height"]) == (500, 700)
    assert after["placeholder"]


async def test_a_fetched_cover_has_its_size_and_placeholder(server: GraphQLClient) -> None:
    response = await server.http.get("/images/covers/350234")
    assert response.status_code == 200

    data = await server.ask('{ album(id: "350234") { cover { width height placeholder } } }')

    cover = data["album"]["cover"]
    assert cover["width"] > 0
    assert cover["height"] > 0
    assert len(cover["placeholder"]) > 10


async def test_a_failure_of_the_site_has_a_code_and_a_reason(server: GraphQLClient, demo: RunningDemo) -> None:
    demo.knobs.set("api", failure="maintenance")

    error = await server.error('{ album(id: "350234") { id } }')

    assert error["code"] == "UPSTREAM_UNAVAILABLE"
    assert error["reason"] == "MAINTENANCE"
    assert error["retryable"] is True
    assert error["path"] == ["album"]


async def test_html_in_place_of_json_is_a_failure_of_the_site(server: GraphQLClient, demo: RunningDemo) -> None:
    demo.knobs.set("api", failure="html")

    error = await server.error('{ search(query: "山") { total } }')

    assert (error["code"], error["reason"]) == ("UPSTREAM_BROKEN", "GARBLED")


async def test_cached_results_are_served_when_the_site_fails(server: GraphQLClient, demo: RunningDemo) -> None:
    query = '{ search(query: "山") { total } }'
    before = await server.ask(query)
    demo.knobs.set("api", failure="server_error")

    assert await server.ask(query) == before


async def test_the_server_reports_the_state_of_the_site(server: GraphQLClient) -> None:
    await server.ask('{ album(id: "350234") { id } }')

    data = await server.ask(
        "{ server { version upstream { method reachable checkedAt hosts { url role healthy reason } } workers } }"
    )

    upstream = data["server"]["upstream"]
    assert (upstream["method"], upstream["reachable"]) == ("API", True)
    assert {host["role"] for host in upstream["hosts"]} >= {"API", "IMAGE"}
    assert data["server"]["workers"] == 0
