"""The scramble id of a chapter: read, confirmed by a second host to be absent, never taken from an error page."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from demo.odd_albums import NO_SCRAMBLE_ID, NO_SCRAMBLE_ID_ON_FIRST_HOST
from demo.server import RunningDemo
from services.errors import UpstreamFailure, UpstreamReason
from services.upstream import HostRole, UpstreamClient

pytestmark = pytest.mark.anyio

OpenUpstream = Callable[..., AbstractAsyncContextManager[UpstreamClient]]

PAGE = "/chapter_view_template"
NOTE = "no scramble id was found; 220980 was assumed"


async def test_a_second_host_is_asked_for_a_scramble_id_that_the_first_does_not_state(
    upstream_to: OpenUpstream, demo: RunningDemo
) -> None:
    async with upstream_to() as upstream:
        chapter = await upstream.chapter(str(NO_SCRAMBLE_ID_ON_FIRST_HOST))

    assert chapter is not None
    assert (chapter.scramble_id, chapter.notes) == (NO_SCRAMBLE_ID_ON_FIRST_HOST + 1, ())
    assert [seen.host for seen in demo.requests.find(PAGE)] == ["api-1", "api-2"]


async def test_the_usual_scramble_id_is_assumed_where_no_host_states_one(
    upstream_to: OpenUpstream, demo: RunningDemo
) -> None:
    async with upstream_to() as upstream:
        chapter = await upstream.chapter(str(NO_SCRAMBLE_ID))
        status = await upstream.status()

    assert chapter is not None
    assert (chapter.scramble_id, chapter.notes) == (220980, (NOTE,))
    assert len(chapter.page_names) == 8
    assert [seen.host for seen in demo.requests.find(PAGE)] == ["api-1", "api-2"]
    assert [host.healthy for host in status.hosts if host.role is HostRole.API] == [True, True]


@pytest.mark.parametrize(
    ("id", "scramble_id", "notes"),
    [(NO_SCRAMBLE_ID, 220980, (NOTE,)), (NO_SCRAMBLE_ID_ON_FIRST_HOST, NO_SCRAMBLE_ID_ON_FIRST_HOST + 1, ())],
)
async def test_a_web_page_without_a_scramble_id_is_completed_by_the_api(
    upstream_to: OpenUpstream, id: int, scramble_id: int, notes: tuple[str, ...]
) -> None:
    async with upstream_to(jm_method="html") as upstream:
        chapter = await upstream.chapter(str(id))

    assert chapter is not None
    assert (chapter.scramble_id, chapter.notes, len(chapter.page_names)) == (scramble_id, notes, 8)


async def test_one_host_alone_is_enough_to_assume_it(upstream_to: OpenUpstream, demo: RunningDemo) -> None:
    async with upstream_to(jm_api_urls=(demo.api_url,)) as upstream:
        chapter = await upstream.chapter(str(NO_SCRAMBLE_ID))

    assert chapter is not None
    assert chapter.notes == (NOTE,)


@pytest.mark.parametrize("target", ["api", "api-2"])
@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        ("region", "REGION_BLOCKED"),
        ("restricted", "REGION_BLOCKED"),
        ("challenge", "CHALLENGED"),
        ("maintenance", "MAINTENANCE"),
        ("garbage", "GARBLED"),
        ("html", "GARBLED"),
        ("empty", "GARBLED"),
        ("missing", "GARBLED"),
    ],
)
async def test_an_error_page_is_no_page_without_a_scramble_id(
    upstream_to: OpenUpstream, demo: RunningDemo, target: str, failure: str, reason: str
) -> None:
    demo.knobs.set(target, path=PAGE, failure=failure)
    async with upstream_to(jm_retries=1) as upstream:
        with pytest.raises(UpstreamFailure) as raised:
            await upstream.chapter(str(NO_SCRAMBLE_ID))

    assert raised.value.reason is UpstreamReason(reason)
