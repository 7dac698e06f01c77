"""Archives contain every page, in order, in a shape that readers understand."""

from __future__ import annotations

import hashlib
import io
import math
import re
import zipfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pypdfium2
import pytest
from PIL import Image, ImageChops, ImageStat

from demo.drawing import page_image
from services.downloads import PackedArchive
from services.downloads.archives import ArchiveChapter, ArchiveMetadata, ArchivePage, open_archive
from services.downloads.records import ArchiveFormat
from services.imaging import Codec, scramble

COMIC_INFO_ORDER = re.findall(
    r"\w+",
    """
    Title Series Number Count Volume AlternateSeries AlternateNumber AlternateCount Summary Notes Year Month Day
    Writer Penciller Inker Colorist Letterer CoverArtist Editor Translator Publisher Imprint Genre Tags Web PageCount
    LanguageISO Format BlackAndWhite Manga Characters Teams Locations ScanInformation StoryArc StoryArcNumber
    SeriesGroup AgeRating Pages CommunityRating MainCharacterOrTeam Review GTIN
    """,
)
"""Elements of the ComicInfo 2.1 schema, a sequence."""
COMIC_INFO_TYPES = {
    "Count": r"-?\d+",
    "Year": r"-?\d+",
    "Month": r"-?\d+",
    "Day": r"-?\d+",
    "PageCount": r"\d+",
    "Manga": "Unknown|No|Yes|YesAndRightToLeft",
    "LanguageISO": "[a-z]{2}(-[A-Z]{2})?",
}
COMIC_PAGE_ATTRIBUTES = {
    "Image": r"\d+",
    "Type": "FrontCover|InnerCover|Story|Other",
    "ImageSize": r"\d+",
    "Bookmark": ".*",
    "ImageWidth": r"\d+",
    "ImageHeight": r"\d+",
}


def metadata(*chapters: ArchiveChapter, **changes: Any) -> ArchiveMetadata:
    """Metadata of a comic about tea, with changes."""
    facts: dict[str, Any] = {
        "title": "Tea & rivers",
        "description": "How water <meets> leaves",
        "authors": ("Lin, A.", "陳"),
        "characters": ("The kettle",),
        "tags": ("茶", "河流"),
        "site_tags": ("中文",),
        "url": "https://example.org/album/350234",
        "published_on": date(2024, 5, 6),
    }
    return ArchiveMetadata(chapters=chapters or (ArchiveChapter("350234", 1, "", 2),), **facts | changes)


def saved(image: Image.Image, codec: Codec, **options: Any) -> bytes:
    """The picture as a file of this format."""
    file = io.BytesIO()
    image.save(file, codec.name, **options)
    return file.getvalue()


def pages_of(metadata: ArchiveMetadata, codec: Codec = Codec.PNG) -> list[ArchivePage]:
    """Small pages for all chapters, each of another shade."""
    shades = iter(range(1000))
    return [
        ArchivePage(chapter, number, codec, saved(Image.new("RGB", (30, 40), (next(shades) % 256, 80, 90)), codec))
        for chapter in metadata.chapters
        for number in range(1, chapter.page_count + 1)
    ]


def packed(
    kind: ArchiveFormat, folder: Path, metadata: ArchiveMetadata, pages: Sequence[ArchivePage]
) -> PackedArchive:
    """The finished archive."""
    writer = open_archive(kind, folder / f"archive.{kind.extension}", metadata)
    try:
        for page in pages:
            writer.add(page)
        return writer.finish()
    finally:
        writer.abandon()


def comic_info(archive: PackedArchive) -> ElementTree.Element:
    """The ComicInfo.xml of an archive."""
    with zipfile.ZipFile(archive.path) as file:
        return ElementTree.fromstring(file.read("ComicInfo.xml"))


def psnr(one: Image.Image, other: Image.Image) -> float:
    """Peak signal to noise, in dB."""
    stat = ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB")))
    mean = sum(stat.sum2) / sum(stat.count)
    return 10 * math.log10(255**2 / mean) if mean else math.inf


# --- all kinds -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ArchiveFormat)
def test_size_and_hash_are_those_of_the_file(kind: ArchiveFormat, tmp_path: Path) -> None:
    archive = packed(kind, tmp_path, metadata(), pages_of(metadata()))

    data = archive.path.read_bytes()
    assert archive.size_bytes == len(data)
    assert archive.sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("kind", ArchiveFormat)
def test_the_same_pages_make_the_same_file(kind: ArchiveFormat, tmp_path: Path) -> None:
    first = packed(kind, tmp_path, metadata(), pages_of(metadata()))
    second = packed(kind, tmp_path, metadata(), pages_of(metadata()))

    assert first == second


@pytest.mark.parametrize("kind", ArchiveFormat)
def test_an_archive_gets_its_name_only_when_it_is_complete(kind: ArchiveFormat, tmp_path: Path) -> None:
    writer = open_archive(kind, tmp_path / "archive", metadata())
    writer.add(pages_of(metadata())[0])

    assert not (tmp_path / "archive").exists()
    writer.abandon()
    assert list(tmp_path.iterdir()) == []


# --- zip -------------------------------------------------------------------------------------------------------


def test_a_zip_holds_images_only_in_chapter_folders_in_natural_order(tmp_path: Path) -> None:
    story = metadata(
        ArchiveChapter("1", 1, "The source", 11),
        ArchiveChapter("2", 2, "../Mouth: sea?", 1),
        ArchiveChapter("3", 12, "", 1),
    )
    pages = pages_of(story)

    with zipfile.ZipFile(packed(ArchiveFormat.ZIP, tmp_path, story, pages).path) as archive:
        names = archive.namelist()
        assert archive.testzip() is None
        assert [archive.read(name) for name in names] == [page.data for page in pages]

    assert names[0] == "001 The source/0001.png"
    assert names[9:] == [
        "001 The source/0010.png",
        "001 The source/0011.png",
        "002 _Mouth_ sea_/0001.png",
        "012/0001.png",
    ]
    assert names == sorted(names)


def test_a_zip_is_stored_with_sizes_up_front_and_names_in_utf8(tmp_path: Path) -> None:
    story = metadata(ArchiveChapter("1", 1, "河流", 1))

    archive = packed(ArchiveFormat.ZIP, tmp_path, story, pages_of(story))

    with zipfile.ZipFile(archive.path) as file:
        (info,) = file.infolist()
    assert info.filename == "001 河流/0001.png"
    assert info.compress_type == zipfile.ZIP_STORED
    assert info.flag_bits == 0x800
    assert info.date_time == (1980, 1, 1, 0, 0, 0)
    assert info.external_attr >> 16 == 0o100644
    header = archive.path.read_bytes()[:30]
    assert int.from_bytes(header[18:22], "little") == info.file_size == info.compress_size


def test_more_pages_than_the_old_format_counts_are_still_found(tmp_path: Path) -> None:
    many = metadata(ArchiveChapter("1", 1, "", 65_600))
    data = pages_of(metadata())[0].data
    pages = (ArchivePage(many.chapters[0], number, Codec.PNG, data) for number in range(1, 65_601))

    archive = packed(ArchiveFormat.ZIP, tmp_path, many, list(pages))

    with zipfile.ZipFile(archive.path) as file:
        assert len(file.namelist()) == 65_600
        assert file.namelist()[-1] == "001/65600.png"
        assert file.read("001/65600.png") == data


# --- cbz -------------------------------------------------------------------------------------------------------


def test_comic_info_has_the_fields_that_readers_use(tmp_path: Path) -> None:
    root = comic_info(packed(ArchiveFormat.CBZ, tmp_path, metadata(), pages_of(metadata())))

    assert {element.tag: element.text for element in root if element.tag != "Pages"} == {
        "Title": "Tea & rivers",
        "Series": "Tea & rivers",
        "Number": "1",
        "Count": "1",
        "Summary": "How water <meets> leaves",
        "Year": "2024",
        "Month": "5",
        "Day": "6",
        "Writer": "Lin， A., 陳",
        "Genre": "中文",
        "Tags": "茶, 河流",
        "Web": "https://example.org/album/350234",
        "PageCount": "2",
        "LanguageISO": "zh",
        "Manga": "YesAndRightToLeft",
        "Characters": "The kettle",
    }


@pytest.mark.parametrize(
    "story",
    [
        metadata(),
        metadata(ArchiveChapter("1", 1, "a", 2), ArchiveChapter("2", 2, "b\x00\ud800\x0b", 3)),
        metadata(title="\x01\x02", description="", authors=(), characters=(), tags=(), published_on=None, url=""),
    ],
)
def test_comic_info_keeps_to_its_schema(story: ArchiveMetadata, tmp_path: Path) -> None:
    root = comic_info(packed(ArchiveFormat.CBZ, tmp_path, story, pages_of(story)))

    assert root.tag == "ComicInfo"
    places = [COMIC_INFO_ORDER.index(element.tag) for element in root]
    assert places == sorted(set(places))
    for element in root:
        assert re.fullmatch(COMIC_INFO_TYPES.get(element.tag, "(?s).*"), element.text or "")
    listed = root.findall("Pages/Page")
    assert [page.get("Image") for page in listed] == [str(index) for index in range(story.page_count)]
    for page in listed:
        assert all(re.fullmatch(COMIC_PAGE_ATTRIBUTES[name], value) for name, value in page.attrib.items())


def test_comic_info_marks_where_chapters_begin(tmp_path: Path) -> None:
    story = metadata(ArchiveChapter("1", 1, "Source", 2), ArchiveChapter("2", 2, "Mouth", 1))

    root = comic_info(packed(ArchiveFormat.CBZ, tmp_path, story, pages_of(story)))

    assert [page.get("Bookmark") for page in root.findall("Pages/Page")] == ["Source", None, "Mouth"]
    assert [page.get("Type") for page in root.findall("Pages/Page")] == ["FrontCover", None, None]
    assert root.find("Pages/Page[1]").attrib["ImageWidth"] == "30"  # type: ignore[union-attr]


def test_a_later_chapter_alone_has_its_number_and_title(tmp_path: Path) -> None:
    story = metadata(ArchiveChapter("7", 7, "The delta", 1))

    root = comic_info(packed(ArchiveFormat.CBZ, tmp_path, story, pages_of(story)))

    assert [root.findtext(name) for name in ("Title", "Series", "Number")] == ["The delta", "Tea & rivers", "7"]


@pytest.mark.parametrize(
    ("site_tags", "language", "manga"),
    [
        ((), "zh", "YesAndRightToLeft"),
        (("English",), "en", "YesAndRightToLeft"),
        (("生肉",), "ja", "YesAndRightToLeft"),
        (("韓漫", "中文"), "zh", "No"),
    ],
)
def test_language_and_direction_follow_from_tags(
    site_tags: tuple[str, ...], language: str, manga: str, tmp_path: Path
) -> None:
    story = metadata(site_tags=site_tags)

    root = comic_info(packed(ArchiveFormat.CBZ, tmp_path, story, pages_of(story)))

    assert (root.findtext("LanguageISO"), root.findtext("Manga")) == (language, manga)


# --- pdf -------------------------------------------------------------------------------------------------------


def rendered(archive: PackedArchive, index: int = 0) -> Image.Image:
    """A page as a reader would show it, a pixel a unit."""
    document = pypdfium2.PdfDocument(archive.path)
    try:
        image: Image.Image = document[index].render(scale=1).to_pil()
        return image
    finally:
        document.close()


def one_page(codec: Codec, data: bytes, strips: int = 0) -> tuple[ArchiveMetadata, list[ArchivePage]]:
    """Metadata of this page alone."""
    story = metadata(ArchiveChapter("1", 1, "Source", 1))
    return story, [ArchivePage(story.chapters[0], 1, codec, data, strips)]


@pytest.mark.parametrize("strips", [2, 10, 14, 20])
def test_a_cut_jpeg_is_put_in_order_by_the_page_that_draws_it(strips: int, tmp_path: Path) -> None:
    drawn = page_image(438516, 3).crop((0, 0, 400, 607))
    sent = saved(scramble(drawn, strips), Codec.JPEG, quality=95)

    archive = packed(ArchiveFormat.PDF, tmp_path, *one_page(Codec.JPEG, sent, strips))

    assert sent in archive.path.read_bytes()
    shown = rendered(archive)
    assert shown.size == (400, 607)
    assert psnr(shown, drawn) > 30


@pytest.mark.parametrize(
    ("codec", "mode", "options"),
    [
        (Codec.JPEG, "RGB", {"quality": 95}),
        (Codec.JPEG, "L", {"quality": 95}),
        (Codec.JPEG, "CMYK", {"quality": 95}),
        (Codec.JPEG, "RGB", {"quality": 95, "progressive": True}),
        (Codec.PNG, "RGB", {}),
        (Codec.PNG, "L", {}),
    ],
)
def test_a_page_looks_in_a_pdf_as_it_did(codec: Codec, mode: str, options: dict[str, Any], tmp_path: Path) -> None:
    drawn = page_image(438516, 3).resize((240, 340)).convert(mode)
    data = saved(drawn, codec, **options)

    archive = packed(ArchiveFormat.PDF, tmp_path, *one_page(codec, data))

    # How CMYK looks on a screen depends on the reader.
    assert psnr(rendered(archive), drawn) > (20 if mode == "CMYK" else 30)
    assert codec is not Codec.PNG or psnr(rendered(archive), drawn) > 60


@pytest.mark.parametrize(
    ("codec", "mode", "options"),
    [
        (Codec.PNG, "RGBA", {}),
        (Codec.PNG, "P", {}),
        (Codec.PNG, "1", {}),
        (Codec.WEBP, "RGB", {}),
        (Codec.GIF, "P", {}),
    ],
)
def test_a_page_that_a_pdf_can_not_contain_is_refused(
    codec: Codec, mode: str, options: dict[str, Any], tmp_path: Path
) -> None:
    data = saved(Image.new("RGB", (8, 8)).convert(mode), codec, **options)

    with pytest.raises(ValueError, match="can't be made"):
        packed(ArchiveFormat.PDF, tmp_path, *one_page(codec, data))


@pytest.mark.parametrize(
    ("size", "shown"),
    [((14400, 9), (14400, 9)), ((9, 28800), (4.5, 14400)), ((3, 65500), (1, 14400))],
)
def test_page_sizes_stay_within_what_readers_show(
    size: tuple[int, int], shown: tuple[float, float], tmp_path: Path
) -> None:
    data = saved(Image.new("RGB", size, "white"), Codec.PNG)

    archive = packed(ArchiveFormat.PDF, tmp_path, *one_page(Codec.PNG, data))

    document = pypdfium2.PdfDocument(archive.path)
    assert document[0].get_size() == pytest.approx(shown)
    document.close()


def test_a_pdf_has_all_pages_in_order_and_an_outline_of_chapters(tmp_path: Path) -> None:
    story = metadata(ArchiveChapter("1", 1, "水 Source", 2), ArchiveChapter("2", 2, "", 3))

    archive = packed(ArchiveFormat.PDF, tmp_path, story, pages_of(story))

    document = pypdfium2.PdfDocument(archive.path)
    assert len(document) == 5
    marks = [(mark.get_title(), mark.get_dest().get_index()) for mark in document.get_toc()]
    assert marks == [("水 Source", 0), ("Tea & rivers", 2)]
    assert document.get_metadata_value("Title") == "Tea & rivers"
    assert document.get_metadata_value("Author") == "Lin, A., 陳"
    document.close()
    shades = [rendered(archive, index).getpixel((5, 5))[0] for index in range(5)]  # type: ignore[index]
    assert shades == [0, 1, 2, 3, 4]


def test_the_objects_of_a_pdf_are_where_its_table_says(tmp_path: Path) -> None:
    data = packed(ArchiveFormat.PDF, tmp_path, metadata(), pages_of(metadata())).path.read_bytes()

    start = int(data.rsplit(b"startxref\n", 1)[1].split()[0])
    lines = data[start:].split(b"trailer")[0].splitlines()[2:]
    for number, line in enumerate(lines[1:], 1):
        assert data[int(line[:10]) :].startswith(f"{number} 0 obj\n".encode())
