"""The catalog over the real upstream and the demo site."""

from __future__ import annotations

import asyncio
import base64
import io
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PIL import Image, ImageChops

from demo.drawing import page_image
from demo.server import RunningDemo
from services.catalog import CatalogServices, open_catalog
from services.errors import BlockedByPolicy, UpstreamFailure, UpstreamReason
from services.observability import open_stats
from services.redis import RedisClient
from services.settings import read_settings
from services.upstream import open_upstream
from services.upstream.records import AlbumDetail, ChapterDetail, RankingQuery, SearchQuery, SourceMethod
from tests.fakes import FakeTagIndex

pytestmark = pytest.mark.anyio

MARKED = "測試封鎖"
"""The demo's tag for trying the policy: on 900451, 900452 and 900453."""
Open = Callable[..., AbstractAsyncContextManager[CatalogServices]]


@pytest.fixture(params=["api", "html"])
def method(request: pytest.FixtureRequest) -> str:
    """Both methods to read the site."""
    return str(request.param)


@pytest.fixture
def opened(demo: RunningDemo, redis_client: RedisClient, tmp_path: Path, method: str) -> Open:
    """Opens a catalog on the demo site, as a process of its own would have it."""

    @asynccontextmanager
    async def opening(**changes: Any) -> AsyncIterator[CatalogServices]:
        settings = read_settings(
            **{
                "data_dir": tmp_path,
                "jm_method": method,
                "jm_api_urls": tuple(demo.api_urls),
                "jm_html_urls": tuple(demo.html_urls),
                "jm_image_urls": tuple(demo.image_urls),
                "jm_timeout_s": 20.0,
                "jm_retries": 1,
                "jm_rate_per_s": 1000.0,
                **changes,
            }
        )
        async with (
            open_upstream(settings, redis_client) as upstream,
            open_catalog(settings, redis_client, upstream, FakeTagIndex()) as catalog,
        ):
            yield catalog

    return opening


async def found_by(reading: CatalogServices, query: SearchQuery) -> list[str]:
    return [line.id for line in (await reading.catalog.search(query)).items]


async def test_a_hundred_reads_in_two_processes_make_one_request(
    opened: Open, demo: RunningDemo, method: str
) -> None:
    async with opened() as first, opened() as second:
        found = await asyncio.gather(*(each.catalog.find_album("350234") for each in (first, second) * 50))

    assert {album and album.id for album in found} == {"350234"}
    assert demo.requests.count("350234", role=method) == 1


async def test_titles_of_a_ranking_cost_one_call(opened: Open) -> None:
    async with opened() as reading:
        with open_stats() as stats:
            ranking = await reading.catalog.ranking(RankingQuery())

    assert [line.rank for line in ranking.entries] == list(range(1, 81))
    assert stats.upstream_calls == 1


async def test_details_of_a_ranking_come_in_one_bounded_batch(opened: Open, demo: RunningDemo, method: str) -> None:
    demo.knobs.set("*", latency_s=0.02)
    async with opened(jm_concurrency=8) as reading:
        ranking = await reading.catalog.ranking(RankingQuery())
        demo.requests.reset()
        found = await reading.catalog.find_albums([line.album.id for line in ranking.entries])

    assert [album.id for album in found if isinstance(album, AlbumDetail)] == [
        line.album.id for line in ranking.entries
    ]
    assert demo.requests.peak(method) <= 8


async def test_cached_reads_work_while_the_site_is_down(opened: Open, demo: RunningDemo) -> None:
    async with opened(cache_album_s=0) as reading:
        fresh = await reading.catalog.find_album("350234")
        demo.knobs.set("*", dead=True)

        with open_stats() as stats:
            stale = await reading.catalog.find_album("350234")
        with pytest.raises(UpstreamFailure):
            await reading.catalog.find_album("333908")

    assert stale == fresh
    assert stats.stale


async def test_a_withheld_tag_is_withheld_everywhere(opened: Open, demo: RunningDemo) -> None:
    async with opened(blocked_tags=(MARKED,)) as reading:
        assert await found_by(reading, SearchQuery(MARKED)) == []
        assert await found_by(reading, SearchQuery("900451")) == []
        assert not {"900451", "900452", "900453"} & set(await found_by(reading, SearchQuery("示範")))
        assert await reading.catalog.find_album("900451") is None
        assert await reading.catalog.find_chapter("900451") is None
        for refused in (
            reading.catalog.get_album("900451"),
            reading.covers.find("900451"),
            reading.covers.thumbnail("900451"),
            reading.pages.find("900451", 1),
            reading.catalog.comments("900451", 1),
        ):
            with pytest.raises(BlockedByPolicy) as blocked:
                await refused
            assert blocked.value.tags == (MARKED,)

    assert demo.requests.count(role="image") == 0


async def test_tags_that_an_earlier_version_stored_still_withhold(
    opened: Open, redis_client: RedisClient, demo: RunningDemo
) -> None:
    stored = {"tags": [MARKED], "works": [], "characters": [], "authors": []}
    await redis_client.with_timeout(5).set("jmgraph:labels:cb25f2f1:900451", msgspec.msgpack.encode(stored))

    async with opened(blocked_tags=(MARKED,)) as reading:
        demo.requests.reset()
        with pytest.raises(BlockedByPolicy):
            await reading.catalog.check_album("900451")

    assert demo.requests.count() == 0


async def test_strict_lists_nothing_that_was_not_looked_up(opened: Open) -> None:
    async with opened(blocked_tags=("風景",), policy="strict") as strict, opened() as open_to_all:
        listed = [line.album.id for line in (await strict.catalog.ranking(RankingQuery())).entries]
        ranking = await open_to_all.catalog.ranking(RankingQuery())
        details = await open_to_all.catalog.find_albums([line.album.id for line in ranking.entries])

    expected = [each.id for each in details if isinstance(each, AlbumDetail) and "風景" not in each.tags]
    assert listed == expected
    assert 0 < len(listed) < 80


async def test_an_exclusion_that_leaves_nothing_gives_nothing(opened: Open) -> None:
    async with opened() as reading:
        unfiltered = await found_by(reading, SearchQuery(MARKED))
        filtered = await reading.catalog.search(SearchQuery(MARKED, exclude=(MARKED,)))

    assert set(unfiltered) == {"900451", "900452", "900453"}
    assert (filtered.items, filtered.total) == ((), 0)


async def test_a_page_is_unscrambled_exactly(opened: Open) -> None:
    async with opened() as reading:
        page = await reading.pages.find("302166", 1)

    assert page is not None
    with Image.open(io.BytesIO(page.data)) as image:
        difference = ImageChops.difference(image.convert("RGB"), page_image("302166", 1).convert("RGB"))
    assert difference.getbbox() is None


@pytest.mark.parametrize(
    ("chapter_id", "index", "media_type"), [("145590", 1, "image/jpeg"), ("900089", 1, "image/gif")]
)
async def test_pages_keep_the_format_of_the_site(opened: Open, chapter_id: str, index: int, media_type: str) -> None:
    async with opened() as reading:
        page = await reading.pages.find(chapter_id, index)

    assert page is not None
    assert page.media_type == media_type


@pytest.mark.parametrize(("chapter_id", "index"), [("900007", 7), ("900011", 3), ("900012", 2), ("900013", 5)])
async def test_a_broken_page_is_a_failure_and_never_an_image(opened: Open, chapter_id: str, index: int) -> None:
    async with opened() as reading:
        with pytest.raises(UpstreamFailure) as failure:
            await reading.pages.find(chapter_id, index)
        sound = await reading.pages.find(chapter_id, 1)

    assert failure.value.reason in (UpstreamReason.GARBLED, UpstreamReason.UNREACHABLE)
    assert sound is not None


async def test_a_cover_is_known_after_its_first_fetch(opened: Open, demo: RunningDemo) -> None:
    async with opened() as reading:
        assert await reading.covers.infos(["350234"]) == [None]
        covers = await asyncio.gather(*(reading.covers.find("350234") for _ in range(20)))
        thumbnail = await reading.covers.thumbnail("350234", "image/jpeg")
        [info] = await reading.covers.infos(["350234"])

    assert len({cover and cover.etag for cover in covers}) == 1
    assert thumbnail is not None
    assert thumbnail.media_type == "image/jpeg"
    assert info is not None
    with Image.open(io.BytesIO(covers[0].data if covers[0] else b"")) as image:
        assert image.size == (info.width, info.height)
    assert len(base64.b64decode(info.placeholder)) >= 5
    assert demo.requests.count(role="image") == 1


async def test_a_decoy_is_neither_shown_nor_cached_nor_learned_from(opened: Open, demo: RunningDemo) -> None:
    async with opened(blocked_tags=("誘餌",)) as reading:
        demo.knobs.set("*", failure="decoy")
        with pytest.raises(UpstreamFailure):
            await reading.catalog.find_album("350234")
        with pytest.raises(UpstreamFailure):
            await reading.catalog.get_chapter("350234")
        demo.knobs.reset()
        album = await reading.catalog.find_album("350234")
        chapter = await reading.catalog.get_chapter("350234")

    assert album is not None
    assert (album.title, chapter.album_id) == ("雨林深處的一天", "350234")


async def test_a_chapter_is_judged_by_the_album_that_lists_it(opened: Open) -> None:
    async with opened() as reading, opened() as elsewhere:
        album = await reading.catalog.get_album("900302")
        ids = [chapter.id for chapter in album.chapters]
        assert await reading.catalog.find_chapter("900311") is None  # nobody knows yet who lists it
        chapters = await reading.catalog.find_chapters(ids, album.id)
        alone = [await catalog.catalog.get_chapter("900311") for catalog in (reading, elsewhere)]
        page = await elsewhere.pages.find("900311", 8)

    assert ids == ["900302", "900311"]
    assert [chapter.album_id for chapter in chapters if isinstance(chapter, ChapterDetail)] == ["900302", "900302"]
    assert {chapter.album_id for chapter in alone} == {"900302"}
    assert page is not None


async def test_a_blocked_album_withholds_chapters_that_name_another(opened: Open) -> None:
    async with opened() as reading:
        await reading.catalog.find_chapters(["900311"], "900302")
    async with opened(blocked_tags=("全彩",)) as reading:
        assert await reading.catalog.find_chapters(["900311"], "900302") == [None]
        assert await reading.catalog.find_chapter("900311") is None


async def test_an_album_that_is_refused_takes_no_other_with_it(opened: Open) -> None:
    async with opened() as reading:
        before, refused, after = await reading.catalog.find_albums(["350234", "900316", "900314"])

    assert isinstance(before, AlbumDetail)
    assert isinstance(after, AlbumDetail)
    assert isinstance(refused, UpstreamFailure)


async def test_an_album_is_reread_by_the_api_whatever_is_cached(opened: Open, demo: RunningDemo) -> None:
    async with opened(blocked_tags=(MARKED,)) as reading:
        await reading.catalog.get_album("333908")
        album = await reading.catalog.reread_album("333908")
        with pytest.raises(BlockedByPolicy):
            await reading.catalog.reread_album("900451")

    assert album.source is SourceMethod.API
    assert [chapter.id for chapter in album.chapters] == ["333908", "333909", "333910"]
