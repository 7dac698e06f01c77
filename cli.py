"""The command line. Logs go to stderr, answers to stdout; a start that fails is one line and exit code 1."""

from __future__ import annotations

import os
import sys
from collections.abc import Coroutine
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from commands.run import LoopFactory, run_command
from services.errors import ConfigurationError, JmgraphError
from services.observability import set_up_log
from services.settings import VERSION, Settings, read_settings

STDOUT, STDERR = 1, 2
"""Descriptors of a process."""

cli = typer.Typer(
    name="jmgraph",
    help="A self-hosted GraphQL server in front of JMComic. Settings are environment variables, JMGRAPH_…; "
    "the README has the table.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
ehtag = typer.Typer(help="The tag database.", no_args_is_help=True)
cli.add_typer(ehtag, name="ehtag")


class Archive(StrEnum):
    """Archives of `jmgraph download`."""

    ZIP = "zip"
    CBZ = "cbz"
    PDF = "pdf"


class Image(StrEnum):
    """Page formats of `jmgraph download`."""

    ORIGINAL = "original"
    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"


class ExportFormat(StrEnum):
    """Forms of `jmgraph ehtag export`."""

    FULL = "full"
    RAW = "raw"
    TEXT = "text"
    HTML = "html"
    AST = "ast"


def _settings(**overrides: Any) -> Settings:
    settings = read_settings(**overrides)
    set_up_log(settings.log_level, settings.log_format)
    return settings


def _share_metrics(settings: Settings) -> None:
    """Share the metrics of the processes on one data directory. To be called before the metrics are imported."""
    from services.observability import metrics_multiprocess

    metrics_multiprocess.share_metrics(settings.data_dir)


def _finish(work: Coroutine[Any, Any, int], loop_factory: LoopFactory | None = None) -> NoReturn:
    raise typer.Exit(run_command(work, loop_factory))


@cli.command()
def up() -> None:
    """API, one worker and, without a Redis URL, an embedded Valkey, in one terminal."""
    from commands.up import up as run

    _finish(run(_settings()))


@cli.command()
def serve(workers: Annotated[int, typer.Option(min=1, max=64, help="API processes.")] = 1) -> None:
    """The API alone; without a Redis URL it joins the Valkey of an `up` on the same data directory."""
    from commands.run import end_with_parent

    end_with_parent()
    settings = _settings()
    _share_metrics(settings)
    if workers > 1:
        from commands.supervisor import serve_multiprocess

        _finish(serve_multiprocess(settings, workers))
    from app import build_app
    from commands.serve import serve as run
    from commands.serve import web_loop

    _finish(run(settings, build_app), web_loop)


@cli.command()
def worker() -> None:
    """A worker alone: makes the downloads that any API on the same Redis queues."""
    from commands.run import end_with_parent

    end_with_parent()
    settings = _settings()
    _share_metrics(settings)
    from worker import run

    _finish(run(settings))


@cli.command()
def demo() -> None:
    """`up` on the built-in sample site: works with no network."""
    from commands.demo import run_demo

    _finish(run_demo(_settings()))


@cli.command()
def download(
    id: Annotated[str, typer.Argument(help="Album or chapter: 350234, JM350234 or its address.")],
    archive: Annotated[Archive, typer.Option(help="Kind of archive.")] = Archive.ZIP,
    image: Annotated[Image, typer.Option(help="Format of the pages.")] = Image.ORIGINAL,
    quality: Annotated[int, typer.Option(min=1, max=100, help="For jpeg and webp.")] = 90,
    chapter: Annotated[list[str] | None, typer.Option(help="Only these chapters; may be given often.")] = None,
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder to put it in.")] = Path(),
    force: Annotated[bool, typer.Option(help="Download it again even if it is ready.")] = False,
    allow_missing: Annotated[bool, typer.Option(help="Put plain pages in the place of those that are lost.")] = False,
) -> None:
    """Download an album, with a progress bar: through the `up` on this data directory, or without one.

    Ctrl-C stops it; the same command continues the download, and fetches pages that were missing. Exit codes:
    0 done, 1 can't start, 2 bad arguments, 3 no such album, 4 withheld, 5 the site failed, 6 queue or disk,
    130 interrupted.
    """
    from commands.download import download as run

    _finish(run(_settings(), id, archive.value, image.value, quality, chapter or [], out, force, allow_missing))


@cli.command()
def doctor(
    site: Annotated[
        bool, typer.Option("--site", help="Check what the site answers instead, with fewer than 20 requests.")
    ] = False,
) -> None:
    """One line for each dependency: reachable, how fast, and if not, why and what to do.

    With --site, one for each kind of answer of the site: name, verdict, words. Verdicts are ok (as expected),
    tolerated (odd, but read), broken (to be reported) and skipped. Exit code 1 when something is broken.
    """
    from commands.doctor import doctor as run
    from commands.doctor import doctor_site

    _finish(doctor_site(_settings()) if site else run(_settings()))


@cli.command()
def schema() -> None:
    """Print the GraphQL schema in its own language."""
    from schema import sdl

    sys.stdout.write(sdl())


@ehtag.command("sync")
def ehtag_sync() -> None:
    """Clone or fetch the tag database."""
    from commands.ehtag import sync

    _finish(sync(_settings()))


@ehtag.command("check")
def ehtag_check() -> None:
    """Report rows that don't parse, bad references and duplicates."""
    from commands.ehtag import check

    _finish(check(_settings()))


@ehtag.command("export")
def ehtag_export(
    format: Annotated[ExportFormat, typer.Option(help="Form of the cells.")],
    out: Annotated[Path | None, typer.Option(dir_okay=False, help="File; stdout by default.")] = None,
) -> None:
    """Write the whole database in the shape of its official releases."""
    from commands.ehtag import export

    _finish(export(_settings(), format.value, out))


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"jmgraph {VERSION}")
        raise typer.Exit


@cli.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options of jmgraph itself."""


def main() -> None:
    """The console script."""
    _fill_closed_streams()
    try:
        cli()
    except (ConfigurationError, JmgraphError) as error:
        print(f"jmgraph: {error}", file=sys.stderr)  # noqa: T201 (the one line that ends a command)
        sys.exit(1)


def _fill_closed_streams() -> None:
    """Open /dev/null for each closed standard stream: else the next socket would get its descriptor."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= STDERR:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    sys.stdout = sys.stdout or open(STDOUT, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(STDERR, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


if __name__ == "__main__":
    main()
