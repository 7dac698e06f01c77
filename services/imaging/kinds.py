"""What an image file is, read from its first bytes and its declared length, without decoding it."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum


class Codec(StrEnum):
    """File format of an image; the value is also its usual file ending, "jpg"."""

    WEBP = "webp"
    JPEG = "jpg"
    PNG = "png"
    GIF = "gif"

    @property
    def media_type(self) -> str:
        """The MIME type, "image/jpeg"."""
        return f"image/{self.name.lower()}"


@dataclass(frozen=True, slots=True)
class ImageKind:
    """What `sniff` saw. Sizes in pixels; `is_complete` is False when the file ends before it says it does."""

    codec: Codec
    width: int
    height: int
    is_animated: bool
    is_complete: bool

    @property
    def media_type(self) -> str:
        """The MIME type, "image/webp"."""
        return self.codec.media_type


def sniff(data: bytes) -> ImageKind | None:
    """The kind of this file by its magic bytes; None for anything a browser would not show as an image.

    Reads headers and block lengths only. A file cut inside its header is None, one cut later is incomplete.
    Sources: RFC 9649 (WebP), ITU-T T.81 (JPEG), the PNG specification (third edition), GIF89a.
    """
    for magic, read in _READERS:
        if data.startswith(magic):
            try:
                kind = read(data)
            except (struct.error, IndexError):
                return None
            return kind if kind and kind.width and kind.height else None
    return None


# --- WebP: a RIFF file, little endian --------------------------------------------------------------------------

_WEBP_ANIMATION_FLAG = 0x02


def _read_webp(data: bytes) -> ImageKind | None:
    size, form, chunk = struct.unpack_from("<I4s4s", data, 4)
    if form != b"WEBP" or chunk not in _WEBP_SIZES:
        return None
    width, height = _WEBP_SIZES[chunk](data)
    is_animated = chunk == b"VP8X" and bool(data[20] & _WEBP_ANIMATION_FLAG)
    return ImageKind(Codec.WEBP, width, height, is_animated, len(data) >= size + 8)


def _size_of_vp8(data: bytes) -> tuple[int, int]:
    start_code, width, height = struct.unpack_from("<3sHH", data, 23)
    return (width & 0x3FFF, height & 0x3FFF) if start_code == b"\x9d\x01\x2a" else (0, 0)


def _size_of_vp8l(data: bytes) -> tuple[int, int]:
    signature, bits = struct.unpack_from("<BI", data, 20)
    return ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1) if signature == 0x2F else (0, 0)


def _size_of_vp8x(data: bytes) -> tuple[int, int]:
    if len(data) < 30:
        return 0, 0
    return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1


_WEBP_SIZES: dict[bytes, Callable[[bytes], tuple[int, int]]] = {
    b"VP8 ": _size_of_vp8,
    b"VP8L": _size_of_vp8l,
    b"VP8X": _size_of_vp8x,
}


# --- JPEG: marker segments, big endian -------------------------------------------------------------------------

_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_LONE_MARKERS = frozenset({0x01, *range(0xD0, 0xD9)})
_JPEG_SCAN = 0xDA
_JPEG_END = b"\xff\xd9"


def _read_jpeg(data: bytes) -> ImageKind | None:
    width = height = 0
    for marker, start in _jpeg_segments(data):
        if marker in _JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", data, start + 3)
        if marker == _JPEG_SCAN:
            # An end marker can't occur inside the coded scan, only a real end can.
            return ImageKind(Codec.JPEG, width, height, False, data.find(_JPEG_END, start) > 0)
    return ImageKind(Codec.JPEG, width, height, False, False)


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Each marker with the offset of its length field, up to the first scan."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF or marker in _JPEG_LONE_MARKERS:
            at += 1 if marker == 0xFF else 2
            continue
        yield marker, at + 2
        if marker == _JPEG_SCAN:
            return
        at += 2 + max(2, struct.unpack_from(">H", data, at + 2)[0])


# --- PNG: chunks of length, name, data, checksum, big endian ---------------------------------------------------


def _read_png(data: bytes) -> ImageKind | None:
    name, width, height = struct.unpack_from(">4sII", data, 12)
    if name != b"IHDR":
        return None
    is_animated = is_complete = False
    at = 8
    while at + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        at += 12 + length
        is_animated = is_animated or name == b"acTL"
        if name == b"IEND":
            is_complete = at <= len(data)
            break
    return ImageKind(Codec.PNG, width, height, is_animated, is_complete)


# --- GIF: blocks, little endian --------------------------------------------------------------------------------

_GIF_EXTENSION, _GIF_IMAGE, _GIF_TRAILER = 0x21, 0x2C, 0x3B


def _read_gif(data: bytes) -> ImageKind | None:
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    frames, is_complete = _read_gif_blocks(data, 13 + _color_table_bytes(flags))
    return ImageKind(Codec.GIF, width, height, frames > 1, is_complete)


def _read_gif_blocks(data: bytes, at: int) -> tuple[int, bool]:
    """The number of frames, and whether the trailer was reached."""
    frames = 0
    while at < len(data):
        block = data[at]
        if block == _GIF_TRAILER:
            return frames, True
        if block == _GIF_EXTENSION:
            at += 2
        elif block == _GIF_IMAGE and at + 10 < len(data):
            frames += 1
            at += 11 + _color_table_bytes(data[at + 9])
        else:
            break
        while at < len(data) and data[at]:
            at += 1 + data[at]
        at += 1
    return frames, False


def _color_table_bytes(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


_READERS: tuple[tuple[bytes, Callable[[bytes], ImageKind | None]], ...] = (
    (b"RIFF", _read_webp),
    (b"\xff\xd8\xff", _read_jpeg),
    (b"\x89PNG\r\n\x1a\n", _read_png),
    (b"GIF87a", _read_gif),
    (b"GIF89a", _read_gif),
)
