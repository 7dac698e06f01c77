"""`jmgraph ehtag`: sync, check and export the tag database."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from rich import filesize
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from services.ehtag import (
    FetchProgress,
    SyncOutcome,
    TagDatabase,
    TagForm,
    open_tag_database,
    require_usable_repository,
)
from services.ehtag import export as pieces_of
from services.errors import ConfigurationError
from services.observability import log_above_bar
from services.settings import Settings

_MESSAGES = {
    SyncOutcome.CLONED: "cloned",
    SyncOutcome.MOVED: "moved to the remote's head",
    SyncOutcome.UP_TO_DATE: "up to date",
}


async def sync(settings: Settings) -> int:
    """Clone or fetch, with a progress bar on a terminal; raises a `JmgraphError` that says why it could not.

    The last line says what came of it, in how many bytes and seconds.
    """
    columns = TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn()
    began, received = time.perf_counter(), ReceivedBytes()
    async with open_tag_database(settings) as tags:
        console = Console(stderr=True)
        progress_bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        with progress_bar as bar, log_above_bar():
            task = bar.add_task("asking the remote", total=None)

            def report(progress: FetchProgress) -> None:
                received.count(progress)
                step, done, total = _step(progress)
                bar.update(task, description=step, completed=done, total=total or None)

            outcome = await tags.sync(report)
        state = await tags.refresh()
    took = f"{filesize.decimal(received.total)} in {time.perf_counter() - began:.1f} s"
    print(f"{_MESSAGES[outcome]}: {state.sha[:8]}, {state.snapshot.count} tags; {took}")  # noqa: T201
    return 0


class ReceivedBytes:
    """Bytes of all fetches of a sync; a second one, for history, begins at 0 again."""

    def __init__(self) -> None:
        self._before = 0
        self._now = 0

    def count(self, progress: FetchProgress) -> None:
        """Take in how far the running fetch is."""
        if progress.received_bytes < self._now:
            self._before += self._now
        self._now = progress.received_bytes

    @property
    def total(self) -> int:
        """Of the running fetch and those before it."""
        return self._before + self._now


def _step(progress: FetchProgress) -> tuple[str, int, int]:
    """What a fetch does now, in words, and how far it is: done, total (0: unknown)."""
    size = filesize.decimal(progress.received_bytes)
    if progress.received_objects < progress.total_objects:
        return f"receiving objects, {size}", progress.received_objects, progress.total_objects
    if progress.indexed_deltas < progress.total_deltas:
        return f"{size} received, resolving deltas", progress.indexed_deltas, progress.total_deltas
    return f"{size} received, reading the tags", 0, 0


@asynccontextmanager
async def _open(settings: Settings) -> AsyncIterator[TagDatabase]:
    """The tag database, or the starter glossary, said so, where there is none at all."""
    require_usable_repository(settings)
    async with open_tag_database(settings) as tags:
        if tags.state.is_starter:
            print("the starter glossary; `jmgraph ehtag sync` gets the tag database", file=sys.stderr)  # noqa: T201
        yield tags


async def check(settings: Settings) -> int:
    """One line a report, `file:line: raw: message`; gives 1 when there is any.

    What this server does not know comes first: a newer version, files of other namespaces.
    """
    async with _open(settings) as tags:
        unknown, reports = tags.state.unknown, tags.state.snapshot.reports()
        for line in unknown:
            print(line)  # noqa: T201
        for report in reports:
            place = f"{report.namespace}.md:{report.line or 0}" if report.namespace else report.logger
            print(f"{place}: {report.raw or ''}: {report.message}")  # noqa: T201
        count = len(unknown) + len(reports)
        print(f"{tags.state.snapshot.count} tags, {count} reports", file=sys.stderr)  # noqa: T201
    return 1 if count else 0


async def export(settings: Settings, form: str, out: Path | None) -> int:
    """Write the database in one form; a file appears whole or not at all."""
    async with _open(settings) as tags:
        pieces = pieces_of(tags.state.snapshot, TagForm(form))
        if out is None:
            for piece in pieces:
                sys.stdout.buffer.write(piece)
            return 0
        partial_file = out.with_name(f"{out.name}.part")
        try:
            with partial_file.open("wb") as file:
                file.writelines(pieces)
            partial_file.replace(out)
        except OSError as error:
            partial_file.unlink(missing_ok=True)
            raise ConfigurationError(f"--out {out}: {error.strerror}; a file in a folder that exists") from None
    return 0
