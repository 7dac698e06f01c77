from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageStat

from services.cache import Cache, DiskCache, RedisTier, etag_of
from services.catalog import Catalog, ContentPolicy, Freshness, Pages
from services.errors import BlockedByPolicy, UpstreamFailure, UpstreamReason
from services.imaging import scramble, strips
from services.redis import RedisClient
from services.upstream.records import ChapterDetail
from tests.fakes import FakeSite, FakeTagIndex, album

pytestmark = pytest.mark.anyio

NAMES = ("00001.webp", "00002.webp")
WHOLE, SCRAMBLED, WITHHELD, GIF_NAMES = "100", "400000", "500", "400001"


def drawn() -> Image.Image:
    return Image.linear_gradient("L").resize((120, 203)).convert("RGB")


def webp(image: Image.Image) -> bytes:
    return saved(image, "WEBP", lossless=True)


def saved(image: Image.Image, form: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def mean_difference(data: bytes, image: Image.Image) -> float:
    """Of the colours of two pictures, 0 to 255."""
    with Image.open(io.BytesIO(data)) as opened:
        return max(ImageStat.Stat(ImageChops.difference(opened.convert("RGB"), image)).mean)


@pytest.fixture
def staging() -> dict[tuple[str, int], Path]:
    """What a running download has on disk."""
    return {}


@pytest.fixture
def site() -> FakeSite:
    site = FakeSite(album("1"), album("2", "積雪"))
    site.chapters = {
        WHOLE: ChapterDetail(WHOLE, "1", "", 220980, NAMES),
        SCRAMBLED: ChapterDetail(SCRAMBLED, "1", "", 220980, NAMES),
        WITHHELD: ChapterDetail(WITHHELD, "2", "", 220980, NAMES),
        GIF_NAMES: ChapterDetail(GIF_NAMES, "1", "", 220980, ("00001.gif", "00002.webp")),
    }
    cut = scramble(drawn(), strips(220980, int(SCRAMBLED), "00001"))
    site.pages = {(WHOLE, 1): webp(drawn()), (WHOLE, 2): b"<html>", (SCRAMBLED, 1): webp(cut)}
    return site


@pytest.fixture
async def pages(
    site: FakeSite, redis_client: RedisClient, tmp_path: Path, staging: dict[tuple[str, int], Path]
) -> AsyncIterator[Pages]:
    shared = RedisTier(redis_client)
    cache = Cache(shared, stale_s=1000.0)
    policy = ContentPolicy(FakeTagIndex(), ["積雪"])
    freshness = Freshness(search_s=60, ranking_s=60, album_s=60, comments_s=60)
    catalog = Catalog(site, cache, shared, policy, freshness, concurrency=4, site_url="https://comics.example")
    disk = DiskCache(tmp_path / "images", 1 << 20)
    pages = Pages(site, catalog, disk, shared, lambda chapter_id, index: staging.get((chapter_id, index)))
    yield pages
    for resource in (pages, catalog, cache):
        await resource.aclose()


async def test_a_whole_page_is_served_untouched(pages: Pages, site: FakeSite) -> None:
    page = await pages.find(WHOLE, 1)

    assert page is not None
    assert page.data == site.pages[WHOLE, 1]
    assert (page.media_type, page.etag) == ("image/webp", etag_of(page.data))


async def test_a_scrambled_page_is_put_in_order(pages: Pages) -> None:
    page = await pages.find(SCRAMBLED, 1)

    assert page is not None
    with Image.open(io.BytesIO(page.data)) as image:
        difference = ImageChops.difference(image.convert("RGB"), drawn())
    assert image.format == "WEBP"
    assert max(high for _, high in difference.getextrema()) == 0  # type: ignore[misc]


async def test_a_still_picture_named_gif_is_served_untouched(pages: Pages, site: FakeSite) -> None:
    site.pages[GIF_NAMES, 1] = webp(drawn())

    page = await pages.find(GIF_NAMES, 1)

    assert page is not None
    assert (page.data, page.media_type) == (site.pages[GIF_NAMES, 1], "image/webp")


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
async def test_what_moves_is_served_untouched_whatever_its_name(pages: Pages, site: FakeSite, form: str) -> None:
    turned = drawn().transpose(Image.Transpose.ROTATE_180)
    site.pages[GIF_NAMES, 2] = saved(drawn(), form, save_all=True, append_images=[turned])

    page = await pages.find(GIF_NAMES, 2)

    assert page is not None
    assert page.data == site.pages[GIF_NAMES, 2]


async def test_a_cut_avif_page_is_put_in_order_as_webp(pages: Pages, site: FakeSite) -> None:
    cut = scramble(drawn(), strips(220980, int(SCRAMBLED), "00001"))
    site.pages[SCRAMBLED, 1] = saved(cut, "AVIF", quality=90)

    page = await pages.find(SCRAMBLED, 1)

    assert page is not None
    assert page.media_type == "image/webp"
    assert mean_difference(page.data, drawn()) < 4


async def test_a_whole_avif_page_is_served_untouched(pages: Pages, site: FakeSite) -> None:
    site.pages[WHOLE, 1] = saved(drawn(), "AVIF")

    page = await pages.find(WHOLE, 1)

    assert page is not None
    assert (page.data, page.media_type) == (site.pages[WHOLE, 1], "image/avif")


async def test_a_page_that_does_not_decode_is_fetched_past_the_cache_of_the_cdn(pages: Pages, site: FakeSite) -> None:
    damaged = bytearray(site.pages[SCRAMBLED, 1])
    damaged[30:] = b"\xff" * len(damaged[30:])
    site.cached_pages[SCRAMBLED, 1] = bytes(damaged)

    page = await pages.find(SCRAMBLED, 1)

    assert page is not None
    assert mean_difference(page.data, drawn()) == 0
    assert site.calls[f"page {SCRAMBLED}/1"] == 2


async def test_a_page_is_fetched_once(pages: Pages, site: FakeSite) -> None:
    first, again = await pages.find(WHOLE, 1), await pages.find(WHOLE, 1)

    assert first == again
    assert site.calls == {f"chapter {WHOLE}": 1, "album 1": 1, f"page {WHOLE}/1": 1}


@pytest.mark.parametrize(("chapter_id", "index"), [(WHOLE, 0), (WHOLE, 3), (WHOLE, -1), ("404", 1)])
async def test_a_page_that_is_not_there_is_none(pages: Pages, chapter_id: str, index: int) -> None:
    assert await pages.find(chapter_id, index) is None


async def test_a_withheld_album_has_no_pages(pages: Pages, site: FakeSite) -> None:
    with pytest.raises(BlockedByPolicy):
        await pages.find(WITHHELD, 1)
    assert site.calls[f"page {WITHHELD}/1"] == 0


async def test_a_file_that_is_no_image_is_never_returned(pages: Pages) -> None:
    with pytest.raises(UpstreamFailure) as failure:
        await pages.find(WHOLE, 2)
    assert failure.value.reason is UpstreamReason.GARBLED


async def test_a_page_of_a_running_download_comes_from_its_staging(
    pages: Pages, site: FakeSite, staging: dict[tuple[str, int], Path], tmp_path: Path
) -> None:
    staged = tmp_path / "00001.png"
    drawn().save(staged)
    staging[WHOLE, 1] = staged

    page = await pages.find(WHOLE, 1)

    assert page is not None
    assert (page.data, page.media_type) == (staged.read_bytes(), "image/png")
    assert site.calls[f"page {WHOLE}/1"] == 0


async def test_a_staging_folder_removed_meanwhile_is_no_error(
    pages: Pages, site: FakeSite, staging: dict[tuple[str, int], Path], tmp_path: Path
) -> None:
    staging[WHOLE, 1] = tmp_path / "gone.webp"

    page = await pages.find(WHOLE, 1)

    assert page is not None
    assert page.data == site.pages[WHOLE, 1]
