"""Servers that are killed between the site's yes and their own answer: nothing is lost, and nothing done twice."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

import httpx
import pytest

from demo.server import RunningDemo
from tests.persons import bearer
from tests.processes import environment_of, free_port, process
from tests.waiting import wait_until

NO_FAVORITE = "1208626"
READER = {"username": "reader", "password": "correct-horse"}


class Server:
    """A server that is killed and started again on the same data."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self._environment = environment
        self._folder = folder

    @contextmanager
    def running(self) -> Iterator[tuple[httpx.Client, Popen[bytes]]]:
        """The server as a process, and a client of it."""
        port = free_port()
        environment = {**self._environment, "JMGRAPH_PORT": str(port)}
        log = self._folder / f"{port}.log"
        with (
            process(["-m", "cli", "serve"], environment, log) as started,
            httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as http,
        ):
            wait_until(lambda: _is_alive(http))
            yield http, started


def _is_alive(http: httpx.Client) -> bool:
    try:
        return http.get("/healthz").is_success
    except httpx.TransportError:
        return False


@pytest.fixture
def server(demo: RunningDemo, redis_url: str, tmp_path: Path) -> Server:
    environment = environment_of(demo, redis_url, tmp_path / "data") | {"JMGRAPH_JM_TIMEOUT": "30"}
    return Server(environment, tmp_path)


def test_a_favourite_that_was_set_before_a_kill_9_is_not_toggled_when_it_is_set_again(
    server: Server, demo: RunningDemo
) -> None:
    with server.running() as (http, killed), ThreadPoolExecutor() as threads:
        headers = bearer(http.post("/v1/login", json=READER).json()["token"])
        demo.knobs.set("api", path="/favorite", method="POST", stall_after_bytes=0)
        setting: Future[httpx.Response] = threads.submit(http.post, f"/v1/favorites/{NO_FAVORITE}", headers=headers)
        wait_until(lambda: demo.members.favorites_of("reader")[0] == int(NO_FAVORITE))
        killed.kill()
        assert isinstance(setting.exception(), httpx.TransportError)
    demo.knobs.reset()

    with server.running() as (http, _):
        again = http.post(f"/v1/favorites/{NO_FAVORITE}", headers=headers)

    assert again.json() == {"status": "success", "aid": NO_FAVORITE, "favorite": True}
    assert demo.members.favorites_of("reader")[0] == int(NO_FAVORITE)
    assert sum(seen.method == "POST" for seen in demo.requests.find("/favorite")) == 1


def test_a_login_that_was_cut_off_by_a_kill_9_leaves_nothing_and_can_be_repeated(
    server: Server, demo: RunningDemo
) -> None:
    with server.running() as (http, killed), ThreadPoolExecutor() as threads:
        demo.knobs.set("api", path="/login", stall_after_bytes=0)
        logging_in: Future[httpx.Response] = threads.submit(http.post, "/v1/login", json=READER)
        wait_until(lambda: demo.members.as_json()[0]["sessions"] == 1)
        killed.kill()
        assert isinstance(logging_in.exception(), httpx.TransportError)
    demo.knobs.reset()

    with server.running() as (http, _):
        nobody = http.get("/v1/favorites/1")
        token = http.post("/v1/login", json=READER).json()["token"]
        favorites = http.get("/v1/favorites/1", headers=bearer(token))

    assert (nobody.status_code, nobody.json()) == (401, {"detail": "请先登录"})
    assert favorites.headers["x-total-count"] == "44"


def test_a_check_in_that_was_cut_off_by_a_kill_9_is_told_as_done(server: Server, demo: RunningDemo) -> None:
    query = {"query": "mutation { checkInOnSite { ... on SiteCheckIn { isNew } } }"}
    with server.running() as (http, killed), ThreadPoolExecutor() as threads:
        headers = bearer(http.post("/v1/login", json=READER).json()["token"])
        demo.knobs.set("api", path="/daily_chk", stall_after_bytes=0)
        checking_in: Future[httpx.Response] = threads.submit(http.post, "/graphql", json=query, headers=headers)
        wait_until(lambda: bool(demo.members.as_json()[0]["has_checked_in"]))
        killed.kill()
        assert isinstance(checking_in.exception(), httpx.TransportError)
    demo.knobs.reset()

    with server.running() as (http, _):
        again = http.post("/graphql", json=query, headers=headers).json()

    assert again["data"] == {"checkInOnSite": {"isNew": False}}
