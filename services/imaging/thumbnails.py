"""Small versions of a cover, and what is told of it before it is loaded."""

from __future__ import annotations

import io

from PIL import Image

from services.errors import UpstreamFailure, UpstreamReason
from services.imaging.encoding import encode
from services.imaging.kinds import Codec
from services.imaging.pages import check_page

THUMBNAIL_QUALITY = 80


def open_image(data: bytes) -> Image.Image:
    """The decoded picture, the first frame of one that moves. Raises `UpstreamFailure` (GARBLED) if it is none."""
    kind = check_page(data)
    try:
        image = Image.open(io.BytesIO(data), formats=[kind.codec.name])
        image.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UpstreamFailure(UpstreamReason.GARBLED, "The site sent an image that does not decode.") from error
    return image


def thumbnail(data: bytes, width: int, codec: Codec) -> bytes:
    """The picture `width` pixels wide, never larger than it is, as a file of this format.

    Raises `UpstreamFailure` (GARBLED) when it does not decode.
    """
    image = open_image(data)
    if image.width > width:
        height = max(1, round(image.height * width / image.width))
        image.draft("RGB", (width, height))
        image = image.convert("RGBA" if "A" in image.getbands() or "transparency" in image.info else "RGB")
        image = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return encode(image, codec, THUMBNAIL_QUALITY)
