"""Pictures: what a file is, strips put in order, formats, thumbnails and stand-ins."""

from services.imaging.encoding import encode, fits
from services.imaging.kinds import Codec, ImageKind, sniff
from services.imaging.pages import ReadablePage, check_page, read_page
from services.imaging.strips import scramble, strips, unscramble
from services.imaging.thumbhash import thumbhash
from services.imaging.thumbnails import open_image, thumbnail

__all__ = [
    "Codec",
    "ImageKind",
    "ReadablePage",
    "check_page",
    "encode",
    "fits",
    "open_image",
    "read_page",
    "scramble",
    "sniff",
    "strips",
    "thumbhash",
    "thumbnail",
    "unscramble",
]
