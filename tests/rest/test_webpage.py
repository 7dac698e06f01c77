"""The routes of the web page: its Content-Security-Policy, and its base URL below a sub-path."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware

from rest import routes, webpage
from rest.middleware import ProxyHeadersMiddleware
from schema import sdl

pytestmark = pytest.mark.anyio


@pytest.fixture
async def browser() -> AsyncIterator[httpx.AsyncClient]:
    """A client of the page's routes, behind a trusted proxy."""
    app = Starlette(routes=routes(_graphql, sdl), middleware=[Middleware(ProxyHeadersMiddleware, ["127.0.0.1"])])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://comics.test") as client:
        yield client


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder in the place of the built page, empty."""
    monkeypatch.setattr(webpage, "STATIC", tmp_path)
    webpage._built.cache_clear()
    yield tmp_path
    webpage._built.cache_clear()


async def test_the_page_may_load_only_our_files(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/")

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-cache"
    policy = answer.headers["content-security-policy"].split("; ")
    assert "script-src 'self'" in policy
    assert "connect-src 'self' ws://comics.test" in policy


async def test_the_page_may_install_its_service_worker(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/")

    policy = answer.headers["content-security-policy"].split("; ")
    assert {"worker-src 'self'", "manifest-src 'self'", "trusted-types dompurify jmgraph"} <= set(policy)


@pytest.mark.parametrize(
    ("name", "media_type"), [("sw.js", "text/javascript"), ("manifest.webmanifest", "application/manifest+json")]
)
async def test_what_makes_the_page_an_app_is_asked_for_again_each_time(
    browser: httpx.AsyncClient, built: Path, name: str, media_type: str
) -> None:
    built.joinpath(name).write_text("{}")

    answer = await browser.get(f"/{name}")

    assert answer.headers["content-type"].partition(";")[0] == media_type
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["content-security-policy"] == "default-src 'none'; connect-src 'self'"


async def test_without_the_built_page_there_is_no_app(browser: httpx.AsyncClient, built: Path) -> None:
    answer = await browser.get("/sw.js")

    assert answer.status_code == 404


async def test_an_invalid_host_is_left_out_of_the_policy(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/", headers={"Host": "a;script-src *"})

    assert "connect-src 'self' ;" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/jm", "/jm/", "/"])
async def test_a_sub_path_opens_with_and_without_its_slash(browser: httpx.AsyncClient, path: str) -> None:
    answer = await browser.get(path, headers={"X-Forwarded-Prefix": "/jm"})

    assert answer.status_code == 200


@pytest.mark.parametrize("name", ["nothing.js", "..%2findex.html", ".hidden"])
async def test_a_file_that_is_not_of_the_page_is_not_found(browser: httpx.AsyncClient, name: str) -> None:
    answer = await browser.get(f"/assets/{name}")

    assert answer.status_code == 404


async def _graphql(*_: Any) -> None:
    """Instead of `/graphql`."""
