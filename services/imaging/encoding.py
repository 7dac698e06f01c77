"""Pictures into files: one place that knows what each format can hold and how we write it."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

from services.imaging.kinds import Codec
from services.imaging.libwebp import WEBP_METHOD

LONGEST_SIDE = {Codec.WEBP: 16383, Codec.JPEG: 65500}
"""Pixels a side may have, seen with Pillow 13; formats that are not here hold any page."""

NEVER_WRITTEN = frozenset({Codec.GIF, Codec.AVIF})
"""GIF has 256 colours; AVIF takes ten times as long to encode as WebP, and not every comic reader shows it."""

_MODES = {
    Codec.WEBP: ("RGB", "RGBA", "RGBX"),
    Codec.JPEG: ("RGB", "L", "CMYK", "RGBX", "YCbCr"),
    Codec.PNG: ("RGB", "RGBA", "L", "LA", "P", "1", "I;16"),
}
_OPTIONS: dict[Codec, dict[str, Any]] = {
    Codec.WEBP: {"method": WEBP_METHOD},
    Codec.JPEG: {},
    # zlib's level 1 is five times as quick as its default for files a tenth larger.
    Codec.PNG: {"compress_level": 1},
}
_KEPT_METADATA = ("icc_profile", "exif")


def fits(codec: Codec, width: int, height: int) -> bool:
    """True when we write files of this format and they can hold a picture of this size."""
    return codec not in NEVER_WRITTEN and max(width, height) <= LONGEST_SIDE.get(codec, max(width, height))


def encode(image: Image.Image, codec: Codec, quality: int, **options: Any) -> bytes:
    """The picture as a file. `quality` 1-100, for JPEG and WebP; further options go to Pillow as they are.

    Colour profile and orientation stay; transparency turns white where the format has none. Raises `ValueError`
    for a size the format can't hold (`fits`).
    """
    if not fits(codec, image.width, image.height):
        raise ValueError(f"{codec.name} can't hold {image.width}x{image.height}")
    image = _fit_mode(image, codec)
    kept = {name: image.info[name] for name in _KEPT_METADATA if image.info.get(name)}
    file = io.BytesIO()
    image.save(file, codec.name, **{"quality": quality, **_OPTIONS[codec], **kept, **options})
    return file.getvalue()


def _fit_mode(image: Image.Image, codec: Codec) -> Image.Image:
    modes = _MODES[codec]
    if image.mode in modes and not (_has_alpha(image) and codec is Codec.JPEG):
        return image
    info = image.info
    if image.mode.startswith("I;16"):
        image = image.convert("F").point(lambda sample: sample * (1 / 257) + 0).convert("L")
    if _has_alpha(image):
        image = image.convert("RGBA")
    if image.mode not in modes:
        image = _flatten(image) if image.mode == "RGBA" else image.convert("RGB")
    image.info = {name: info[name] for name in _KEPT_METADATA if info.get(name)}
    return image


def _flatten(image: Image.Image) -> Image.Image:
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A"))
    return white


def _has_alpha(image: Image.Image) -> bool:
    """True when parts of it may be transparent."""
    return image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info
