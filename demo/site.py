"""The whole site as one ASGI app: every host serves all three roles, distinguished by path."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo.admin import PREFIX, Admin
from demo.asgi import Connection
from demo.cdn import ImageHost
from demo.crypto import encrypted_domains
from demo.faults import ScriptedFaults, drop, failing, slowed
from demo.images import ImageStore
from demo.knobs import Behaviour, Knobs
from demo.members import Members
from demo.mobile import SESSION_COOKIE, MobileApi
from demo.odd_answers import LOGIN_PATH, with_image_hosts
from demo.request_log import LoggedRequest, RequestLog
from demo.web import WebPages

DOMAINS_PATH = "/newsvr-2025.txt"
"""Path of the list of API hosts, encrypted as on the real domain servers."""

_WEB_PREFIXES = ("/album/", "/albums", "/photo/", "/search/photos", "/error/", "/ajax/", LOGIN_PATH)


class DemoSite:
    """The app of all hosts. `hosts` names them by port: {8801: "api-1", 8802: "html-1"}."""

    def __init__(self, folder: Path, hosts: Mapping[int, str]) -> None:
        self.knobs = Knobs()
        self.requests = RequestLog()
        self.members = Members()
        self.images = ImageStore(folder)
        self.hosts = dict(hosts)
        faults = ScriptedFaults(self.knobs)
        image_host = self.urls("image")[0].removeprefix("http://")
        self._pages = Router(
            [
                *MobileApi(faults, self.members, self.urls("image")[0]).routes(),
                *ImageHost(faults, self.images).routes(),
                *WebPages(faults, image_host).routes(),
                Route(DOMAINS_PATH, self._domains),
            ],
            redirect_slashes=False,
        )
        self._admin = Router(Admin(self.knobs, self.requests, self.members, self.addresses).routes())

    def urls(self, role: str) -> list[str]:
        """Base addresses of a role's hosts."""
        return [f"http://127.0.0.1:{port}" for port, name in self.hosts.items() if name.startswith(f"{role}-")]

    def addresses(self) -> dict[str, Any]:
        """All addresses by role, the domain list and the admin prefix."""
        api = self.urls("api")
        return {
            "api": api,
            "html": self.urls("html"),
            "image": self.urls("image"),
            "domains": api[0] + DOMAINS_PATH,
            "admin": api[0] + PREFIX,
        }

    def is_dead(self, port: int) -> bool:
        """True when connections to this port are cut as soon as they are made."""
        name = self.hosts[port]
        return self.knobs.is_dead(name, name.partition("-")[0])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to a request as the knobs say."""
        if scope["path"].startswith(PREFIX):
            await self._admin(scope, receive, send)
            return
        host, method, path = self.hosts[scope["server"][1]], scope["method"], scope["path"]
        role, session = _role_of(method, path), HTTPConnection(scope).cookies.get(SESSION_COOKIE, "")
        with self.requests.logged(host, role, method, path, scope["query_string"].decode(), session) as entry:
            scope["extensions"]["demo"] |= {"host": host, "role": role}
            behaviour = self.knobs.behaviour(host, role, path, method)
            if await Connection.of(scope).stays_open(behaviour.latency_s):
                await _with_behaviour(behaviour, self._pages)(scope, receive, _record_status(send, entry))

    async def _domains(self, _request: object) -> PlainTextResponse:
        return PlainTextResponse("\ufeff" + encrypted_domains({"Server": self.urls("api"), "Setting": []}))


def _role_of(method: str, path: str) -> str:
    if path.startswith("/media/"):
        return "image"
    if (method, path) == ("POST", LOGIN_PATH):
        return "api"
    return "html" if path == "/" or path.startswith(_WEB_PREFIXES) else "api"


def _with_behaviour(behaviour: Behaviour, app: ASGIApp) -> ASGIApp:
    if behaviour.dead:
        return drop
    if behaviour.img_hosts is not None:
        app = with_image_hosts(behaviour.img_hosts, app)
    if behaviour.fault is not None:
        app = failing(behaviour.fault, app)
    if behaviour.bytes_per_s is not None or behaviour.stall_after_bytes is not None:
        app = slowed(app, behaviour.bytes_per_s, behaviour.stall_after_bytes)
    return app


def _record_status(send: Send, entry: LoggedRequest) -> Send:
    async def record(message: Message) -> None:
        if message["type"] == "http.response.start":
            entry.status = message["status"]
        await send(message)

    return record
