"""A fake of GitHub's API on loopback: it accepts some tokens and records the tokens it receives."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

GOOD_TOKEN = "gho_cook"
OTHER_TOKEN = "gho_gardener"
NEW_TOKEN = "gho_newcomer"
STARTED_WITHIN_S = 20


@dataclass
class GitHub:
    """Its URL, the tokens it received, and its response to each."""

    url: str = ""
    tokens: list[str] = field(default_factory=list)
    answers: dict[str, Response] = field(default_factory=dict)

    def reset(self) -> None:
        """Forget the requests, and restore the responses."""
        self.tokens = []
        self.answers = {
            GOOD_TOKEN: user("cook", 7),
            NEW_TOKEN: user("newcomer", 9, age_days=14.9),
            OTHER_TOKEN: user("gardener", 8),
            "gho_broken": PlainTextResponse("<html>", 200),
            "gho_busy": JSONResponse({}, 403, {"x-ratelimit-remaining": "0"}),
            "gho_down": JSONResponse({}, 500),
            "gho_suspended": JSONResponse({}, 403),
        }

    async def user(self, request: Request) -> Response:
        """`GET /user`."""
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        self.tokens.append(token)
        return self.answers.get(token) or JSONResponse({"message": "Bad credentials"}, 401)


def user(login: str, number: int, age_days: float = 15.1) -> Response:
    """The response to a token of this user, whose account is so many days old."""
    created_at = datetime.now(UTC) - timedelta(days=age_days)
    return JSONResponse(
        {"login": login, "id": number, "name": None, "created_at": f"{created_at:%Y-%m-%dT%H:%M:%SZ}"}
    )


@contextmanager
def running_github() -> Iterator[GitHub]:
    """A GitHub in a thread of its own."""
    github = GitHub()
    with running_server(Starlette(routes=[Route("/user", github.user)])) as url:
        github.url = url
        yield github


@contextmanager
def running_server(app: Starlette) -> Iterator[str]:
    """Base URL of this application, served by a thread on loopback."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{_port(server)}"
    finally:
        server.should_exit = True
        thread.join(STARTED_WITHIN_S)


def _port(server: uvicorn.Server) -> int:
    deadline = time.monotonic() + STARTED_WITHIN_S
    while not server.started:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.005)
    port: int = server.servers[0].sockets[0].getsockname()[1]
    return port


@pytest.fixture(scope="session")
def github_server() -> Iterator[GitHub]:
    """A small GitHub for the whole run."""
    with running_github() as running:
        yield running


@pytest.fixture
def github(github_server: GitHub) -> GitHub:
    """That GitHub, reset for this test."""
    github_server.reset()
    return github_server
