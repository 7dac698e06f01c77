"""Colour planes are reordered without loss, or with as little as their shape allows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.imaging import layout
from services.imaging.planes import Planes


def numbered(width: int, height: int) -> Planes:
    """Each row filled with its number, in chroma with that of its upper luma row."""
    chroma = bytearray(row * 2 % 256 for row in range(-(-height // 2)) for _ in range(-(-width // 2)))
    luma = bytearray(row % 256 for row in range(height) for _ in range(width))
    return Planes(width, height, luma, chroma, bytearray(chroma))


def rows(plane: bytearray, stride: int) -> list[int]:
    """The number in each row."""
    assert all(len(set(plane[at : at + stride])) == 1 for at in range(0, len(plane), stride))
    return list(plane[::stride])


def scrambled_rows(height: int, count: int) -> list[int]:
    """For each row of the readable page the row it comes from."""
    return [row for band in layout(height, count) for row in range(band.scrambled_y, band.scrambled_y + band.height)]


@given(st.sampled_from([2, 4, 6, 8, 10, 20]), st.integers(1, 3), st.integers(1, 9))
def test_strips_that_begin_on_even_rows_keep_every_sample(count: int, pairs: int, width: int) -> None:
    height = count * pairs * 2

    ordered = numbered(width, height).unscramble(count)

    assert rows(ordered.y, width) == scrambled_rows(height, count)
    assert rows(ordered.u, ordered.chroma_width) == scrambled_rows(height, count)[::2]
    assert ordered.v == ordered.u


@given(st.sampled_from([2, 4, 6, 8, 10, 12, 14, 16, 18, 20]), st.integers(1, 120), st.integers(1, 9))
def test_a_chroma_row_is_never_far_from_the_luma_rows_it_colours(count: int, height: int, width: int) -> None:
    ordered = numbered(width, height).unscramble(count)

    luma, chroma = rows(ordered.y, width), rows(ordered.u, ordered.chroma_width)
    assert len(luma) == height
    assert len(chroma) == -(-height // 2)
    for row, value in enumerate(chroma):
        coloured = luma[row * 2 : row * 2 + 2]
        assert abs(value - sum(coloured) / len(coloured)) <= 2


def test_a_chroma_row_that_two_strips_shared_is_not_used_where_there_is_a_better_one() -> None:
    planes = numbered(2, 18)  # two strips of 9 rows: luma row 8 shares its chroma with row 9 of the other strip

    ordered = planes.unscramble(2)

    assert rows(ordered.y, 2) == [*range(9, 18), *range(9)]
    assert rows(ordered.u, 1)[0] == 10
    assert rows(ordered.u, 1)[-1] == 6


def test_a_whole_page_is_unchanged() -> None:
    planes = numbered(3, 5)

    assert planes.unscramble(0) is planes
