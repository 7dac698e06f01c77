"""Addresses under /_demo/ that turn the knobs and show the log from another process. Knobs never strike them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo.knobs import Knobs
from demo.traffic import Traffic

PREFIX = "/_demo/"


class Admin:
    """Routes of the admin address."""

    def __init__(self, knobs: Knobs, requests: Traffic, addresses: Callable[[], dict[str, Any]]) -> None:
        self._knobs = knobs
        self._requests = requests
        self._addresses = addresses

    def routes(self) -> list[Route]:
        """Knobs, the log of requests, and the site's addresses."""
        return [
            Route("/_demo/knobs", self.show, methods=["GET"]),
            Route("/_demo/knobs", self.turn, methods=["POST"]),
            Route("/_demo/requests", self.log, methods=["GET"]),
            Route("/_demo/requests", self.forget, methods=["DELETE"]),
            Route("/_demo/hosts", self.hosts, methods=["GET"]),
        ]

    async def show(self, _request: Request) -> Response:
        """What is turned now."""
        return JSONResponse(self._knobs.as_json())

    async def turn(self, request: Request) -> Response:
        """Turns knobs: `{"target": "image", "latency_s": 0.2}`, or `{"reset": true}`, or a list of such orders."""
        body = await request.json()
        try:
            for order in body if isinstance(body, list) else [body]:
                self._obey(order)
        except (KeyError, TypeError, ValueError) as error:
            return JSONResponse({"detail": f"{type(error).__name__}: {error}"}, 400)
        return JSONResponse(self._knobs.as_json())

    async def log(self, request: Request) -> Response:
        """The requests seen, narrowed by `path`, `role` and `host`; with `count` only how many and the peaks."""
        asked = request.query_params
        narrow = (asked.get("path", ""), asked.get("role"), asked.get("host"))
        if "count" not in asked:
            return JSONResponse(self._requests.as_json(*narrow))
        peaks = {role: self._requests.peak(role) for role in ("api", "html", "image")}
        return JSONResponse({"count": self._requests.count(*narrow), "peaks": peaks})

    async def forget(self, _request: Request) -> Response:
        """Forgets the requests seen."""
        self._requests.reset()
        return Response(status_code=204)

    async def hosts(self, _request: Request) -> Response:
        """The site's addresses by role."""
        return JSONResponse(self._addresses())

    def _obey(self, order: dict[str, Any]) -> None:
        knobs = {**order}
        if knobs.get("reset"):
            self._knobs.reset()
            return
        self._knobs.turn(knobs.pop("target"), path=knobs.pop("path", ""), **knobs)
