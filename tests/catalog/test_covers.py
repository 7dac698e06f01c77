from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from PIL import Image

from services.cache import Cache, DiskCache, RedisTier, etag_of
from services.catalog import Catalog, ContentPolicy, Covers, Freshness, ImageInfo
from services.errors import BlockedByPolicy, InvalidInput, UpstreamFailure, UpstreamReason
from services.imaging import sniff
from services.observability import open_stats
from services.redis import RedisClient
from tests.fakes import FakeSite, FakeTagIndex, album
from tests.waiting import until

pytestmark = pytest.mark.anyio

NewCovers = Callable[[], Covers]


def picture(form: str, width: int = 600, height: int = 800) -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(file, form)
    return file.getvalue()


@pytest.fixture
def site() -> FakeSite:
    site = FakeSite(album("1", "山"), album("2", "山", "積雪"), album("3", "海"), album("4"))
    site.covers = {"1": picture("WEBP"), "2": picture("WEBP"), "3": picture("JPEG", 200, 100)}
    return site


@pytest.fixture
async def new_covers(site: FakeSite, redis_client: RedisClient, tmp_path: Path) -> AsyncIterator[NewCovers]:
    """Makes covers as separate processes would have them, on one disk and one Valkey."""
    made: list[tuple[Covers, Catalog, Cache]] = []

    def make() -> Covers:
        shared = RedisTier(redis_client)
        cache = Cache(shared, stale_s=1000.0)
        policy = ContentPolicy(FakeTagIndex(), ["積雪"])
        freshness = Freshness(search_s=60, ranking_s=60, album_s=60, comments_s=60)
        catalog = Catalog(site, cache, shared, policy, freshness, concurrency=4, site_url="https://comics.example")
        covers = Covers(site, catalog, DiskCache(tmp_path / "images", 1 << 20), shared)
        made.append((covers, catalog, cache))
        return covers

    yield make
    for each in made:
        for resource in each:
            await resource.aclose()


async def test_a_cover_is_served_as_the_site_sent_it(new_covers: NewCovers, site: FakeSite) -> None:
    cover = await new_covers().find("1")

    assert cover is not None
    assert cover.data == site.covers["1"]
    assert (cover.media_type, cover.size_bytes) == ("image/webp", len(site.covers["1"]))
    assert cover.etag == etag_of(site.covers["1"])


async def test_a_cover_is_fetched_once_over_readers_processes_and_restarts(
    new_covers: NewCovers, site: FakeSite
) -> None:
    first, second = new_covers(), new_covers()
    site.gate.clear()
    reads = [asyncio.create_task(covers.find("1")) for covers in (first, second) * 10]
    await until(lambda: site.concurrent_calls > 0)
    site.gate.set()

    found = await asyncio.gather(*reads)
    again = await new_covers().find("1")

    assert {cover and cover.etag for cover in (*found, again)} == {etag_of(site.covers["1"])}
    assert site.calls["cover 1"] == 1


async def test_what_is_not_there_has_no_cover(new_covers: NewCovers, site: FakeSite) -> None:
    covers = new_covers()

    assert await covers.find("404") is None
    assert await covers.find("4") is None
    assert await covers.find("4") is None
    assert (site.calls["cover 404"], site.calls["cover 4"]) == (0, 1)


@pytest.mark.parametrize("ask", [Covers.find, Covers.thumbnail, Covers.as_jpeg])
async def test_a_withheld_album_has_no_cover_even_when_it_is_on_disk(
    new_covers: NewCovers,
    site: FakeSite,
    ask: Callable[[Covers, str], object],
    tmp_path: Path,
) -> None:
    await DiskCache(tmp_path / "images", 1 << 20).put("cover/2", site.covers["2"], "image/webp")

    with pytest.raises(BlockedByPolicy):
        await ask(new_covers(), "2")  # type: ignore[misc]
    assert site.calls["cover 2"] == 0


@pytest.mark.parametrize(("media_type", "form"), [("image/webp", "WEBP"), ("image/jpeg", "JPEG")])
async def test_a_thumbnail_is_300_pixels_wide(new_covers: NewCovers, media_type: str, form: str) -> None:
    thumbnail = await new_covers().thumbnail("1", media_type)

    assert thumbnail is not None
    with Image.open(io.BytesIO(thumbnail.data)) as image:
        assert (image.format, image.size) == (form, (300, 400))
    assert thumbnail.media_type == media_type
    assert thumbnail.etag == etag_of(thumbnail.data)


async def test_a_small_cover_is_not_enlarged(new_covers: NewCovers) -> None:
    thumbnail = await new_covers().thumbnail("3")

    assert thumbnail is not None
    with Image.open(io.BytesIO(thumbnail.data)) as image:
        assert image.size == (200, 100)


async def test_a_thumbnail_is_made_once_from_one_fetch(new_covers: NewCovers, site: FakeSite) -> None:
    covers = new_covers()

    with open_stats() as stats:
        first = await covers.thumbnail("1")
    again = await new_covers().thumbnail("1")

    assert first == again
    assert site.calls == {"album 1": 1, "cover 1": 1}
    assert stats.upstream_calls == 2


async def test_other_types_of_thumbnail_are_refused(new_covers: NewCovers) -> None:
    with pytest.raises(InvalidInput):
        await new_covers().thumbnail("1", "image/png")


async def test_old_clients_get_jpeg_whatever_the_site_sent(new_covers: NewCovers, site: FakeSite) -> None:
    covers = new_covers()

    converted, untouched = await covers.as_jpeg("1"), await covers.as_jpeg("3")

    assert converted is not None
    assert untouched is not None
    kind = sniff(converted.data)
    assert kind is not None
    assert (kind.media_type, kind.width, kind.height) == ("image/jpeg", 600, 800)
    assert untouched.data == site.covers["3"]
    assert converted.media_type == untouched.media_type == "image/jpeg"


@pytest.mark.parametrize("garbage", [b"<html>not today</html>", b"", picture("WEBP")[:-200]])
async def test_a_damaged_image_is_never_returned(new_covers: NewCovers, site: FakeSite, garbage: bytes) -> None:
    covers = new_covers()
    whole = site.covers["1"]
    site.covers["1"] = garbage

    with pytest.raises(UpstreamFailure) as failure:
        await covers.find("1")
    assert failure.value.reason is UpstreamReason.GARBLED

    site.covers["1"] = whole
    found = await covers.find("1")
    assert found is not None
    assert found.data == whole


async def test_a_cover_has_no_info_before_it_was_fetched(new_covers: NewCovers, site: FakeSite) -> None:
    assert await new_covers().infos(["1"]) == [None]
    assert site.calls.total() == 0


async def test_size_and_placeholder_are_known_after_the_first_fetch(new_covers: NewCovers) -> None:
    covers = new_covers()
    await covers.find("1")

    [info] = await covers.infos(["1"])

    assert isinstance(info, ImageInfo)
    assert (info.width, info.height) == (600, 800)
    assert 20 < len(info.placeholder) < 60
    assert await new_covers().infos(["404", "1", "3"]) == [None, info, None]


async def test_cover_infos_survive_an_emptied_redis(new_covers: NewCovers, redis_client: RedisClient) -> None:
    covers = new_covers()
    await covers.find("1")
    [info] = await covers.infos(["1"])
    await redis_client.client.flushall()

    assert await new_covers().infos(["1"]) == [info]


async def test_cover_infos_survive_a_cleared_disk_cache(new_covers: NewCovers, tmp_path: Path) -> None:
    covers = new_covers()
    await covers.find("1")
    [info] = await covers.infos(["1"])
    await DiskCache(tmp_path / "images", 0).sweep()

    assert await new_covers().infos(["1"]) == [info]


async def test_a_cover_on_disk_needs_no_site(new_covers: NewCovers, site: FakeSite) -> None:
    covers = new_covers()
    await covers.find("1")
    site.failure = UpstreamFailure(UpstreamReason.UNREACHABLE)

    cover = await covers.find("1")

    assert cover is not None
    assert cover.data == site.covers["1"]
