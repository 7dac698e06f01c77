"""`jmgraph download`: albums from the terminal, through a running server's queue or without one."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from services.catalog import NumberKind, SiteNumber, parse_number
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


AT_ONCE = 8
"""Albums of one command that are looked up, queued and watched at the same time; a worker has its own limit."""


async def download(
    settings: Settings,
    ids: Sequence[str],
    archive: str,
    image: str,
    quality: int,
    chapters: list[str],
    out: Path,
    force: bool,
    allow_missing: bool,
    keep: bool,
) -> int:
    """Start, watch and fetch each album; gives the exit code of the first that failed, as the help names it.

    An id "-" stands for the lines of standard input.
    """
    console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)
    try:
        numbers = _numbers(ids, chapters)
        options = partial(
            DownloadRequest,
            chapter_ids=tuple(chapters),
            archive=ArchiveFormat(archive.upper()),
            image=ImageFormat(image.upper()),
            quality=quality,
            force=force,
            allow_missing=allow_missing,
            keep=keep,
        )
        async with open_services(settings, join=False) as services, _temporary_worker(services):
            with progress_bar(console) as bar, log_above_bar():
                batch = _Batch(services, bar, out, is_single=len(numbers) == 1)
                codes = await asyncio.gather(
                    *(batch.download(options(album_id=number.digits), number.kind) for number in numbers)
                )
        return next(filter(None, codes), 0)
    except JmgraphError as error:
        console.print(f"jmgraph: {error.message}", style="red")
        return _exit_code(error)
    except asyncio.CancelledError:
        console.print("Stopped; the same command continues the download.")
        raise


def _numbers(ids: Sequence[str], chapters: Sequence[str]) -> list[SiteNumber]:
    """Each number once, in the order they are given; raises `InvalidInput` for what is none."""
    texts = [text for id in ids for text in (_lines_of_stdin() if id == "-" else [id])]
    numbers = list(dict.fromkeys(_number(text, is_single=len(texts) == 1) for text in texts))
    if not numbers:
        raise InvalidInput("id", "Standard input has no album number.")
    if chapters and len(numbers) > 1:
        raise InvalidInput("chapter", "--chapter goes with a single album.")
    return numbers


def _number(text: str, *, is_single: bool) -> SiteNumber:
    try:
        return parse_number(text)
    except InvalidInput as error:
        raise error if is_single else InvalidInput("id", f"{text.strip()!r}: {error.message}") from None


def _lines_of_stdin() -> list[str]:
    return [line for line in sys.stdin if line.strip()] if sys.stdin else []


def _exit_code(error: JmgraphError) -> int:
    return next((code for kind, code in _EXIT_CODES if isinstance(error, kind)), 1)


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
        disable=not console.is_terminal,
        redirect_stdout=sys.stdout.isatty(),  # a pipe gets the paths, and nothing of the bar
    )


class _Batch:
    """The albums of one command: a bar for each while it runs; messages name the album where there are several."""

    def __init__(self, services: Services, bar: Progress, out: Path, *, is_single: bool) -> None:
        self._services = services
        self._bar = bar
        self._out = out
        self._is_single = is_single
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def download(self, request: DownloadRequest, kind: NumberKind) -> int:
        """The exit code of one album."""
        async with self._slots:
            try:
                started = await self._services.downloads.start(request, kind)
                if started.state is DownloadState.READY and not started.is_complete:
                    started = await self._services.downloads.retry(started.id)
                return await self._finish(request.album_id, await self._watch(started))
            except JmgraphError as error:
                self._print_error(request.album_id, error.message)
                return _exit_code(error)

    async def _watch(self, download: DownloadRecord) -> DownloadRecord:
        last = download
        before = download.progress.bytes_done
        task = self._bar.add_task(download.title, total=None, rate="")
        began = asyncio.get_running_loop().time()
        async with aclosing(self._services.downloads.watch(download.id)) as changes:
            async for last in changes:
                progress = last.progress
                seconds = max(0.001, asyncio.get_running_loop().time() - began)
                self._bar.update(
                    task,
                    completed=progress.pages_done,
                    total=progress.pages_total,
                    rate=f"{max(0, progress.bytes_done - before) / seconds / 1e6:.1f} MB/s",
                )
        if not self._is_single:  # hundreds of full bars would fill the screen
            self._bar.remove_task(task)
        return last

    async def _finish(self, id: str, download: DownloadRecord) -> int:
        if download.state is DownloadState.READY and download.is_kept:
            for file in download.files:
                path = self._services.archives.local_path(file.key)
                sys.stdout.write(f"{path.resolve() if path else file.key}\n")
            sys.stdout.flush()
            self._print_problem(id, download)
            return 0
        if download.state is DownloadState.READY and download.file is not None:
            path = await _fetch(self._services, download, self._out)
            sys.stdout.write(f"{path}\n")
            sys.stdout.flush()
            self._print_problem(id, download)
            return 0
        if download.problem is not None:
            self._print_problem(id, download)
            return _EXIT_CODES_OF_PROBLEMS.get(download.problem.code, _SITE_FAILED)
        self._print_error(id, f"the download is {download.state.value.lower()}")
        return 1

    def _print_problem(self, id: str, download: DownloadRecord) -> None:
        if download.problem is not None:
            self._print_error(id, download.problem.message)
            for page in download.problem.missing_pages:
                self._bar.console.print(f"  missing: {page}")
        for note in download.notes:
            self._bar.console.print(f"  note: {note}")

    def _print_error(self, id: str, message: str) -> None:
        name = "" if self._is_single else f"{id}: "
        self._bar.console.print(f"jmgraph: {name}{message}", style="red")


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
