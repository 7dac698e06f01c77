"""The only module that changes jmcomic's process-wide state: it is configured once, when this module is imported.

The other modules use jmcomic's clients, parsers and entities, never its globals. What is set here applies to every
upstream client of the process.
"""

from __future__ import annotations

import logging
import re
from typing import Any

import structlog
from jmcomic import JmcomicText, JmCryptoTool, JmMagicConstants, JmModuleConfig, JmOption

log = structlog.get_logger("jmgraph.jmcomic")

_VERSION = re.compile(r"\d{1,4}(?:\.\d{1,4}){1,3}")


BUILT_IN_APP_VERSION = JmMagicConstants.APP_VERSION
"""The app's version that jmcomic ships: "2.1.12"."""

_CREDENTIALS = re.compile(r"(?<=://)[^/\s@]*@|(?<=user_id=)\d+")


def _to_our_log(topic: str, message: object, error: BaseException | None = None) -> None:
    text = _CREDENTIALS.sub("", str(message))
    log.debug("jmcomic log", topic=topic, message=text, error=type(error).__name__ if error else None)


def _configure() -> None:
    # Base URLs carry their scheme; "http" is what both http:// and https:// begin with.
    JmModuleConfig.PROT = "http"
    # Host lists and the first cookies are fetched by us: jmcomic does it once, and accepts a failure as the result.
    JmModuleConfig.FLAG_API_CLIENT_AUTO_UPDATE_DOMAIN = False
    JmModuleConfig.FLAG_API_CLIENT_REQUIRE_COOKIES = False
    # A server lives for weeks: each request is signed with its own time, not with the time of the start.
    JmModuleConfig.FLAG_USE_FIX_TIMESTAMP = False
    # Importing jmcomic adds a handler to its logger that prints titles to stdout.
    JmModuleConfig.EXECUTOR_LOG = _to_our_log
    # It writes several lines a request: they are not even made where nobody reads them.
    JmModuleConfig.FLAG_ENABLE_JM_LOG = logging.getLogger("jmgraph.jmcomic").isEnabledFor(logging.DEBUG)
    logger = logging.getLogger("jmcomic")
    logger.handlers.clear()
    logger.addHandler(logging.NullHandler())
    logger.propagate = False


_configure()


def new_option(timeout_s: float) -> Any:
    """Options for a client of ours: no retries, no cache, no plugins; proxies are given with each request."""
    meta_data: dict[str, Any] = {"impersonate": "chrome", "headers": None, "proxies": {}}
    client: dict[str, Any] = {
        "cache": None,
        "domain": [],
        "postman": {"type": "curl_cffi_session", "meta_data": meta_data},
        "impl": "api",
        "async_impl": "async_api",
        "retry_times": 0,
        "timeout": timeout_s,
    }
    return JmOption(
        dir_rule={"rule": "Bd_Pname", "base_dir": "."},
        download={"threading": {"image": 1, "photo": 1}},
        client=client,
        plugins={"dependencies_strategy": "ignore-only-log"},
        call_after_init_plugin=False,
    )


def note_app_version(version: str) -> None:
    """Identify as the app of this version from now on, when it is newer than the one known; else nothing changes."""
    if not _VERSION.fullmatch(version):
        return
    if JmcomicText.compare_versions(version, JmMagicConstants.APP_VERSION) > 0:
        JmMagicConstants.APP_VERSION = version


def image_headers(*, with_avif: bool) -> dict[str, str]:
    """Headers of the app for a picture; without `with_avif` it does not accept AVIF."""
    headers = {**JmModuleConfig.APP_HEADERS_TEMPLATE, **JmModuleConfig.APP_HEADERS_IMAGE}
    return headers if with_avif else {**headers, "Accept": headers["Accept"].replace("image/avif,", "")}


def html_headers(base_url: str) -> dict[str, str]:
    """Headers of a browser that came from this site."""
    headers = dict(JmModuleConfig.HTML_HEADERS_TEMPLATE)
    return {**headers, "authority": base_url.split("://", 1)[1], "origin": base_url, "referer": base_url}


def built_in_api_urls() -> tuple[str, ...]:
    """The mobile API's addresses that jmcomic ships."""
    return tuple(f"https://{host}" for host in JmModuleConfig.DOMAIN_API_LIST)


def built_in_image_urls() -> tuple[str, ...]:
    """The CDN's addresses that jmcomic ships."""
    return tuple(f"https://{host}" for host in JmModuleConfig.DOMAIN_IMAGE_LIST)


def api_list_addresses() -> tuple[str, ...]:
    """Where the site publishes the mobile API's current addresses."""
    return tuple(JmModuleConfig.API_URL_DOMAIN_SERVER_LIST)


def html_list_address() -> str:
    """Where the site publishes its current web addresses."""
    return str(JmModuleConfig.JM_PUB_URL)


def read_api_list(text: str) -> Any:
    """The document behind the encrypted list, as JSON text. Raises ValueError for anything else."""
    # The file begins with a byte order mark, sometimes with more that is not ASCII.
    return JmCryptoTool.decode_resp_data(
        re.sub(r"^[^\x00-\x7f]+", "", text), "", JmMagicConstants.API_DOMAIN_SERVER_SECRET
    )


def read_html_list(page: str) -> list[str]:
    """Web addresses named on the site's list page: "18comic.example"; download links ("…/abc") are among them."""
    return list(JmcomicText.analyse_jm_pub_html(page))
