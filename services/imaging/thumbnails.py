"""Small versions of a cover: thumbnails, and ThumbHash placeholders.

A ThumbHash is about 25 bytes that hold a blurred placeholder of a picture, its shape and its mean colour. The format
as Evan Wallace published it: luminance L, two colour differences P and Q and alpha A of a picture of at most 100
pixels a side go through a cosine transform that keeps the lowest frequencies of each. Bits, lowest first: means of
L, P, Q (6 each), scale of L (5), has alpha (1); luminance terms along the shorter side (3), scales of P and Q (6
each), is landscape (1); mean and scale of alpha (4 each) where there is any; then 4 bits a term.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

from PIL import Image

from services.imaging.encoding import encode
from services.imaging.kinds import Codec
from services.imaging.pages import open_image

THUMBNAIL_QUALITY = 80
_LONGEST_SIDE = 100
"""Pixels; larger pictures are shrunk to it first, as the format says."""
_COLOR_TERMS, _ALPHA_TERMS = 3, 5


def thumbnail(data: bytes, width: int, codec: Codec, quality: int = THUMBNAIL_QUALITY) -> bytes:
    """The picture `width` pixels wide, never larger than it is, as a file of this format.

    Raises `UpstreamFailure` (GARBLED) when it does not decode.
    """
    image = open_image(data)
    if image.width > width:
        height = max(1, round(image.height * width / image.width))
        image = image.convert("RGBA" if "A" in image.getbands() or "transparency" in image.info else "RGB")
        image = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return encode(image, codec, quality)


@dataclass(frozen=True, slots=True)
class _Channel:
    """One transformed channel; terms are -1 to 1 in units of `scale`."""

    mean: float
    scale: float
    terms: tuple[float, ...]


def thumbhash(image: Image.Image) -> str:
    """The hash of this picture in base64, "1QcSHQRnh493V4dIh4eXh1h4kJUI". Takes about 10 ms of one core."""
    small = image.convert("RGBA")
    small.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    return base64.b64encode(_hash_of(small.width, small.height, small.tobytes())).decode()


def _hash_of(width: int, height: int, rgba: bytes) -> bytes:
    alpha = [value / 255 for value in rgba[3::4]]
    has_alpha = min(alpha) < 1
    red, green, blue = (_opaque(rgba[offset::4], alpha) for offset in range(3))
    shade = [(r + g + b) / 3 for r, g, b in zip(red, green, blue, strict=True)]
    yellow = [(r + g) / 2 - b for r, g, b in zip(red, green, blue, strict=True)]
    ruby = [r - g for r, g in zip(red, green, strict=True)]
    columns, rows = (
        max(1, _nearest((5 if has_alpha else 7) * side / max(width, height))) for side in (width, height)
    )
    channels = [
        _transform(shade, width, max(3, columns), max(3, rows)),
        _transform(yellow, width, _COLOR_TERMS, _COLOR_TERMS),
        _transform(ruby, width, _COLOR_TERMS, _COLOR_TERMS),
    ]
    if has_alpha:
        channels.append(_transform(alpha, width, _ALPHA_TERMS, _ALPHA_TERMS))
    return _pack(channels, rows if width > height else columns, width > height)


def _opaque(samples: bytes, alpha: Sequence[float]) -> list[float]:
    """A colour channel, 0 to 1, laid over its own mean where it is seen through."""
    seen = sum(alpha)
    mean = sum(a * value for a, value in zip(alpha, samples, strict=True)) / 255 / seen if seen else 0.0
    return [mean * (1 - a) + a * value / 255 for a, value in zip(alpha, samples, strict=True)]


def _transform(samples: Sequence[float], width: int, columns: int, rows: int) -> _Channel:
    """The lowest terms of the cosine transform: the triangle of `columns` by `rows` frequencies, row by row."""
    height = len(samples) // width
    lines = [samples[start : start + width] for start in range(0, len(samples), width)]
    across = [[_dot(line, _wave(width, frequency)) for line in lines] for frequency in range(columns)]
    mean, *terms = (
        _dot(across[x], _wave(height, y)) / len(samples)
        for y in range(rows)
        for x in range(columns)
        if x * rows < columns * (rows - y)
    )
    scale = max(map(abs, terms))
    return _Channel(mean, scale, tuple(term / scale if scale else -1.0 for term in terms))


@lru_cache(maxsize=512)
def _wave(length: int, frequency: int) -> tuple[float, ...]:
    return tuple(math.cos(math.pi / length * frequency * (at + 0.5)) for at in range(length))


def _dot(values: Sequence[float], weights: Sequence[float]) -> float:
    return sum(value * weight for value, weight in zip(values, weights, strict=True))


def _pack(channels: Sequence[_Channel], shorter_terms: int, is_landscape: bool) -> bytes:
    shade, yellow, ruby, *translucency = channels
    color = (
        _nearest(63 * shade.mean)
        | _nearest(31.5 + 31.5 * yellow.mean) << 6
        | _nearest(31.5 + 31.5 * ruby.mean) << 12
        | _nearest(31 * shade.scale) << 18
        | bool(translucency) << 23
    )
    shape = shorter_terms | _nearest(63 * yellow.scale) << 3 | _nearest(63 * ruby.scale) << 9 | is_landscape << 15
    alpha = bytes(_nearest(15 * part.mean) | _nearest(15 * part.scale) << 4 for part in translucency)
    nibbles = [_nearest(7.5 + 7.5 * term) for term in chain.from_iterable(part.terms for part in channels)]
    pairs = zip(nibbles[0::2], [*nibbles[1::2], 0], strict=False)
    return color.to_bytes(3, "little") + shape.to_bytes(2, "little") + alpha + bytes(a | b << 4 for a, b in pairs)


def _nearest(value: float) -> int:
    """Rounds half up, as the format does."""
    return math.floor(value + 0.5)
