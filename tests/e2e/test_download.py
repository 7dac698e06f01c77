"""`jmgraph download`: an archive from the terminal, and exit codes for each failure."""

from __future__ import annotations

import io
import os
import pty
import signal
import subprocess
import sys
import zipfile
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from rich.console import Console

from commands.download import progress_bar
from demo.server import RunningDemo
from tests.e2e.conftest import Environ
from tests.e2e_processes import ask, command, run, wait_until_ready
from tests.waiting import wait_until

STATE = "{ downloads { nodes { state progress { pagesDone } } totalCount } }"


def test_without_a_server_it_continues_after_ctrl_c(environ: Environ, tmp_path: Path, demo: RunningDemo) -> None:
    arguments = ("download", "JM350234", "--archive", "cbz", "--out", str(tmp_path / "comics"))
    settings = environ()
    demo.knobs.set("image", latency_s=0.3)
    with command(tmp_path / "first", *arguments, **settings) as first:
        demo.requests.wait_for(24, path="/media/photos/")
        interrupted = first.stop(signal.SIGINT)
    before = demo.requests.count("/media/photos/")
    demo.knobs.reset()

    ended = run(tmp_path / "again", *arguments, **settings)

    assert (interrupted.code, interrupted.out) == (130, "")
    assert "the same command continues the download" in interrupted.err
    assert ended.code == 0, ended.err
    [file] = (tmp_path / "comics").iterdir()
    assert ended.out == f"{file}\n"
    assert file.suffix == ".cbz"
    assert len([name for name in zipfile.ZipFile(file).namelist() if name != "ComicInfo.xml"]) == 24
    assert demo.requests.count("/media/photos/") - before < 24


def test_other_commands_join_a_running_up(environ: Environ, tmp_path: Path) -> None:
    settings = environ()
    with ExitStack() as stack:
        up = stack.enter_context(command(tmp_path / "up", "up", **settings))
        wait_until_ready(up)
        more = stack.enter_context(command(tmp_path / "more", "worker", **settings))
        wait_until(lambda: len(up.events("the worker is ready")) == len(more.events("the worker is ready")) == 1)

        ended = run(tmp_path / "download", "download", "163348", "--out", str(tmp_path), **settings)

        assert ended.code == 0, ended.err
        assert zipfile.is_zipfile(ended.out.strip())
        assert ask(up.base, STATE)["downloads"]["totalCount"] == 1
        wait_until(lambda: len(up.events("a download is ready")) + len(more.events("a download is ready")) == 1)
        assert more.stop().code == 0
        assert up.stop().code == 0


@pytest.mark.parametrize(
    ("code", "album", "more", "message"),
    [
        (2, "abc", {}, "Not an album number: give digits, JM and digits, or the address of an album."),
        (3, "999999999", {}, "Album not found: id=999999999"),
        (4, "900451", {"JMGRAPH_BLOCKED_TAGS": "測試封鎖"}, "This host withholds albums with such tags."),
        (5, "900403", {}, "The site refuses this server's region; a proxy may help."),
        (6, "350234", {"JMGRAPH_DISK_FLOOR": str(1 << 60)}, "Too little disk space is free for a download."),
        (6, "350234", {"JMGRAPH_REDIS_URL": "redis://127.0.0.1:1"}, "The queue can't be reached."),
    ],
)
def test_each_failure_has_an_exit_code_and_a_message(
    environ: Environ, tmp_path: Path, redis_url: str, code: int, album: str, more: dict[str, str], message: str
) -> None:
    settings = environ(**{"JMGRAPH_REDIS_URL": redis_url, "JMGRAPH_LOG_LEVEL": "error", **more})

    ended = run(tmp_path / "download", "download", album, "--out", str(tmp_path), **settings)

    assert (ended.code, ended.out, ended.err) == (code, "", f"jmgraph: {message}\n")


def test_a_lost_page_is_named(environ: Environ, tmp_path: Path, redis_url: str) -> None:
    settings = environ(JMGRAPH_REDIS_URL=redis_url, JMGRAPH_LOG_LEVEL="error")

    ended = run(tmp_path / "download", "download", "900007", "--out", str(tmp_path), **settings)

    assert ended.code == 5
    assert "missing: " in ended.err


def test_pages_that_may_be_missing_are_replaced_and_named(
    environ: Environ, tmp_path: Path, redis_url: str, demo: RunningDemo
) -> None:
    settings = environ(JMGRAPH_REDIS_URL=redis_url, JMGRAPH_LOG_LEVEL="error")
    arguments = ("download", "163348", "--allow-missing", "--out", str(tmp_path / "out"))
    demo.knobs.set("image", path="/163348/00003", failure="missing")

    first = run(tmp_path / "first", *arguments, **settings)
    demo.reset()
    second = run(tmp_path / "second", *arguments, **settings)

    assert (first.code, second.code) == (0, 0)
    assert "  missing: 163348/3\n" in first.err
    assert "missing" not in second.err
    assert first.out == second.out
    assert demo.requests.count("/media/photos/163348/") == 1


def test_the_number_of_a_chapter_downloads_it_alone(environ: Environ, tmp_path: Path, redis_url: str) -> None:
    settings = environ(JMGRAPH_REDIS_URL=redis_url, JMGRAPH_LOG_LEVEL="error")

    ended = run(tmp_path / "download", "download", "jm 333909", "--out", str(tmp_path / "out"), **settings)

    assert ended.code == 0, ended.err
    assert ended.out.endswith(" [JM333909].zip\n")
    assert {name[:3] for name in zipfile.ZipFile(ended.out.strip()).namelist()} == {"002"}


def test_a_disk_that_fills_during_a_download_is_not_a_failure_of_the_site(
    environ: Environ, tmp_path: Path, redis_url: str
) -> None:
    settings = environ(JMGRAPH_REDIS_URL=redis_url, JMGRAPH_LOG_LEVEL="info")
    floor = {"JMGRAPH_DISK_FLOOR": str(1 << 60)}
    with command(tmp_path / "worker", "worker", **(settings | floor)) as worker:
        wait_until(lambda: bool(worker.events("the worker is ready")))

        ended = run(tmp_path / "download", "download", "163348", "--out", str(tmp_path / "out"), **settings)

    assert ended.code == 6
    assert ended.err.splitlines()[-1] == "jmgraph: Less disk is free than JMGRAPH_DISK_FLOOR asks for."


def test_a_folder_that_can_not_be_created_is_one_line(environ: Environ, tmp_path: Path, redis_url: str) -> None:
    settings = environ(JMGRAPH_REDIS_URL=redis_url, JMGRAPH_LOG_LEVEL="error")
    (tmp_path / "file").write_text("in the way")
    out = tmp_path / "file" / "comics"

    ended = run(tmp_path / "download", "download", "163348", "--out", str(out), **settings)

    assert (ended.code, ended.out) == (1, "")
    assert ended.err.splitlines()[-1] == (f"jmgraph: --out {out}: Not a directory; a folder that can be written to")
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_it_downloads_with_closed_standard_streams(
    environ: Environ, tmp_path: Path, redis_url: str, closed: str
) -> None:
    settings = environ(JMGRAPH_REDIS_URL=redis_url, JMGRAPH_LOG_LEVEL="error", PATH="/usr/bin:/bin")
    script = f'exec "$0" -m cli download 163348 --out "$1" {closed}'

    ended = subprocess.run(
        ["sh", "-c", script, sys.executable, str(tmp_path / "out")], env=settings, capture_output=True, check=False
    )

    assert ended.returncode == 0, ended.stderr
    [file] = (tmp_path / "out").iterdir()
    assert zipfile.is_zipfile(file)


def test_several_albums_are_downloaded_and_the_first_failure_decides_the_exit_code(
    environ: Environ, tmp_path: Path, redis_url: str
) -> None:
    settings = environ(JMGRAPH_REDIS_URL=redis_url, JMGRAPH_LOG_LEVEL="error")
    ids = ("163348", "https://comics.example/album/350234/title", "999999999", "JM163348")

    ended = run(tmp_path / "download", "download", *ids, "--out", str(tmp_path / "out"), **settings)

    assert ended.code == 3
    assert ended.err == "jmgraph: 999999999: Album not found: id=999999999\n"
    assert {Path(line) for line in ended.out.splitlines()} == set((tmp_path / "out").iterdir())
    assert all(zipfile.is_zipfile(line) for line in ended.out.splitlines())
    assert len(ended.out.splitlines()) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("163348", "tea"), "'tea': Not an album number: give digits, JM and digits, or the address of an album."),
        (("163348", "350234", "--chapter", "1"), "--chapter goes with a single album."),
        (("-",), "Standard input has no album number."),
    ],
)
def test_nothing_is_downloaded_when_an_argument_is_wrong(
    environ: Environ, tmp_path: Path, demo: RunningDemo, arguments: tuple[str, ...], message: str
) -> None:
    ended = run(tmp_path / "download", "download", *arguments, **environ())

    assert (ended.code, ended.out, ended.err) == (2, "", f"jmgraph: {message}\n")
    assert demo.requests.count() == 0


def test_a_pipe_gets_only_the_path_while_the_terminal_shows_the_bar(
    environ: Environ, tmp_path: Path, redis_url: str
) -> None:
    controller, terminal = pty.openpty()
    settings = {**os.environ, **environ(JMGRAPH_REDIS_URL=redis_url, TERM="xterm", COLUMNS="120")}
    words = [sys.executable, "-m", "cli", "download", "163348", "--out", str(tmp_path / "out")]

    shown = bytearray()
    with subprocess.Popen(words, env=settings, stdout=subprocess.PIPE, stderr=terminal, text=True) as process:
        os.close(terminal)
        with suppress(OSError):  # raised once no process has the terminal open
            while data := os.read(controller, 4096):
                shown += data
        out, _ = process.communicate()
    os.close(controller)

    assert process.returncode == 0, shown
    [file] = (tmp_path / "out").iterdir()
    assert out == f"{file}\n"
    assert b"16/16" in shown


@pytest.mark.parametrize("title", ["[/tea] leaves", "[tea club] Leaves [b]", "100 {leaves}"])
def test_the_bar_shows_a_title_as_it_is(title: str) -> None:
    output = io.StringIO()

    with progress_bar(Console(file=output, width=200, force_terminal=True)) as bar:
        bar.add_task(title, total=24, rate="")

    assert f"{title} " in output.getvalue()
