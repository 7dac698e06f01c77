"""The mobile API: answers encrypted for the app. Source of the addresses: jmcomic 2.7.10, `JmApiClient`.

Who is logged in is told by the cookie AVS, which holds the `s` that a login answered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from demo import comments, lists
from demo.api_data import (
    NO_ALBUM,
    NO_CHAPTER,
    album_data,
    chapter_data,
    comment_data,
    daily_data,
    favorites_data,
    lines_data,
    member_data,
    template_page,
)
from demo.asgi import Endpoint
from demo.crypto import APP_VERSION, encrypted, time_of
from demo.faults import ScriptedFaults
from demo.library import library
from demo.members import LOCKED, Member, Members

SESSION_COOKIE = "AVS"
_FORM_BYTES = 4096


class MobileApi:
    """Routes of the mobile API."""

    def __init__(self, faults: ScriptedFaults, members: Members, image_url: str) -> None:
        self._faults = faults
        self._members = members
        self._image_url = image_url

    def routes(self) -> list[Route]:
        """All routes of the API."""
        table = {
            "/setting": self.setting,
            "/album": self.album,
            "/chapter": self.chapter,
            "/chapter_view_template": self.template,
            "/search": self.search,
            "/categories/filter": self.categories,
            "/forum": self.forum,
            "/favorite": self.favorites,
            "/daily": self.daily,
        }
        forms = {"/login": self.login, "/favorite": self.toggle_favorite, "/daily_chk": self.check_in}
        return [
            *(Route(path, _checked(make), methods=["GET"]) for path, make in table.items()),
            *(Route(path, _checked_form(make), methods=["POST"]) for path, make in forms.items()),
        ]

    def setting(self, _request: Request, stamp: str) -> ASGIApp:
        """The first request of the app; sets the cookie that it sends from then on."""
        data = {"jm3_version": APP_VERSION, "version": APP_VERSION, "img_host": self._image_url, "is_cn": 1}
        response = _ok(data, stamp)
        response.set_cookie("ipcountry", "TW")
        response.set_cookie(SESSION_COOKIE, "demo")
        return response

    def album(self, request: Request, stamp: str) -> ASGIApp:
        """An album with its chapters and counts; without a name where there is none."""
        comic, member = library().find(_number(request, "id")), self._member_of(request)
        if comic is None:
            return _ok(NO_ALBUM, stamp)
        is_favorite = member is not None and comic.id in member.favorites
        return self._faults.album(comic, _ok(album_data(comic, is_favorite=is_favorite), stamp))

    def chapter(self, request: Request, stamp: str) -> ASGIApp:
        """A chapter with the names of its pages; without a name where there is none."""
        found = library().find_chapter(_number(request, "id"))
        if found is None or self._faults.is_lost(*found[:2]):
            return _ok(NO_CHAPTER, stamp)
        comic, chapter, _ = found
        return self._faults.album(comic, _ok(chapter_data(comic, chapter), stamp))

    def template(self, request: Request, _stamp: str) -> ASGIApp:
        """The reader's page, which contains the scramble id."""
        found = library().find_chapter(_number(request, "id"))
        if found is None or self._faults.is_lost(*found[:2]):
            return HTMLResponse("<html><body>no such chapter</body></html>", 404)
        comic, chapter, _ = found
        return self._faults.album(comic, HTMLResponse(template_page(comic, chapter)))

    def search(self, request: Request, stamp: str) -> ASGIApp:
        """A page of search results. They carry no tags."""
        asked = request.query_params
        query = asked.get("search_query", "")
        found = lists.search(
            query,
            main_tag=asked.get("main_tag", "0"),
            order=asked.get("o", "mr"),
            period=asked.get("t", "a"),
            page=_number(request, "page", 1),
        )
        answer = {"search_query": query, "total": str(found.total), "content": lines_data(found.comics)}
        if found.redirect is not None:
            answer |= {"redirect_aid": str(found.redirect)}
        return _ok(answer, stamp)

    def categories(self, request: Request, stamp: str) -> ASGIApp:
        """A page of a category; order and period are one word ("mv_m")."""
        order, _, period = request.query_params.get("o", "mr").partition("_")
        found = lists.browse(
            order=order,
            period=period or "a",
            page=_number(request, "page", 1),
            category=request.query_params.get("c", "0"),
        )
        return _ok(
            {"search_query": "", "total": str(found.total), "content": lines_data(found.comics), "tags": []}, stamp
        )

    def forum(self, request: Request, stamp: str) -> ASGIApp:
        """A page of comments of an album, or of the whole site."""
        id, page = _number(request, "aid"), max(1, _number(request, "page", 1))
        comic = library().find(id)
        if id and comic is None:
            return _ok({"list": [], "total": "0"}, stamp)
        found = comments.all_comments() if comic is None else comments.comments_of(comic)
        start = (page - 1) * comments.PAGE_SIZE
        shown = [comment_data(comment) for comment in found[start : start + comments.PAGE_SIZE]]
        answer = _ok({"list": shown, "total": str(len(found))}, stamp)
        return answer if comic is None else self._faults.album(comic, answer)

    def login(self, _request: Request, form: Mapping[str, str], stamp: str) -> ASGIApp:
        """Who logged in, and their session in `s`."""
        name = form.get("username", "")
        found = self._members.log_in(name, form.get("password", ""))
        if found is None:
            return _refused("無效的用戶名和/或密碼！")
        if name == LOCKED:
            return _refused("您的帳號已被停用", 403)
        return _ok(member_data(*found), stamp)

    def favorites(self, request: Request, stamp: str) -> ASGIApp:
        """A page of the favourites of a folder, and all folders."""
        member = self._member_of(request)
        if member is None:
            return _login_wanted()
        query = request.query_params
        page = max(1, _number(request, "page", 1))
        return _ok(favorites_data(member, query.get("folder_id", "0"), query.get("o", "mr"), page), stamp)

    def toggle_favorite(self, request: Request, form: Mapping[str, str], stamp: str) -> ASGIApp:
        """Add an album to the favourites or remove it from them, whichever it is not."""
        member, id = self._member_of(request), form.get("aid", "")
        if member is None:
            return _login_wanted()
        if not id.isdecimal() or library().find(int(id)) is None:
            return _ok({"status": "fail", "msg": "漫畫不存在", "type": ""}, stamp)
        done = self._members.toggle_favorite(member, int(id))
        return _ok(_TOGGLED[done] | {"type": done or ""}, stamp)

    def daily(self, request: Request, stamp: str) -> ASGIApp:
        """The check-ins of the month; nothing to somebody who is not logged in."""
        member = self._member_of(request)
        return _nothing() if member is None else _ok(daily_data(member), stamp)

    def check_in(self, request: Request, form: Mapping[str, str], stamp: str) -> ASGIApp:
        """Check in for today; nothing to somebody who is not logged in."""
        member = self._member_of(request)
        if member is None:
            return _nothing()
        if form.get("user_id") != member.user_id or form.get("daily_id") != str(daily_data(member)["daily_id"]):
            return _ok({"msg": "簽到失敗"}, stamp)
        is_new = self._members.check_in(member)
        return _ok({"msg": "Jcoin:10 EXP:10" if is_new else "今天已經簽到過了"}, stamp)

    def _member_of(self, request: Request) -> Member | None:
        return self._members.find(request.cookies.get(SESSION_COOKIE))


_TOGGLED: Mapping[str | None, dict[str, str]] = {
    "add": {"status": "ok", "msg": "漫畫添加到您最喜愛的清單！"},
    "remove": {"status": "ok", "msg": "已移除收藏"},
    None: {"status": "fail", "msg": "收藏已滿！"},
}


def _checked(make: Callable[[Request, str], ASGIApp]) -> Endpoint:
    """The address as an app: checks the token, then lets `make` answer under the client's time stamp."""

    def choose(request: Request) -> ASGIApp:
        stamp = _stamp_of(request)
        return _refused("Not legal.token") if stamp is None else make(request, stamp)

    return Endpoint(choose)


def _checked_form(make: Callable[[Request, Mapping[str, str], str], ASGIApp]) -> Endpoint:
    """As `_checked`, for a form that is sent."""

    async def choose(request: Request) -> ASGIApp:
        stamp = _stamp_of(request)
        body = (await request.body())[:_FORM_BYTES].decode("utf-8", "replace")
        return _refused("Not legal.token") if stamp is None else make(request, dict(parse_qsl(body)), stamp)

    return Endpoint(choose)


def _stamp_of(request: Request) -> str | None:
    return time_of(request.headers.get("token", ""), request.headers.get("tokenparam", ""))


def _ok(data: object, stamp: str) -> JSONResponse:
    return JSONResponse({"code": 200, "data": encrypted(data, stamp)})


def _nothing() -> JSONResponse:
    return JSONResponse({"code": 200, "data": []})


def _refused(message: str, code: int = 401) -> JSONResponse:
    return JSONResponse({"code": code, "data": [], "errorMsg": message}, code)


def _login_wanted() -> JSONResponse:
    return _refused("請先登入會員")


def _number(request: Request, name: str, default: int = 0) -> int:
    text = request.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdigit() else default
