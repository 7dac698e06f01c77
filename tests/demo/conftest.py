"""The real jmcomic, configured for the demo site. Its settings are process-wide, so each test restores them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from jmcomic import AsyncJmApiClient, JmCryptoTool, JmModuleConfig, JmOption

from demo.server import RunningDemo

STAMP = 1_780_000_000
"""The app's time stamp in signed requests."""


@pytest.fixture
def jm_option(demo: RunningDemo, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An option of jmcomic for the demo site, without retries."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(JmModuleConfig, "PROT", "http://")
    monkeypatch.setattr(JmModuleConfig, "FLAG_ENABLE_JM_LOG", False)
    monkeypatch.setattr(JmModuleConfig, "FLAG_API_CLIENT_AUTO_UPDATE_DOMAIN", False)
    monkeypatch.setattr(JmModuleConfig, "DOMAIN_IMAGE_LIST", [demo.image_url.removeprefix("http://")])
    monkeypatch.setattr(JmModuleConfig, "SCRAMBLE_CACHE", {})
    monkeypatch.setattr(JmModuleConfig, "APP_COOKIES", None)
    domains = {"api": demo.api_urls, "html": demo.html_urls}
    postman: dict[str, Any] = {"meta_data": {"proxies": {}}}
    return JmOption.construct({"client": {"retry_times": 0, "domain": domains, "postman": postman}})


@pytest.fixture
async def mobile(jm_option: Any, demo: RunningDemo) -> AsyncIterator[Any]:
    """The async client of the mobile API."""
    async with AsyncJmApiClient(jm_option, domain_list=[demo.api_url]) as client:
        yield client


@pytest.fixture
def web(jm_option: Any, demo: RunningDemo) -> Any:
    """The client of the web pages."""
    return jm_option.new_jm_client(impl="html", domain_list=[demo.html_url])


@pytest.fixture
def http() -> Any:
    """A plain client that follows no redirects."""
    with httpx.Client(trust_env=False, timeout=10) as client:
        yield client


@pytest.fixture
def signed(demo: RunningDemo, http: httpx.Client) -> Callable[..., httpx.Response]:
    """A signed request to an API host (0 is the first), as the app sends it."""

    def ask(path: str, host: int = 0, **params: object) -> httpx.Response:
        token, tokenparam = JmCryptoTool.token_and_tokenparam(STAMP)
        headers = {"token": token, "tokenparam": tokenparam}
        return http.get(demo.api_urls[host] + path, params={k: str(v) for k, v in params.items()}, headers=headers)

    return ask


@pytest.fixture
def data_of(signed: Callable[..., httpx.Response]) -> Callable[..., Any]:
    """The decrypted data of a signed request: what the API says, whatever jmcomic's parsers make of it."""

    def ask(path: str, host: int = 0, **params: object) -> Any:
        answer = signed(path, host, **params)
        assert answer.json()["code"] == 200
        return json.loads(JmCryptoTool.decode_resp_data(answer.json()["data"], STAMP))

    return ask
