"""Git over HTTP on loopback, with a token: a remote as on the internet."""

from __future__ import annotations

import asyncio
import base64
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.github import running_server
from tests.tag_repositories import MakeTagRepository, TagRepository

TOKEN = "gho_pusher"


@dataclass
class GitServer:
    """One repository, its URL, and the credentials it received."""

    repository: TagRepository
    url: str = ""
    credentials: list[str] = field(default_factory=list)
    pushes: int = 0
    takes_pushes: threading.Event = field(default_factory=threading.Event)
    """While it is not set, a push hangs."""

    async def answer(self, request: Request) -> Response:
        """Respond to any request of git."""
        kind, _, value = request.headers.get("authorization", "").partition(" ")
        given = base64.b64decode(value).decode() if kind == "Basic" else ""
        self.credentials.append(given)
        if given != f"x-access-token:{TOKEN}":
            return Response(status_code=401, headers={"WWW-Authenticate": 'Basic realm="git"'})
        body = await request.body()
        if request.method == "POST" and request.url.path.endswith("/git-receive-pack"):
            self.pushes += 1
            await asyncio.to_thread(self.takes_pushes.wait)
        return await asyncio.to_thread(self._run, request, body)

    def _run(self, request: Request, body: bytes) -> Response:
        environment = {
            "PATH": "/usr/bin:/bin:/usr/local/bin",
            "GIT_PROJECT_ROOT": str(self.repository.folder.parent),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "HOME": str(self.repository.folder),
            "REMOTE_USER": "pusher",
            "PATH_INFO": request.url.path,
            "QUERY_STRING": request.url.query,
            "REQUEST_METHOD": request.method,
            "CONTENT_TYPE": request.headers.get("content-type", ""),
            "CONTENT_LENGTH": str(len(body)),
        }
        done = subprocess.run(["git", "http-backend"], input=body, capture_output=True, env=environment, check=True)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
        return Response(content, int(headers.pop("Status", "200").split()[0]), headers)


@contextmanager
def _running(repository: TagRepository) -> Iterator[GitServer]:
    server = GitServer(repository)
    server.takes_pushes.set()
    app = Starlette(routes=[Route("/{path:path}", server.answer, methods=["GET", "POST"])])
    with running_server(app) as address:
        server.url = f"{address}/{repository.folder.name}"
        try:
            yield server
        finally:
            server.takes_pushes.set()


@pytest.fixture
def git_server(make_tag_repository: MakeTagRepository) -> Iterator[GitServer]:
    """A git server with our small sample."""
    with _running(make_tag_repository("served.git")) as server:
        server.repository.git("config", "http.receivepack", "true")
        yield server


def refuse_pushes(repository: TagRepository, reason: str) -> None:
    """Install a hook that refuses every push."""
    hook = Path(repository.folder) / "hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\necho '{reason}'\nexit 1\n")
    hook.chmod(0o755)
