"""The whole site as one ASGI app: every host answers for all three roles, told apart by path."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.responses import PlainTextResponse
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo.acting import Stage
from demo.admin import PREFIX, Admin
from demo.cdn import ImageHost
from demo.connection import Connection
from demo.crypto import sealed_domains
from demo.faults import drop, failing, slowed
from demo.images import ImageStore
from demo.knobs import Knobs, Orders
from demo.mobile import MobileApi
from demo.traffic import Seen, Traffic
from demo.web import WebPages

DOMAINS_PATH = "/newsvr-2025.txt"
"""Where the list of API hosts stands, sealed as the real domain servers keep it."""

_WEB_PREFIXES = ("/album/", "/albums", "/photo/", "/search/photos", "/error/", "/ajax/")


class DemoSite:
    """Answers for all hosts. `hosts` names them by port: {8801: "api-1", 8802: "html-1"}."""

    def __init__(self, folder: Path, hosts: Mapping[int, str]) -> None:
        self.knobs = Knobs()
        self.requests = Traffic()
        self.images = ImageStore(folder)
        self.hosts = dict(hosts)
        stage = Stage(self.knobs)
        image_host = self.urls("image")[0].removeprefix("http://")
        self._pages = Router(
            [
                *MobileApi(stage, self.urls("image")[0]).routes(),
                *ImageHost(stage, self.images).routes(),
                *WebPages(stage, image_host).routes(),
                Route(DOMAINS_PATH, self._domains),
            ],
            redirect_slashes=False,
        )
        self._admin = Router(Admin(self.knobs, self.requests, self.addresses).routes())

    def urls(self, role: str) -> list[str]:
        """Base addresses of a role's hosts."""
        return [f"http://127.0.0.1:{port}" for port, name in self.hosts.items() if name.startswith(f"{role}-")]

    def addresses(self) -> dict[str, Any]:
        """All addresses by role, where the domain list stands, and the admin prefix."""
        api = self.urls("api")
        return {
            "api": api,
            "html": self.urls("html"),
            "image": self.urls("image"),
            "domains": api[0] + DOMAINS_PATH,
            "admin": api[0] + PREFIX,
        }

    def is_dead(self, port: int) -> bool:
        """Whether connections to this port are cut as soon as they come."""
        name = self.hosts[port]
        return self.knobs.is_dead(name, name.partition("-")[0])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request as the knobs say."""
        if scope["path"].startswith(PREFIX):
            await self._admin(scope, receive, send)
            return
        host, role, path = self.hosts[scope["server"][1]], _role_of(scope["path"]), scope["path"]
        with self.requests.noted(host, role, scope["method"], path, scope["query_string"].decode()) as seen:
            orders = self.knobs.orders(host, role, path)
            if await Connection.of(scope).outlasts(orders.latency_s):
                await _obeying(orders, self._pages)(scope, receive, _noting(send, seen))

    async def _domains(self, _request: object) -> PlainTextResponse:
        return PlainTextResponse("\ufeff" + sealed_domains({"Server": self.urls("api"), "Setting": []}))


def _role_of(path: str) -> str:
    if path.startswith("/media/"):
        return "image"
    return "html" if path == "/" or path.startswith(_WEB_PREFIXES) else "api"


def _obeying(orders: Orders, app: ASGIApp) -> ASGIApp:
    if orders.dead:
        return drop
    if orders.fault is not None:
        app = failing(orders.fault, app)
    if orders.bytes_per_s is not None or orders.stall_after_bytes is not None:
        app = slowed(app, orders.bytes_per_s, orders.stall_after_bytes)
    return app


def _noting(send: Send, seen: Seen) -> Send:
    async def note(message: Message) -> None:
        if message["type"] == "http.response.start":
            seen.status = message["status"]
        await send(message)

    return note
