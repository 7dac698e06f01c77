"""PDF, written page by page: JPEG and PNG are embedded as they are; the page that draws a cut JPEG puts it in order.

Source: ISO 32000-1 (PDF 1.7): DCTDecode and FlateDecode filters, clipping, outlines, cross-reference table.
"""

from __future__ import annotations

import struct
from itertools import pairwise
from pathlib import Path

from services.downloads.archives.metadata import ArchiveChapter, ArchiveFile, ArchiveMetadata, ArchivePage
from services.downloads.ports import PackedArchive
from services.imaging import Codec, ImageKind, layout, sniff

LONGEST_SIDE_UNITS = 14400
"""Of a page: what PDF 1.7 readers must be able to show. A unit is a pixel where that fits."""

_CATALOG, _TREE, _INFO, _OUTLINES = 1, 2, 3, 4
"""Objects whose numbers are known before they are written; the file ends with them."""
_JPEG_COLORS = {1: "/DeviceGray", 3: "/DeviceRGB", 4: "/DeviceCMYK"}
_PNG_COLORS = {0: ("/DeviceGray", 1), 2: ("/DeviceRGB", 3)}


class PdfArchive:
    """A page for each page of the album, an outline entry for each chapter."""

    def __init__(self, path: Path, metadata: ArchiveMetadata) -> None:
        self._file = ArchiveFile(path)
        self._stream = self._file.stream
        self._metadata = metadata
        self._offsets: dict[int, int] = {}
        self._next = _OUTLINES + 1
        self._pages: list[int] = []
        self._first_page_of: dict[ArchiveChapter, int] = {}
        # four bytes above 127 mark the file as binary for transfer programs
        self._stream.write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")

    def add(self, page: ArchivePage) -> None:
        """Append a page that `is_embeddable`. Raises `ValueError` for anything else."""
        kind = sniff(page.data)
        if kind is None or not is_embeddable(page.data):
            raise ValueError(f"a PDF page can't be made of {page.codec.name}")
        image = self._add_stream(*_image_of(kind, page.data))
        content = self._add_stream("", _drawing(kind, page.strips))
        scale = min(1.0, LONGEST_SIDE_UNITS / max(kind.width, kind.height))
        width, height = (max(1.0, side * scale) for side in (kind.width, kind.height))
        number = self._reserve()
        self._write(
            number,
            f"<</Type/Page/Parent {_TREE} 0 R/MediaBox[0 0 {width:.6g} {height:.6g}]/Contents {content} 0 R"
            f"/Resources<</XObject<</I {image} 0 R>>>>>>",
        )
        self._pages.append(number)
        self._first_page_of.setdefault(page.chapter, number)

    def finish(self) -> PackedArchive:
        """Write the tree of pages, the outline and the table of objects."""
        kids = " ".join(f"{number} 0 R" for number in self._pages)
        self._write(_TREE, f"<</Type/Pages/Count {len(self._pages)}/Kids[{kids}]>>")
        authors = ", ".join(self._metadata.authors)
        self._write(_INFO, f"<</Title {_text(self._metadata.title)}/Author {_text(authors)}>>")
        self._write_outlines()
        self._write(_CATALOG, f"<</Type/Catalog/Pages {_TREE} 0 R/Outlines {_OUTLINES} 0 R>>")
        self._write_table()
        return self._file.finish()

    def abandon(self) -> None:
        """Remove what was written."""
        self._file.abandon()

    def _write_outlines(self) -> None:
        chapters = list(self._first_page_of.items())
        first = self._next
        last = first + len(chapters) - 1
        for number, (chapter, page) in enumerate(chapters, first):
            before = f"/Prev {number - 1} 0 R" if number > first else ""
            after = f"/Next {number + 1} 0 R" if number < last else ""
            title = _text(chapter.title or self._metadata.title)
            self._write(number, f"<</Title {title}/Parent {_OUTLINES} 0 R/Dest[{page} 0 R/Fit]{before}{after}>>")
        ends = f"/First {first} 0 R/Last {last} 0 R/Count {len(chapters)}" if chapters else ""
        self._next = last + 1
        self._write(_OUTLINES, f"<</Type/Outlines{ends}>>")

    def _write_table(self) -> None:
        start = self._stream.tell()
        lines = ["0000000000 65535 f \n", *(f"{self._offsets[n]:010d} 00000 n \n" for n in range(1, self._next))]
        trailer = f"<</Size {self._next}/Root {_CATALOG} 0 R/Info {_INFO} 0 R>>"
        self._stream.write(f"xref\n0 {self._next}\n{''.join(lines)}trailer\n{trailer}\n".encode())
        self._stream.write(f"startxref\n{start}\n%%EOF\n".encode())

    def _add_stream(self, entries: str, data: bytes) -> int:
        number = self._reserve()
        self._begin(number)
        self._stream.write(f"<<{entries}/Length {len(data)}>>\nstream\n".encode())
        self._stream.write(data)
        self._stream.write(b"\nendstream\nendobj\n")
        return number

    def _write(self, number: int, body: str) -> None:
        self._begin(number)
        self._stream.write(f"{body}\nendobj\n".encode())

    def _begin(self, number: int) -> None:
        self._offsets[number] = self._stream.tell()
        self._stream.write(f"{number} 0 obj\n".encode())

    def _reserve(self) -> int:
        self._next += 1
        return self._next - 1


def is_embeddable(data: bytes) -> bool:
    """True for a file a PDF holds as it is: JPEG, and PNG that is opaque and not interlaced; 8 bits a colour both."""
    kind = sniff(data)
    if kind is None or kind.is_animated or kind.codec not in (Codec.JPEG, Codec.PNG):
        return False
    if kind.codec is Codec.JPEG:
        depth, components = _jpeg_frame(data)
        return depth == 8 and components in _JPEG_COLORS
    depth, color, _, _, interlace = data[24:29]
    return depth == 8 and color in _PNG_COLORS and not interlace and b"tRNS" not in data[: data.find(b"IDAT")]


def _image_of(kind: ImageKind, data: bytes) -> tuple[str, bytes]:
    """Dictionary entries and bytes of an image."""
    size = f"/Type/XObject/Subtype/Image/Width {kind.width}/Height {kind.height}/BitsPerComponent 8"
    if kind.codec is Codec.JPEG:
        _, count = _jpeg_frame(data)
        # programs that write CMYK JPEG write it inverted, with an Adobe marker
        invert = "/Decode[1 0 1 0 1 0 1 0]" if count == 4 and b"Adobe" in data[:4096] else ""
        return f"{size}/ColorSpace{_JPEG_COLORS[count]}/Filter/DCTDecode{invert}", data
    space, colors = _PNG_COLORS[data[25]]
    filters = f"/Filter/FlateDecode/DecodeParms<</Predictor 15/Colors {colors}/Columns {kind.width}>>"
    return f"{size}/ColorSpace{space}{filters}", _png_samples(data)


def _drawing(kind: ImageKind, strips: int) -> bytes:
    """Operators that draw the page: the image as it is, or once for each strip, shifted and clipped."""
    width, height = kind.width, kind.height
    scale = min(1.0, LONGEST_SIDE_UNITS / max(width, height))
    lines = [f"{scale:.8g} 0 0 {scale:.8g} 0 0 cm"]
    if not strips:
        lines.append(f"{width} 0 0 {height} 0 0 cm /I Do")
        return "\n".join(lines).encode()

    def draw(top: int, rows: int, shift: int) -> None:
        """Show `rows` of the image moved down by `shift`, from `top` of the page on."""
        clip = f"0 {height - top - rows} {width} {rows} re W n"
        lines.append(f"q {clip} {width} 0 0 {height} 0 {-shift} cm /I Do Q")

    bands = layout(height, strips)
    # Readers soften the edges of clips, so that paper would shine through between strips: the last row of the one
    # above goes under each seam.
    for band, below in pairwise(bands):
        draw(below.readable_y - 1, 2, band.readable_y - band.scrambled_y + 1)
    for band in bands:
        draw(band.readable_y, band.height, band.readable_y - band.scrambled_y)
    return "\n".join(lines).encode()


def _jpeg_frame(data: bytes) -> tuple[int, int]:
    """Bits a sample and number of components; nothing of either where there is no frame."""
    at = 2
    while at + 10 < len(data):
        marker, length = struct.unpack_from(">xBH", data, at)
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return data[at + 4], data[at + 9]
        at += 1 if marker == 0xFF else 2 + length
    return 0, 0


def _png_samples(data: bytes) -> bytes:
    parts, at = [], 8
    while at + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        if name == b"IDAT":
            parts.append(data[at + 8 : at + 8 + length])
        at += 12 + length
    return b"".join(parts)


def _text(value: str) -> str:
    """A string object in UTF-16."""
    return f"<FEFF{value.encode('utf-16-be', 'surrogatepass').hex().upper()}>"
