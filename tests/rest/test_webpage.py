"""The page's own routes: what they allow a browser, and where they say it stands."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware

from rest import webpage as page
from rest.middleware import ProxyHeadersMiddleware

pytestmark = pytest.mark.anyio


@pytest.fixture
async def browser() -> AsyncIterator[httpx.AsyncClient]:
    """A client of the page's routes, behind a trusted proxy."""
    app = Starlette(routes=page.routes, middleware=[Middleware(ProxyHeadersMiddleware, ["127.0.0.1"])])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://comics.test") as client:
        yield client


async def test_the_page_may_load_nothing_but_what_is_ours(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/")

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-cache"
    policy = answer.headers["content-security-policy"].split("; ")
    assert "script-src 'self'" in policy
    assert "connect-src 'self' ws://comics.test" in policy


async def test_a_host_that_is_no_host_does_not_reach_the_policy(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/", headers={"Host": "a;script-src *"})

    assert "connect-src 'self' ;" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/jm", "/jm/", "/"])
async def test_a_sub_path_opens_with_and_without_its_slash(browser: httpx.AsyncClient, path: str) -> None:
    answer = await browser.get(path, headers={"X-Forwarded-Prefix": "/jm"})

    assert answer.status_code == 200


@pytest.mark.parametrize("name", ["nothing.js", "..%2findex.html", ".hidden"])
async def test_a_file_that_is_none_of_the_pages_is_not_found(browser: httpx.AsyncClient, name: str) -> None:
    answer = await browser.get(f"/assets/{name}")

    assert answer.status_code == 404
