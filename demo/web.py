"""The web pages. Source of what they must contain: jmcomic 2.7.10, `JmHtmlClient`, `JmcomicText`, `JmPageTool`."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from demo import comments, lists, markup
from demo.asgi import Endpoint
from demo.faults import ScriptedFaults
from demo.library import library
from demo.odd_answers import LOGIN_PATH

_MISSING = "/error/album_missing"


class WebPages:
    """Routes of the web site."""

    def __init__(self, faults: ScriptedFaults, image_host: str) -> None:
        self._faults = faults
        self._image_host = image_host

    def routes(self) -> list[Route]:
        """All addresses of pages, and those the pages load comments from."""
        return [
            Route("/", self.home),
            Route("/album/{id:int}", Endpoint(self.album)),
            Route("/album/{id:int}/", Endpoint(self.album)),
            Route("/photo/{id:int}", Endpoint(self.photo)),
            Route("/photo/{id:int}/", Endpoint(self.photo)),
            Route("/search/photos", self.search),
            Route("/search/photos/{category}", self.search),
            Route("/search/photos/{category}/sub/{sub}", self.search),
            Route("/albums", self.category),
            Route("/albums/{category}", self.category),
            Route("/albums/{category}/sub/{sub}", self.category),
            Route(_MISSING, self.missing),
            Route(LOGIN_PATH, self.login),
            Route("/ajax/album_pagination", self.comments, methods=["POST"]),
            Route("/ajax/forum_more", self.comments, methods=["POST"]),
        ]

    def home(self, _request: Request) -> Response:
        """The front page."""
        return HTMLResponse(markup.page("首頁", '<div data-dailyid="27">示範站</div>'))

    def album(self, request: Request) -> ASGIApp:
        """An album; a redirect to the error page where there is none."""
        comic = library().find(request.path_params["id"])
        if comic is None:
            return RedirectResponse(_MISSING, 302)
        return self._faults.album(comic, HTMLResponse(markup.album_page(comic)))

    def photo(self, request: Request) -> ASGIApp:
        """A chapter; a redirect to the error page where there is none."""
        found = library().find_chapter(request.path_params["id"])
        if found is None or self._faults.is_lost(*found[:2]):
            return RedirectResponse(_MISSING, 302)
        comic, chapter, index = found
        return self._faults.album(comic, HTMLResponse(markup.photo_page(comic, chapter, index, self._image_host)))

    def search(self, request: Request) -> Response:
        """Search results; an album number redirects to its page."""
        query = request.query_params.get("search_query", "")
        found = lists.search(query, main_tag=request.query_params.get("main_tag", "0"), **_parameters(request))
        if found.redirect is not None:
            return RedirectResponse(f"/album/{found.redirect}/", 301)
        return HTMLResponse(markup.search_page(query, found))

    def category(self, request: Request) -> Response:
        """Albums of a category."""
        return HTMLResponse(markup.category_page(lists.browse(**_parameters(request))))

    def missing(self, _request: Request) -> Response:
        """The error page. Its status is 200, as on the real site."""
        return HTMLResponse(markup.page("錯誤", "<p>您要找的漫畫不存在，或者已經被移除。</p>" + "　" * 500))

    def login(self, _request: Request) -> Response:
        """The page that asks for a login, which the site has no members for."""
        form = '<form method="post"><input name="username"><input name="password" type="password"></form>'
        return HTMLResponse(markup.page("登入", form))

    async def comments(self, request: Request) -> Response:
        """A page of comments as markup in JSON, of one album or of the whole site; without totals."""
        form = {name: values[-1] for name, values in parse_qs((await request.body()).decode()).items()}
        comic = library().find(_digits(form.get("video_id"), 0))
        found = comments.all_comments() if comic is None else comments.comments_of(comic)
        start = (_digits(form.get("page"), 1) - 1) * comments.PAGE_SIZE
        shown = found[start : start + comments.PAGE_SIZE]
        return JSONResponse({"code": markup.comment_markup(shown)})


def _parameters(request: Request) -> dict[str, Any]:
    query, path = request.query_params, request.path_params
    return {
        "order": query.get("o", "mr"),
        "period": query.get("t", "a"),
        "page": max(1, _digits(query.get("page"), 1)),
        "category": path.get("category", "0"),
        "sub": path.get("sub"),
    }


def _digits(text: str | None, default: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else default
