"""Pages are scrambled, encoded and served as on the real site; jmcomic's own tool unscrambles them."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jmcomic import JmImageTool
from PIL import Image, ImageChops, ImageStat

from demo import images
from demo.drawing import COVER_3X4_SIZE, COVER_SIZE, cover_image, page_image
from demo.images import ImageStore
from demo.library import library
from demo.odd_albums import AVIF_PAGES, STILL_GIFS
from demo.records import Chapter, PageKind
from demo.scramble import scrambled, strips
from demo.scripted import ANIMATED, HUGE_PAGES, UNSCRAMBLED
from demo.server import RunningDemo

LOSSLESS = (163348, 240117, 302166, 431760, 900300)


def _chapter(id: int) -> Chapter:
    found = library().find_chapter(id)
    assert found is not None
    return found[1]


def _served(demo: RunningDemo, http: httpx.Client, chapter: Chapter, number: int) -> Image.Image:
    answer = http.get(f"{demo.image_url}/media/photos/{chapter.id}/{chapter.pages[number - 1].name}")
    assert answer.status_code == 200
    return Image.open(BytesIO(answer.content))


def _put_together(chapter: Chapter, number: int, served: Image.Image, folder: Path) -> Image.Image:
    if chapter.pages[number - 1].name.endswith(".gif"):
        return served.convert("RGB")
    count = JmImageTool.get_num(chapter.scramble_id, chapter.id, chapter.pages[number - 1].stem)
    JmImageTool.decode_and_save(count, served, str(folder / "page.png"))
    with Image.open(folder / "page.png") as image:
        return image.convert("RGB")


@pytest.mark.parametrize("id", LOSSLESS)
def test_lossless_pages_come_out_as_they_were_drawn(
    demo: RunningDemo, http: httpx.Client, tmp_path: Path, id: int
) -> None:
    chapter = _chapter(id)

    for number in range(1, len(chapter.pages) + 1):
        image = _put_together(chapter, number, _served(demo, http, chapter, number), tmp_path)
        assert image.tobytes() == page_image(id, number).tobytes()


@pytest.mark.parametrize(
    "id", [118204, 145590, 221350, 248255, 350234, 438516, 445902, UNSCRAMBLED, STILL_GIFS, AVIF_PAGES]
)
def test_lossy_pages_come_out_close_to_what_was_drawn(
    demo: RunningDemo, http: httpx.Client, tmp_path: Path, id: int
) -> None:
    chapter = _chapter(id)

    for number in (1, 2, len(chapter.pages)):
        image = _put_together(chapter, number, _served(demo, http, chapter, number), tmp_path)
        difference = ImageChops.difference(image, page_image(id, number))
        assert max(ImageStat.Stat(difference).mean) < 6


def test_a_chapter_may_be_named_by_digits_as_well() -> None:
    assert page_image("350234", 2).tobytes() == page_image(350234, 2).tobytes()


def test_a_page_in_the_wrong_order_is_far_from_what_was_drawn() -> None:
    drawn = page_image(350234, 1)

    difference = ImageChops.difference(scrambled(drawn, 2), drawn)

    assert max(ImageStat.Stat(difference).mean) > 20


def test_the_library_has_chapters_of_every_kind_of_scrambling() -> None:
    ways = {
        strips(chapter.scramble_id, chapter.id, page.stem)
        for comic in library().comics
        for chapter in comic.chapters
        for page in chapter.pages
    }

    assert ways == {0, *range(2, 21, 2)}


@given(
    scramble_id=st.integers(1, 1_000_000),
    chapter_id=st.integers(1, 2_000_000),
    stem=st.from_regex(r"[0-9]{5}", fullmatch=True),
)
def test_strips_are_counted_as_jmcomic_does(scramble_id: int, chapter_id: int, stem: str) -> None:
    assert strips(scramble_id, chapter_id, stem) == JmImageTool.get_num(scramble_id, chapter_id, stem)


@settings(deadline=None, max_examples=40)
@given(height=st.integers(20, 200), count=st.sampled_from([0, 2, 6, 10, 14, 20]))
def test_scrambling_is_undone_by_jmcomics_tool(
    tmp_path_factory: pytest.TempPathFactory, height: int, count: int
) -> None:
    drawn = Image.linear_gradient("L").resize((9, height)).convert("RGB")
    path = tmp_path_factory.mktemp("cut") / "page.png"

    JmImageTool.decode_and_save(count, scrambled(drawn, count), str(path))

    with Image.open(path) as image:
        assert image.tobytes() == drawn.tobytes()


def test_gifs_are_animated_and_never_scrambled(demo: RunningDemo, http: httpx.Client) -> None:
    image = _served(demo, http, _chapter(ANIMATED), 1)

    assert (image.format, getattr(image, "n_frames", 0)) == ("GIF", 4)
    difference = ImageChops.difference(image.convert("RGB"), page_image(ANIMATED, 1))
    assert max(ImageStat.Stat(difference).mean) < 12


def test_every_kind_of_page_is_what_its_name_says(demo: RunningDemo, http: httpx.Client) -> None:
    chapter = _chapter(358617)
    formats = {PageKind.WEBP: "WEBP", PageKind.JPG: "JPEG", PageKind.PNG: "PNG", PageKind.GIF: "GIF"}

    kinds = [_served(demo, http, chapter, number).format for number in range(1, 11)]

    assert kinds == [formats[page.kind] for page in chapter.pages[:10]]
    assert set(kinds) == {"WEBP", "JPEG", "PNG", "GIF"}


def test_a_typical_page_is_as_large_as_a_scan(demo: RunningDemo) -> None:
    sizes = [len(demo.images.page(_chapter(438516), number)) for number in (1, 30, 60)]

    assert all(80_000 < size < 250_000 for size in sizes)
    assert {(page.width, page.height) for page in _chapter(438516).pages} == {(960, 1360)}


def test_some_pages_are_larger_than_some_formats_hold(demo: RunningDemo, http: httpx.Client) -> None:
    sizes = [_served(demo, http, _chapter(HUGE_PAGES), number).size for number in (1, 2, 3)]

    assert sizes == [(700, 20_000), (64, 70_000), (480, 16_383)]


def test_covers_are_jpegs_of_two_sizes(demo: RunningDemo, http: httpx.Client) -> None:
    sizes = {}
    for name in ("350234.jpg", "350234_3x4.jpg"):
        answer = http.get(f"{demo.image_url}/media/albums/{name}")
        assert answer.headers["content-type"] == "image/jpeg"
        sizes[name] = Image.open(BytesIO(answer.content)).size

    assert sizes == {"350234.jpg": COVER_SIZE, "350234_3x4.jpg": COVER_3X4_SIZE}
    assert cover_image(350234).size == COVER_SIZE


@pytest.mark.parametrize(
    "path",
    [
        "/media/photos/350234/00025.webp",
        "/media/photos/350234/00001.jpg",
        "/media/photos/5/00001.webp",
        "/media/albums/5.jpg",
        "/media/albums/350234.png",
        "/media/albums/blank.jpg",
        "/media/albums/²³.jpg",
    ],
)
def test_a_missing_image_is_a_404(demo: RunningDemo, http: httpx.Client, path: str) -> None:
    assert http.get(demo.image_url + path).status_code == 404


@pytest.mark.parametrize("id", [600100, AVIF_PAGES])
def test_pictures_are_the_same_in_every_run(tmp_path: Path, id: int) -> None:
    chapter = _chapter(id)

    once, again = (ImageStore(tmp_path / name).page(chapter, 3) for name in ("once", "again"))

    assert once == again


def test_a_picture_is_read_from_the_folder_where_it_was_made_before(tmp_path: Path) -> None:
    chapter = _chapter(600100)
    made = ImageStore(tmp_path).page(chapter, 3)
    (path,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert path.read_bytes() == made

    path.write_bytes(b"seen")

    assert ImageStore(tmp_path).page(chapter, 3) == b"seen"


def test_without_avif_in_pillow_the_reason_is_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "features", _NoFeatures)

    with pytest.raises(RuntimeError, match="AVIF"):
        ImageStore(tmp_path).page(_chapter(AVIF_PAGES), 1)


@pytest.mark.parametrize(
    ("chapter_id", "number", "error"), [(5, 1, KeyError), (350234, 0, IndexError), (350234, 25, IndexError)]
)
def test_a_page_that_does_not_exist_has_no_drawing(chapter_id: int, number: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        page_image(chapter_id, number)


class _NoFeatures:
    """Pillow's `features` where it was built with nothing."""

    @staticmethod
    def check(name: str) -> bool:
        return False
