"""Comics about which the site answers oddly, as README.md says."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from jmcomic import JmcomicText, JmImageTool, MissingAlbumPhotoException, RegularNotMatchException
from PIL import Image, ImageChops, ImageStat

from demo.drawing import page_image
from demo.library import library
from demo.odd_albums import (
    AVIF_PAGES,
    CACHED_EMPTY,
    CACHED_SHORT,
    EMPTY_CHAPTER,
    EMPTY_ON_FIRST_HOST,
    GONE_ALBUM_ID,
    GONE_SERIES,
    LOGIN_ONLY,
    NO_PAGE_5,
    NO_SCRAMBLE_ID,
    NO_SCRAMBLE_ID_ON_FIRST_HOST,
    NO_SORT,
    ODD_SHAPES,
    OTHER_MARKUP,
    REFUSED_ID,
    SAME_SORT,
    STILL_GIFS,
    STRAY_NAMES,
)
from demo.records import Chapter
from demo.server import RunningDemo

Signed = Callable[..., httpx.Response]
DataOf = Callable[..., Any]


def _chapter(id: int) -> Chapter:
    found = library().find_chapter(id)
    assert found is not None
    return found[1]


def _get(demo: RunningDemo, http: httpx.Client, id: int, number: int, query: str = "") -> httpx.Response:
    return http.get(f"{demo.image_url}/media/photos/{id}/{_chapter(id).pages[number - 1].name}{query}")


def _difference(id: int, number: int, image: Image.Image, folder: Path) -> float:
    """Largest mean difference of a channel between the unscrambled picture and what was drawn."""
    chapter = _chapter(id)
    count = JmImageTool.get_num(chapter.scramble_id, id, chapter.pages[number - 1].stem)
    JmImageTool.decode_and_save(count, image.convert("RGB"), str(folder / "page.png"))
    with Image.open(folder / "page.png") as whole:
        return max(ImageStat.Stat(ImageChops.difference(whole.convert("RGB"), page_image(id, number))).mean)


def test_names_that_are_no_pages_are_listed_behind_the_pages(data_of: DataOf, web: Any) -> None:
    names = [f"{number:05}.webp" for number in range(1, 9)]
    strays = ["ori", None, "", "00003.webp?v=1", "cover.bmp"]

    assert data_of("/chapter", id=STRAY_NAMES)["images"] == names + strays
    assert web.get_photo_detail(str(STRAY_NAMES), fetch_album=False).page_arr == names + strays
    assert data_of("/album", id=STRAY_NAMES)["total_photos"] == 8


def test_chapters_can_name_an_album_that_is_gone(web: Any, data_of: DataOf) -> None:
    album = data_of("/album", id=GONE_SERIES[0])

    assert ([int(chapter["id"]) for chapter in album["series"]], album["total_photos"]) == ([900302, 900311], 16)
    for id in GONE_SERIES:
        assert data_of("/chapter", id=id)["series_id"] == "900399"
        assert web.get_photo_detail(str(id), fetch_album=False).album_id == "900399"
    with pytest.raises(MissingAlbumPhotoException):
        web.get_album_detail(str(GONE_ALBUM_ID))
    assert data_of("/album", id=GONE_ALBUM_ID)["name"] is None


def test_a_web_page_can_list_its_chapters_in_other_markup(web: Any, http: httpx.Client, data_of: DataOf) -> None:
    album = web.get_album_detail("900303")

    assert ([id for id, *_ in album.episode_list], album.page_count) == (["900303"], 60)
    assert [int(chapter["id"]) for chapter in data_of("/album", id=900303)["series"]] == list(OTHER_MARKUP)
    assert [len(data_of("/chapter", id=id)["images"]) for id in OTHER_MARKUP] == [20, 20, 20]


def test_the_other_markup_links_every_chapter(web: Any) -> None:
    page = web.get_jm_html("/album/900303").text

    body = _decoded(page)

    rows = [f'<a href="/photo/{id}" class="chapter-item">EP {place}</a>' for place, id in enumerate(OTHER_MARKUP, 1)]
    assert [row in body for row in rows] == [True] * 3
    assert "data-album" not in body


def test_an_album_page_links_to_its_own_first_chapter(web: Any) -> None:
    assert 'href="/photo/350234"' in _decoded(web.get_jm_html("/album/350234").text)


def test_three_chapters_can_share_a_sort(data_of: DataOf, web: Any) -> None:
    series = data_of("/album", id=SAME_SORT[0])["series"]

    assert [(int(chapter["id"]), chapter["sort"]) for chapter in series] == [(id, "1") for id in SAME_SORT]
    page = _decoded(web.get_jm_html(f"/album/{SAME_SORT[0]}").text)
    assert (page.count("第1話"), page.count("data-album")) == (3, 3)


def test_a_sort_can_be_absent_or_empty(data_of: DataOf, web: Any) -> None:
    series = data_of("/album", id=NO_SORT[0])["series"]

    assert series == [
        {"id": "900308", "name": ""},
        {"id": "900309", "name": "", "sort": ""},
        {"id": "900310", "name": ""},
    ]
    assert [index for _, index, _ in web.get_album_detail("900308").episode_list] == ["1", "2", "3"]


@pytest.mark.parametrize("id", [CACHED_EMPTY, CACHED_SHORT])
def test_a_bad_copy_in_the_cache_is_avoided_with_any_query(demo: RunningDemo, http: httpx.Client, id: int) -> None:
    plain, again, fresh = (_get(demo, http, id, 3, query) for query in ("", "", "?v=1"))

    half = 0 if id == CACHED_EMPTY else len(fresh.content) // 2
    assert Image.open(BytesIO(fresh.content)).size == (480, 683)
    assert plain.content == again.content == fresh.content[:half]
    assert (plain.status_code, plain.headers["content-type"]) == (200, "image/webp")
    assert len(_get(demo, http, id, 4).content) > 1000


def test_an_album_of_odd_shapes(data_of: DataOf, web: Any) -> None:
    album, chapter = data_of("/album", id=ODD_SHAPES), data_of("/chapter", id=ODD_SHAPES)
    found = data_of("/search", search_query="茶", page=1)["content"]

    assert {name: album[name] for name in ("id", "name", "addtime", "series", "comment_total", "tags", "works")} == {
        "id": "900314",
        "name": "示範：茶 &amp; 咖啡",
        "addtime": "",
        "series": {},
        "comment_total": None,
        "tags": "全彩 中文",
        "works": {"0": "原創"},
    }
    assert (album["actors"], album["related_list"], album["total_views"], album["series_id"]) == (None, None, 114, 0)
    assert not {"total_photos", "price"} & set(album)
    assert (chapter["images"]["7"], chapter["tags"], chapter["series"]) == ("00008.webp", ["全彩", "中文"], {})
    assert [line["author"] for line in found if line["id"] == ODD_SHAPES] == [None]
    assert web.get_album_detail(str(ODD_SHAPES)).name == "示範：茶 &amp; 咖啡"


def test_an_album_can_want_a_login(demo: RunningDemo, signed: Signed, http: httpx.Client) -> None:
    for path in ("/album", "/chapter"):
        one, other = signed(path, id=LOGIN_ONLY), signed(path, host=1, id=LOGIN_ONLY)
        assert one.json() == other.json() == {"code": 401, "data": [], "errorMsg": "請先登入會員"}
        assert (one.status_code, other.status_code) == (200, 401)
    for path in ("/album/900315", "/photo/900315/"):
        page = http.get(demo.html_urls[1] + path)
        assert (page.status_code, page.headers["location"]) == (302, "/login")


def test_the_site_can_refuse_a_number(demo: RunningDemo, signed: Signed, http: httpx.Client) -> None:
    answers = [signed("/album", host=host, id=REFUSED_ID) for host in (0, 1)]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(200, 400)] * 2
    assert http.get(f"{demo.html_url}/album/{REFUSED_ID}").status_code == 400


def test_one_host_can_answer_with_nothing(signed: Signed, data_of: DataOf, web: Any) -> None:
    for path in ("/album", "/chapter"):
        assert signed(path, id=EMPTY_ON_FIRST_HOST).json() == {"code": 200, "data": []}
        assert data_of(path, host=1, id=EMPTY_ON_FIRST_HOST)["id"] == EMPTY_ON_FIRST_HOST
    assert web.get_album_detail(str(EMPTY_ON_FIRST_HOST)).page_count == 8


def test_names_that_end_in_gif_can_hold_still_pictures(demo: RunningDemo, http: httpx.Client) -> None:
    answers = [_get(demo, http, STILL_GIFS, number) for number in range(1, 9)]
    opened = [Image.open(BytesIO(answer.content)) for answer in answers]

    assert [page.name for page in _chapter(STILL_GIFS).pages] == [f"{number:05}.gif" for number in range(1, 9)]
    assert {answer.headers["content-type"] for answer in answers} == {"image/gif"}
    assert [image.format for image in opened] == ["WEBP"] * 3 + ["GIF"] + ["WEBP"] * 4


def test_pages_can_be_avif_under_names_that_end_in_webp(demo: RunningDemo, http: httpx.Client) -> None:
    answers = [_get(demo, http, AVIF_PAGES, number) for number in range(1, 7)]
    opened = [Image.open(BytesIO(answer.content)) for answer in answers]

    assert {(answer.headers["content-type"], str(answer.url)[-5:]) for answer in answers} == {("image/avif", ".webp")}
    assert {(image.format, image.size) for image in opened} == {("AVIF", (480, 683))}


def test_a_chapter_among_others_can_be_empty(data_of: DataOf) -> None:
    assert [len(data_of("/chapter", id=id)["images"]) for id in EMPTY_CHAPTER] == [4, 0, 4]
    assert data_of("/album", id=EMPTY_CHAPTER[0])["total_photos"] == 8


def test_page_five_is_on_no_host(demo: RunningDemo, http: httpx.Client) -> None:
    for url in demo.image_urls:
        pages = [http.get(f"{url}/media/photos/{NO_PAGE_5}/{number:05}.webp") for number in range(1, 9)]
        assert [page.status_code for page in pages] == [200] * 4 + [404] + [200] * 3


def test_the_scramble_id_can_be_on_no_host(
    demo: RunningDemo, signed: Signed, web: Any, http: httpx.Client, tmp_path: Path
) -> None:
    pages = [signed("/chapter_view_template", host=host, id=NO_SCRAMBLE_ID) for host in (0, 1)]

    assert [(page.status_code, "scramble_id" in page.text) for page in pages] == [(200, False)] * 2
    assert web.get_album_detail(str(NO_SCRAMBLE_ID)).page_count == 8
    with pytest.raises(RegularNotMatchException):
        web.get_photo_detail(str(NO_SCRAMBLE_ID), fetch_album=False)
    image = Image.open(BytesIO(_get(demo, http, NO_SCRAMBLE_ID, 1).content))
    assert _difference(NO_SCRAMBLE_ID, 1, image, tmp_path) < 6


def test_the_scramble_id_can_be_on_the_second_host_alone(
    demo: RunningDemo, signed: Signed, http: httpx.Client
) -> None:
    reader = [signed("/chapter_view_template", host=host, id=NO_SCRAMBLE_ID_ON_FIRST_HOST).text for host in (0, 1)]
    page = [http.get(f"{url}/photo/{NO_SCRAMBLE_ID_ON_FIRST_HOST}").text for url in demo.html_urls]

    for one, other in (reader, page):
        assert "scramble_id" not in one
        assert "var scramble_id = 900332;" in other
    image = Image.open(BytesIO(_get(demo, http, NO_SCRAMBLE_ID_ON_FIRST_HOST, 1).content)).convert("RGB")
    difference = ImageChops.difference(image, page_image(NO_SCRAMBLE_ID_ON_FIRST_HOST, 1))
    assert max(ImageStat.Stat(difference).mean) < 6


def _decoded(page: str) -> str:
    decoded: str = JmcomicText.parse_jm_base64_html(page)
    return decoded
