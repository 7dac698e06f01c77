"""Pictures of the CDN: whole ones, and those of which its cache has a bad copy."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest
from PIL import features

from demo.library import library
from demo.odd_albums import AVIF_PAGES, CACHED_EMPTY, CACHED_SHORT
from demo.records import Chapter
from demo.server import RunningDemo
from services.errors import UpstreamFailure, UpstreamReason
from services.imaging import Codec, sniff
from services.upstream import ChapterDetail, UpstreamClient

pytestmark = pytest.mark.anyio

OpenUpstream = Callable[..., AbstractAsyncContextManager[UpstreamClient]]

WHOLE = 350234


def chapter_of(album_id: int) -> ChapterDetail:
    """The only chapter of an album of the demo site."""
    chapter = drawn_chapter(album_id)
    names = tuple(page.name for page in chapter.pages)
    return ChapterDetail(str(album_id), str(album_id), "", chapter.scramble_id, names)


def drawn_chapter(album_id: int) -> Chapter:
    found = library().find_chapter(album_id)
    assert found is not None
    return found[1]


def requested(demo: RunningDemo) -> list[tuple[str, bool]]:
    """Host of each request for a picture, and whether it had a query."""
    return [(seen.host, bool(seen.query)) for seen in demo.requests if seen.role == "image"]


@pytest.mark.parametrize("album_id", [CACHED_EMPTY, CACHED_SHORT])
async def test_a_page_that_the_cdn_has_cached_badly_is_fetched_past_its_cache(
    upstream_to: OpenUpstream, demo: RunningDemo, album_id: int
) -> None:
    async with upstream_to(jm_retries=1) as upstream:
        page = await upstream.page(chapter_of(album_id), 3)

    assert page == demo.images.page(drawn_chapter(album_id), 3)
    assert requested(demo) == [("image-1", False), ("image-1", True)]


@pytest.mark.parametrize("failure", ["empty", "short"])
async def test_the_next_host_is_asked_past_its_cache_too(
    upstream_to: OpenUpstream, demo: RunningDemo, failure: str
) -> None:
    demo.knobs.set("image-1", failure=failure)
    async with upstream_to(jm_retries=1) as upstream:
        page = await upstream.page(chapter_of(CACHED_SHORT), 3)

    assert page == demo.images.page(drawn_chapter(CACHED_SHORT), 3)
    assert requested(demo) == [("image-1", False), ("image-1", True), ("image-2", False), ("image-2", True)]


async def test_a_cover_that_the_cdn_has_cached_badly_is_fetched_past_its_cache(
    upstream_to: OpenUpstream, demo: RunningDemo
) -> None:
    demo.knobs.set("image-1", failure="empty", fail_next=1)
    async with upstream_to(jm_retries=1) as upstream:
        cover = await upstream.cover(str(WHOLE))

    assert cover == demo.images.cover(WHOLE, False)
    assert requested(demo) == [("image-1", False), ("image-1", True)]


@pytest.mark.parametrize("failure", ["empty", "short"])
async def test_a_page_that_is_bad_behind_the_cache_too_is_a_failure(
    upstream_to: OpenUpstream, demo: RunningDemo, failure: str
) -> None:
    demo.knobs.set("image", failure=failure)
    async with upstream_to(jm_retries=2) as upstream:
        with pytest.raises(UpstreamFailure) as raised:
            await upstream.page(chapter_of(WHOLE), 1)

    queries = [seen.query for seen in demo.requests if seen.query]
    assert raised.value.reason is UpstreamReason.GARBLED
    assert requested(demo) == [("image-1", False), ("image-1", True), ("image-2", False), ("image-2", True)] * 2
    assert len(set(queries)) == len(queries) == 4


@pytest.mark.parametrize(
    ("failure", "reason"), [("html", "GARBLED"), ("challenge", "CHALLENGED"), ("missing", "GARBLED")]
)
async def test_what_is_no_picture_at_all_is_requested_once(
    upstream_to: OpenUpstream, demo: RunningDemo, failure: str, reason: str
) -> None:
    demo.knobs.set("image", failure=failure)
    async with upstream_to(jm_retries=1) as upstream:
        with pytest.raises(UpstreamFailure) as raised:
            await upstream.page(chapter_of(WHOLE), 1)

    assert raised.value.reason is UpstreamReason(reason)
    assert requested(demo) == [("image-1", False), ("image-2", False)]


async def test_the_second_request_is_part_of_the_same_attempt(upstream_to: OpenUpstream, demo: RunningDemo) -> None:
    attempts: list[str] = []
    demo.knobs.set("image", latency_s=0.05)  # so that requests overlap
    async with upstream_to(jm_concurrency=2, on_attempt=lambda _, host, *__: attempts.append(host)) as upstream:
        await asyncio.gather(*(upstream.page(chapter_of(CACHED_SHORT), 3) for _ in range(6)))

    assert attempts == [demo.image_url] * 6
    assert demo.requests.peak("image") == 2


async def test_a_page_that_does_not_decode_can_be_fetched_past_the_cache(
    upstream_to: OpenUpstream, demo: RunningDemo
) -> None:
    async with upstream_to() as upstream:
        page = await upstream.page(chapter_of(WHOLE), 1, bypass_cache=True)

    assert page == demo.images.page(drawn_chapter(WHOLE), 1)
    assert requested(demo) == [("image-1", True)]


async def test_avif_is_a_picture(upstream_to: OpenUpstream) -> None:
    async with upstream_to() as upstream:
        kind = sniff(await upstream.page(chapter_of(AVIF_PAGES), 1))

    assert kind is not None
    assert (kind.codec, kind.width, kind.height, kind.is_complete) == (Codec.AVIF, 480, 683, True)


@pytest.mark.parametrize("can_decode", [True, False])
async def test_avif_is_accepted_only_where_it_can_be_decoded(
    upstream_to: OpenUpstream, monkeypatch: pytest.MonkeyPatch, can_decode: bool
) -> None:
    monkeypatch.setattr(features, "check", lambda _: can_decode)
    heads: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        cdn = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with upstream_to(jm_image_urls=(cdn,)) as upstream:
            assert await upstream.cover(str(WHOLE)) is None

    (accepted,) = (line for line in heads[0].splitlines() if line.lower().startswith("accept:"))
    assert ("image/avif" in accepted) is can_decode
    assert "image/webp" in accepted
