"""Strips are reordered as jmcomic's own function does."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jmcomic import JmImageTool
from PIL import Image

from demo.drawing import page_image
from services.imaging import layout, scramble, strips, strips_of_page, unscramble
from services.imaging.strips import unscramble_rows

COUNTS = st.sampled_from([2, 4, 6, 8, 10, 12, 14, 16, 18, 20])


@given(st.integers(0, 1_500_000), st.integers(1, 1_500_000), st.text("0123456789abc_", min_size=1, max_size=8))
def test_the_number_of_strips_is_that_of_jmcomic(scramble_id: int, chapter_id: int, stem: str) -> None:
    assert strips(scramble_id, chapter_id, stem) == JmImageTool.get_num(scramble_id, chapter_id, stem)


@pytest.mark.parametrize(
    ("chapter_id", "stem", "count"),
    [(220979, "00001", 0), (220980, "00001", 10), (268849, "00001", 10), (350234, "00012", 18), (438516, "00001", 6)],
)
def test_old_chapters_are_whole_then_cut_in_ten_then_by_their_names(chapter_id: int, stem: str, count: int) -> None:
    assert strips(220980, chapter_id, stem) == count


@pytest.mark.parametrize("count", [2, 10, 14, 20])
def test_a_page_is_put_in_order_as_jmcomic_does_it(count: int, tmp_path: Path) -> None:
    cut = page_image(438516, 1).crop((0, 0, 120, 403))

    JmImageTool.decode_and_save(count, cut, str(tmp_path / "theirs.png"))

    with Image.open(tmp_path / "theirs.png") as theirs:
        assert unscramble(cut, count).tobytes() == theirs.convert("RGB").tobytes()


@given(COUNTS, st.integers(1, 90), st.integers(1, 9), st.sampled_from(["L", "RGB", "RGBA", "P"]))
def test_scrambling_and_unscrambling_is_the_identity(count: int, height: int, width: int, mode: str) -> None:
    image = Image.frombytes("L", (width, height), bytes(y * 7 % 251 for y in range(height) for _ in range(width)))
    image = image.convert(mode)

    assert unscramble(scramble(image, count), count).tobytes() == image.tobytes()
    assert scramble(unscramble(image, count), count).tobytes() == image.tobytes()


@given(COUNTS, st.integers(1, 3000))
def test_every_row_has_one_place(count: int, height: int) -> None:
    bands = layout(height, count)

    scrambled = sorted(row for band in bands for row in range(band.scrambled_y, band.scrambled_y + band.height))
    readable = [row for band in bands for row in range(band.readable_y, band.readable_y + band.height)]
    assert scrambled == list(range(height))
    assert readable == list(range(height))


@given(COUNTS, st.integers(1, 60), st.integers(1, 5))
def test_raw_rows_are_ordered_like_images(count: int, height: int, width: int) -> None:
    rows = bytearray(y for y in range(height) for _ in range(width))
    image = Image.frombytes("L", (width, height), bytes(rows))

    assert unscramble_rows(rows, width, count) == unscramble(image, count).tobytes()


def test_a_whole_page_is_unchanged() -> None:
    image = Image.new("RGB", (4, 4))

    assert unscramble(image, 0) is image
    assert scramble(image, 0) is image


def file(form: str, frames: int = 1) -> bytes:
    """A small file of this format."""
    first, *rest = (Image.linear_gradient("L").resize((16, 24)).rotate(90 * turn) for turn in range(frames))
    stream = io.BytesIO()
    first.convert("RGB").save(stream, form, **({"save_all": True, "append_images": rest} if rest else {}))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "count"),
    [
        ("00012.webp", file("WEBP"), 18),
        ("00012.webp", file("JPEG"), 18),
        ("00012.jpg", file("AVIF"), 18),
        ("00012.png", file("PNG"), 18),
        ("00012.gif", file("GIF", 2), 0),
        ("00012.gif", file("WEBP"), 0),
        ("00012.GIF", file("JPEG"), 0),
        ("00012.webp", file("GIF"), 0),
        ("00012.webp", file("GIF", 2), 0),
        ("00012.webp", file("WEBP", 2), 0),
        ("00012.png", file("PNG", 2), 0),
        ("00012.webp", file("AVIF", 2), 0),
        ("00012.webp", b"<html>", 18),
    ],
)
def test_gif_names_and_what_moves_are_never_cut(name: str, data: bytes, count: int) -> None:
    assert strips_of_page(data, name, scramble_id=220980, chapter_id=350234) == count
    assert strips_of_page(data, name, scramble_id=350235, chapter_id=350234) == 0
