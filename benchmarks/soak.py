"""A soak test: many downloads while workers and Valkey are killed and the site fails.

`python -m benchmarks.soak [--downloads 200] [--minutes 7] [--seed 1]`. Exit code 0 when every record has ended, every
archive is complete, no file is left over and memory did not grow; 1 with a list of problems.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.process_stats import pss_bytes
from benchmarks.site import Site, demo_site, worker_environment
from demo.library import library
from services.container import Services, open_services
from services.downloads import (
    ACTIVE_STATES,
    ArchiveFormat,
    DownloadRecord,
    DownloadRequest,
    Downloads,
    DownloadState,
    ImageFormat,
)
from services.errors import JmgraphError
from services.observability import set_up_log
from services.settings import Settings, read_settings

ROOT = Path(__file__).resolve().parent.parent
WORKERS = 2
BACKLOG = 6
"""Number of downloads queued or running at a time: few, so that each meets many faults."""
PAGES = 100
"""At most, of an album."""
SETTLE_S = 120.0
"""Time for the last downloads to end without faults."""
MEMORY_LIMIT_MB = 300
GROWTH_LIMIT_MB = 40


@dataclass
class Measurements:
    """Counts and memory of a run."""

    faults: Counter[str] = field(default_factory=Counter)
    worker_mb: list[float] = field(default_factory=list)
    own_mb: list[float] = field(default_factory=list)


class Workers:
    """Worker processes; each is started again when it has ended."""

    def __init__(self, site: Site, settings: Settings, redis_url: str) -> None:
        self._environment = os.environ | worker_environment(site, settings, redis_url) | {"JMGRAPH_JM_TIMEOUT": "3"}
        self.running: list[subprocess.Popen[bytes]] = []

    def restart_ended(self) -> None:
        """Start those that have ended."""
        self.running = [process for process in self.running if process.poll() is None]
        while len(self.running) < WORKERS:
            command = [sys.executable, "-m", "cli", "worker"]
            self.running.append(subprocess.Popen(command, cwd=ROOT, env=self._environment))

    def end(self) -> None:
        """SIGTERM to all, and wait."""
        for process in self.running:
            process.terminate()
        for process in self.running:
            process.wait(30)


@contextmanager
def workers_of(site: Site, settings: Settings, redis_url: str) -> Iterator[Workers]:
    """The workers, stopped at the end of the block."""
    workers = Workers(site, settings, redis_url)
    try:
        workers.restart_ended()
        yield workers
    finally:
        workers.end()


class Soak:
    """One run."""

    def __init__(self, services: Services, site: Site, workers: Workers, seed: int, goal: int) -> None:
        self.services = services
        self.measured = Measurements()
        self._site = site
        self._workers = workers
        self._chance = random.Random(seed)
        self._goal = goal
        self._started = 0
        comics = [
            comic for comic in library().unscripted if sum(len(chapter.pages) for chapter in comic.chapters) <= PAGES
        ]
        self._albums = [str(comic.id) for comic in comics]

    @property
    def downloads(self) -> Downloads:
        """The service under test."""
        return self.services.downloads

    async def run(self, minutes: float) -> list[str]:
        """Downloads and faults, then none; the problems at the end."""
        deadline = time.monotonic() + minutes * 60
        while self._started < self._goal and time.monotonic() < deadline:
            await self._tolerating_refusals(self._start_downloads)
            await self._tolerating_refusals(self._fault)
            self._workers.restart_ended()
            self._measure()
            await asyncio.sleep(self._chance.uniform(0.3, 1.0))
        await self._settle()
        return await self._problems()

    async def _tolerating_refusals(self, step: Callable[[], object]) -> None:
        try:
            await step()  # type: ignore[misc]
        except JmgraphError as error:
            self.measured.faults[f"refused: {error.error_code}"] += 1

    async def _start_downloads(self) -> None:
        counts = await self.downloads.counts()
        for _ in range(BACKLOG - counts.queued - counts.active):
            archive = self._chance.choice([ArchiveFormat.ZIP, ArchiveFormat.CBZ, ArchiveFormat.PDF])
            image = self._chance.choice([ImageFormat.ORIGINAL, ImageFormat.ORIGINAL, ImageFormat.JPEG])
            album = self._chance.choice(self._albums)
            await self.downloads.start(DownloadRequest(album, archive=archive, image=image, force=True))
            self._started += 1

    async def _fault(self) -> None:
        faults = {
            "worker killed": (4, lambda: self._signal(signal.SIGKILL)),
            "worker stopped": (3, lambda: self._signal(signal.SIGTERM)),
            "valkey killed": (1, self._kill_valkey),
            "pages fail": (3, lambda: self._set_knobs(failure="server_error", rate=0.2)),
            "pages dawdle": (2, lambda: self._set_knobs(latency_s=0.2)),
            "site healthy": (5, self._reset_knobs),
            "cancelled": (2, lambda: self._one(self.downloads.cancel, ACTIVE_STATES)),
            "removed": (1, lambda: self._one(self.downloads.remove, frozenset(DownloadState))),
            "retried": (2, self.downloads.retry_failed),
            "nothing": (10, _nothing),
        }
        name = self._chance.choices(list(faults), [weight for weight, _ in faults.values()])[0]
        await faults[name][1]()  # type: ignore[no-untyped-call]
        self.measured.faults[name] += 1

    async def _signal(self, number: signal.Signals) -> None:
        self._chance.choice(self._workers.running).send_signal(number)

    async def _kill_valkey(self) -> None:
        os.kill((await self.services.redis.client.info("server"))["process_id"], signal.SIGKILL)

    async def _set_knobs(self, **knobs: Any) -> None:
        await self._site.set_knobs({"target": "image", **knobs})

    async def _reset_knobs(self) -> None:
        await self._site.set_knobs({"reset": True})

    async def _one(self, act: Callable[[str], object], states: frozenset[DownloadState]) -> None:
        page = await self.downloads.list(states, 100, None)
        if page.items:
            await act(self._chance.choice(page.items).id)  # type: ignore[misc]

    def _measure(self) -> None:
        self.measured.own_mb.append(pss_bytes(os.getpid()) / 1e6)
        self.measured.worker_mb += [pss_bytes(process.pid) / 1e6 for process in self._workers.running]

    async def _settle(self) -> None:
        """Without faults: every download ends, failed ones after a retry."""
        await self._reset_knobs()
        deadline = time.monotonic() + SETTLE_S
        while time.monotonic() < deadline:
            self._workers.restart_ended()
            self._measure()
            await self._tolerating_refusals(self.downloads.retry_failed)
            try:
                counts = await self.downloads.counts()
            except JmgraphError:
                counts = None
            if counts and not counts.queued and not counts.active:
                break
            await asyncio.sleep(0.5)
        await asyncio.sleep(20)  # longer than the interval of clean-up

    async def _problems(self) -> list[str]:
        records = await self._records()
        self.measured.faults.update(f"ended {record.state}" for record in records)
        return [
            *(f"{record.id} is still {record.state}" for record in records if record.state.is_active),
            *(f"{record.id} failed: {record.problem}" for record in records if record.problem),
            *[problem for record in records if (problem := self._broken(record))],
            *self._left_over(records),
            *self._grown(),
        ]

    async def _records(self) -> list[DownloadRecord]:
        records: list[DownloadRecord] = []
        after = None
        while True:
            page = await self.downloads.list(None, 100, after)
            records += page.items
            if not page.has_next:
                return records
            after = page.cursors[-1]

    def _broken(self, record: DownloadRecord) -> str:
        if record.state is not DownloadState.READY:
            return ""
        assert record.file is not None
        path = self.services.settings.data_dir / "archives" / record.file.key
        if not path.exists():
            return f"{record.id} has no archive"
        if hashlib.sha256(path.read_bytes()).hexdigest() != record.file.sha256:
            return f"{record.id} has another archive than its record says"
        if record.request.archive is ArchiveFormat.PDF:
            return "" if path.read_bytes().rstrip().endswith(b"%%EOF") else f"{record.id} has a cut PDF"
        with zipfile.ZipFile(path) as archive:
            pages = [name for name in archive.namelist() if not name.endswith((".xml", "/"))]
            is_whole = archive.testzip() is None and len(pages) == record.progress.pages_total
        return "" if is_whole else f"{record.id} has {len(pages)} pages of {record.progress.pages_total}"

    def _left_over(self, records: list[DownloadRecord]) -> list[str]:
        data_dir = self.services.settings.data_dir
        kept = {record.file.key for record in records if record.file}
        archives = {str(path.relative_to(data_dir / "archives")) for path in _files(data_dir / "archives")}
        return [f"archive left over: {key}" for key in sorted(archives - kept)] + [
            f"staging file left over: {path}" for path in _files(data_dir / "staging")
        ]

    def _grown(self) -> list[str]:
        own, problems = self.measured.own_mb, []
        quarter = len(own) // 4
        growth = max(own[-quarter:]) - max(own[quarter : 2 * quarter]) if quarter else 0
        if growth > GROWTH_LIMIT_MB:
            problems.append(f"memory grew by {growth:.0f} MB")
        if max(self.measured.worker_mb) > MEMORY_LIMIT_MB:
            problems.append(f"a worker took {max(self.measured.worker_mb):.0f} MB")
        return problems


async def _nothing() -> None:
    return None


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def soak(folder: Path, site: Site, goal: int, minutes: float, seed: int) -> int:
    """Run it and print the result; the exit code."""
    settings = read_settings(data_dir=folder, **site.settings)
    async with open_services(settings, join=False) as services:
        with workers_of(site, settings, services.redis.url) as workers:
            run = Soak(services, site, workers, seed, goal)
            problems = await run.run(minutes)
    for name, count in sorted(run.measured.faults.items()):
        print(f"{count:5}  {name}")
    print(f"memory: {max(run.measured.own_mb):.0f} MB here, {max(run.measured.worker_mb):.0f} MB a worker at most")
    print("\n".join(problems) or "no problems")
    return 1 if problems else 0


def main() -> int:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--downloads", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=7.0)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    set_up_log("error", "console")
    with tempfile.TemporaryDirectory() as folder, demo_site(Path(tempfile.gettempdir()) / "jmgraph-demo") as site:
        return asyncio.run(soak(Path(folder), site, arguments.downloads, arguments.minutes, arguments.seed))


if __name__ == "__main__":
    sys.exit(main())
