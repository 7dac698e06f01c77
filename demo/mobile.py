"""The mobile API: answers encrypted for the app. Source of the addresses: jmcomic 2.7.10, `JmApiClient`."""

from __future__ import annotations

from collections.abc import Callable

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
    lines_data,
    template_page,
)
from demo.asgi import Endpoint
from demo.crypto import APP_VERSION, encrypted, time_of
from demo.faults import ScriptedFaults
from demo.library import library


class MobileApi:
    """Routes of the mobile API."""

    def __init__(self, faults: ScriptedFaults, image_url: str) -> None:
        self._faults = faults
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
        }
        return [Route(path, _checked(make), methods=["GET"]) for path, make in table.items()]

    def setting(self, _request: Request, stamp: str) -> ASGIApp:
        """The first request of the app; sets the cookie that it sends from then on."""
        data = {"jm3_version": APP_VERSION, "version": APP_VERSION, "img_host": self._image_url, "is_cn": 1}
        response = _ok(data, stamp)
        response.set_cookie("ipcountry", "TW")
        response.set_cookie("AVS", "demo")
        return response

    def album(self, request: Request, stamp: str) -> ASGIApp:
        """An album with its chapters and counts; without a name where there is none."""
        comic = library().find(_number(request, "id"))
        if comic is None:
            return _ok(NO_ALBUM, stamp)
        return self._faults.album(comic, _ok(album_data(comic), stamp))

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


def _checked(make: Callable[[Request, str], ASGIApp]) -> Endpoint:
    """The address as an app: checks the token, then lets `make` answer under the client's time stamp."""

    def choose(request: Request) -> ASGIApp:
        stamp = time_of(request.headers.get("token", ""), request.headers.get("tokenparam", ""))
        return _refused() if stamp is None else make(request, stamp)

    return Endpoint(choose)


def _ok(data: object, stamp: str) -> JSONResponse:
    return JSONResponse({"code": 200, "data": encrypted(data, stamp)})


def _refused() -> JSONResponse:
    return JSONResponse({"code": 401, "data": [], "errorMsg": "Not legal.token"}, 401)


def _number(request: Request, name: str, default: int = 0) -> int:
    text = request.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdigit() else default
