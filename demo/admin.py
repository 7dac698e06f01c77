"""Routes under /_demo/ for another process: knobs, the request log, people. No knob applies to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo.knobs import Knobs
from demo.library import library
from demo.members import Members
from demo.request_log import RequestLog

PREFIX = "/_demo/"


class Admin:
    """Routes of the admin address."""

    def __init__(
        self, knobs: Knobs, requests: RequestLog, members: Members, addresses: Callable[[], dict[str, Any]]
    ) -> None:
        self._knobs = knobs
        self._requests = requests
        self._members = members
        self._addresses = addresses

    def routes(self) -> list[Route]:
        """Knobs, the log of requests, people, and the site's addresses."""
        return [
            Route("/_demo/knobs", self.show, methods=["GET"]),
            Route("/_demo/knobs", self.set_knobs, methods=["POST"]),
            Route("/_demo/requests", self.log, methods=["GET"]),
            Route("/_demo/requests", self.clear, methods=["DELETE"]),
            Route("/_demo/members", self.show_members, methods=["GET"]),
            Route("/_demo/members", self.reset_members, methods=["DELETE"]),
            Route("/_demo/members/{name}/sessions", self.end_sessions, methods=["DELETE"]),
            Route("/_demo/chapters", self.publish_chapter, methods=["POST"]),
            Route("/_demo/chapters", self.reset_chapters, methods=["DELETE"]),
            Route("/_demo/hosts", self.hosts, methods=["GET"]),
        ]

    async def show(self, _request: Request) -> Response:
        """The knobs that are set."""
        return JSONResponse(self._knobs.as_json())

    async def set_knobs(self, request: Request) -> Response:
        """Set knobs: `{"target": "image", "latency_s": 0.2}`, or `{"reset": true}`, or a list of such changes."""
        body = await request.json()
        try:
            for change in body if isinstance(body, list) else [body]:
                self._apply(change)
        except (KeyError, TypeError, ValueError) as error:
            return JSONResponse({"detail": f"{type(error).__name__}: {error}"}, 400)
        return JSONResponse(self._knobs.as_json())

    async def log(self, request: Request) -> Response:
        """The logged requests, filtered by `path`, `role` and `host`; with `count` only number and peaks."""
        query = request.query_params
        filters = (query.get("path", ""), query.get("role"), query.get("host"))
        if "count" not in query:
            return JSONResponse(self._requests.as_json(*filters))
        peaks = {role: self._requests.peak(role) for role in ("api", "html", "image")}
        return JSONResponse({"count": self._requests.count(*filters), "peaks": peaks})

    async def clear(self, _request: Request) -> Response:
        """Clear the request log."""
        self._requests.reset()
        return Response(status_code=204)

    async def publish_chapter(self, request: Request) -> Response:
        """Add a chapter to a comic: `{"album": 205238}`."""
        try:
            chapter = library().publish(int((await request.json())["album"]))
        except (LookupError, TypeError, ValueError) as error:
            return JSONResponse({"detail": f"{type(error).__name__}: {error}"}, 400)
        return JSONResponse({"chapter": chapter.id, "title": chapter.title}, 201)

    async def reset_chapters(self, _request: Request) -> Response:
        """Remove the chapters that were added."""
        library().reset()
        return Response(status_code=204)

    async def show_members(self, _request: Request) -> Response:
        """Everybody's favourites and sessions."""
        return JSONResponse(self._members.as_json())

    async def reset_members(self, _request: Request) -> Response:
        """Everybody as at the start, logged out."""
        self._members.reset()
        return Response(status_code=204)

    async def end_sessions(self, request: Request) -> Response:
        """Let every session of a person run out."""
        self._members.end_sessions(request.path_params["name"])
        return Response(status_code=204)

    async def hosts(self, _request: Request) -> Response:
        """The site's addresses by role."""
        return JSONResponse(self._addresses())

    def _apply(self, change: dict[str, Any]) -> None:
        knobs = {**change}
        if knobs.get("reset"):
            self._knobs.reset()
            return
        self._knobs.set(knobs.pop("target"), path=knobs.pop("path", ""), **knobs)
