"""Pictures: formats, unscrambling, encoding, thumbnails and placeholders. Not for the event loop."""

from services.imaging.encoding import encode, fits
from services.imaging.kinds import Codec, ImageKind, is_cut_short, sniff
from services.imaging.missing_page import missing_page
from services.imaging.pages import ReadablePage, can_decode_avif, check_page, open_image, read_page, still_page
from services.imaging.strips import Strip, layout, scramble, strips, strips_of_page, unscramble
from services.imaging.thumbnails import thumbhash, thumbnail

__all__ = [
    "Codec",
    "ImageKind",
    "ReadablePage",
    "Strip",
    "can_decode_avif",
    "check_page",
    "encode",
    "fits",
    "is_cut_short",
    "layout",
    "missing_page",
    "open_image",
    "read_page",
    "scramble",
    "sniff",
    "still_page",
    "strips",
    "strips_of_page",
    "thumbhash",
    "thumbnail",
    "unscramble",
]
