"""`jmgraph download`: one album from the terminal, through a running server's queue or without one."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from services.catalog import parse_number
from services.container import Services, open_pipeline, open_services
from services.downloads import (
    ArchiveFormat,
    DownloadFileRecord,
    DownloadRecord,
    DownloadRequest,
    DownloadState,
    FileRange,
    ImageFormat,
)
from services.errors import (
    AlbumNotFound,
    BlockedByPolicy,
    ConfigurationError,
    ErrorCode,
    InvalidInput,
    JmgraphError,
    QueueRejected,
    UpstreamFailure,
)
from services.observability import log_above_bar
from services.settings import Settings

_EXIT_CODES: list[tuple[type[JmgraphError], int]] = [
    (InvalidInput, 2),
    (AlbumNotFound, 3),
    (BlockedByPolicy, 4),
    (UpstreamFailure, 5),
    (QueueRejected, 6),
]
_SITE_FAILED = 5
_EXIT_CODES_OF_PROBLEMS = {
    ErrorCode.BLOCKED_BY_POLICY: 4,
    ErrorCode.QUEUE_UNAVAILABLE: 6,
    ErrorCode.STORAGE_FULL: 6,
    ErrorCode.INTERNAL: 1,
}
"""Problems that a download ended with and that are not the site's."""


async def download(
    settings: Settings,
    album: str,
    archive: str,
    image: str,
    quality: int,
    chapters: list[str],
    out: Path,
    force: bool,
    allow_missing: bool,
) -> int:
    """Start, watch and fetch; gives the exit code that the command's help names."""
    console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)
    try:
        number = parse_number(album)
        request = DownloadRequest(
            album_id=number.digits,
            chapter_ids=tuple(chapters),
            archive=ArchiveFormat(archive.upper()),
            image=ImageFormat(image.upper()),
            quality=quality,
            force=force,
            allow_missing=allow_missing,
        )
        async with open_services(settings, join=False) as services, _temporary_worker(services):
            started = await services.downloads.start(request, number.kind)
            if started.state is DownloadState.READY and not started.is_complete:
                started = await services.downloads.retry(started.id)
            ended = await _watch(services, started, console)
            return await _finish(services, ended, out, console)
    except JmgraphError as error:
        console.print(f"jmgraph: {error.message}", style="red")
        return next((code for kind, code in _EXIT_CODES if isinstance(error, kind)), 1)
    except asyncio.CancelledError:
        console.print("Stopped; the same command continues the download.")
        raise


@asynccontextmanager
async def _temporary_worker(services: Services) -> AsyncIterator[None]:
    """A worker in this process while no other is on this queue."""
    if (await services.downloads.counts()).workers:
        yield
        return
    stop = asyncio.Event()
    async with open_pipeline(services) as pipeline:
        worker = services.downloads.worker(pipeline, jobs=services.settings.download_jobs)
        task = asyncio.create_task(worker.run(stop))
        try:
            yield
        finally:
            stop.set()
            await task


async def _watch(services: Services, download: DownloadRecord, console: Console) -> DownloadRecord:
    last = download
    before = download.progress.bytes_done
    with progress_bar(console) as bar, log_above_bar():
        task = bar.add_task(download.title, total=None, rate="")
        began = asyncio.get_running_loop().time()
        async with aclosing(services.downloads.watch(download.id)) as changes:
            async for last in changes:
                progress = last.progress
                seconds = max(0.001, asyncio.get_running_loop().time() - began)
                bar.update(
                    task,
                    completed=progress.pages_done,
                    total=progress.pages_total,
                    rate=f"{max(0, progress.bytes_done - before) / seconds / 1e6:.1f} MB/s",
                )
    return last


def progress_bar(console: Console) -> Progress:
    """Title, pages, bytes a second (the field `rate`), time left."""
    return Progress(
        TextColumn("{task.description}", markup=False),  # a title may have any brackets
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("pages"),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=console,
    )


async def _finish(services: Services, download: DownloadRecord, out: Path, console: Console) -> int:
    if download.state is DownloadState.READY and download.file is not None:
        path = await _fetch(services, download, out)
        sys.stdout.write(f"{path}\n")
        _print_problem(download, console)
        return 0
    if download.problem is not None:
        _print_problem(download, console)
        return _EXIT_CODES_OF_PROBLEMS.get(download.problem.code, _SITE_FAILED)
    console.print(f"jmgraph: the download is {download.state.value.lower()}")
    return 1


def _print_problem(download: DownloadRecord, console: Console) -> None:
    if download.problem is not None:
        console.print(f"jmgraph: {download.problem.message}", style="red")
        for page in download.problem.missing_pages:
            console.print(f"  missing: {page}")
    for note in download.notes:
        console.print(f"  note: {note}")


async def _fetch(services: Services, download: DownloadRecord, out: Path) -> Path:
    """Copy the archive out of the store; it appears under its name only when it is whole."""
    name = download.file.name if download.file else ""
    async with services.downloads.lock_file(download.id, name) as file:
        found = file and await services.archives.open_range(file.key)
        if not file or not found:
            raise ConfigurationError("the finished file is gone; the same command with --force downloads it again")
        try:
            return await _write(found, file, out)
        except OSError as error:
            raise ConfigurationError(f"--out {out}: {error.strerror}; a folder that can be written to") from None


async def _write(found: FileRange, file: DownloadFileRecord, out: Path) -> Path:
    partial_file = _partial_file(out, file)
    try:
        with partial_file.open("wb") as target:
            async for chunk in found.chunks:
                target.write(chunk)
        return partial_file.replace(out / file.name)
    finally:
        partial_file.unlink(missing_ok=True)


def _partial_file(out: Path, file: DownloadFileRecord) -> Path:
    out.mkdir(parents=True, exist_ok=True)
    return out / f".{file.sha256[:16]}.part"
