"""The library by processes: a worker that finds new chapters by itself, and `jmgraph library`."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from demo.server import RunningDemo
from tests.e2e.conftest import Environ
from tests.e2e_processes import ask, command, run, wait_until_ready
from tests.waiting import wait_until

SERIES, SINGLE = "205238", "350234"
NEW = f'{{ album(id: "{SERIES}") {{ libraryEntry {{ newChapters {{ id }} }} }} }}'


def new_chapters(base: str) -> list[str]:
    """The new chapters of the series."""
    return [chapter["id"] for chapter in ask(base, NEW)["album"]["libraryEntry"]["newChapters"]]


def test_a_worker_finds_new_chapters_by_itself(
    environ: Environ, demo: RunningDemo, tmp_path: Path, redis_url: str
) -> None:
    environment = environ(JMGRAPH_REDIS_URL=redis_url, JMGRAPH_LIBRARY_CHECK_EVERY="0.2")
    with (
        command(tmp_path / "server", "serve", **environment) as server,
        command(tmp_path / "worker", "worker", **environment),
    ):
        wait_until_ready(server)
        ask(server.base, f'mutation {{ addToLibrary(input: {{albumId: "{SERIES}"}}) {{ __typename }} }}')
        number = demo.publish_chapter(SERIES)
        wait_until(lambda: new_chapters(server.base) == [number])


def test_the_library_from_the_command_line(
    environ: Environ, demo: RunningDemo, tmp_path: Path, redis_url: str
) -> None:
    environment = environ(JMGRAPH_REDIS_URL=redis_url)

    def library(*arguments: str) -> tuple[int, list[str]]:
        done = run(tmp_path / arguments[0], "library", *arguments, **environment)
        assert "Traceback" not in done.err, done.err
        return done.code, done.out.splitlines()

    empty = library("list")
    added = library("add", f"JM{SERIES}", SINGLE, "99999999999")
    with sqlite3.connect(Path(environment["JMGRAPH_DATA_DIR"]) / "jmgraph.sqlite3") as database:
        database.execute("UPDATE albums SET checked_at_ms = checked_at_ms - 3600000")
    demo.publish_chapter(SERIES)
    checked = library("check")
    removed = library("remove", SINGLE, SINGLE)
    unknown = library("list", "--user", "nobody")

    assert empty == (0, ["no albums"])
    assert added == (
        1,
        [
            f"added {SERIES} 林間小徑的四季",
            f"added {SINGLE} 雨林深處的一天",
            "99999999999: Album not found: id=99999999999",
        ],
    )
    assert checked[0] == 0
    assert checked[1][0] == "looked at 2 albums"
    assert [line.split()[:3] for line in checked[1][2:]] == [[SERIES, "1", "5"]]
    assert removed == (1, [f"removed {SINGLE}", f"{SINGLE} is not in the library"])
    assert unknown[0] != 0
    assert [line.split()[0] for line in library("list")[1][1:]] == [SERIES]


def test_kept_files_from_the_command_line(environ: Environ, tmp_path: Path, redis_url: str) -> None:
    environment = environ(JMGRAPH_REDIS_URL=redis_url)

    def jmgraph(*arguments: str) -> tuple[int, list[str]]:
        done = run(tmp_path / "command", *arguments, **environment)
        assert "Traceback" not in done.err, done.err
        return done.code, done.out.splitlines()

    downloaded = jmgraph("download", SINGLE, "--keep")
    kept = Path(downloaded[1][0])
    moved = kept.rename(kept.with_name("moved.cbz"))
    scanned = jmgraph("library", "scan")
    exported = jmgraph("library", "export", SINGLE, "--to", str(tmp_path / "out"))
    nothing = jmgraph("library", "export", SERIES, "--to", str(tmp_path / "out"))

    library = Path(environment["JMGRAPH_DATA_DIR"]) / "library"
    copy = tmp_path / "out" / moved.relative_to(library.resolve())
    assert downloaded[0] == 0
    assert kept.is_relative_to(library.resolve())
    assert kept.name.endswith(f" [JM{SINGLE}].cbz")
    assert scanned == (0, ["1 files: 0 adopted, 1 found elsewhere"])
    assert exported == (0, [str(copy)])
    assert copy.read_bytes() == moved.read_bytes()
    assert nothing == (1, [])
