"""Small versions of a cover."""

from __future__ import annotations

from PIL import Image

from services.imaging.encoding import encode
from services.imaging.kinds import Codec
from services.imaging.pages import open_image

THUMBNAIL_QUALITY = 80


def thumbnail(data: bytes, width: int, codec: Codec) -> bytes:
    """The picture `width` pixels wide, never larger than it is, as a file of this format.

    Raises `UpstreamFailure` (GARBLED) when it does not decode.
    """
    image = open_image(data)
    if image.width > width:
        height = max(1, round(image.height * width / image.width))
        image = image.convert("RGBA" if "A" in image.getbands() or "transparency" in image.info else "RGB")
        image = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return encode(image, codec, THUMBNAIL_QUALITY)
