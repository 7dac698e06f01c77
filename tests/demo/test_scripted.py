"""Scripted comics do what README.md says, every time."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from jmcomic import JsonResolveFailException, RegularNotMatchException, ResponseUnexpectedException
from PIL import Image

import demo as demo_package
from demo.library import library
from demo.records import FaultKind
from demo.scripted import (
    ALWAYS_403,
    BLOCKED_TAG,
    BLOCKED_TAG_ALBUMS,
    CHALLENGED,
    CRAWLS,
    CUT_TRANSFER,
    FLAKY_IMAGES,
    GAPS,
    GARBAGE,
    HANGS,
    IMAGES_403,
    LOSES_PAGE_7,
    LOST_CHAPTER,
    MAINTENANCE,
    MANY_CHAPTERS,
    NO_IMAGES,
    NO_TAGS,
    NOT_AN_IMAGE,
    RATE_LIMITED,
    TRUNCATED_PAGE,
    TWO_SCRAMBLE_IDS,
    WRONG_ENDINGS,
)
from demo.server import RunningDemo


def _page(demo: RunningDemo, http: httpx.Client, id: int, number: int) -> httpx.Response:
    found = library().find_chapter(id)
    assert found is not None
    return http.get(f"{demo.image_url}/media/photos/{id}/{found[1].pages[number - 1].name}")


def _is_whole(data: bytes) -> bool:
    try:
        Image.open(BytesIO(data)).load()
    except OSError:
        return False
    return True


@pytest.mark.parametrize(
    ("id", "status", "text"),
    [
        (ALWAYS_403, 403, "Restricted Access!"),
        (CHALLENGED, 403, "Just a moment..."),
        (RATE_LIMITED, 429, "Too Many Requests"),
        (MAINTENANCE, 503, "維護中"),
    ],
)
def test_a_comic_can_be_refused_on_page_and_image_alike(
    demo: RunningDemo, http: httpx.Client, id: int, status: int, text: str
) -> None:
    album, image = http.get(f"{demo.html_url}/album/{id}"), _page(demo, http, id, 1)
    cover = http.get(f"{demo.image_url}/media/albums/{id}.jpg")

    assert (album.status_code, image.status_code, cover.status_code) == (status, status, status)
    assert text in album.text


def test_a_rate_limit_says_when_to_retry(demo: RunningDemo, http: httpx.Client) -> None:
    assert http.get(f"{demo.html_url}/album/{RATE_LIMITED}").headers["retry-after"] == "2"


def test_a_challenge_is_recognised_by_its_headers(demo: RunningDemo, http: httpx.Client) -> None:
    headers = http.get(f"{demo.html_url}/album/{CHALLENGED}").headers

    assert (headers["cf-mitigated"], headers["server"]) == ("challenge", "cloudflare")


def test_garbage_is_neither_a_page_nor_an_api_response(web: Any, jm_option: Any, demo: RunningDemo) -> None:
    mobile = jm_option.new_jm_client(impl="api", domain_list=[demo.api_url])

    with pytest.raises(RegularNotMatchException):
        web.get_album_detail(str(GARBAGE))
    with pytest.raises((ResponseUnexpectedException, JsonResolveFailException)):
        mobile.get_album_detail(str(GARBAGE))


def test_page_seven_is_missing_and_all_others_exist(demo: RunningDemo, http: httpx.Client) -> None:
    statuses = [_page(demo, http, LOSES_PAGE_7, number).status_code for number in range(1, 13)]

    assert statuses == [200] * 6 + [404] + [200] * 5


def test_page_three_is_truncated_with_a_matching_length(demo: RunningDemo, http: httpx.Client) -> None:
    answer = _page(demo, http, TRUNCATED_PAGE, 3)

    assert (answer.status_code, int(answer.headers["content-length"])) == (200, len(answer.content))
    assert answer.headers["content-type"] == "image/webp"
    assert not _is_whole(answer.content)
    assert _is_whole(_page(demo, http, TRUNCATED_PAGE, 4).content)


def test_page_two_is_a_page_of_html(demo: RunningDemo, http: httpx.Client) -> None:
    answer = _page(demo, http, NOT_AN_IMAGE, 2)

    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")


def test_page_five_is_cut_during_the_transfer(demo: RunningDemo, http: httpx.Client) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        _page(demo, http, CUT_TRANSFER, 5)


def test_a_comic_may_have_no_images(jm_option: Any, demo: RunningDemo) -> None:
    mobile = jm_option.new_jm_client(impl="api", domain_list=[demo.api_url])

    assert mobile.get_photo_detail(str(NO_IMAGES)).page_arr == []


def test_a_comic_may_have_no_tags_and_no_authors(web: Any) -> None:
    album = web.get_album_detail(str(NO_TAGS))

    assert (album.tags, album.works, album.actors, album.authors) == ([], [], [], [])


def test_images_fail_twice_then_succeed_and_again_after_a_reset(demo: RunningDemo, http: httpx.Client) -> None:
    first = [_page(demo, http, FLAKY_IMAGES, 1).status_code for _ in range(4)]
    demo.knobs.reset()
    second = [_page(demo, http, FLAKY_IMAGES, 1).status_code for _ in range(3)]

    assert (first, second) == ([503, 503, 200, 200], [503, 503, 200])


def test_images_can_be_refused_where_the_album_is_not(demo: RunningDemo, http: httpx.Client, web: Any) -> None:
    assert web.get_album_detail(str(IMAGES_403)).page_count == 8
    assert _page(demo, http, IMAGES_403, 1).status_code == 403


def test_a_slow_comic_arrives_in_small_pieces(demo: RunningDemo, http: httpx.Client) -> None:
    with http.stream("GET", f"{demo.image_url}/media/photos/{CRAWLS}/00001.webp") as answer:
        pieces = answer.iter_raw()
        first = next(pieces)

    assert 0 < len(first) < int(answer.headers["content-length"]) / 10


def test_a_hanging_comic_sends_nothing(demo: RunningDemo, http: httpx.Client) -> None:
    with pytest.raises(httpx.ReadTimeout):
        http.get(f"{demo.html_url}/album/{HANGS}", timeout=0.3)


def test_the_tag_for_the_policy_is_on_three_albums_and_in_one_title(web: Any) -> None:
    albums = [web.get_album_detail(str(id)) for id in BLOCKED_TAG_ALBUMS]

    assert all(BLOCKED_TAG in album.tags for album in albums)
    assert [BLOCKED_TAG in album.name for album in albums] == [False, True, False]


def test_a_chapter_that_the_album_lists_can_be_missing(demo: RunningDemo, http: httpx.Client, web: Any) -> None:
    assert len(web.get_album_detail(str(LOST_CHAPTER))) == 3

    lost = [http.get(f"{demo.html_url}/photo/{LOST_CHAPTER + place}").status_code for place in range(3)]

    assert lost == [200, 302, 200]


def test_twelve_chapters_keep_their_order(web: Any) -> None:
    episodes = web.get_album_detail(str(MANY_CHAPTERS)).episode_list

    assert [(int(id), int(index)) for id, index, _ in episodes] == [(MANY_CHAPTERS + n, n + 1) for n in range(12)]


def test_chapters_of_one_album_may_differ_in_their_scramble_id(web: Any) -> None:
    photos = [web.get_photo_detail(str(TWO_SCRAMBLE_IDS + place), fetch_album=False) for place in (0, 1)]

    assert [photo.scramble_id for photo in photos] == ["220980", str(TWO_SCRAMBLE_IDS + 2)]


def test_a_file_name_may_have_the_wrong_extension(demo: RunningDemo, http: httpx.Client) -> None:
    answer = _page(demo, http, WRONG_ENDINGS, 1)

    assert answer.headers["content-type"] == "image/webp"
    assert Image.open(BytesIO(answer.content)).format == "JPEG"


def test_names_of_pages_may_have_gaps(web: Any) -> None:
    names = ["00001.webp", "00002.webp", "00005.webp", "00010.webp", "00011.webp", "00102.webp"]

    assert web.get_photo_detail(str(GAPS), fetch_album=False).page_arr == names


def test_every_kind_of_fault_can_be_produced(demo: RunningDemo, http: httpx.Client) -> None:
    silent = {FaultKind.HANG, FaultKind.DROP, FaultKind.LOST, FaultKind.TRUNCATED}
    statuses = {}
    for kind in set(FaultKind) - silent:
        demo.knobs.set("image", failure=kind)
        statuses[kind.value] = _page(demo, http, 350234, 1).status_code

    assert statuses == {
        "region": 403,
        "restricted": 200,
        "challenge": 403,
        "rate_limit": 429,
        "server_error": 500,
        "maintenance": 503,
        "database": 200,
        "garbage": 200,
        "html": 200,
        "api_error": 200,
        "empty": 200,
        "short": 200,
        "missing": 404,
        "decoy": 200,
        "empty_data": 200,
        "no_total": 200,
        "odd_shapes": 200,
        "login": 200,
        "refused_id": 200,
        "no_scramble_id": 200,
    }


def test_the_readme_lists_every_scripted_comic_and_every_failure() -> None:
    text = (Path(demo_package.__file__).parent / "README.md").read_text(encoding="utf-8")

    assert [comic.id for comic in library().comics if comic.script and f"`{comic.id}`" not in text] == []
    assert [kind.value for kind in FaultKind if f"`{kind.value}`" not in text] == []
