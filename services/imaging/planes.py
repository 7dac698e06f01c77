"""A picture as its colour planes: full luma, chroma halved both ways (YUV 4:2:0), as lossy WebP stores it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

from PIL import Image, ImageChops

from services.imaging.strips import Strip, layout, unscramble_rows

Run = tuple[int, int]
"""First row and end row of rows that lie together."""


@dataclass(frozen=True, slots=True)
class Planes:
    """Samples row by row, one byte each; chroma planes are half as wide and high, rounded up."""

    width: int
    height: int
    y: bytearray
    u: bytearray
    v: bytearray

    @classmethod
    def blank(cls, width: int, height: int) -> Planes:
        """Planes of this size, all zero."""
        chroma_bytes = -(-width // 2) * -(-height // 2)
        return cls(width, height, bytearray(width * height), bytearray(chroma_bytes), bytearray(chroma_bytes))

    @property
    def chroma_width(self) -> int:
        """Bytes of a chroma row."""
        return -(-self.width // 2)

    def unscramble(self, count: int) -> Planes:
        """The readable page of `count` strips.

        Exact for luma. Chroma is exact too where strips begin on even rows; elsewhere a chroma row is the mean of
        the two it lies between, and rows that two strips shared are replaced by their strip's own neighbour.
        """
        if not count:
            return self
        upper, lower = _chroma_plan(self.height, count)
        u, v = (_mean_of(plane, upper, lower, self.chroma_width) for plane in (self.u, self.v))
        return Planes(self.width, self.height, unscramble_rows(self.y, self.width, count), u, v)


@lru_cache(maxsize=256)
def _chroma_plan(height: int, count: int) -> tuple[tuple[Run, ...], tuple[Run, ...]]:
    """Which stored chroma rows make the readable ones: for each the row of its upper and of its lower luma row."""
    chroma_of_row = list(chain.from_iterable(_chroma_rows(strip, height) for strip in layout(height, count)))
    upper = chroma_of_row[0::2]
    lower = chroma_of_row[1::2] + upper[-1:] * (height % 2)
    return tuple(_runs(upper)), tuple(_runs(lower))


def _chroma_rows(strip: Strip, height: int) -> Iterator[int]:
    """For each luma row of a strip the stored chroma row that colours it, one of the strip's own if it has any."""
    end = strip.scrambled_y + strip.height
    first_own = (strip.scrambled_y + 1) // 2
    last_own = (end + (end == height)) // 2 - 1
    for row in range(strip.scrambled_y, end):
        yield min(max(row // 2, first_own), last_own) if first_own <= last_own else row // 2


def _runs(rows: Iterable[int]) -> Iterator[Run]:
    start = end = -1
    for row in rows:
        if row == end:
            end += 1
            continue
        if end >= 0:
            yield start, end
        start, end = row, row + 1
    yield start, end


def _pick(plane: bytearray, runs: tuple[Run, ...], stride: int) -> bytearray:
    view = memoryview(plane)
    return bytearray().join(view[start * stride : end * stride] for start, end in runs)


def _mean_of(plane: bytearray, upper: tuple[Run, ...], lower: tuple[Run, ...], stride: int) -> bytearray:
    above = _pick(plane, upper, stride)
    if upper == lower:
        return above
    below = _pick(plane, lower, stride)
    size = stride, len(above) // stride
    first, second = (Image.frombuffer("L", size, rows, "raw", "L", 0, 1) for rows in (above, below))
    return bytearray(ImageChops.add(first, second, scale=2.0).tobytes())
