"""Pictures drawn by code. Rows and columns all differ, so that a page put together wrongly is easy to see."""

from __future__ import annotations

from functools import lru_cache
from math import cos, pi, sin
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFont, ImageOps

from demo.library import library
from demo.records import Page, PageKind
from demo.sample_values import draw

_PALETTES = {
    "nature": ((24, 78, 60), (214, 232, 160), (250, 246, 226)),
    "machines": ((44, 52, 72), (196, 170, 132), (250, 240, 214)),
    "travel": ((30, 66, 116), (244, 176, 120), (255, 246, 230)),
    "cooking": ((112, 40, 30), (246, 206, 120), (255, 248, 232)),
}
"""Of each theme: the dark colour, the light colour, and that of the ink on dark ground."""

_TEXTURE_DEPTH = 28
"""Grey levels of the grain that gives a page about the weight of a scan (100 to 200 kB as webp)."""

_GIF_FRAMES = 4

COVER_SIZE = (500, 700)
COVER_3X4_SIZE = (300, 400)


def page_image(chapter_id: int | str, number: int) -> Image.Image:
    """What is drawn on a page, unscrambled, as RGB of the page's size. `number` is 1-based; of a gif the first frame.

    Raises KeyError where there is no such chapter, IndexError where it has no such page.
    """
    found = library().find_chapter(int(chapter_id))
    if found is None:
        raise KeyError(chapter_id)
    comic, chapter, _ = found
    if number < 1:
        raise IndexError(number)
    page = chapter.pages[number - 1]
    return _page(comic.theme, chapter.id, number, len(chapter.pages), page)


def gif_frames(chapter_id: int, number: int) -> list[Image.Image]:
    """The frames of an animated page; the first is its `page_image`."""
    first = page_image(chapter_id, number)
    return [_with_pointer(first, step) for step in range(_GIF_FRAMES)]


def cover_image(album_id: int, size: tuple[int, int] = COVER_SIZE) -> Image.Image:
    """The cover of a comic, RGB. Raises KeyError where there is none."""
    comic = library().find(album_id)
    if comic is None:
        raise KeyError(album_id)
    dark, light, ink = _PALETTES[comic.theme]
    image = _ground(size, dark, light, draw(album_id, "cover", below=1000))
    canvas = ImageDraw.Draw(image)
    _MOTIFS[comic.theme](canvas, size, Random(album_id), dark, ink)
    _label(canvas, (size[0] // 2, size[1] // 2), f"JM{album_id}", size[0] // 9, ink, dark)
    return image


def _page(theme: str, chapter_id: int, number: int, count: int, page: Page) -> Image.Image:
    dark, light, ink = _PALETTES[theme]
    size = (page.width, page.height)
    image = _ground(size, dark, light, draw(chapter_id, number, below=1000))
    if page.kind in (PageKind.WEBP, PageKind.JPG):
        image = ImageChops.add(image, _grain(size), offset=-_TEXTURE_DEPTH // 2)
    canvas = ImageDraw.Draw(image)
    _MOTIFS[theme](canvas, size, Random(f"{chapter_id}/{number}"), dark, ink)
    _rulers(canvas, size, dark, ink)
    middle, letter = (page.width // 2, page.height // 2), min(page.width // 3, page.height // 4)
    _label(canvas, middle, str(number), max(12, letter), ink, dark)
    _label(
        canvas, (middle[0], page.height * 9 // 10), f"JM{chapter_id}  {number} / {count}", page.width // 18, ink, dark
    )
    return image


def _ground(size: tuple[int, int], dark: tuple[int, ...], light: tuple[int, ...], turn: int) -> Image.Image:
    """Dark to light from top to bottom, tinted from left to right; `turn` (0 to 999) shifts both."""
    down = Image.linear_gradient("L")
    across = down.rotate(90)
    mixed = Image.blend(down, across, 0.2 + turn / 2500)
    small = ImageOps.colorize(mixed, dark, light, mid=_between(dark, light, 0.3 + turn / 2500))
    return small.resize(size, Image.Resampling.BILINEAR)


def _between(one: tuple[int, ...], other: tuple[int, ...], share: float) -> tuple[int, int, int]:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


@lru_cache(maxsize=4)
def _grain(size: tuple[int, int]) -> Image.Image:
    tile = Image.frombytes("L", (512, 512), Random(7).randbytes(512 * 512))
    soft = tile.resize((768, 768), Image.Resampling.BILINEAR).point(lambda level: level * _TEXTURE_DEPTH // 255)
    grain = Image.new("L", size)
    for left in range(0, size[0], 768):
        for top in range(0, size[1], 768):
            grain.paste(soft, (left, top))
    return Image.merge("RGB", (grain, grain, grain))


def _rulers(canvas: ImageDraw.ImageDraw, size: tuple[int, int], dark: tuple[int, ...], ink: tuple[int, ...]) -> None:
    """Two diagonals, and a numbered tick every fiftieth row and column: any strip out of place breaks them."""
    width, height = size
    line = max(2, width // 160)
    canvas.line((0, 0, width, height), fill=ink, width=line)
    canvas.line((width, 0, 0, height), fill=dark, width=line)
    font = _font(max(9, width // 40))
    for row in range(0, height, 50):
        canvas.line((0, row, width // 20 + row % 200 // 10, row), fill=ink, width=2)
        canvas.text((width - width // 12, row), str(row), fill=dark, font=font)
    for column in range(0, width, 50):
        canvas.line((column, 0, column, height // 40 + column % 200 // 10), fill=ink, width=2)


def _label(
    canvas: ImageDraw.ImageDraw,
    middle: tuple[int, int],
    text: str,
    height: int,
    ink: tuple[int, ...],
    edge: tuple[int, ...],
) -> None:
    font = _font(max(8, height))
    canvas.text(middle, text, fill=ink, font=font, anchor="mm", stroke_width=max(1, height // 14), stroke_fill=edge)


@lru_cache(maxsize=64)
def _font(height: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(height)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise RuntimeError("Pillow was built without FreeType")
    return font


def _mountains(
    canvas: ImageDraw.ImageDraw, size: tuple[int, int], chance: Random, dark: tuple[int, ...], ink: tuple[int, ...]
) -> None:
    width, height = size
    sun = width // 8
    x, y = chance.randrange(sun, width - sun), height // 6 + chance.randrange(height // 12 + 1)
    canvas.ellipse((x - sun, y - sun, x + sun, y + sun), fill=ink)
    for ridge in range(5):
        base = height * (4 + ridge) // 9
        peaks = [(step * width // 6, base - chance.randrange(height // 7 + 1)) for step in range(7)]
        shade = _between(dark, ink, 0.55 - ridge * 0.12)
        canvas.polygon([(0, height), *peaks, (width, height)], fill=shade)


def _gears(
    canvas: ImageDraw.ImageDraw, size: tuple[int, int], chance: Random, dark: tuple[int, ...], ink: tuple[int, ...]
) -> None:
    width, height = size
    for gear in range(9):
        radius = width // 12 + chance.randrange(width // 8 + 1)
        middle = (chance.randrange(width), (2 * gear + 1) * height // 18)
        shade = _between(dark, ink, 0.15 + gear * 0.07)
        canvas.polygon(_cog(middle, radius, 9 + gear), fill=shade, outline=dark)
        hole = radius // 3
        canvas.ellipse((middle[0] - hole, middle[1] - hole, middle[0] + hole, middle[1] + hole), fill=dark)


def _cog(middle: tuple[int, int], radius: int, teeth: int) -> list[tuple[float, float]]:
    corners = []
    for step in range(teeth * 4):
        reach = radius if step % 4 < 2 else radius * 0.82
        angle = 2 * pi * step / (teeth * 4)
        corners.append((middle[0] + reach * cos(angle), middle[1] + reach * sin(angle)))
    return corners


def _roads(
    canvas: ImageDraw.ImageDraw, size: tuple[int, int], chance: Random, dark: tuple[int, ...], ink: tuple[int, ...]
) -> None:
    width, height = size
    for roof in range(14):
        left, top = chance.randrange(width), roof * height // 14
        side = width // 14 + chance.randrange(width // 14 + 1)
        shade = _between(dark, ink, 0.2 + roof * 0.04)
        canvas.rectangle((left, top, left + side, top + side), fill=shade, outline=dark)
        canvas.polygon([(left, top), (left + side // 2, top - side // 2), (left + side, top)], fill=dark)
    bends = [(width // 2 + (width // 3) * sin(step * 0.9) * step / 12, step * height / 12) for step in range(13)]
    canvas.line(bends, fill=ink, width=max(4, width // 24), joint="curve")


def _pots(
    canvas: ImageDraw.ImageDraw, size: tuple[int, int], chance: Random, dark: tuple[int, ...], ink: tuple[int, ...]
) -> None:
    width, height = size
    for pot in range(8):
        wide = width // 7 + chance.randrange(width // 9 + 1)
        x, y = chance.randrange(width), (2 * pot + 1) * height // 16
        shade = _between(dark, ink, 0.2 + pot * 0.08)
        canvas.chord((x - wide, y - wide, x + wide, y + wide), 0, 180, fill=shade, outline=dark)
        for steam in range(3):
            rise = x - wide // 2 + steam * wide // 2
            canvas.arc((rise, y - wide, rise + wide // 3, y), 90 + steam * 30, 300, fill=ink, width=4)


def _with_pointer(image: Image.Image, step: int) -> Image.Image:
    if step == 0:
        return image
    turned = image.copy()
    width, height = image.size
    angle = 2 * pi * step / _GIF_FRAMES
    end = (width / 2 + width / 3 * cos(angle), height / 4 + width / 3 * sin(angle))
    ImageDraw.Draw(turned).line((width / 2, height / 4, *end), fill=(255, 255, 255), width=8)
    return turned


_MOTIFS = {"nature": _mountains, "machines": _gears, "travel": _roads, "cooking": _pots}
