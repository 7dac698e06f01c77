from __future__ import annotations

import io

import pytest
from PIL import Image

from services.imaging import Codec, missing_page, sniff


@pytest.mark.parametrize(
    ("width", "height"), [(960, 1360), (700, 20_000), (1600, 1100), (64, 64), (1, 1), (5, 70_000)]
)
def test_a_plain_page_has_the_size_it_is_asked_for(width: int, height: int) -> None:
    kind = sniff(missing_page(width, height, chapter="Chapter 3 (350234)", page=7))

    assert kind is not None
    assert (kind.codec, kind.width, kind.height, kind.is_complete) == (Codec.PNG, width, height, True)


@pytest.mark.parametrize(("width", "height"), [(960, 1360), (700, 20_000), (1600, 1100)])
def test_its_text_is_well_within_the_page(width: int, height: int) -> None:
    with Image.open(io.BytesIO(missing_page(width, height, chapter="Chapter 1208 (350234)", page=1207))) as page:
        dark = page.point(lambda shade: 255 if shade < 160 else 0).getbbox()

    assert dark is not None
    left, top, right, bottom = dark
    assert 0.05 * width < left < right < 0.95 * width
    assert 0 < top < bottom < 0.98 * height
    assert abs((left + right) / 2 - width / 2) < 0.02 * width


def test_pages_tell_their_number_and_chapter() -> None:
    pages = {missing_page(700, 1000, chapter=f"Chapter {c}", page=p) for c in (1, 2) for p in (1, 2)}

    assert len(pages) == 4
    assert missing_page(700, 1000, chapter="Chapter 1", page=1) in pages
