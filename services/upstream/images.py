"""Pictures from the site's CDN: bytes that are an image, whole, or a failed try."""

from __future__ import annotations

from typing import Any

from services.errors import UpstreamReason
from services.imaging import sniff
from services.upstream.failures import AttemptError, failure_of_answer
from services.upstream.jmcomic_state import image_headers
from services.upstream.proxies import Proxies

_LOOKED_AT_BYTES = 20_000


class ImageCdn:
    """Fetches one picture from one host, once."""

    def __init__(self, session: Any, proxies: Proxies) -> None:
        self._session = session
        self._proxies = proxies
        self._headers = image_headers()

    async def picture(self, host: str, path: str) -> bytes:
        """The file as the CDN sends it: webp, jpeg, png or gif by its magic bytes, as long as it says it is.

        Raises `AttemptError` for anything else, with `is_absent` when the host answers that it has no such file.
        """
        answer = await self._session.get(host + path, headers=self._headers, proxies=self._proxies.for_curl(host))
        if answer.status_code == 404:
            raise AttemptError(UpstreamReason.GARBLED, "no such file", is_absent=True)
        body: bytes = answer.content
        kind = sniff(body) if answer.status_code == 200 else None
        if kind is None:
            raise _unwanted(answer)
        if not kind.is_complete:
            raise AttemptError(UpstreamReason.GARBLED, "a picture that ends too soon")
        return body


def _unwanted(answer: Any) -> AttemptError:
    return failure_of_answer(
        answer.status_code,
        answer.content[:_LOOKED_AT_BYTES].decode("utf-8", "replace"),
        retry_after=answer.headers.get("retry-after"),
        is_challenge=answer.headers.get("cf-mitigated") == "challenge",
    )


def cover_path(album_id: str) -> str:
    """Where a CDN host has an album's cover."""
    return f"/media/albums/{album_id}.jpg"


def page_path(chapter_id: str, page_name: str) -> str:
    """Where a CDN host has a page."""
    return f"/media/photos/{chapter_id}/{page_name}"
