"""The reads of the legacy API: whole bodies, as its clients read them."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from urllib.parse import parse_qs

import pytest
from PIL import Image

from demo.server import RunningDemo
from services.settings import Settings
from tests.graphql_client import BASE, GraphQLClient, graphql_client

pytestmark = pytest.mark.anyio


async def test_latency_is_whole_milliseconds_as_a_string(server: GraphQLClient) -> None:
    sent = time.time() * 1000
    body = (await server.http.get(f"/v1/{sent}")).json()

    latency = int(body.pop("latency"))
    assert body == {"status": "ok", "app": "jmcomic_server_api", "version": "1.0"}
    assert -1 <= latency <= (time.time() * 1000 - sent) + 1


@pytest.mark.parametrize("timestamp", ["abc", "nan", "inf", "-inf", "1e999", "1,5"])
async def test_a_timestamp_that_is_no_number_is_422(server: GraphQLClient, timestamp: str) -> None:
    response = await server.http.get(f"/v1/{timestamp}")

    assert response.status_code == 422
    assert list(response.json()) == ["detail"]


async def test_health_is_as_it_was(server: GraphQLClient) -> None:
    response = await server.http.get("/v1/health")

    assert response.json() == {"status": "ok", "app": "jmcomic_server_api", "version": "1.0"}


@pytest.mark.parametrize("period", ["month", "week", "day", "all", "anything"])
async def test_a_rank_is_a_list_of_eighty_pairs_of_strings(server: GraphQLClient, period: str) -> None:
    body = (await server.http.get(f"/v1/rank/{period}")).json()

    assert len(body) == 80
    assert all(list(line) == ["aid", "title"] for line in body)
    assert all(isinstance(value, str) for line in body for value in line.values())


async def test_a_search_is_a_list_of_pairs(server: GraphQLClient) -> None:
    body = (await server.http.get("/v1/search/雨林/1")).json()

    assert {"album_id": "350234", "title": "雨林深處的一天"} in body
    assert all(list(line) == ["album_id", "title"] for line in body)


async def test_a_search_is_sent_as_a_required_word(server: GraphQLClient, demo: RunningDemo) -> None:
    await server.http.get("/v1/search/雨林/1")

    asked_for = parse_qs(demo.requests.find(path="/search")[0].query)["search_query"][0]
    assert asked_for.split()[0] == "+雨林"


@pytest.mark.parametrize(
    "text", ["1208626", "JM：1208626", "%231208626", "https:%2F%2Fcomics.example%2Falbum%2F1208626"]
)
async def test_a_search_for_a_number_leads_to_its_album(server: GraphQLClient, text: str) -> None:
    body = (await server.http.get(f"/v1/search/{text}/1")).json()

    assert body == [{"album_id": "1208626", "title": "河岸筆記：春分特輯"}]


@pytest.mark.parametrize("num", ["0", "101", "-1", "x", "1.5"])
async def test_a_page_of_a_search_is_1_to_100(server: GraphQLClient, num: str) -> None:
    response = await server.http.get(f"/v1/search/山/{num}")

    assert (response.status_code, response.json()) == (400, {"detail": "num must be between 1 and 100"})


@pytest.mark.parametrize("aid", ["jm 1208626", "[JM1208626]", "comics.example%2Falbum%2F1208626%3Ffrom=list"])
@pytest.mark.parametrize("path", ["/v1/info", "/v1/get/cover", "/v1/comments"])
async def test_a_pasted_number_or_address_is_understood(server: GraphQLClient, path: str, aid: str) -> None:
    assert (await server.http.get(f"{path}/{aid}")).status_code == 200


async def test_counts_of_an_album_are_strings(server: GraphQLClient) -> None:
    body = (await server.http.get("/v1/info/1208626")).json()

    assert body == {
        "status": "success",
        "tag": body["tag"],
        "view_count": "102497",
        "like_count": "42",
        "page_count": "20",
        "method": "api",
    }
    assert "中文" in body["tag"]


async def test_the_method_that_read_an_album_is_named(make_settings: Callable[..., Settings]) -> None:
    async with graphql_client(make_settings(jm_method="html")) as server:
        assert (await server.http.get("/v1/info/350234")).json()["method"] == "html"


@pytest.mark.parametrize("path", ["/v1/info/{}", "/v1/get/cover/{}", "/v1/comments/{}"])
async def test_a_missing_album_is_404(server: GraphQLClient, path: str) -> None:
    response = await server.http.get(path.format("900404"))

    assert (response.status_code, response.json()) == (404, {"detail": "Album not found: id=900404"})


@pytest.mark.parametrize("path", ["/v1/info/{}", "/v1/get/cover/{}", "/v1/comments/{}", "/images/covers/{}"])
async def test_a_withheld_album_is_404(make_settings: Callable[..., Settings], path: str) -> None:
    async with graphql_client(make_settings(blocked_tags="測試封鎖")) as server:
        response = await server.http.get(path.format("900451"))

    assert response.status_code == 404
    assert "測試封鎖" not in response.text


@pytest.mark.parametrize("path", ["/v1/info/900451", "/v1/get/cover/900451", "/v1/comments/900451"])
async def test_a_withheld_album_is_reported_like_a_missing_one(
    make_settings: Callable[..., Settings], path: str
) -> None:
    async with graphql_client(make_settings(blocked_tags="測試封鎖")) as server:
        response = await server.http.get(path)

    assert (response.status_code, response.json()) == (404, {"detail": "Album not found: id=900451"})


@pytest.mark.parametrize(("album", "status"), [("900200", 502), ("900403", 504), ("900429", 504), ("900502", 504)])
async def test_failures_of_the_site_are_never_500(server: GraphQLClient, album: str, status: int) -> None:
    response = await server.http.get(f"/v1/info/{album}")

    assert response.status_code == status
    assert list(response.json()) == ["detail"]


@pytest.mark.parametrize("path", ["/v1/rank/day", "/v1/search/雨林/1", "/v1/info/350234", "/v1/comments/350234"])
async def test_while_the_site_is_down_a_stale_answer_has_a_warning(
    make_settings: Callable[..., Settings], demo: RunningDemo, path: str
) -> None:
    brief = dict.fromkeys(("cache_ranking_s", "cache_search_s", "cache_album_s", "cache_comments_s"), 0.0)
    async with graphql_client(make_settings(**brief)) as server:
        fresh = await server.http.get(path)
        demo.knobs.set("*", failure="challenge")
        old = await server.http.get(path)

    assert "warning" not in fresh.headers
    assert old.json() == fresh.json()
    assert old.headers["warning"] == '110 - "Response is Stale"'
    assert int(old.headers["age"]) >= 0


async def test_a_cover_is_jpeg_whatever_the_site_sent(server: GraphQLClient) -> None:
    response = await server.http.get("/v1/get/cover/350234")
    known = [("If-None-Match", '"another"'), ("If-None-Match", response.headers["etag"])]  # a list may have lines
    again = await server.http.get("/v1/get/cover/350234", headers=known)

    assert response.headers["content-type"] == "image/jpeg"
    assert 'filename="cover.jpg"' in response.headers["content-disposition"]
    with Image.open(io.BytesIO(response.content)) as picture:
        assert picture.format == "JPEG"
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("aid", ["..%2f..%2fetc", "a%2fb", "x y", "12;34", "%00", "350234.jpg", "-1", "%D9%A3"])
async def test_a_cover_of_bad_characters_is_400(server: GraphQLClient, aid: str) -> None:
    response = await server.http.get(f"/v1/get/cover/{aid}")

    assert (response.status_code, response.json()) == (400, {"detail": "aid must be an album number"})


@pytest.mark.parametrize("aid", ["0", "000", "1234567890123", "9" * 600])
async def test_a_number_that_no_album_can_have_is_404(server: GraphQLClient, aid: str) -> None:
    answers = [await server.http.get(f"{path}/{aid}") for path in ("/v1/info", "/v1/get/cover", "/v1/comments")]

    expected = (404, {"detail": f"Album not found: id={aid}"})
    assert [(answer.status_code, answer.json()) for answer in answers] == [expected] * 3


async def test_comments_have_every_key_and_type(server: GraphQLClient) -> None:
    body = (await server.http.get("/v1/comments/350234?page=1")).json()

    assert list(body) == ["aid", "page", "page_size", "total", "page_count", "comment_count", "comments"]
    assert (body["aid"], body["page"], body["total"]) == ("350234", 1, 25)
    assert all(isinstance(body[key], int) for key in ("page_size", "page_count", "comment_count"))
    for comment in body["comments"]:
        assert list(comment) == [
            "comment_id",
            "album_id",
            "user_id",
            "parent_comment_id",
            "content",
            "username",
            "nickname",
            "is_spoiler",
            "created_at",
            "likes",
            "replies",
        ]
        assert comment["parent_comment_id"] is None
        assert isinstance(comment["is_spoiler"], bool)
        assert comment["likes"] is None or isinstance(comment["likes"], int)


@pytest.mark.parametrize("page", ["0", "-3", "x"])
async def test_a_page_of_comments_is_1_or_more(server: GraphQLClient, page: str) -> None:
    response = await server.http.get(f"/v1/comments/350234?page={page}")

    assert response.status_code == 400
    assert "page must be >= 1" in response.json()["detail"]


@pytest.mark.parametrize("path", ["/v1/", "/v1/nothing/here", "/v1/info/a/b", "/v1/rank", "/v1/get/cover"])
async def test_an_unknown_path_is_404_in_the_legacy_shape(server: GraphQLClient, path: str) -> None:
    response = await server.http.get(path)

    assert response.status_code in (404, 422)
    assert list(response.json()) == ["detail"]


@pytest.mark.parametrize("path", ["/v1/health", "/v1/info/350234", "/v1/download/a name", "/v1/notifications/a"])
async def test_a_wrong_method_is_405_with_the_allowed_ones(server: GraphQLClient, path: str) -> None:
    response = await server.http.delete(path)

    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD")
    assert list(response.json()) in (["detail"], ["status", "msg"])


async def test_a_trailing_slash_redirects_to_the_path_without(server: GraphQLClient) -> None:
    response = await server.http.get("/v1/rank/week/")

    assert (response.status_code, response.headers["location"]) == (307, f"{BASE}/v1/rank/week")
