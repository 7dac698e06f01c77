"""Pages become an archive: each page once, and complete."""

from __future__ import annotations

import asyncio
import math
import os
import shutil
import threading
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import httpx
import pypdfium2
import pytest
from PIL import Image, ImageChops, ImageStat

from demo.drawing import page_image
from demo.library import library
from demo.odd_albums import AVIF_PAGES, CACHED_SHORT, STILL_GIFS
from demo.records import Chapter
from demo.server import RunningDemo
from services.downloads import (
    Cancelled,
    DownloadJob,
    ImageExecutor,
    PackedArchive,
    PagesMissing,
    PagesProgress,
    Pipeline,
    Staging,
)
from services.downloads.records import ArchiveFormat, ImageFormat
from services.errors import StorageFull, UpstreamFailure, UpstreamReason
from services.imaging import sniff
from services.observability import Priority, current_stats
from services.upstream.records import AlbumDetail, ChapterDetail, ChapterRef, SourceMethod

pytestmark = pytest.mark.anyio

SERIES, MIXED, JPEGS, WHOLE = 900120, 358617, 248255, 145590
"""AlbumSource of the demo site: 12 chapters of 2 pages, several formats, 10 cut JPEG pages, 24 whole ones."""
LOSSLESS, MOVING, HUGE, LATE_BROKEN, LOST_PAGE = 900300, 900089, 900163, 900011, 900007


class SitePages:
    """The site's image host over HTTP, as a page source."""

    def __init__(self, base: str, client: httpx.AsyncClient) -> None:
        self._base = base
        self._client = client
        self.priorities: set[Priority] = set()
        self.gate = asyncio.Event()
        self.gate.set()

    async def page(self, chapter: ChapterDetail, index: int, *, bypass_cache: bool = False) -> bytes:
        """The file as it is sent."""
        await self.gate.wait()
        self.priorities.add(current_stats().priority)
        try:
            address = f"{self._base}/media/photos/{chapter.id}/{chapter.page_names[index - 1]}"
            answer = await self._client.get(f"{address}?v=1" if bypass_cache else address)
        except httpx.HTTPError as error:
            raise UpstreamFailure(UpstreamReason.UNREACHABLE) from error
        if answer.status_code != 200:
            raise UpstreamFailure(
                UpstreamReason.RATE_LIMITED if answer.status_code == 429 else UpstreamReason.GARBLED
            )
        return answer.content


class MetadataSource:
    """Tags in words, an address."""

    def tags_of(self, album: AlbumDetail) -> tuple[str, ...]:
        """Each tag in brackets."""
        return tuple(f"[{tag}]" for tag in album.tags)

    def url_of(self, album_id: str) -> str:
        """An address of our own."""
        return f"https://example.org/album/{album_id}"


@pytest.fixture
async def source(demo: RunningDemo) -> AsyncIterator[SitePages]:
    """The demo site's pages."""
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        yield SitePages(demo.image_url, client)


@pytest.fixture(scope="module")
def executor() -> Iterator[ImageExecutor]:
    """Threads for pictures."""
    executor = ImageExecutor()
    yield executor
    executor.close()


@pytest.fixture
def pipeline(source: SitePages, executor: ImageExecutor) -> Pipeline:
    """The pipeline under test, without a limit of disk space."""
    return Pipeline(source, MetadataSource(), executor, disk_floor_bytes=0)


def job_of(
    album_id: int,
    folder: Path,
    *,
    archive: ArchiveFormat = ArchiveFormat.ZIP,
    image: ImageFormat = ImageFormat.ORIGINAL,
    quality: int = 90,
    chapter_ids: tuple[int, ...] = (),
    pages: int | None = None,
    allow_missing: bool = False,
) -> DownloadJob:
    """A job for an album of the demo site; `pages` takes so many of each chapter."""
    comic = library().find(album_id)
    assert comic is not None
    all_chapters = tuple(
        ChapterDetail(
            str(chapter.id),
            str(album_id),
            chapter.title,
            chapter.scramble_id,
            tuple(page.name for page in chapter.pages[:pages]),
        )
        for chapter in comic.chapters
    )
    refs = tuple(ChapterRef(chapter.id, index, chapter.title) for index, chapter in enumerate(all_chapters, 1))
    album = AlbumDetail(
        id=str(album_id),
        title=comic.title,
        description="",
        authors=tuple(comic.authors),
        works=(),
        characters=(),
        tags=tuple(comic.tags),
        page_count=sum(len(chapter.page_names) for chapter in all_chapters),
        view_count=0,
        like_count=0,
        comment_count=0,
        published_on=None,
        updated_on=None,
        chapters=refs,
        related=(),
        source=SourceMethod.API,
    )
    chapters = tuple(c for c in all_chapters if not chapter_ids or int(c.id) in chapter_ids)
    return DownloadJob("k3j9", album, chapters, archive, image, quality, folder, allow_missing)


async def run(
    pipeline: Pipeline,
    job: DownloadJob,
    on_progress: Callable[[PagesProgress], None] = lambda progress: None,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> PackedArchive:
    """Run a job with a deadline."""
    async with asyncio.timeout(60):
        return await pipeline.run(job, on_progress=on_progress, is_cancelled=is_cancelled)


def contents(archive: PackedArchive) -> dict[str, bytes]:
    """File names and bytes of a zip or cbz."""
    with zipfile.ZipFile(archive.path) as file:
        assert file.testzip() is None
        return {name: file.read(name) for name in file.namelist()}


def files_under(folder: Path, pattern: str = "*") -> list[Path]:
    """The files in a folder and all below it."""
    return [path for path in folder.rglob(pattern) if path.is_file()]


def files_in(folder: Path, pattern: str) -> list[str]:
    """Their names."""
    return sorted(path.name for path in files_under(folder, pattern))


def opened(data: bytes) -> Image.Image:
    """The decoded picture as RGB."""
    return Image.open(BytesIO(data)).convert("RGB")


def drawings(job: DownloadJob) -> list[Image.Image]:
    """The pages of a job as they were drawn."""
    return [page_image(int(c.id), number) for c in job.chapters for number in range(1, len(c.page_names) + 1)]


def is_plain_page(page: Image.Image) -> bool:
    """True for one that we drew: light grey with dark grey on it, nothing else."""
    grey = page.convert("L").histogram()
    return sum(grey[235:242]) > 0.8 * page.width * page.height


def pages_of(album_id: int) -> list[tuple[Chapter, int]]:
    """Each page of an album of the demo site, with its chapter."""
    comic = library().find(album_id)
    assert comic is not None
    return [(chapter, number) for chapter in comic.chapters for number in range(1, len(chapter.pages) + 1)]


def psnr(one: Image.Image, other: Image.Image) -> float:
    """Peak signal to noise, in dB."""
    stat = ImageStat.Stat(ImageChops.difference(one, other))
    mean = sum(stat.sum2) / sum(stat.count)
    return 10 * math.log10(255**2 / mean) if mean else math.inf


# --- what comes out --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("album_id", [163348, 240117, 302166, LOSSLESS])
async def test_every_page_is_what_was_drawn(album_id: int, pipeline: Pipeline, tmp_path: Path) -> None:
    job = job_of(album_id, tmp_path, pages=6)

    pages = list(contents(await run(pipeline, job)).values())

    assert len(pages) == sum(len(chapter.page_names) for chapter in job.chapters)
    drawings = (page_image(int(c.id), n) for c in job.chapters for n in range(1, len(c.page_names) + 1))
    for page, drawing in zip(pages, drawings, strict=True):
        assert opened(page).tobytes() == drawing.tobytes()


async def test_whole_pages_go_through_byte_for_byte(pipeline: Pipeline, demo: RunningDemo, tmp_path: Path) -> None:
    job = job_of(WHOLE, tmp_path)
    (chapter,) = library().find(WHOLE).chapters  # type: ignore[union-attr]

    archive = await run(pipeline, job)

    assert list(contents(archive).values()) == [demo.images.page(chapter, n) for n in range(1, 25)]
    assert list(contents(archive))[8:11] == [f"001 {chapter.title}/{n:04d}.jpg" for n in (9, 10, 11)]


@pytest.mark.parametrize("image", [ImageFormat.JPEG, ImageFormat.PNG, ImageFormat.WEBP])
async def test_every_page_is_in_the_format_asked_for(image: ImageFormat, pipeline: Pipeline, tmp_path: Path) -> None:
    job = job_of(MIXED, tmp_path, image=image, quality=85)

    archive = await run(pipeline, job)

    kinds = {sniff(data).codec.name for data in contents(archive).values()}  # type: ignore[union-attr]
    assert kinds <= {image.name, "GIF"}
    assert archive.notes == tuple(
        f"{chapter.id}/{index} kept as GIF"
        for chapter in job.chapters
        for index, name in enumerate(chapter.page_names, 1)
        if name.endswith("gif")
    )


async def test_pages_too_long_for_a_format_are_kept_and_noted(pipeline: Pipeline, tmp_path: Path) -> None:
    archive = await run(pipeline, job_of(HUGE, tmp_path, image=ImageFormat.WEBP))

    codecs = [sniff(data).codec.name for data in contents(archive).values()]  # type: ignore[union-attr]
    noted = [note.rsplit(" ", 1)[1] for note in archive.notes]
    assert noted == [codec for codec in codecs if codec != "WEBP"]
    assert sorted(noted) == ["JPEG", "PNG"]


async def test_pages_named_gif_are_as_the_site_has_them(
    pipeline: Pipeline, demo: RunningDemo, tmp_path: Path
) -> None:
    job = job_of(STILL_GIFS, tmp_path)
    (chapter,) = library().find(STILL_GIFS).chapters  # type: ignore[union-attr]

    files = contents(await run(pipeline, job))

    assert list(files.values()) == [demo.images.page(chapter, number) for number in range(1, 9)]
    assert [name.rpartition(".")[2] for name in files] == ["webp"] * 3 + ["gif"] + ["webp"] * 4
    stills = [(opened(data), drawing) for data, drawing in zip(files.values(), drawings(job), strict=True)]
    assert all(psnr(page, drawing) > 24 for page, drawing in stills[:3] + stills[4:])


@pytest.mark.parametrize("archive", [ArchiveFormat.ZIP, ArchiveFormat.CBZ])
@pytest.mark.parametrize(
    ("image", "ending"),
    [
        (ImageFormat.ORIGINAL, "webp"),
        (ImageFormat.WEBP, "webp"),
        (ImageFormat.JPEG, "jpg"),
        (ImageFormat.PNG, "png"),
    ],
)
async def test_cut_avif_pages_are_in_an_archive_in_order(
    archive: ArchiveFormat, image: ImageFormat, ending: str, pipeline: Pipeline, tmp_path: Path
) -> None:
    job = job_of(AVIF_PAGES, tmp_path, archive=archive, image=image)

    packed = await run(pipeline, job)

    pages = {name: data for name, data in contents(packed).items() if name != "ComicInfo.xml"}
    assert {name.rpartition(".")[2] for name in pages} == {ending}
    assert packed.notes == ()
    for page, drawing in zip(pages.values(), drawings(job), strict=True):
        assert psnr(opened(page), drawing) > 24


async def test_whole_avif_pages_go_through_byte_for_byte(
    pipeline: Pipeline, demo: RunningDemo, tmp_path: Path
) -> None:
    whole = job_of(AVIF_PAGES, tmp_path)
    whole = replace(whole, chapters=tuple(replace(each, scramble_id=AVIF_PAGES + 1) for each in whole.chapters))
    (chapter,) = library().find(AVIF_PAGES).chapters  # type: ignore[union-attr]

    first = contents(await run(pipeline, whole))
    demo.requests.reset()
    again = contents(await run(pipeline, whole))

    assert list(first.values()) == [demo.images.page(chapter, number) for number in range(1, 7)]
    assert all(name.endswith(".avif") for name in first)
    assert again == first
    assert demo.requests.count(role="image") == 0


async def test_all_chapters_are_in_one_archive_in_order(pipeline: Pipeline, tmp_path: Path) -> None:
    job = job_of(SERIES, tmp_path)

    names = list(contents(await run(pipeline, job)))

    assert [name[:3] for name in names] == [f"{index:03d}" for index in range(1, 13) for _ in range(2)]
    assert names == sorted(names)


async def test_a_chapter_alone_keeps_its_place_in_the_album(pipeline: Pipeline, tmp_path: Path) -> None:
    names = list(contents(await run(pipeline, job_of(SERIES, tmp_path, chapter_ids=(900124,)))))

    assert [name[:3] for name in names] == ["005", "005"]


async def test_a_cbz_has_metadata_of_the_album(pipeline: Pipeline, tmp_path: Path) -> None:
    job = job_of(SERIES, tmp_path, archive=ArchiveFormat.CBZ)

    files = contents(await run(pipeline, job))

    assert f"<Title>{job.album.title}</Title>" in files["ComicInfo.xml"].decode()
    assert f"<Tags>{', '.join(f'[{tag}]' for tag in job.album.tags)}</Tags>" in files["ComicInfo.xml"].decode()
    assert f"<Web>https://example.org/album/{SERIES}</Web>" in files["ComicInfo.xml"].decode()
    assert len(files) == 25


@pytest.mark.parametrize("album_id", [JPEGS, MIXED, MOVING, STILL_GIFS, AVIF_PAGES])
@pytest.mark.parametrize("image", [ImageFormat.ORIGINAL, ImageFormat.PNG])
async def test_a_pdf_shows_every_page(album_id: int, image: ImageFormat, pipeline: Pipeline, tmp_path: Path) -> None:
    job = job_of(album_id, tmp_path, archive=ArchiveFormat.PDF, image=image, pages=6)

    archive = await run(pipeline, job)

    document = pypdfium2.PdfDocument(archive.path)
    places = [(int(c.id), n) for c in job.chapters for n in range(1, len(c.page_names) + 1)]
    assert len(document) == len(places)
    for index, (chapter_id, number) in enumerate(places):
        shown = document[index].render(scale=1).to_pil().convert("RGB")
        assert psnr(shown, page_image(chapter_id, number)) > 24
    document.close()


async def test_cut_jpeg_pages_are_in_a_pdf_byte_for_byte(
    pipeline: Pipeline, demo: RunningDemo, tmp_path: Path
) -> None:
    (chapter,) = library().find(JPEGS).chapters  # type: ignore[union-attr]

    archive = await run(pipeline, job_of(JPEGS, tmp_path, archive=ArchiveFormat.PDF))

    data = archive.path.read_bytes()
    assert all(demo.images.page(chapter, number) in data for number in range(1, 11))


# --- what it costs the site ------------------------------------------------------------------------------------


async def test_pages_on_disk_are_not_requested_again(pipeline: Pipeline, demo: RunningDemo, tmp_path: Path) -> None:
    first = await run(pipeline, job_of(SERIES, tmp_path))
    demo.requests.reset()

    second = await run(pipeline, job_of(SERIES, tmp_path))

    assert demo.requests.count(role="image") == 0
    assert second == first


async def test_a_page_that_a_power_cut_emptied_is_fetched_again(
    pipeline: Pipeline, demo: RunningDemo, tmp_path: Path
) -> None:
    first = await run(pipeline, job_of(SERIES, tmp_path))
    hurt, cut = sorted((tmp_path / "original").glob("*/*.*"))[2:4]
    hurt.write_bytes(b"")
    cut.write_bytes(cut.read_bytes()[:-40])
    (hurt.parent / "00009.webp.unfinished").write_bytes(b"left by a kill")
    demo.requests.reset()

    second = await run(pipeline, job_of(SERIES, tmp_path))

    assert demo.requests.count(role="image") == 2
    assert second.sha256 == first.sha256
    assert not files_in(tmp_path, "*.unfinished")


async def test_another_format_does_not_take_the_pages_of_the_first(pipeline: Pipeline, tmp_path: Path) -> None:
    await run(pipeline, job_of(SERIES, tmp_path, image=ImageFormat.JPEG, quality=10))

    archive = await run(pipeline, job_of(SERIES, tmp_path, image=ImageFormat.JPEG, quality=95))

    smaller = sum(path.stat().st_size for path in (tmp_path / "jpg-10").rglob("*.jpg"))
    assert archive.size_bytes > 2 * smaller


async def test_pages_have_lower_priority_than_interactive_requests(
    pipeline: Pipeline, source: SitePages, tmp_path: Path
) -> None:
    await run(pipeline, job_of(SERIES, tmp_path))

    assert source.priorities == {Priority.DOWNLOAD}


async def test_many_pages_are_fetched_at_once(pipeline: Pipeline, demo: RunningDemo, tmp_path: Path) -> None:
    demo.knobs.set("image", latency_s=0.2)

    await run(pipeline, job_of(SERIES, tmp_path))

    assert 8 < demo.requests.peak("image") <= 16


# --- what goes wrong -------------------------------------------------------------------------------------------


async def test_missing_pages_are_named_once_all_others_are_on_disk(
    pipeline: Pipeline, demo: RunningDemo, tmp_path: Path
) -> None:
    demo.knobs.set("image", path="/900121/", failure="rate_limit")
    demo.knobs.set("image", path="/900125/00002", failure="garbage")

    with pytest.raises(PagesMissing) as failure:
        await run(pipeline, job_of(SERIES, tmp_path))

    assert failure.value.missing == (("900121", 1), ("900121", 2), ("900125", 2))
    assert failure.value.cause is not None
    assert failure.value.cause.reason is UpstreamReason.RATE_LIMITED
    assert len(files_in(tmp_path / "original", "*.webp")) == 21
    assert not files_in(tmp_path, "*archive*")

    demo.reset()
    archive = await run(pipeline, job_of(SERIES, tmp_path))

    assert demo.requests.count(role="image") == 3
    assert len(contents(archive)) == 24


@pytest.mark.parametrize("image", ImageFormat)
@pytest.mark.parametrize("archive", [ArchiveFormat.ZIP, ArchiveFormat.CBZ])
async def test_a_plain_page_of_the_usual_size_replaces_a_missing_one(
    archive: ArchiveFormat, image: ImageFormat, pipeline: Pipeline, tmp_path: Path
) -> None:
    job = job_of(LOST_PAGE, tmp_path, archive=archive, image=image, allow_missing=True)

    packed = await run(pipeline, job)

    assert packed.missing is not None
    assert packed.missing.missing == ((str(LOST_PAGE), 7),)
    assert packed.notes == ()
    files = contents(packed)
    pages = [data for name, data in files.items() if name != "ComicInfo.xml"]
    assert len(pages) == 12
    kinds = [sniff(data) for data in pages]
    sizes = {(kind.width, kind.height) for kind in kinds if kind}
    assert len(sizes) == 1
    assert kinds[6] is not None
    assert kinds[6].codec.name == ("PNG" if image is ImageFormat.ORIGINAL else image.name)
    assert is_plain_page(opened(pages[6]))
    assert not any(is_plain_page(opened(page)) for page in pages[:6] + pages[7:])


@pytest.mark.parametrize("image", [ImageFormat.ORIGINAL, ImageFormat.PNG])
async def test_a_pdf_shows_a_plain_page_for_a_missing_one(
    image: ImageFormat, pipeline: Pipeline, tmp_path: Path
) -> None:
    job = job_of(LOST_PAGE, tmp_path, archive=ArchiveFormat.PDF, image=image, allow_missing=True)

    packed = await run(pipeline, job)

    document = pypdfium2.PdfDocument(packed.path)
    shown = [document[index].render(scale=1).to_pil().convert("RGB") for index in range(len(document))]
    document.close()
    assert [number for number, page in enumerate(shown, 1) if is_plain_page(page)] == [7]
    assert len({page.size for page in shown}) == 1


async def test_a_plain_page_is_as_large_as_most_pages_near_it(
    pipeline: Pipeline, demo: RunningDemo, tmp_path: Path
) -> None:
    demo.knobs.set("image", path=f"/{HUGE}/00002", failure="missing")
    sizes = [sniff(demo.images.page(chapter, number)) for chapter, number in pages_of(HUGE)]

    packed = await run(pipeline, job_of(HUGE, tmp_path, allow_missing=True))

    replaced = sniff(list(contents(packed).values())[1])
    assert replaced is not None
    assert sizes[0] is not None
    assert (replaced.width, replaced.height) == (sizes[0].width, sizes[0].height)


async def test_the_first_page_may_be_missing_and_a_whole_chapter_too(
    pipeline: Pipeline, demo: RunningDemo, tmp_path: Path
) -> None:
    demo.knobs.set("image", path="/900120/00001", failure="missing")
    demo.knobs.set("image", path="/900125/", failure="missing")

    packed = await run(pipeline, job_of(SERIES, tmp_path, allow_missing=True))

    assert packed.missing is not None
    assert packed.missing.missing == (("900120", 1), ("900125", 1), ("900125", 2))
    pages = list(contents(packed).values())
    assert [index for index, page in enumerate(pages) if is_plain_page(opened(page))] == [0, 10, 11]

    demo.reset()
    complete = await run(pipeline, job_of(SERIES, tmp_path, allow_missing=True))

    assert demo.requests.count(role="image") == 3
    assert complete.missing is None


async def test_an_archive_of_plain_pages_alone_is_not_made(
    pipeline: Pipeline, demo: RunningDemo, tmp_path: Path
) -> None:
    demo.knobs.set("image", failure="missing")

    with pytest.raises(PagesMissing) as failure:
        await run(pipeline, job_of(SERIES, tmp_path, allow_missing=True))

    assert len(failure.value.missing) == 24
    assert not files_in(tmp_path, "*archive*")


async def test_a_page_that_does_not_decode_counts_as_missing(
    pipeline: Pipeline, demo: RunningDemo, tmp_path: Path
) -> None:
    with pytest.raises(PagesMissing) as failure:
        await run(pipeline, job_of(LATE_BROKEN, tmp_path))

    assert failure.value.missing == ((str(LATE_BROKEN), 3),)
    assert failure.value.cause is not None
    assert failure.value.cause.reason is UpstreamReason.GARBLED
    assert demo.requests.count(path="/00003", role="image") == 2


async def test_a_page_damaged_in_transfer_is_requested_once_more(
    pipeline: Pipeline, demo: RunningDemo, tmp_path: Path
) -> None:
    demo.knobs.set("image", path="/900121/00001", failure="short", fail_next=1)

    archive = await run(pipeline, job_of(SERIES, tmp_path))

    assert len(contents(archive)) == 24


async def test_a_page_that_does_not_decode_is_fetched_past_the_cache_of_the_cdn(
    pipeline: Pipeline, demo: RunningDemo, tmp_path: Path
) -> None:
    job = job_of(CACHED_SHORT, tmp_path)

    pages = list(contents(await run(pipeline, job)).values())

    assert [bool(seen.query) for seen in demo.requests.find("/00003")] == [False, True]
    assert all(psnr(opened(page), drawing) > 24 for page, drawing in zip(pages, drawings(job), strict=True))


async def test_a_chapter_without_pages_is_a_broken_answer(
    pipeline: Pipeline, demo: RunningDemo, tmp_path: Path
) -> None:
    with pytest.raises(UpstreamFailure) as failure:
        await run(pipeline, job_of(SERIES, tmp_path, pages=0))

    assert failure.value.reason is UpstreamReason.GARBLED
    assert demo.requests.count(role="image") == 0


async def test_nothing_starts_below_the_disk_floor(
    source: SitePages, executor: ImageExecutor, demo: RunningDemo, tmp_path: Path
) -> None:
    pipeline = Pipeline(source, MetadataSource(), executor, disk_floor_bytes=1 << 60)

    with pytest.raises(StorageFull):
        await run(pipeline, job_of(SERIES, tmp_path))

    assert demo.requests.count(role="image") == 0


async def test_a_disk_that_fills_meanwhile_stops_the_download(
    source: SitePages, executor: ImageExecutor, tmp_path: Path
) -> None:
    free = shutil.disk_usage(tmp_path).free
    pipeline = Pipeline(source, MetadataSource(), executor, disk_floor_bytes=free - (64 << 20))
    ballast = tmp_path / "ballast"

    def fill_up(progress: PagesProgress) -> None:
        if progress.pages_done == 4:
            with ballast.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, 512 << 20)

    with pytest.raises(StorageFull):
        await run(pipeline, job_of(SERIES, tmp_path), fill_up)


async def test_a_cancel_stops_it_within_a_second_though_no_page_arrives(
    pipeline: Pipeline, source: SitePages, tmp_path: Path
) -> None:
    source.gate.clear()
    flag = asyncio.Event()
    running = asyncio.create_task(run(pipeline, job_of(SERIES, tmp_path), is_cancelled=flag.is_set))
    await asyncio.sleep(0)

    flag.set()

    async with asyncio.timeout(1):
        with pytest.raises(Cancelled):
            await running


async def test_a_cancel_between_pages_leaves_no_archive_and_no_half_page(pipeline: Pipeline, tmp_path: Path) -> None:
    flag = threading.Event()

    def cancel_soon(progress: PagesProgress) -> None:
        if progress.pages_done == 5:
            flag.set()

    with pytest.raises(Cancelled):
        await run(pipeline, job_of(438516, tmp_path), cancel_soon, flag.is_set)

    pages = files_in(tmp_path, "*.*")
    assert 5 <= len(pages) < 40
    assert all(name.endswith(".webp") for name in pages)


async def test_nothing_of_a_stopped_run_continues(pipeline: Pipeline, tmp_path: Path) -> None:
    begun = asyncio.Event()
    running = asyncio.create_task(run(pipeline, job_of(438516, tmp_path), lambda progress: begun.set()))
    await begun.wait()

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    shutil.rmtree(tmp_path)

    # Were a page still in the executor, it would be written now, or fail to be.
    await run(pipeline, job_of(SERIES, tmp_path / "next"))
    assert {path.relative_to(tmp_path).parts[0] for path in files_under(tmp_path)} == {"next"}


# --- progress ---------------------------------------------------------------------------------------------------


async def test_progress_counts_every_page_once(pipeline: Pipeline, tmp_path: Path) -> None:
    reports: list[PagesProgress] = []

    archive = await run(pipeline, job_of(SERIES, tmp_path), reports.append)

    assert [progress.pages_done for progress in reports] == list(range(1, 25))
    assert {progress.pages_total for progress in reports} == {24}
    assert reports[-1].done_of == {str(id): 2 for id in range(900120, 900132)}
    assert reports[-1].bytes_done == sum(len(data) for data in contents(archive).values())


async def test_a_page_of_a_running_download_can_be_shown(pipeline: Pipeline, tmp_path: Path) -> None:
    staging = Staging(tmp_path)
    found: list[Path | None] = []

    def look(progress: PagesProgress) -> None:
        if progress.done_of["900120"] == 2:
            found.append(staging.page_path("900120", 1))

    await run(pipeline, job_of(SERIES, staging.folder("k3j9")), look)

    path = found[0]
    assert path is not None
    assert opened(path.read_bytes()).size == page_image(900120, 1).size
    assert staging.page_path("900120", 3) is None
    assert staging.page_path("../k3j9", 1) is None
    staging.remove("k3j9")
    assert staging.page_path("900120", 1) is None


async def test_only_pages_as_the_site_has_them_can_be_shown(pipeline: Pipeline, tmp_path: Path) -> None:
    staging = Staging(tmp_path)
    await run(pipeline, job_of(SERIES, staging.folder("one"), image=ImageFormat.JPEG, quality=5))
    await run(pipeline, job_of(JPEGS, staging.folder("two"), archive=ArchiveFormat.PDF))

    assert staging.page_path("900120", 1) is None
    assert staging.page_path(str(JPEGS), 1) is None


async def test_several_downloads_share_the_cores_fairly(pipeline: Pipeline, tmp_path: Path) -> None:
    order: list[str] = []
    jobs = {name: job_of(438516, tmp_path / name, pages=count) for name, count in (("long", 40), ("short", 10))}

    await asyncio.gather(
        *(run(pipeline, job, lambda progress, name=name: order.append(name)) for name, job in jobs.items())  # type: ignore[misc]
    )

    last_of_short = len(order) - order[::-1].index("short")
    assert order[:last_of_short].count("long") < 25
