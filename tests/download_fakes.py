"""Fakes of what the download life cycle depends on, and a harness that runs the real one with them."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import make_url

from services.database import Database
from services.downloads import (
    Cancelled,
    DownloadJob,
    DownloadLimits,
    DownloadRecord,
    DownloadRequest,
    Downloads,
    DownloadState,
    DownloadWorker,
    KeptFiles,
    LibraryLayout,
    PackedArchive,
    PagesMissing,
    PagesProgress,
    Timings,
    open_downloads,
)
from services.errors import AlbumNotFound, BlockedByPolicy, JmgraphError, UpstreamFailure
from services.redis import Events, Locks, RedisClient, open_events
from services.upstream import NumberKind
from services.upstream.records import AlbumDetail, ChapterDetail, ChapterRef, SourceMethod

NO_DATABASE = Database(make_url("sqlite+aiosqlite://"))
"""One that was never opened: nothing is kept."""
QUICK = Timings(
    heartbeat_s=0.1,
    lease_s=0.6,
    reconcile_s=0.2,
    sweep_s=0.05,
    progress_s=0.02,
    live_s=0.02,
    lock_s=0.6,
    retry_s=0.05,
    handover_s=1.0,
)
"""The life cycle, about thirty times as fast as in production."""


def an_album(
    id: str = "100", *, title: str = "", chapters: Sequence[str] = (), tags: Sequence[str] = ()
) -> AlbumDetail:
    """An album with these chapters, or a single one of its own number."""
    refs = tuple(ChapterRef(each, index, f"第{index}話") for index, each in enumerate(chapters or (id,), 1))
    return AlbumDetail(
        id=id,
        title=title or f"山行 {id}",
        description="",
        authors=("青石",),
        works=(),
        characters=(),
        tags=tuple(tags),
        page_count=0,
        view_count=0,
        like_count=0,
        comment_count=0,
        published_on=None,
        updated_on=None,
        chapters=refs,
        related=(),
        source=SourceMethod.API,
    )


class FakeAlbums:
    """A catalog of a few albums, whose chapters have `pages` pages each; what the API alone knows is in `by_api`."""

    def __init__(self, *albums: AlbumDetail, pages: int = 5) -> None:
        self.albums = {album.id: album for album in albums}
        self.by_api: dict[str, AlbumDetail] = {}
        self.redirects: dict[str, str] = {}
        self.page_counts: dict[str, int] = {}
        self.notes: dict[str, tuple[str, ...]] = {}
        self.pages = pages
        self.failure: UpstreamFailure | None = None
        self.blocked: dict[str, tuple[str, ...]] = {}

    async def get_album(self, id: str) -> AlbumDetail:
        if self.failure:
            raise self.failure
        if id in self.blocked:
            raise BlockedByPolicy(self.blocked[id])
        id = self.redirects.get(id, id)
        for album in self.albums.values():
            if id == album.id or id in {chapter.id for chapter in album.chapters}:
                return album
        raise AlbumNotFound(id)

    async def check_album(self, id: str) -> None:
        await self.get_album(id)

    async def reread_album(self, id: str) -> AlbumDetail:
        return self.by_api.get(id) or await self.get_album(id)

    async def find_chapters(self, ids: Sequence[str], album_id: str) -> list[ChapterDetail | JmgraphError | None]:
        return [self._chapter(id, album_id) for id in ids]

    def _chapter(self, id: str, album_id: str) -> ChapterDetail:
        names = tuple(f"{index:05d}.webp" for index in range(1, self.page_counts.get(id, self.pages) + 1))
        return ChapterDetail(id, album_id, "", scramble_id=0, page_names=names, notes=self.notes.get(id, ()))


class FakePipeline:
    """Writes a small file a page, in order; what is on disk is not requested again. `requested` lists the requests.

    `pause_at` stops it before that page until `resume` is set; pages in `missing` can't be had.
    """

    def __init__(self, *, page_s: float = 0.0, log: Path | None = None) -> None:
        self.page_s = page_s
        self.log = log
        self.requested: list[str] = []
        self.missing: set[int] = set()
        self.cause: UpstreamFailure | None = None
        self.error: Exception | None = None
        self.pause_at: int | None = None
        self.paused = asyncio.Event()
        self.resume = asyncio.Event()
        self.concurrent_calls = 0
        self.max_concurrent_calls = 0

    async def run(
        self, job: DownloadJob, *, on_progress: Callable[[PagesProgress], None], is_cancelled: Callable[[], bool]
    ) -> PackedArchive:
        self.concurrent_calls += 1
        self.max_concurrent_calls = max(self.max_concurrent_calls, self.concurrent_calls)
        try:
            return await self._run(job, on_progress, is_cancelled)
        finally:
            self.concurrent_calls -= 1

    async def _run(
        self, job: DownloadJob, on_progress: Callable[[PagesProgress], None], is_cancelled: Callable[[], bool]
    ) -> PackedArchive:
        job.folder.mkdir(parents=True, exist_ok=True)
        total = sum(len(chapter.page_names) for chapter in job.chapters)
        done: dict[str, int] = {}
        missing = []
        for chapter in job.chapters:
            for index in range(1, len(chapter.page_names) + 1):
                if is_cancelled():
                    raise Cancelled
                if await self._page(job.folder / f"{chapter.id}-{index:05d}", f"{chapter.id}/{index}", index):
                    done[chapter.id] = done.get(chapter.id, 0) + 1
                    count = sum(done.values())
                    on_progress(PagesProgress(count, total, count * 10, dict(done)))
                else:
                    missing.append((chapter.id, index))
        if self.error:
            raise self.error
        lost = PagesMissing(missing, self.cause) if missing else None
        if lost and not job.allow_missing:
            raise lost
        data = json.dumps([job.album.id, job.archive, total, missing]).encode()
        path = job.folder / f"archive.{job.archive.extension}"
        path.write_bytes(data)
        return PackedArchive(path, len(data), hashlib.sha256(data).hexdigest(), missing=lost)

    async def _page(self, path: Path, name: str, index: int) -> bool:
        if self._is_there(path):
            return True
        if index == self.pause_at:
            self.paused.set()
            await self.resume.wait()
        await asyncio.sleep(self.page_s)
        return self._fetch(path, name, index)

    def _is_there(self, path: Path) -> bool:
        return path.exists()

    def _fetch(self, path: Path, name: str, index: int) -> bool:
        self.requested.append(name)
        if self.log:
            with self.log.open("a") as file:
                file.write(f"{name}\n")
        if index in self.missing:
            return False
        path.write_bytes(b"page")
        return True


class FakeFolders:
    """Staging folders on disk."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, name: str) -> Path:
        return self.root / name

    def remove(self, name: str) -> None:
        shutil.rmtree(self.folder(name), ignore_errors=True)


class FakeArchives:
    """A folder of archives."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.failure: Exception | None = None

    async def put(self, path: Path, key: str) -> None:
        if self.failure:
            raise self.failure
        self._move(path, key)

    def _move(self, path: Path, key: str) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        path.replace(self.root / key)

    async def delete(self, key: str) -> None:
        (self.root / key).unlink(missing_ok=True)

    async def is_missing(self, key: str) -> bool:
        return not (self.root / key).exists()

    def open_file(self, key: str) -> BinaryIO:
        return (self.root / key).open("rb")

    def keys(self) -> list[str]:
        return sorted(path.name for path in self.root.iterdir()) if self.root.is_dir() else []


@dataclass
class DownloadHarness:
    """One process of the product: requests, maintenance, and a worker where one is started."""

    redis_client: RedisClient
    events: Events
    downloads: Downloads
    albums: FakeAlbums
    pipeline: FakePipeline
    archives: FakeArchives
    folders: FakeFolders
    data_dir: Path
    workers: list[tuple[DownloadWorker, asyncio.Event, asyncio.Task[None]]] = field(default_factory=list)

    async def start(
        self, album_id: str = "100", kind: NumberKind = NumberKind.PLAIN, **changes: object
    ) -> DownloadRecord:
        """Queue a download of this album."""
        return await self.downloads.start(DownloadRequest(album_id, **changes), kind)  # type: ignore[arg-type]

    def work(self, *, jobs: int = 2, pipeline: FakePipeline | None = None) -> DownloadWorker:
        """Start a worker here."""
        stop = asyncio.Event()
        worker = self.downloads.worker(pipeline or self.pipeline, jobs=jobs)
        self.workers.append((worker, stop, asyncio.create_task(worker.run(stop))))
        return worker

    async def stop_work(self) -> None:
        """End the workers as SIGTERM does."""
        for _, stop, task in self.workers:
            stop.set()
            await task
        self.workers.clear()

    async def until_state(self, id: str, *states: DownloadState, timeout_s: float = 10.0) -> DownloadRecord:
        """The download once it is in one of these states."""
        async with asyncio.timeout(timeout_s):
            while True:
                found = await self.downloads.find(id)
                if found and found.state in states:
                    return found
                await asyncio.sleep(0.01)

    async def until_ended(self, id: str) -> DownloadRecord:
        """The last state of a watched download."""
        async with asyncio.timeout(10):
            return [download async for download in self.downloads.watch(id)][-1]

    def staged(self) -> list[str]:
        """Names of staging folders."""
        return sorted(path.name for path in self.folders.root.iterdir()) if self.folders.root.is_dir() else []


@asynccontextmanager
async def open_harness(
    url: str,
    data_dir: Path,
    *,
    albums: FakeAlbums | None = None,
    pipeline: FakePipeline | None = None,
    timings: Timings = QUICK,
    maintained: bool = True,
    **limits: float,
) -> AsyncIterator[DownloadHarness]:
    """A process of the product on this Redis and data directory; keywords are limits."""
    redis_client = RedisClient(url)
    limit_values: dict[str, float] = {
        "ttl_s": 60,
        "history_s": 3600,
        "queue_limit": 50,
        "disk_floor_bytes": 0,
        **limits,
    }
    fake_albums = albums or FakeAlbums(an_album())
    archives, folders = FakeArchives(data_dir / "archives"), FakeFolders(data_dir / "staging")
    async with AsyncExitStack() as stack:
        stack.push_async_callback(redis_client.aclose)
        events = await stack.enter_async_context(open_events(redis_client))
        downloads = await stack.enter_async_context(
            open_downloads(
                redis_client,
                events,
                fake_albums,
                archives,
                KeptFiles(NO_DATABASE, archives, Locks(redis_client), LibraryLayout("{title}")),
                folders,
                DownloadLimits(data_dir=data_dir, **limit_values),  # type: ignore[arg-type]
                timings,
            )
        )
        harness = DownloadHarness(
            redis_client, events, downloads, fake_albums, pipeline or FakePipeline(), archives, folders, data_dir
        )
        maintenance = asyncio.create_task(downloads.maintain()) if maintained else None
        try:
            yield harness
        finally:
            await harness.stop_work()
            if maintenance:
                maintenance.cancel()
                await asyncio.gather(maintenance, return_exceptions=True)
