"""The real jmcomic, configured for the demo site. Its settings are process-wide, so each test restores them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from jmcomic import AsyncJmApiClient, JmModuleConfig, JmOption

from demo.server import RunningDemo


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
