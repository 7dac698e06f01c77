"""A page as the site sent it into a page one can read: checked, put in order, in the format asked for."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

from PIL import Image, JpegImagePlugin

from services.errors import UpstreamFailure, UpstreamReason
from services.imaging.encoding import encode, fits
from services.imaging.kinds import Codec, ImageKind, sniff
from services.imaging.libwebp import find_libwebp
from services.imaging.strips import unscramble, unscramble_rows

SITE_QUALITY = 78
"""For pages that must be encoded again without a quality asked for: about the site's own level."""
LARGEST_PAGE_PIXELS = 80_000_000
"""A page larger than that is refused: decoded it would take more memory than a worker may have."""


@dataclass(frozen=True, slots=True)
class ReadablePage:
    """A page in reading order. `codec` is not always the one asked for: not every format holds every page."""

    data: bytes
    codec: Codec
    width: int
    height: int


def check_page(data: bytes) -> ImageKind:
    """What kind of page this is. Raises `UpstreamFailure` (GARBLED) unless it is a whole image of a bearable size."""
    kind = sniff(data)
    if kind is None:
        raise UpstreamFailure(UpstreamReason.GARBLED, "The site sent something that is no image.")
    if not kind.is_complete:
        raise UpstreamFailure(UpstreamReason.GARBLED, "The site sent an image that is cut short.")
    if kind.width * kind.height > LARGEST_PAGE_PIXELS:
        raise UpstreamFailure(UpstreamReason.GARBLED, "The site sent an image of an absurd size.")
    return kind


def read_page(data: bytes, strips: int, target: Codec | None = None, quality: int | None = None) -> ReadablePage:
    """The readable page in `target`; None keeps the site's own format.

    Not a byte changes where nothing needs to: whole pages in the right format, GIF, anything that moves, and pages
    too long for `target`. `quality` 1-100; None for the site's own level. The rest takes 10 to 100 ms of one core
    and lets the GIL go meanwhile. Raises `UpstreamFailure` (GARBLED) when the page does not decode.
    """
    kind = check_page(data)
    wanted = target or kind.codec
    if kind.codec is Codec.GIF or kind.is_animated:
        return ReadablePage(data, kind.codec, kind.width, kind.height)
    codec = wanted if fits(wanted, kind.width, kind.height) else kind.codec
    if codec is kind.codec and not strips:
        return ReadablePage(data, codec, kind.width, kind.height)
    try:
        planes = _encode_planes(data, kind, strips, codec, quality)
        readable = planes or _encode_pixels(data, kind, strips, codec, quality)
    except (OSError, SyntaxError, ValueError) as error:
        raise UpstreamFailure(UpstreamReason.GARBLED, "The site sent an image that does not decode.") from error
    return ReadablePage(readable, codec, kind.width, kind.height)


def still_page(data: bytes, strips: int, codec: Codec, quality: int) -> ReadablePage:
    """The page as one opaque picture of 8 bits a colour; of one that moves the first frame.

    Raises as `read_page`, and `ValueError` for a size that `codec` can't hold.
    """
    image = _flatten(unscramble(open_image(data), strips))
    return ReadablePage(encode(image, codec, quality), codec, image.width, image.height)


def open_image(data: bytes) -> Image.Image:
    """The decoded picture, the first frame of one that moves. Raises `UpstreamFailure` (GARBLED) if it is none."""
    kind = check_page(data)
    try:
        image = Image.open(io.BytesIO(data), formats=[kind.codec.name])
        image.load()
    except (OSError, SyntaxError, ValueError) as error:
        raise UpstreamFailure(UpstreamReason.GARBLED, "The site sent an image that does not decode.") from error
    return image


def _encode_planes(data: bytes, kind: ImageKind, strips: int, codec: Codec, quality: int | None) -> bytes | None:
    """The short way from lossy WebP to lossy WebP; None where it can't be taken."""
    libwebp = find_libwebp()
    if libwebp is None or codec is not Codec.WEBP or not _is_plain_webp(data):
        return None
    planes = libwebp.decode_planes(data, kind.width, kind.height)
    return libwebp.encode_planes(planes.unscramble(strips), quality or SITE_QUALITY) if planes else None


def _encode_pixels(data: bytes, kind: ImageKind, strips: int, codec: Codec, quality: int | None) -> bytes:
    image = _pixels_of_webp(data, kind, strips)
    if image is not None:
        return encode(image, codec, quality or SITE_QUALITY)
    with Image.open(io.BytesIO(data), formats=[kind.codec.name]) as source:
        source.load()
        options = _options_of_source(source, data, codec) if quality is None else {}
        return encode(unscramble(source, strips), codec, quality or SITE_QUALITY, **options)


def _pixels_of_webp(data: bytes, kind: ImageKind, strips: int) -> Image.Image | None:
    libwebp = find_libwebp()
    if libwebp is None or not _is_plain_webp(data):
        return None
    pixels = libwebp.decode_rgba(data, kind.width, kind.height)
    if pixels is None:
        return None
    rows = unscramble_rows(pixels, kind.width * 4, strips)
    return Image.frombuffer("RGBX", (kind.width, kind.height), rows, "raw", "RGBX", 0, 1)


def _is_plain_webp(data: bytes) -> bool:
    """A lossy still without alpha, profile or orientation: the simple file layout holds nothing else."""
    return data[8:16] == b"WEBPVP8 "


def _options_of_source(source: Image.Image, data: bytes, codec: Codec) -> dict[str, Any]:
    """What keeps the site's own level: the quantisation of its JPEG, the losslessness of its WebP."""
    if codec is Codec.JPEG and isinstance(source, JpegImagePlugin.JpegImageFile):
        # Pillow scales the tables by a quality given beside them; -1 leaves them as they are.
        return {"qtables": source.quantization, "quality": -1, "subsampling": JpegImagePlugin.get_sampling(source)}
    if codec is Codec.WEBP and b"VP8L" in data:
        return {"lossless": True, "quality": 0}
    return {}


def _flatten(image: Image.Image) -> Image.Image:
    if image.mode in ("L", "RGB") and "transparency" not in image.info:
        return image
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image.convert("RGBA"))
    return white.convert("RGB")
