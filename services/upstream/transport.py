"""The HTTP transport to the site: curl's session, proxies, and pictures from the CDN.

The mobile API and the CDN share one curl session, for its speed and for its browser's TLS handshake. Measured with
200 kB pictures on loopback, 16 at once: 0.5 ms of processor time a picture, against 3.4 to 4 ms with httpx.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any, Protocol
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from curl_cffi import CurlOpt
from curl_cffi.requests import AsyncSession

from services.errors import UpstreamReason
from services.imaging import can_decode_avif, is_cut_short, sniff
from services.network import is_loopback
from services.upstream.failures import AttemptError, failure_of_answer
from services.upstream.jmcomic_state import image_headers

STALL_S = 20.0
"""A transfer without a byte for this long is cut, where the time limit of an attempt is longer."""

LARGEST_BODY_BYTES = 64 << 20
"""Far more than any page or answer of the site; a larger one is cut."""

_CLASSIFIED_BYTES = 20_000
"""Of an answer that is no picture: block pages say what they are near the top."""


def new_session(*, timeout_s: float, max_clients: int, reuses_connections: bool = True) -> Any:
    """A session for the running event loop; `timeout_s` bounds a whole attempt. The caller closes it.

    On a connection that was used before, libcurl sends a request again by itself where the connection ends without an
    answer: what must not be sent twice needs a session that reuses none.
    """
    once = {} if reuses_connections else {CurlOpt.FRESH_CONNECT: 1, CurlOpt.FORBID_REUSE: 1}
    return AsyncSession(
        timeout=timeout_s,
        max_clients=max_clients,
        impersonate="chrome",
        # cookies are passed with each request; a jar that grows with every answer would be sent, too
        discard_cookies=True,
        curl_options={
            CurlOpt.LOW_SPEED_LIMIT: 1,
            CurlOpt.LOW_SPEED_TIME: ceil(min(STALL_S, timeout_s)),
            CurlOpt.MAXFILESIZE_LARGE: LARGEST_BODY_BYTES,
            **once,
        },
    )


@dataclass(frozen=True, slots=True)
class SiteAnswer:
    """One answer of the site, as it came. `stamp` is the time that a request to the API was signed with, else ""."""

    path: str
    response: Any
    stamp: str = ""


class AnswerObserver(Protocol):
    """Sees every request to the site; for checks of the site, not for daily use."""

    def before_request(self, cost: int) -> None:
        """`cost` is how many requests it may become with redirects. What this raises is the attempt's failure."""

    def after_request(self, answer: SiteAnswer | None) -> None:
        """Called for each redirect as well; None where nothing was answered, and for redirects."""


class ObservedSession:
    """A session whose every request is observed."""

    def __init__(self, session: Any, observer: AnswerObserver) -> None:
        self._session = session
        self._observer = observer

    async def get(self, url: str, **options: Any) -> Any:
        """As the session's own."""
        return await self._observed(self._session.get, url, options)

    async def post(self, url: str, **options: Any) -> Any:
        """As the session's own."""
        return await self._observed(self._session.post, url, options)

    async def close(self) -> None:
        """As the session's own."""
        await self._session.close()

    async def _observed(self, send: Callable[..., Awaitable[Any]], url: str, options: Mapping[str, Any]) -> Any:
        self._observer.before_request(1)
        answer = None
        try:
            response = await send(url, **options)
            stamp = (options.get("headers") or {}).get("tokenparam", "").partition(",")[0]
            answer = SiteAnswer(urlsplit(response.url).path, response, stamp)
            return response
        finally:
            self._observer.after_request(answer)


class Proxies:
    """One proxy for everything when `setting` names one; else the system's, which never applies to loopback."""

    def __init__(self, setting: str) -> None:
        self._setting = setting
        self._system = {} if setting else getproxies()

    def of(self, url: str) -> str:
        """Proxy for this address, credentials included; "" for none."""
        if self._setting:
            return self._setting
        if not self._system:
            return ""
        parts = urlsplit(url)
        if is_loopback(parts.hostname or "") or proxy_bypass(parts.netloc.rpartition("@")[2]):
            return ""
        return self._system.get(parts.scheme) or self._system.get("all") or ""

    def for_curl(self, url: str) -> dict[str, str]:
        """As curl_cffi takes it. An empty name keeps libcurl from reading the environment by itself."""
        return {"all": self.of(url)}


class ImageCdn:
    """Fetches one picture from one host, in one attempt.

    A CDN may have a file in its cache that is empty or cut short, for days; with a query that it has not seen yet it
    fetches the file again. What it answers to that is the same file, only whole.
    """

    def __init__(self, session: Any, proxies: Proxies) -> None:
        self._session = session
        self._proxies = proxies
        self._headers = image_headers(with_avif=can_decode_avif())

    async def picture(self, host: str, path: str, *, bypass_cache: bool = False) -> bytes:
        """The file as the CDN sends it: webp, jpeg, png, gif or avif by its magic bytes, as long as it says it is.

        One that is empty or cut short is requested once more at once, past the CDN's cache; with `bypass_cache` the
        first request goes past it. Raises `AttemptError` for anything else than a whole picture, with `is_absent`
        when the host answers that it has no such file.
        """
        answer = await self._get(host, path, bypass_cache)
        if not bypass_cache and answer.status_code == 200 and is_cut_short(answer.content):
            answer = await self._get(host, path, bypass_cache=True)
        return _picture_of(answer)

    async def _get(self, host: str, path: str, bypass_cache: bool) -> Any:
        query = f"?v={time.time_ns()}" if bypass_cache else ""
        return await self._session.get(
            f"{host}{path}{query}", headers=self._headers, proxies=self._proxies.for_curl(host)
        )


def _picture_of(answer: Any) -> bytes:
    if answer.status_code == 404:
        raise AttemptError(UpstreamReason.GARBLED, "no such file", is_absent=True)
    body: bytes = answer.content
    kind = sniff(body) if answer.status_code == 200 else None
    if kind is None:
        raise failure_of_answer(
            answer.status_code,
            body[:_CLASSIFIED_BYTES].decode("utf-8", "replace"),
            retry_after=answer.headers.get("retry-after"),
            is_challenge=answer.headers.get("cf-mitigated") == "challenge",
        )
    if not kind.is_complete:
        raise AttemptError(UpstreamReason.GARBLED, "a picture that ends too soon")
    return body


def cover_path(album_id: str) -> str:
    """Where a CDN host has an album's cover."""
    return f"/media/albums/{album_id}.jpg"


def page_path(chapter_id: str, page_name: str) -> str:
    """Where a CDN host has a page."""
    return f"/media/photos/{chapter_id}/{page_name}"
