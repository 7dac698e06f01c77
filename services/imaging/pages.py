"""From a page as the site sent it to a readable one: checked, unscrambled, in the requested format."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from PIL import Image, JpegImagePlugin, features

from services.errors import UpstreamFailure, UpstreamReason
from services.imaging.encoding import encode, fits
from services.imaging.kinds import Codec, ImageKind, sniff
from services.imaging.libwebp import LibWebP, find_libwebp
from services.imaging.strips import unscramble, unscramble_rows

SITE_QUALITY = 80
"""For pages that must be encoded again without a requested quality: about the site's own level."""
LARGEST_PAGE_PIXELS = 80_000_000
"""A page larger than that is refused: decoded it would take more memory than a worker may have."""
LARGE_PAGE_PIXELS = 8_000_000
"""Larger ones are decoded one at a time in a process, for the same reason."""


@dataclass(frozen=True, slots=True)
class ReadablePage:
    """A page in reading order. `codec` is not always the requested one: not every format can hold every page."""

    data: bytes
    codec: Codec
    width: int
    height: int


def can_decode_avif() -> bool:
    """True where Pillow was built with AVIF, as its wheels are."""
    return bool(features.check("avif"))


def check_page(data: bytes) -> ImageKind:
    """The kind of this page. Raises `UpstreamFailure` (GARBLED) unless it is a complete image of a usable size."""
    kind = sniff(data)
    if kind is None:
        raise UpstreamFailure(UpstreamReason.GARBLED, "The site sent something that is no image.")
    if not kind.is_complete:
        raise UpstreamFailure(UpstreamReason.GARBLED, "The site sent an image that is cut short.")
    if kind.width * kind.height > LARGEST_PAGE_PIXELS:
        raise UpstreamFailure(UpstreamReason.GARBLED, "The site sent an image of an absurd size.")
    return kind


def read_page(
    data: bytes,
    strips: int,
    target: Codec | None = None,
    quality: int | None = None,
    *,
    use_libwebp: bool = True,
) -> ReadablePage:
    """The readable page in `target`; None keeps the site's own format, but WebP for AVIF that is cut.

    Not a byte changes where nothing needs to: whole pages in the right format, GIF, animations, and pages
    too long for `target`. `quality` 1-100; None for the site's own level. The rest takes 10 to 100 ms of one core
    and releases the GIL meanwhile. Without `use_libwebp` Pillow does everything, as where libwebp can't be found.
    Raises `UpstreamFailure` (GARBLED) when the page does not decode.
    """
    kind = check_page(data)
    if kind.codec is Codec.GIF or kind.is_animated:
        return ReadablePage(data, kind.codec, kind.width, kind.height)
    codec = _codec_to_write(kind, strips, target)
    if codec is kind.codec and not strips:
        return ReadablePage(data, codec, kind.width, kind.height)
    libwebp = find_libwebp() if use_libwebp and _is_plain_webp(data) else None
    with _decoding(kind):
        if libwebp is None:
            readable = _by_pillow(data, kind, strips, codec, quality)
        elif codec is Codec.WEBP:
            readable = _by_planes(libwebp, data, kind, strips, quality)
        else:
            readable = _by_pixels(libwebp, data, kind, strips, codec, quality)
    return ReadablePage(readable, codec, kind.width, kind.height)


def still_page(data: bytes, strips: int, codec: Codec, quality: int) -> ReadablePage:
    """The page as one opaque picture of 8 bits a colour; of an animation the first frame.

    Raises as `read_page`; the size must fit `codec`.
    """
    kind = check_page(data)
    with _decoding(kind):
        image = _flatten(unscramble(_decoded(data, kind), strips))
        return ReadablePage(encode(image, codec, quality), codec, image.width, image.height)


def open_image(data: bytes) -> Image.Image:
    """The decoded picture, the first frame of an animation. Raises `UpstreamFailure` (GARBLED) if it is none."""
    kind = check_page(data)
    with _decoding(kind):
        return _decoded(data, kind)


def _codec_to_write(kind: ImageKind, strips: int, target: Codec | None) -> Codec:
    """The format of the readable page: as requested, else the page's own, else one that can hold it."""
    choices = (target or kind.codec, kind.codec, Codec.WEBP, Codec.PNG)
    if not strips:
        return choices[0] if fits(choices[0], kind.width, kind.height) else kind.codec
    return next(codec for codec in choices if fits(codec, kind.width, kind.height))


_large_page_lock = threading.Lock()
_DECODER_ERRORS = (OSError, SyntaxError, ValueError, RuntimeError, ArithmeticError)
"""What Pillow raises for a file that does not decode; the last two come from AVIF."""


@contextmanager
def _decoding(kind: ImageKind) -> Iterator[None]:
    """Decode one large page at a time, and turn what decoders raise into GARBLED."""
    with _large_page_lock if kind.width * kind.height > LARGE_PAGE_PIXELS else nullcontext():
        try:
            yield
        except _DECODER_ERRORS as error:
            raise UpstreamFailure(UpstreamReason.GARBLED, "The site sent an image that does not decode.") from error


def _decoded(data: bytes, kind: ImageKind) -> Image.Image:
    image = Image.open(io.BytesIO(data), formats=[kind.codec.name])
    image.load()
    return image


def _by_planes(libwebp: LibWebP, data: bytes, kind: ImageKind, strips: int, quality: int | None) -> bytes:
    planes = libwebp.decode_planes(data, kind.width, kind.height)
    return libwebp.encode_planes(planes.unscramble(strips), quality or SITE_QUALITY)


def _by_pixels(
    libwebp: LibWebP, data: bytes, kind: ImageKind, strips: int, codec: Codec, quality: int | None
) -> bytes:
    rows = unscramble_rows(libwebp.decode_rgba(data, kind.width, kind.height), kind.width * 4, strips)
    image = Image.frombuffer("RGBX", (kind.width, kind.height), rows, "raw", "RGBX", 0, 1)
    return encode(image, codec, quality or SITE_QUALITY)


def _by_pillow(data: bytes, kind: ImageKind, strips: int, codec: Codec, quality: int | None) -> bytes:
    source = _decoded(data, kind)
    options = {"quality": quality} if quality else _level_of_source(source, data, codec)
    return encode(unscramble(source, strips), codec, **options)


def _is_plain_webp(data: bytes) -> bool:
    """A lossy still without alpha, profile or orientation: the simple file layout holds nothing else."""
    return data[8:16] == b"WEBPVP8 "


def _level_of_source(source: Image.Image, data: bytes, codec: Codec) -> dict[str, Any]:
    """What keeps the site's own level: the quantisation of its JPEG, the losslessness of its WebP."""
    if codec is Codec.JPEG and isinstance(source, JpegImagePlugin.JpegImageFile):
        # Pillow scales the tables by a quality given beside them; -1 leaves them as they are.
        return {"qtables": source.quantization, "quality": -1, "subsampling": JpegImagePlugin.get_sampling(source)}
    if codec is Codec.WEBP and b"VP8L" in data:
        return {"lossless": True, "quality": 0}
    return {"quality": SITE_QUALITY}


def _flatten(image: Image.Image) -> Image.Image:
    if image.mode in ("L", "RGB") and "transparency" not in image.info:
        return image
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image.convert("RGBA"))
    return white.convert("RGB")
