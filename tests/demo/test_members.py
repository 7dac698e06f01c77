"""People log in to the demo site, keep favourites and check in: by the real async client of the mobile API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from jmcomic import JmCryptoTool, ResponseUnexpectedException

from demo.library import library
from demo.server import RunningDemo
from tests.demo.conftest import STAMP

pytestmark = pytest.mark.anyio

Post = Callable[..., httpx.Response]


@pytest.fixture
def post(demo: RunningDemo, http: httpx.Client) -> Post:
    """A signed form, as the app sends it."""

    def send(path: str, session: str = "", **form: str) -> httpx.Response:
        token, tokenparam = JmCryptoTool.token_and_tokenparam(STAMP)
        headers = {"token": token, "tokenparam": tokenparam, "cookie": f"AVS={session}"}
        return http.post(demo.api_url + path, data=form, headers=headers)

    return send


async def test_a_login_answers_who_it_is_and_the_session(mobile: Any, demo: RunningDemo) -> None:
    answer = await mobile.login("reader", "correct-horse")

    data = answer.res_data
    assert (data["username"], data["uid"], data["album_favorites"]) == ("reader", "5001", 44)
    assert demo.members.name_of(data["s"]) == "reader"


@pytest.mark.parametrize(("name", "password"), [("reader", "wrong"), ("nobody", "correct-horse"), ("", "")])
def test_a_wrong_name_or_password_is_refused(post: Post, name: str, password: str) -> None:
    answer = post("/login", username=name, password=password)

    assert answer.status_code == 401
    assert answer.json() == {"code": 401, "data": [], "errorMsg": "無效的用戶名和/或密碼！"}


def test_a_locked_account_may_not_log_in(post: Post) -> None:
    answer = post("/login", username="locked", password="correct-horse")

    assert answer.json() == {"code": 403, "data": [], "errorMsg": "您的帳號已被停用"}


async def test_favourites_come_in_pages_of_twenty_newest_first(mobile: Any, demo: RunningDemo) -> None:
    await mobile.login("reader", "correct-horse")

    pages = [await mobile.favorite_folder(page) for page in (1, 2, 3, 4)]

    assert [(len(page), page.total) for page in pages] == [(20, 44), (20, 44), (4, 44), (0, 44)]
    listed = [int(id) for page in pages for id in page.iter_id()]
    assert listed == demo.members.favorites_of("reader")
    assert listed[:2] == [350234, 900451]
    assert list(pages[0].iter_folder_id_name()) == [("7001", "旅行"), ("7002", "機器")]


async def test_a_folder_holds_its_favourites_alone(mobile: Any) -> None:
    await mobile.login("reader", "correct-horse")

    of_folders = [await mobile.favorite_folder(folder_id=id) for id in ("7001", "7002", "7003")]

    assert [page.total for page in of_folders] == [22, 3, 0]


async def test_favourites_can_be_ordered_by_the_day_of_their_update(mobile: Any) -> None:
    await mobile.login("reader", "correct-horse")

    page = await mobile.favorite_folder(order_by="mp")

    days = [library().find(int(id)).updated for id in page.iter_id()]  # type: ignore[union-attr]
    assert days == sorted(days, reverse=True)


async def test_a_favourite_is_toggled_and_the_answer_says_which_way(mobile: Any, demo: RunningDemo) -> None:
    await mobile.login("reader", "correct-horse")

    added = (await mobile.add_favorite_album("1208626")).res_data
    newest = demo.members.favorites_of("reader")[0]
    removed = (await mobile.delete_favorite_album("1208626")).res_data

    assert added == {"status": "ok", "msg": "漫畫添加到您最喜愛的清單！", "type": "add"}
    assert removed == {"status": "ok", "msg": "已移除收藏", "type": "remove"}
    assert (newest, len(demo.members.favorites_of("reader"))) == (1208626, 44)


async def test_an_album_says_whether_it_is_a_favourite_of_who_asks(mobile: Any, data_of: Callable[..., Any]) -> None:
    await mobile.login("reader", "correct-horse")

    of_reader = [(await mobile.get_album_detail(id)).is_favorite for id in ("350234", "1208626")]

    assert of_reader == [True, False]
    assert data_of("/album", id=350234)["is_favorite"] is False


async def test_an_album_that_does_not_exist_is_no_favourite(mobile: Any) -> None:
    await mobile.login("reader", "correct-horse")

    with pytest.raises(ResponseUnexpectedException, match="漫畫不存在"):
        await mobile.add_favorite_album("900404")


async def test_people_check_in_once_a_day(mobile: Any) -> None:
    await mobile.login("reader", "correct-horse")

    first, second = await mobile.daily_checkin(), await mobile.daily_checkin()

    assert [(answer.code, answer.msg) for answer in (first, second)] == [
        (0, "Jcoin:10 EXP:10"),
        (1, "今天已經簽到過了"),
    ]


def test_favourites_want_a_login(post: Post, signed: Callable[..., httpx.Response]) -> None:
    refused = {"code": 401, "data": [], "errorMsg": "請先登入會員"}

    assert [signed("/favorite").json(), post("/favorite", aid="350234").json()] == [refused, refused]


def test_check_ins_answer_nothing_without_a_login(post: Post, signed: Callable[..., httpx.Response]) -> None:
    nothing = {"code": 200, "data": []}

    assert [signed("/daily").json(), post("/daily_chk").json()] == [nothing, nothing]


async def test_a_short_session_has_run_out_after_three_requests(mobile: Any) -> None:
    await mobile.login("sleeper", "correct-horse")

    pages = [await mobile.favorite_folder() for _ in range(3)]

    assert [page.total for page in pages] == [0, 0, 0]
    with pytest.raises(ResponseUnexpectedException, match="請先登入會員"):
        await mobile.favorite_folder()


def test_sessions_run_out_when_they_are_ended(demo: RunningDemo, http: httpx.Client, post: Post) -> None:
    _, session = demo.members.log_in("reader", "correct-horse") or (None, "")

    http.delete(f"{demo.api_url}/_demo/members/reader/sessions").raise_for_status()

    assert post("/favorite", session, aid="350234").json()["errorMsg"] == "請先登入會員"


def test_the_answer_of_a_toggle_can_be_lost(demo: RunningDemo, post: Post) -> None:
    _, session = demo.members.log_in("reader", "correct-horse") or (None, "")
    demo.knobs.set("api", path="/favorite", method="POST", failure="lost", fail_next=1)

    with pytest.raises(httpx.RemoteProtocolError):
        post("/favorite", session, aid="1208626")

    assert demo.members.favorites_of("reader")[0] == 1208626


def test_a_login_can_be_answered_with_html(demo: RunningDemo, post: Post) -> None:
    demo.knobs.set("api", path="/login", failure="html")

    answer = post("/login", username="reader", password="correct-horse")

    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")


def test_another_process_sees_the_people_and_resets_them(demo: RunningDemo, http: httpx.Client, post: Post) -> None:
    _, session = demo.members.log_in("traveller", "window-seat") or (None, "")
    post("/favorite", session, aid="350234")

    shown = {member["name"]: member for member in http.get(f"{demo.api_url}/_demo/members").json()}
    http.delete(f"{demo.api_url}/_demo/members").raise_for_status()

    assert shown["traveller"] == {
        "name": "traveller",
        "favorites": ["350234", "438516", "333908"],
        "sessions": 1,
        "has_checked_in": False,
    }
    assert demo.members.favorites_of("traveller") == [438516, 333908]


async def test_the_log_says_whose_session_a_request_carries(mobile: Any, demo: RunningDemo) -> None:
    await mobile.get_album_detail("350234")
    await mobile.login("reader", "correct-horse")
    await mobile.get_album_detail("350234")

    names = [demo.members.name_of(seen.session) for seen in demo.requests.find("/album")]

    assert names == ["", "reader"]
