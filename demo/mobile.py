"""The mobile API: answers encrypted for the app. Source of the shapes: jmcomic 2.7.10, `jm_toolkit`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from demo import comments, lists
from demo.asgi import Endpoint
from demo.crypto import APP_VERSION, encrypted, time_of
from demo.faults import ScriptedFaults
from demo.library import library
from demo.markup import CATEGORY_TITLES, as_html
from demo.records import Chapter, Comic
from demo.sample_values import timestamp


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
            return _ok(_NO_ALBUM, stamp)
        return self._faults.album(comic, _ok(_album(comic), stamp))

    def chapter(self, request: Request, stamp: str) -> ASGIApp:
        """A chapter with the names of its pages; without a name where there is none."""
        found = library().find_chapter(_number(request, "id"))
        if found is None or self._faults.is_lost(*found[:2]):
            return _ok(_NO_CHAPTER, stamp)
        comic, chapter, _ = found
        return self._faults.album(comic, _ok(_chapter(comic, chapter), stamp))

    def template(self, request: Request, _stamp: str) -> ASGIApp:
        """The reader's page, which contains the scramble id."""
        found = library().find_chapter(_number(request, "id"))
        if found is None or self._faults.is_lost(*found[:2]):
            return HTMLResponse("<html><body>no such chapter</body></html>", 404)
        comic, chapter, _ = found
        return self._faults.album(comic, HTMLResponse(_template(chapter)))

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
        answer = {"search_query": query, "total": str(found.total), "content": _lines(found.comics)}
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
            {"search_query": "", "total": str(found.total), "content": _lines(found.comics), "tags": []}, stamp
        )

    def forum(self, request: Request, stamp: str) -> ASGIApp:
        """A page of comments of an album, or of the whole site."""
        id, page = _number(request, "aid"), max(1, _number(request, "page", 1))
        comic = library().find(id)
        if id and comic is None:
            return _ok({"list": [], "total": "0"}, stamp)
        found = comments.all_comments() if comic is None else comments.comments_of(comic)
        start = (page - 1) * comments.PAGE_SIZE
        shown = [_comment(comment) for comment in found[start : start + comments.PAGE_SIZE]]
        answer = _ok({"list": shown, "total": str(len(found))}, stamp)
        return answer if comic is None else self._faults.album(comic, answer)


_NO_ALBUM: Mapping[str, Any] = {"id": None, "name": None, "series": [], "images": [], "tags": []}
_NO_CHAPTER: Mapping[str, Any] = {"id": None, "name": None, "series": [], "images": [], "tags": ""}


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


def _album(comic: Comic) -> dict[str, Any]:
    return {
        "id": comic.id,
        "name": comic.title,
        "images": [],
        "addtime": str(timestamp(comic.published)),
        "description": comic.description,
        "total_views": str(comic.views),
        "likes": str(comic.likes),
        "series": _series(comic),
        "series_id": "0",
        "comment_total": str(comments.comment_count(comic)),
        "author": list(comic.authors),
        "tags": list(comic.tags),
        "works": list(comic.works),
        "actors": list(comic.characters),
        "related_list": [_line(other) for other in library().related(comic)],
        "total_photos": comic.page_count,
        "liked": False,
        "is_favorite": False,
        "is_aids": False,
        "price": "",
        "purchased": "",
    }


def _chapter(comic: Comic, chapter: Chapter) -> dict[str, Any]:
    return {
        "id": chapter.id,
        "name": chapter.title or comic.title,
        "series": _series(comic),
        "tags": " ".join(comic.tags),
        "images": [page.name for page in chapter.pages],
        "addtime": str(timestamp(comic.published)),
        "series_id": str(comic.id) if comic.is_series else "0",
        "is_favorite": False,
        "liked": False,
    }


def _series(comic: Comic) -> list[dict[str, str]]:
    if not comic.is_series:
        return []
    return [
        {"id": str(chapter.id), "name": chapter.title, "sort": str(index)}
        for index, chapter in enumerate(comic.chapters, 1)
    ]


def _template(chapter: Chapter) -> str:
    names = ",".join(f'"{page.name}"' for page in chapter.pages)
    return (
        f"<html><head><script>\nvar scramble_id = {chapter.scramble_id};\nvar aid = {chapter.id};\n"
        f"var page_arr = [{names}];\nvar speed = '';\n</script></head><body></body></html>"
    )


def _lines(comics: Sequence[Comic]) -> list[dict[str, Any]]:
    return [_line(comic) for comic in comics]


def _line(comic: Comic) -> dict[str, Any]:
    title = CATEGORY_TITLES[comic.category]
    return {
        "id": str(comic.id),
        "author": comic.authors[0] if comic.authors else "",
        "description": "",
        "name": comic.title,
        "image": "",
        "category": {"id": comic.category, "title": title},
        "category_sub": {"id": comic.sub_category, "title": comic.sub_category},
        "liked": False,
        "is_favorite": False,
        "update_at": timestamp(comic.updated),
    }


def _comment(comment: comments.Comment) -> dict[str, Any]:
    user_id, username, nickname = comment.user
    return {
        "AID": str(comment.album_id),
        "BID": None,
        "CID": comment.id,
        "UID": user_id,
        "username": username,
        "nickname": nickname,
        "likes": str(comment.likes),
        "gender": "Male",
        "update_at": str(timestamp(comment.day)),
        "addtime": comment.day.strftime("%b %d, %Y"),
        "parent_CID": comment.parent_id,
        "content": f"<div>{as_html(comment.text)}</div>",
        "photo": "nopic.gif",
        "spoiler": "2" if comment.spoiler else "0",
        "replys": [_comment(reply) for reply in comment.replies],
    }
