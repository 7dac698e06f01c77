"""The image host."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from demo.asgi import Endpoint
from demo.faults import ScriptedFaults
from demo.images import ImageStore
from demo.library import library
from demo.records import FaultKind, PageKind

_MEDIA_TYPES = {
    "webp": "image/webp",
    "jpg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "avif": "image/avif",
}

_CACHED = {"Cache-Control": "public, max-age=2592000"}


class ImageHost:
    """Routes of the image host."""

    def __init__(self, faults: ScriptedFaults, store: ImageStore) -> None:
        self._faults = faults
        self._store = store

    def routes(self) -> list[Route]:
        """Pages of chapters and covers of albums."""
        return [
            Route("/media/photos/{chapter_id:int}/{name}", Endpoint(self.page)),
            Route("/media/albums/{file}", Endpoint(self.cover)),
        ]

    async def page(self, request: Request) -> ASGIApp:
        """A page as the site sends it, in strips where it is scrambled."""
        found = library().find_chapter(request.path_params["chapter_id"])
        if found is None:
            return _nothing()
        comic, chapter, _ = found
        names = [page.name for page in chapter.pages]
        if (name := request.path_params["name"]) not in names:
            return _nothing()
        number = names.index(name) + 1
        data = await run_in_threadpool(self._store.page, chapter, number)
        is_avif = chapter.pages[number - 1].kind is PageKind.AVIF
        image = _image(data, "avif" if is_avif else name.rpartition(".")[2])
        return self._faults.image(comic, chapter, number, image, has_query=bool(request.url.query))

    async def cover(self, request: Request) -> ASGIApp:
        """A cover: `{id}.jpg`, or the small `{id}_3x4.jpg` of the lists."""
        stem, _, ending = request.path_params["file"].rpartition(".")
        digits = stem.removesuffix("_3x4")
        comic = library().find(int(digits)) if ending == "jpg" and digits.isascii() and digits.isdigit() else None
        if comic is None:
            return _nothing()
        data = await run_in_threadpool(self._store.cover, comic.id, stem.endswith("_3x4"))
        return self._faults.cover(comic, _image(data, "jpg"))


def _image(data: bytes, ending: str) -> Response:
    return Response(data, media_type=_MEDIA_TYPES[ending], headers=_CACHED)


def _nothing() -> Response:
    return Response(f"404 {FaultKind.MISSING}", 404, media_type="text/html")
