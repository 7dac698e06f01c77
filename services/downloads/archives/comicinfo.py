"""ComicInfo.xml: what comic readers (Komga, Kavita, LANraragi) show of an archive.

Element names, their order and their values as the Anansi Project's ComicInfo v2.1 schema has them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from xml.etree import ElementTree

from services.downloads.archives.metadata import ArchiveMetadata

_LANGUAGES = (
    ("en", ("英文", "英語", "英语", "english")),
    ("ja", ("日文", "日語", "日语", "生肉", "japanese")),
    ("ko", ("韓文", "韓語", "韩文", "韩语", "korean")),
)
"""Tags of the site for a language; an album without one is Chinese."""
_READ_DOWNWARDS = ("韓漫", "韩漫", "webtoon", "長條", "长条", "條漫", "条漫")
"""Tags of comics that are not read from right to left."""
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class PageSize:
    """A page: bytes of its file and its pixels."""

    size_bytes: int
    width: int
    height: int


def notes_of(album_id: str, chapter_id: str) -> str:
    """The numbers of the site, as a kept file is known by when the database was lost."""
    return f"jmgraph: album JM{album_id}, chapter JM{chapter_id}"


def comic_info(metadata: ArchiveMetadata, pages: Sequence[PageSize]) -> bytes:
    """The file, as UTF-8. `pages` are all that were packed, in reading order."""
    root = ElementTree.Element("ComicInfo")
    for name, value in _fields(metadata):
        if value:
            ElementTree.SubElement(root, name).text = _NOT_IN_XML.sub("", value)
    root.append(_pages(metadata, pages))
    ElementTree.indent(root)
    text: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return text


def _fields(metadata: ArchiveMetadata) -> Iterator[tuple[str, str]]:
    """Each element before the pages in the schema's order, empty where nothing is known."""
    first = metadata.chapters[0]
    published = metadata.published_on
    is_one_of_many = len(metadata.chapters) == 1 and (first.index > 1 or metadata.chapter_count > 1)
    yield "Title", (first.title if is_one_of_many else "") or metadata.title
    yield "Series", metadata.title
    yield "Number", str(first.index)
    yield "Count", str(max(metadata.chapter_count, first.index))
    yield "Summary", metadata.description
    yield "Notes", notes_of(metadata.album_id, first.id) if metadata.album_id else ""
    yield "Year", str(published.year) if published else ""
    yield "Month", str(published.month) if published else ""
    yield "Day", str(published.day) if published else ""
    yield "Writer", _joined(metadata.authors)
    yield "Genre", _joined(metadata.site_tags)
    yield "Tags", _joined(metadata.tags)
    yield "Web", metadata.url
    yield "PageCount", str(metadata.page_count)
    yield "LanguageISO", _language_of(metadata.site_tags)
    yield "Manga", "No" if _has_any(metadata.site_tags, _READ_DOWNWARDS) else "YesAndRightToLeft"
    yield "Characters", _joined(metadata.characters)


def _pages(metadata: ArchiveMetadata, pages: Sequence[PageSize]) -> ElementTree.Element:
    starts = accumulate((chapter.page_count for chapter in metadata.chapters), initial=0)
    bookmarks = {start: chapter.title for start, chapter in zip(starts, metadata.chapters, strict=False)}
    element = ElementTree.Element("Pages")
    for index, page in enumerate(pages):
        attributes = {"Image": str(index), "ImageSize": str(page.size_bytes)}
        if index == 0:
            attributes["Type"] = "FrontCover"
        if bookmarks.get(index) and len(metadata.chapters) > 1:
            attributes["Bookmark"] = _NOT_IN_XML.sub("", bookmarks[index])
        if page.width and page.height:
            attributes |= {"ImageWidth": str(page.width), "ImageHeight": str(page.height)}
        ElementTree.SubElement(element, "Page", attributes)
    return element


def _joined(names: Iterable[str]) -> str:
    """A list as the schema writes it; a comma inside a name would split it."""
    return ", ".join(name.replace(",", "，") for name in names)


def _language_of(tags: Sequence[str]) -> str:
    return next((code for code, words in _LANGUAGES if _has_any(tags, words)), "zh")


def _has_any(tags: Sequence[str], words: Sequence[str]) -> bool:
    return any(tag.casefold() in words for tag in tags)
