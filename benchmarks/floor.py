"""The floor: the least work that pages need; and the fidelity of an archive's pages to the drawing."""

from __future__ import annotations

import math
import os
import statistics
import time
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import httpx
from PIL import Image, ImageChops, ImageStat

from benchmarks.site import Site
from demo.drawing import page_image
from demo.library import library
from services.imaging import Codec, strips, unscramble


@dataclass(frozen=True, slots=True)
class SourcePage:
    """A page as the site sends it, and its number of strips."""

    data: bytes
    strips: int


def fetch_pages(site: Site, album_id: int) -> list[SourcePage]:
    """All pages of an album in memory; also makes the site draw them."""
    comic = library().find(album_id)
    assert comic is not None
    with httpx.Client(trust_env=False, timeout=120) as client:
        return [
            SourcePage(
                client.get(f"{site.image[0]}/media/photos/{chapter.id}/{page.name}").raise_for_status().content,
                0 if page.name.endswith("gif") else strips(chapter.scramble_id, chapter.id, page.stem),
            )
            for chapter in comic.chapters
            for page in chapter.pages
        ]


def floor(pages: Sequence[SourcePage], make: Callable[[SourcePage], object]) -> float:
    """Pages per second when all cores only `make` pages that are in memory."""
    cores = len(os.sched_getaffinity(0))
    with ThreadPoolExecutor(cores) as pool:
        started = time.perf_counter()
        list(pool.map(make, pages))
        return len(pages) / (time.perf_counter() - started)


def by_pillow(page: SourcePage) -> bytes:
    """Decode, reorder, encode as WebP with Pillow at its fastest: the floor of the targets."""
    image, file = Image.open(BytesIO(page.data)), BytesIO()
    unscramble(image.convert("RGB"), page.strips).save(file, Codec.WEBP.name, method=0, quality=80)
    return file.getvalue()


def fidelity_db(archive: Path, album_id: int) -> float:
    """Mean PSNR of a ZIP's pages against what was drawn."""
    chapter = library().find(album_id).chapters[0]  # type: ignore[union-attr]
    with zipfile.ZipFile(archive) as file:
        names = sorted(name for name in file.namelist() if not name.endswith(".xml"))
        return statistics.fmean(
            _psnr_db(Image.open(BytesIO(file.read(name))), page_image(chapter.id, number))
            for number, name in enumerate(names, 1)
        )


def _psnr_db(one: Image.Image, other: Image.Image) -> float:
    stat = ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other))
    return 10 * math.log10(255**2 / (sum(stat.sum2) / sum(stat.count)))
