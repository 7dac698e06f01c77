"""The command line. Logs go to stderr, answers to stdout; a start that fails is one line and exit code 1."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Coroutine
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:  # each command imports what it needs: `--help` takes a sixth of the time that all imports take
    from commands.run import LoopFactory
    from services.settings import Settings

STDOUT, STDERR = 1, 2
"""Descriptors of a process."""

cli = typer.Typer(
    name="jmgraph",
    help="A self-hosted GraphQL server in front of JMComic. Settings are environment variables, JMGRAPH_…; "
    "docs/settings.md has the table.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
ehtag = typer.Typer(help="The tag database.", no_args_is_help=True)
cli.add_typer(ehtag, name="ehtag")
user = typer.Typer(help="The accounts of this server.", no_args_is_help=True)
cli.add_typer(user, name="user")
library = typer.Typer(help="Albums that are kept an eye on.", no_args_is_help=True)
cli.add_typer(library, name="library")


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


class Scope(StrEnum):
    """What a token of `jmgraph user token` may be used for."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"


class ExportFormat(StrEnum):
    """Forms of `jmgraph ehtag export`."""

    FULL = "full"
    RAW = "raw"
    TEXT = "text"
    HTML = "html"
    AST = "ast"


Host = Annotated[str | None, typer.Option(help="Address to listen on, in place of JMGRAPH_HOST.")]
Port = Annotated[int | None, typer.Option(min=0, max=65535, help="Port, in place of JMGRAPH_PORT; 0 for any.")]
DataDir = Annotated[Path | None, typer.Option(file_okay=False, help="Folder, in place of JMGRAPH_DATA_DIR.")]


def _settings(*, is_child: bool = False, **options: object) -> Settings:
    """The settings of a server; options that are given replace the variables, for the child processes too."""
    from services.observability import set_up_log
    from services.settings import read_settings

    os.environ.update({f"JMGRAPH_{name.upper()}": str(value) for name, value in options.items() if value is not None})
    settings = read_settings()
    set_up_log(settings.log_level, settings.log_format)
    if not is_child:  # the parent has warned
        _warn_of_misspelt_variables()
    return settings


def _settings_beside_server(data_dir: Path | None) -> Settings:
    """The settings of a command that answers and ends: on a running server's data and site, if there is one.

    Its log has warnings in words; `JMGRAPH_LOG_LEVEL=debug` shows everything.
    """
    from commands.server_file import find_server
    from services.observability import set_up_log
    from services.settings import read_settings

    if data_dir is not None:
        os.environ["JMGRAPH_DATA_DIR"] = str(data_dir)
    settings = read_settings()
    level = "warning" if settings.log_level == "info" else settings.log_level
    set_up_log(level, settings.log_format or ("console" if level == "debug" else "words"))
    _warn_of_misspelt_variables()
    server = find_server(settings)
    if server is None or not server.environment:
        return settings
    typer.echo(f"jmgraph: through the demo at {server.url}", err=True)
    os.environ.update(server.environment)
    return read_settings()


def _warn_of_misspelt_variables() -> None:
    import structlog

    from services.settings import misspelt_variables

    for name, nearest in misspelt_variables().items():
        hint = f"the nearest is {nearest}" if nearest else "docs/settings.md has them all"
        structlog.get_logger("jmgraph.settings").warning(f"{name} is no setting; {hint}")


def _share_metrics(settings: Settings) -> None:
    """Share the metrics of the processes on one data directory. To be called before the metrics are imported."""
    from services.observability import metrics_multiprocess

    metrics_multiprocess.share_metrics(settings.data_dir)


def _finish(work: Coroutine[Any, Any, int], loop_factory: LoopFactory | None = None) -> NoReturn:
    from commands.run import run_command

    raise typer.Exit(run_command(work, loop_factory))


@cli.command()
def up(host: Host = None, port: Port = None, data_dir: DataDir = None) -> None:
    """API, one worker and, without a Redis URL, an embedded Valkey, in one terminal."""
    from commands.up import up as run

    _finish(run(_settings(host=host, port=port, data_dir=data_dir)))


@cli.command()
def serve(
    host: Host = None,
    port: Port = None,
    data_dir: DataDir = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="API processes.")] = 1,
) -> None:
    """The API alone; without a Redis URL it joins the Valkey of an `up` on the same data directory."""
    from commands.run import end_with_parent

    settings = _settings(is_child=end_with_parent(), host=host, port=port, data_dir=data_dir)
    _share_metrics(settings)
    if workers > 1:
        from commands.supervisor import serve_multiprocess

        _finish(serve_multiprocess(settings, workers))
    from app import build_app
    from commands.serve import serve as run
    from commands.serve import web_loop

    _finish(run(settings, build_app), web_loop)


@cli.command()
def worker(data_dir: DataDir = None) -> None:
    """A worker alone: makes the downloads that any API on the same Redis queues."""
    from commands.run import end_with_parent

    settings = _settings(is_child=end_with_parent(), data_dir=data_dir)
    _share_metrics(settings)
    from worker import run

    _finish(run(settings))


@cli.command()
def demo(host: Host = None, port: Port = None, data_dir: DataDir = None) -> None:
    """`up` on the built-in sample site: works with no network."""
    from commands.demo import run_demo

    _finish(run_demo(_settings(host=host, port=port, data_dir=data_dir)))


@cli.command()
def download(
    ids: Annotated[
        list[str],
        typer.Argument(
            metavar="ID...", help="Albums or chapters: 350234, JM350234 or an address; - for one a line on stdin."
        ),
    ],
    archive: Annotated[Archive, typer.Option(help="Kind of archive.")] = Archive.ZIP,
    image: Annotated[Image, typer.Option(help="Format of the pages.")] = Image.ORIGINAL,
    quality: Annotated[int, typer.Option(min=1, max=100, help="For jpeg and webp.")] = 90,
    chapter: Annotated[
        list[str] | None, typer.Option(help="Only these chapters of a single album; may be given often.")
    ] = None,
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder to put it in.")] = Path(),
    force: Annotated[bool, typer.Option(help="Download it again even if it is ready.")] = False,
    allow_missing: Annotated[bool, typer.Option(help="Put plain pages in the place of those that are lost.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the files in the library, and copy nothing.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Download albums, with a progress bar: through the running `up` or `demo`, or without one.

    Prints the path of each file when it is whole. Ctrl-C stops it; the same command continues the download, and
    fetches pages that were missing. Exit codes, of the first that fails: 0 done, 1 can't start, 2 bad arguments,
    3 no such album, 4 withheld, 5 the site failed, 6 queue or disk, 130 interrupted.
    """
    from commands.download import download as run

    settings = _settings_beside_server(data_dir)
    _finish(run(settings, ids, archive.value, image.value, quality, chapter or [], out, force, allow_missing, keep))


@cli.command()
def doctor(
    site: Annotated[
        bool, typer.Option("--site", help="Check what the site answers instead, with fewer than 20 requests.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """One line for each dependency: reachable, how fast, and if not, why and what to do. The last sums up the site.

    With --site, one for each kind of answer of the site: name, verdict, words. Verdicts are ok (as expected),
    tolerated (odd, but read), broken (to be reported) and skipped. Exit code 1 when something is broken.
    """
    from commands.doctor import doctor as run
    from commands.doctor import doctor_site

    settings = _settings_beside_server(data_dir)
    _finish(doctor_site(settings) if site else run(settings))


@cli.command()
def schema() -> None:
    """Print the GraphQL schema in its own language."""
    from schema import sdl

    sys.stdout.write(sdl())


@ehtag.command("sync")
def ehtag_sync(data_dir: DataDir = None) -> None:
    """Clone or fetch the tag database."""
    from commands.ehtag import sync

    _finish(sync(_settings_beside_server(data_dir)))


@ehtag.command("check")
def ehtag_check(data_dir: DataDir = None) -> None:
    """Report rows that don't parse, bad references and duplicates."""
    from commands.ehtag import check

    _finish(check(_settings_beside_server(data_dir)))


@ehtag.command("export")
def ehtag_export(
    format: Annotated[ExportFormat, typer.Option(help="Form of the cells.")],
    out: Annotated[Path | None, typer.Option(dir_okay=False, help="File; stdout by default.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Write the whole database in the shape of its official releases."""
    from commands.ehtag import export

    _finish(export(_settings_beside_server(data_dir), format.value, out))


UserName = Annotated[str, typer.Argument(metavar="NAME", help="3 to 32 letters, digits and the signs - _ .")]
PasswordStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


def _password(*, from_stdin: bool) -> str:
    """The password, asked for twice on the terminal, or the first line of standard input."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    answer: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return answer


@user.command("add")
def user_add(
    name: UserName,
    admin: Annotated[
        bool, typer.Option("--admin", help="May manage accounts; the first account always may.")
    ] = False,
    password_stdin: PasswordStdin = False,
    data_dir: DataDir = None,
) -> None:
    """Add an account. The first one closes the server, and takes over what its owner had."""
    from commands.user import add

    settings = _settings_beside_server(data_dir)
    _finish(add(settings, name, _password(from_stdin=password_stdin), admin))


@user.command("list")
def user_list(data_dir: DataDir = None) -> None:
    """List the accounts, and who signed in by an account of the site."""
    from commands.user import list_users

    _finish(list_users(_settings_beside_server(data_dir)))


@user.command("passwd")
def user_passwd(name: UserName, password_stdin: PasswordStdin = False, data_dir: DataDir = None) -> None:
    """Set a password, which ends all sessions of the account."""
    from commands.user import set_password

    settings = _settings_beside_server(data_dir)
    _finish(set_password(settings, name, _password(from_stdin=password_stdin)))


@user.command("remove")
def user_remove(name: UserName, data_dir: DataDir = None) -> None:
    """Remove an account with all that is theirs. Without the last one the server is open again."""
    from commands.user import remove

    _finish(remove(_settings_beside_server(data_dir), name))


@user.command("token")
def user_token(
    name: UserName,
    label: Annotated[str, typer.Option(help="A word to know it by.")],
    scope: Annotated[Scope, typer.Option(help="What it may be used for.")] = Scope.WRITE,
    data_dir: DataDir = None,
) -> None:
    """Print a new access token for a program or a reading app; it is shown this once."""
    from commands.user import create_token

    _finish(create_token(_settings_beside_server(data_dir), name, label, scope.value))


Albums = Annotated[list[str], typer.Argument(metavar="ALBUM...", help="Numbers or addresses.")]
LibraryUser = Annotated[
    str | None,
    typer.Option("--user", help="Whose library: an account; the first one, or the owner, when left out."),
]


@library.command("list")
def library_list(
    user: LibraryUser = None,
    new: Annotated[bool, typer.Option("--new", help="Only albums with new chapters.")] = False,
    data_dir: DataDir = None,
) -> None:
    """List the albums, the one that changed last first."""
    from commands.library import list_entries

    _finish(list_entries(_settings_beside_server(data_dir), user, new))


@library.command("add")
def library_add(
    albums: Albums,
    user: LibraryUser = None,
    auto_download: Annotated[
        bool, typer.Option("--auto-download", help="Download and keep each new chapter when it is found.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Add albums; those that are there stay as they are, with these settings."""
    from commands.library import add

    _finish(add(_settings_beside_server(data_dir), user, albums, auto_download))


@library.command("remove")
def library_remove(albums: Albums, user: LibraryUser = None, data_dir: DataDir = None) -> None:
    """Remove albums. What is known of their reading stays."""
    from commands.library import remove

    _finish(remove(_settings_beside_server(data_dir), user, albums))


@library.command("check")
def library_check(user: LibraryUser = None, data_dir: DataDir = None) -> None:
    """Look for new chapters now, and list the albums that have some."""
    from commands.library import check

    _finish(check(_settings_beside_server(data_dir), user))


@library.command("scan")
def library_scan(user: LibraryUser = None, data_dir: DataDir = None) -> None:
    """Compare the kept files with what is known of them: adopt those that no database knows, find moved ones.

    For after a loss of the database or of Redis, and after a move of the folder. Adopted files are this person's.
    """
    from commands.library import scan

    _finish(scan(_settings_beside_server(data_dir), user))


@library.command("export")
def library_export(
    albums: Albums,
    to: Annotated[Path, typer.Option(file_okay=False, help="Folder to write to.")],
    data_dir: DataDir = None,
) -> None:
    """Copy the kept files of albums into another folder, laid out as in the library."""
    from commands.library import export

    _finish(export(_settings_beside_server(data_dir), albums, to))


BackupFile = Annotated[Path, typer.Argument(metavar="FILE", dir_okay=False, help="The backup.")]


@cli.command()
def backup(file: BackupFile, data_dir: DataDir = None) -> None:
    """Write accounts, reading, and the secret key into one file, also while the server runs."""
    from commands.backup import backup as run

    _finish(run(_settings_beside_server(data_dir), file))


@cli.command()
def restore(file: BackupFile, data_dir: DataDir = None) -> None:
    """Put a backup in place of the accounts and the reading that are there."""
    from commands.backup import restore as run

    _finish(run(_settings_beside_server(data_dir), file))


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"jmgraph {version('jmgraph')}")
        raise typer.Exit


@cli.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options of jmgraph itself."""


def main() -> None:
    """The console script."""
    gc.disable()  # until `run_command`: importing makes no garbage, and looking for it takes a fifth of the imports
    _fill_closed_streams()
    try:
        cli()
    except Exception as error:
        from services.errors import ConfigurationError, JmgraphError

        if not isinstance(error, ConfigurationError | JmgraphError):
            raise
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
