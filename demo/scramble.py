"""How the site scrambles pages: strips in reverse order."""

from __future__ import annotations

from hashlib import md5

from PIL import Image

_ALWAYS_TEN_BELOW = 268850
_TEN_WAYS_BELOW = 421926


def strips(scramble_id: int, chapter_id: int, stem: str) -> int:
    """Number of horizontal strips a page is cut into; 0 when it is whole. `stem` is its name without the ending.

    Always 10 for old chapters, then even numbers from 2 to 20, for the newest from 2 to 16.
    Source: jmcomic 2.7.10, `JmImageTool.get_num`.
    """
    if chapter_id < scramble_id:
        return 0
    if chapter_id < _ALWAYS_TEN_BELOW:
        return 10
    ways = 10 if chapter_id < _TEN_WAYS_BELOW else 8
    digest = md5(f"{chapter_id}{stem}".encode(), usedforsecurity=False).hexdigest()
    return ord(digest[-1]) % ways * 2 + 2


def scrambled(image: Image.Image, count: int) -> Image.Image:
    """The image with its strips in reverse order; the topmost one also holds the rows that `count` does not divide.

    Source: the inverse of jmcomic 2.7.10, `JmImageTool.decode_and_save`.
    """
    if count == 0:
        return image
    width, height = image.size
    strip, over = divmod(height, count)
    result = Image.new(image.mode, image.size)
    for index in range(count):
        top = 0 if index == 0 else strip * index + over
        bottom = strip * (index + 1) + over
        result.paste(image.crop((0, top, width, bottom)), (0, height - bottom))
    return result
