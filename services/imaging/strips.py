"""Strips: the site cuts a page into horizontal bands and stacks them upside down; this puts them in order.

A scrambled page holds, from its bottom up, the strips of the readable page from its top down. All are
`height // strips` rows high; the readable page's first one also takes the rows that are left over.
Source: jmcomic 2.7.10, `JmImageTool.get_num` and `decode_and_save`; checked against it in the tests.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image

from services.imaging.kinds import Codec, sniff

FIRST_CHAPTER_BY_NAME = 268850
"""From this chapter on the page's file name decides the number of strips."""
FIRST_CHAPTER_OF_EIGHT = 421926
"""From this chapter on there are at most 16 strips."""


def strips(scramble_id: int, chapter_id: int, stem: str) -> int:
    """Number of horizontal strips a page was cut into; 0 when it is whole.

    `stem` is the file name without its ending ("00012"). Even, 2 to 20; always 10 for old chapters.
    Says nothing of the file itself: see `strips_of_page`.
    Source: jmcomic 2.7.10, `JmImageTool.get_num`.
    """
    if chapter_id < scramble_id:
        return 0
    if chapter_id < FIRST_CHAPTER_BY_NAME:
        return 10
    choices = 10 if chapter_id < FIRST_CHAPTER_OF_EIGHT else 8
    digest = hashlib.md5(f"{chapter_id}{stem}".encode(), usedforsecurity=False).hexdigest()
    return ord(digest[-1]) % choices * 2 + 2


def strips_of_page(data: bytes, name: str, *, scramble_id: int, chapter_id: int) -> int:
    """Number of strips the page in this file was cut into; 0 when it is whole. `name` is its name on the CDN.

    A file named ".gif" is never cut, even where it holds a still picture of another format; nor is what moves,
    whatever its name is. Source: jmcomic 2.7.10, `JmImageClient.img_is_not_need_to_decode`.
    """
    stem, _, ending = name.rpartition(".")
    if ending.lower() == "gif":
        return 0
    count = strips(scramble_id, chapter_id, stem)
    kind = sniff(data) if count else None
    return 0 if kind and (kind.codec is Codec.GIF or kind.is_animated) else count


@dataclass(frozen=True, slots=True)
class Strip:
    """One band: its first row in the scrambled page, its first row in the readable one, and its height in rows."""

    scrambled_y: int
    readable_y: int
    height: int


@lru_cache(maxsize=512)
def layout(height: int, count: int) -> tuple[Strip, ...]:
    """The strips of a page of `height` rows cut `count` times, in reading order; strips without rows are left out."""
    step, left_over = divmod(height, count)
    first = Strip(height - step - left_over, 0, step + left_over)
    rest = (
        Strip(height - left_over - step * (index + 1), left_over + step * index, step) for index in range(1, count)
    )
    return tuple(strip for strip in (first, *rest) if strip.height)


def unscramble(image: Image.Image, count: int) -> Image.Image:
    """The readable page; `image` itself when it was not cut. Mode and palette stay."""
    return _rearrange(image, [(s.scrambled_y, s.readable_y, s.height) for s in _layout_of(image, count)])


def scramble(image: Image.Image, count: int) -> Image.Image:
    """The page as the site would cut it: the inverse of `unscramble`."""
    return _rearrange(image, [(s.readable_y, s.scrambled_y, s.height) for s in _layout_of(image, count)])


def unscramble_rows(rows: bytearray, stride: int, count: int) -> bytearray:
    """`unscramble` for bare samples, `stride` bytes a row."""
    view, bands = memoryview(rows), layout(len(rows) // stride, count) if count else ()
    parts = [view[s.scrambled_y * stride : (s.scrambled_y + s.height) * stride] for s in bands]
    return bytearray().join(parts) if parts else rows


def _layout_of(image: Image.Image, count: int) -> tuple[Strip, ...]:
    return layout(image.height, count) if count else ()


def _rearrange(image: Image.Image, bands: list[tuple[int, int, int]]) -> Image.Image:
    if not bands:
        return image
    rearranged = image.copy()
    for source_y, target_y, height in bands:
        rearranged.paste(image.crop((0, source_y, image.width, source_y + height)), (0, target_y))
    return rearranged
