"""Page formats: how a page is converted for a request, and the folder such pages are staged in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from services.downloads.archives.pdf import is_embeddable
from services.downloads.records import ArchiveFormat, ImageFormat
from services.downloads.staging import ORIGINAL_VARIANT
from services.imaging import Codec, check_page, fits, read_page, still_page, strips_of_page
from services.upstream.records import ChapterDetail

_CODECS = {ImageFormat.JPEG: Codec.JPEG, ImageFormat.PNG: Codec.PNG, ImageFormat.WEBP: Codec.WEBP}


@dataclass(frozen=True, slots=True)
class PreparedPage:
    """A page ready for the archive; `strips` is what it is still cut into."""

    data: bytes
    codec: Codec
    strips: int = 0


class PageFormat(Protocol):
    """Converts pages for one kind of request."""

    @property
    def variant(self) -> str:
        """Name of the folder its pages are staged in: same name, same bytes for the same page."""
        ...

    def prepare(self, raw: bytes, count: int) -> PreparedPage:
        """The page as it goes into the archive, from what the site sent, cut into `count` strips.

        Uses one core; raises `UpstreamFailure` when the page is broken.
        """
        ...

    def is_wanted(self, codec: Codec) -> bool:
        """True for the requested codec; pages in another one are listed in the archive's notes."""
        ...


@dataclass(frozen=True, slots=True)
class ImageFormatter:
    """Pages for ZIP and CBZ; `codec` None keeps each page's own.

    So AVIF stays where the page is whole: Komga, Kavita and Mihon show it. KOReader and Librera do not yet; for them
    there are the other formats. A page that was cut must be encoded again, and becomes WebP, which all of them show.
    Sources: komga.org/docs/guides/image-formats, koreader/koreader#10973, foobnix/LibreraReader#1288.
    """

    codec: Codec | None
    quality: int

    @property
    def variant(self) -> str:
        """ "original", "png", "jpg-90"."""
        if self.codec is None:
            return ORIGINAL_VARIANT
        return "png" if self.codec is Codec.PNG else f"{self.codec.value}-{self.quality}"

    def prepare(self, raw: bytes, count: int) -> PreparedPage:
        """The page in the requested codec, where that can hold it."""
        page = read_page(raw, count, self.codec, self.quality if self.codec else None)
        return PreparedPage(page.data, page.codec)

    def is_wanted(self, codec: Codec) -> bool:
        """True for the requested codec, any where none was requested."""
        return self.codec in (None, codec)


@dataclass(frozen=True, slots=True)
class PdfFormatter:
    """Pages for PDF, which holds JPEG and PNG only. JPEG is not decoded: the PDF puts its strips in order."""

    lossless: bool
    quality: int

    @property
    def variant(self) -> str:
        """ "pdf-90", "pdf-png"."""
        return "pdf-png" if self.lossless else f"pdf-{self.quality}"

    def prepare(self, raw: bytes, count: int) -> PreparedPage:
        """The page as JPEG, or PNG: where that was requested, for PNG of the site, and for what JPEG can't hold."""
        kind = check_page(raw)
        if kind.codec is Codec.JPEG and not self.lossless and is_embeddable(raw):
            return PreparedPage(raw, Codec.JPEG, count)
        if kind.codec is Codec.PNG and not count and is_embeddable(raw):
            return PreparedPage(raw, Codec.PNG)
        wants_png = self.lossless or kind.codec is Codec.PNG or not fits(Codec.JPEG, kind.width, kind.height)
        codec = Codec.PNG if wants_png else Codec.JPEG
        page = read_page(raw, count, codec, self.quality)
        if not is_embeddable(page.data):
            page = still_page(raw, count, codec, self.quality)
        return PreparedPage(page.data, page.codec)

    def is_wanted(self, codec: Codec) -> bool:
        """True for PNG where it was requested, else for any codec."""
        return codec is Codec.PNG or not self.lossless


def page_format_of(archive: ArchiveFormat, image: ImageFormat, quality: int) -> PageFormat:
    """The page format of a request."""
    if archive is ArchiveFormat.PDF:
        return PdfFormatter(image is ImageFormat.PNG, quality)
    return ImageFormatter(_CODECS.get(image), quality)


def strips_of(chapter: ChapterDetail, index: int, raw: bytes) -> int:
    """Into how many strips the site cut this page (1-based); `raw` is its file."""
    name = chapter.page_names[index - 1]
    return strips_of_page(raw, name, scramble_id=chapter.scramble_id, chapter_id=int(chapter.id))
