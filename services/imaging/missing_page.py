"""The page that is put in the place of one that can't be fetched: grey, with its number and what is wrong.

Pillow brings a Latin font alone, so the two Chinese characters are drawn here, stroke by stroke.
"""

from __future__ import annotations

import io
from itertools import pairwise

from PIL import Image, ImageDraw, ImageFont

_PAPER, _INK = 238, 96
"""Shades of grey, 0 to 255."""
_WIDEST_SHARE = 0.8
"""Of the page's width that a line may take."""
_SMALLEST_FONT_PX = 8

_STROKES: tuple[tuple[tuple[int, int], ...], ...] = (
    # 缺, then 頁 to its right: "a page is missing"; each character is 100 wide and high
    ((22, 4), (8, 28)),
    ((16, 22), (46, 22)),
    ((4, 44), (50, 44)),
    ((28, 22), (28, 88)),
    ((10, 58), (10, 88), (46, 88), (46, 58)),
    ((56, 26), (88, 26), (88, 48)),
    ((52, 48), (98, 48)),
    ((72, 6), (72, 48), (66, 74), (50, 96)),
    ((73, 50), (82, 78), (98, 96)),
    ((124, 8), (196, 8)),
    ((160, 8), (152, 24)),
    ((132, 24), (188, 24), (188, 74), (132, 74), (132, 24)),
    ((132, 41), (188, 41)),
    ((132, 57), (188, 57)),
    ((146, 76), (122, 97)),
    ((172, 76), (198, 97)),
)
_STROKES_HEIGHT = 100


def missing_page(width: int, height: int, *, chapter: str, page: int) -> bytes:
    """A grey PNG of this size that says that this page of the chapter (a short name) could not be fetched."""
    image = Image.new("L", (width, height), _PAPER)
    canvas = ImageDraw.Draw(image)
    unit = max(1, min(width, height) // 10)
    middle, top = width // 2, min(height // 2, width) - 4 * unit
    _draw_characters(canvas, middle - unit * 2, top, unit * 2)
    lines = ((str(page), 3 * unit), (f"Page {page} could not be fetched.", unit // 2), (chapter, unit // 2))
    y = top + unit * 5 // 2
    for text, size in lines:
        font = _font_for(text, size, width)
        canvas.text((middle, y), text, fill=_INK, font=font, anchor="ma")
        y += round(font.size * 1.4)
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def _draw_characters(canvas: ImageDraw.ImageDraw, left: int, top: int, height: int) -> None:
    scale = height / _STROKES_HEIGHT
    thickness = max(1, height // 14)
    for stroke in _STROKES:
        points = [(left + x * scale, top + y * scale) for x, y in stroke]
        for start, end in pairwise(points):
            canvas.line((*start, *end), fill=_INK, width=thickness)
        for x, y in points:  # round ends and corners
            radius = thickness / 2
            canvas.ellipse((x - radius, y - radius, x + radius, y + radius), fill=_INK)


def _font_for(text: str, size: int, width: int) -> ImageFont.FreeTypeFont:
    """The font of this size in pixels, or of as many as let the line fit."""
    font = _font(size)
    share = font.getlength(text) / (width * _WIDEST_SHARE)
    return font if share <= 1 else _font(int(size / share))


def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(max(_SMALLEST_FONT_PX, size))
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise RuntimeError("Pillow was built without FreeType")
    return font
