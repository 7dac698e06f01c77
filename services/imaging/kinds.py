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
    AVIF = "avif"

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
    Sources: RFC 9649 (WebP), ITU-T T.81 (JPEG), the PNG specification (third edition), GIF89a; for AVIF its
    specification of AOMedia (1.1), ISO/IEC 14496-12 (boxes) and 23008-12 (items).
    """
    for at, magic, read in _READERS:
        if data.startswith(magic, at):
            try:
                kind = read(data)
            except (struct.error, LookupError):
                return None
            return kind if kind and kind.width and kind.height else None
    return None


def is_cut_short(data: bytes) -> bool:
    """True for an empty file, and for an image that ends before it says it does, be it inside its header."""
    kind = sniff(data)
    if kind is not None:
        return not kind.is_complete
    return len(data) < _LONGEST_MAGIC or any(data.startswith(magic, at) for at, magic, _ in _READERS)


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
            return ImageKind(Codec.JPEG, width, height, False, data.rfind(_JPEG_END, start) > 0)
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


# --- AVIF: boxes of length, type and content, big endian -------------------------------------------------------

_MAX_BRANDS, _MAX_BOXES = 64, 1024
"""Read of one list; no picture has so many."""

Box = tuple[int, int]
"""Offsets at which the content of a box begins and ends; the end may be behind that of the file."""


def _read_avif(data: bytes) -> ImageKind | None:
    boxes = list(_boxes(data, 0, len(data)))
    content = dict(boxes)
    start, end = content[b"ftyp"]
    brands = [data[at : at + 4] for at in range(start, min(end, start + 4 * _MAX_BRANDS), 4)]
    if not {b"avif", b"avis"} & set(brands):
        return None
    # as libavif does it: the major brand decides; where it is neither, a sequence is preferred
    is_animated = brands[0] == b"avis" or (brands[0] != b"avif" and b"avis" in brands)
    start, end = content[b"meta"]
    meta = dict(_boxes(data, start + 4, end))
    width, height = _size_in_meta(data, meta)
    ends = [end for name, (_, end) in boxes if name in (b"meta", b"moov", b"mdat")]
    has_data = b"mdat" in content or b"idat" in meta
    return ImageKind(Codec.AVIF, width, height, is_animated, has_data and max(ends) <= len(data))


def _boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, Box]]:
    """The type and content of each box from one offset to another."""
    for _ in range(_MAX_BOXES):
        if at + 8 > min(end, len(data)):
            return
        size, name = struct.unpack_from(">I4s", data, at)
        header = 8
        if size == 1:
            header, (size,) = 16, struct.unpack_from(">Q", data, at + 8)
        elif size == 0:
            size = end - at
        if size < header:
            return
        yield name, (at + header, at + size)
        at += size


def _size_in_meta(data: bytes, meta: dict[bytes, Box]) -> tuple[int, int]:
    """Width and height (`ispe`) of the primary item; others are its alpha, tiles or thumbnail. 0, 0 if unknown."""
    item = _primary_item(data, meta[b"pitm"][0])
    iprp = dict(_boxes(data, *meta[b"iprp"]))
    properties = list(_boxes(data, *iprp[b"ipco"]))
    for index in _property_indices(data, iprp[b"ipma"][0], item):
        name, (start, _) = properties[index - 1]
        if name == b"ispe":
            width, height = struct.unpack_from(">II", data, start + 4)
            return width, height
    return 0, 0


def _primary_item(data: bytes, at: int) -> int:
    item: int = struct.unpack_from(">I" if data[at] else ">H", data, at + 4)[0]
    return item


def _property_indices(data: bytes, at: int, item: int) -> list[int]:
    """1-based places of an item's properties among all of the file."""
    version, flags, count = data[at], data[at + 3], struct.unpack_from(">I", data, at + 4)[0]
    id_format, size = (">IB", 5) if version else (">HB", 3)
    index_format, index_bytes, mask = ("H", 2, 0x7FFF) if flags & 1 else ("B", 1, 0x7F)
    at += 8
    for _ in range(min(count, _MAX_BOXES)):
        id, indices = struct.unpack_from(id_format, data, at)
        at += size
        if id == item:
            return [index & mask for index in struct.unpack_from(f">{indices}{index_format}", data, at)]
        at += indices * index_bytes
    return []


_READERS: tuple[tuple[int, bytes, Callable[[bytes], ImageKind | None]], ...] = (
    (0, b"RIFF", _read_webp),
    (0, b"\xff\xd8\xff", _read_jpeg),
    (0, b"\x89PNG\r\n\x1a\n", _read_png),
    (0, b"GIF87a", _read_gif),
    (0, b"GIF89a", _read_gif),
    (4, b"ftyp", _read_avif),
)
"""Where the magic bytes are, what they are, and what reads such a file."""
_LONGEST_MAGIC = max(at + len(magic) for at, magic, _ in _READERS)
