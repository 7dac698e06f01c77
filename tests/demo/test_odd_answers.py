"""Knobs make the site answer oddly while it runs: with a decoy, with nothing, in other shapes, with a refusal."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import httpx
import pytest
from PIL import Image

from demo.generated import DECOY_ID
from demo.library import library
from demo.lists import browse
from demo.server import RunningDemo

Signed = Callable[..., httpx.Response]
DataOf = Callable[..., Any]


@pytest.mark.parametrize("id", [350234, 333909, 900404, 5])
def test_a_decoy_is_the_answer_about_every_number(demo: RunningDemo, data_of: DataOf, id: int) -> None:
    demo.knobs.set("api", failure="decoy")

    album, chapter = data_of("/album", id=id), data_of("/chapter", id=id)

    assert (album["id"], album["name"], album["total_photos"], album["tags"]) == (
        123456,
        "誘餌",
        8,
        ["全彩", "中文", "誘餌"],
    )
    assert (chapter["id"], chapter["name"], chapter["images"][0]) == (123456, "誘餌", "00001.webp")


def test_a_decoy_is_the_web_page_about_every_number(demo: RunningDemo, web: Any) -> None:
    demo.knobs.set("html", failure="decoy")

    album, photo = web.get_album_detail("350234"), web.get_photo_detail("333909", fetch_album=False)

    assert (album.album_id, album.name, album.page_count) == ("123456", "誘餌", 8)
    assert (photo.photo_id, photo.name, len(photo)) == ("123456", "誘餌", 8)


def test_a_decoy_leaves_lists_and_pictures_as_they_are(
    demo: RunningDemo, data_of: DataOf, http: httpx.Client
) -> None:
    first, picture = (
        data_of("/categories/filter", page=1),
        http.get(f"{demo.image_url}/media/photos/350234/00001.webp"),
    )
    demo.knobs.set("*", failure="decoy")

    assert data_of("/categories/filter", page=1) == first
    assert http.get(f"{demo.image_url}/media/photos/350234/00001.webp").content == picture.content


def test_the_decoy_is_a_complete_album_in_no_list(web: Any, demo: RunningDemo, http: httpx.Client) -> None:
    photo = web.get_photo_detail(str(DECOY_ID))

    pages = [http.get(image.img_url.replace("https://", "http://")) for image in photo]

    assert photo.from_album.album_id == str(DECOY_ID)
    assert [Image.open(BytesIO(page.content)).size for page in pages] == [(480, 680)] * 8
    assert http.get(f"{demo.image_url}/media/albums/{DECOY_ID}.jpg").status_code == 200
    listed = {comic.id for page in (1, 2, 3) for comic in browse(order="mr", period="a", page=page).comics}
    assert DECOY_ID not in listed


@pytest.mark.parametrize(("shape", "data"), [('""', ""), ("[]", []), ("{}", {}), ("null", None)])
def test_the_data_of_an_answer_can_be_empty(demo: RunningDemo, signed: Signed, shape: str, data: object) -> None:
    demo.knobs.set("api-1", path="/album", failure="empty_data", shape=shape)

    answer, other = signed("/album", id=350234), signed("/album", host=1, id=350234)

    assert (answer.status_code, answer.json()) == (200, {"code": 200, "data": data})
    assert len(other.json()["data"]) > 1000


def test_empty_data_is_a_text_unless_a_shape_is_set(demo: RunningDemo, signed: Signed) -> None:
    demo.knobs.set("api", failure="empty_data")

    assert signed("/album", id=350234).json() == {"code": 200, "data": ""}


def test_an_unknown_shape_is_refused(demo: RunningDemo) -> None:
    with pytest.raises(ValueError, match="round"):
        demo.knobs.set("api", failure="empty_data", shape="round")


@pytest.mark.parametrize(
    ("path", "params", "names"),
    [
        ("/search", {"search_query": "中文", "page": 1}, {"search_query", "content"}),
        ("/categories/filter", {"page": 1}, {"search_query", "content", "tags"}),
        ("/forum", {"aid": 350234, "page": 1}, {"list"}),
    ],
)
def test_lists_of_the_api_can_lack_their_total(
    demo: RunningDemo, data_of: DataOf, path: str, params: dict[str, object], names: set[str]
) -> None:
    assert set(data_of(path, **params)) == names | {"total"}

    demo.knobs.set("api", failure="no_total")

    assert set(data_of(path, **params)) == names


def test_lists_of_the_web_can_lack_their_total(demo: RunningDemo, web: Any) -> None:
    demo.knobs.set("html", failure="no_total")

    found, ranking = web.search_site("中文"), web.month_ranking(1)

    assert (len(found), found.total, len(ranking), ranking.total) == (80, 0, 80, 0)


def test_every_answer_of_the_api_can_be_in_odd_shapes(demo: RunningDemo, data_of: DataOf) -> None:
    demo.knobs.set("api", failure="odd_shapes")

    album, chapter = data_of("/album", id=333908), data_of("/chapter", id=333909)
    ranking, comments = data_of("/categories/filter", page=1), data_of("/forum", aid=350234, page=1)
    setting = data_of("/setting")

    assert album["series"] == {
        "0": {"id": 333908, "name": "出發", "sort": 1},
        "1": {"id": 333909, "name": "轉彎", "sort": 2},
        "2": {"id": 333910, "name": "午後", "sort": 3},
    }
    assert (album["id"], album["total_photos"], album["price"], album["images"], album["liked"]) == (
        "333908",
        "45",
        None,
        {},
        False,
    )
    assert (chapter["series_id"], chapter["images"]["13"]) == (333908, "00014.webp")
    assert (ranking["total"], list(ranking["content"])) == (
        len(library().comics),
        [str(number) for number in range(80)],
    )
    assert (comments["total"], comments["list"]["0"]["parent_CID"]) == (25, 0)
    assert (setting["img_host"], setting["is_cn"]) == (demo.image_url, "1")


def test_a_login_can_be_required(demo: RunningDemo, signed: Signed, http: httpx.Client) -> None:
    demo.knobs.set("api-2", failure="login", status=401)
    demo.knobs.set("api-1", failure="login")
    demo.knobs.set("html", failure="login")

    one, other = signed("/album", id=350234), signed("/album", host=1, id=350234)
    page = http.get(f"{demo.html_url}/album/350234")

    assert one.json() == other.json() == {"code": 401, "data": [], "errorMsg": "請先登入會員"}
    assert (one.status_code, other.status_code) == (200, 401)
    assert (page.status_code, page.headers["location"]) == (302, "/login")
    assert "password" in http.get(f"{demo.html_url}/login").text


def test_a_number_can_be_refused(demo: RunningDemo, signed: Signed, http: httpx.Client) -> None:
    demo.knobs.set("*", path="/album", failure="refused_id")

    answer, page = signed("/album", id=350234), http.get(f"{demo.html_url}/album/350234")

    assert (answer.status_code, answer.json()) == (200, {"code": 400, "data": [], "errorMsg": "參數錯誤"})
    assert page.status_code == 400


def test_the_scramble_id_can_be_missing_from_its_page(demo: RunningDemo, signed: Signed, http: httpx.Client) -> None:
    demo.knobs.set("*", failure="no_scramble_id")

    reader = signed("/chapter_view_template", id=350234).text
    page = http.get(f"{demo.html_url}/photo/350234").text

    assert "scramble_id" not in reader + page
    assert "var aid = 350234;" in reader
    assert "var aid = 350234;" in page


def test_the_settings_can_name_several_image_hosts(demo: RunningDemo, data_of: DataOf) -> None:
    assert data_of("/setting")["img_host"] == demo.image_url

    demo.knobs.set("api-1", img_hosts=demo.image_urls)
    demo.knobs.set("api-2", img_hosts=demo.dead_url)

    assert data_of("/setting")["img_host"] == demo.image_urls
    assert data_of("/setting", host=1)["img_host"] == demo.dead_url
    assert data_of("/album", id=350234)["name"] == "雨林深處的一天"


def test_an_odd_answer_keeps_its_cookies(demo: RunningDemo, signed: Signed) -> None:
    demo.knobs.set("api", failure="odd_shapes")

    assert dict(signed("/setting").cookies) == {"ipcountry": "TW", "AVS": "demo"}


def test_a_body_can_be_empty_under_its_usual_headers(demo: RunningDemo, http: httpx.Client) -> None:
    demo.knobs.set("image", failure="empty")

    answer = http.get(f"{demo.image_url}/media/photos/350234/00001.webp")

    assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, "image/webp", b"")
