"""The short commands: doctor, schema, ehtag, and `--help`."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pygit2
import pytest
from typer.testing import CliRunner

from cli import cli
from commands.ehtag import ReceivedBytes
from demo.server import RunningDemo
from services.ehtag import FetchProgress
from tests.e2e.conftest import Environ
from tests.e2e_processes import run, run_on_terminal
from tests.tag_repositories import FILES, MakeTagRepository

ROOT = Path(__file__).resolve().parents[2]


def test_doctor_reports_each_dependency_and_what_to_do(
    environ: Environ, tmp_path: Path, redis_url: str, demo: RunningDemo
) -> None:
    demo.knobs.set("html-1", failure="challenge")
    demo.knobs.set("html-2", failure="region")
    settings = environ(
        JMGRAPH_REDIS_URL=redis_url,
        JMGRAPH_LOG_LEVEL="error",
        JMGRAPH_JM_METHOD="auto",
        JMGRAPH_JM_API_URLS=f"{demo.api_urls[0]},{demo.dead_url}",
    )

    ended = run(tmp_path / "doctor", "doctor", **settings)

    lines = ended.out.splitlines()
    assert (ended.code, ended.err) == (1, "")
    assert [line.partition(": ")[0] for line in lines[:4]] == [
        "ok   disk",
        "ok   redis",
        "ok   storage",
        "ok   tag database",
    ]
    [dead] = [line for line in lines if demo.dead_url in line]
    assert dead.startswith("FAIL api ")
    assert "unreachable" in dead
    assert "drop this address" in dead
    [challenged] = [line for line in lines if demo.html_urls[0] in line]
    assert "challenged" in challenged
    assert "JMGRAPH_JM_METHOD=api" in challenged
    [refused] = [line for line in lines if demo.html_urls[1] in line]
    assert "region blocked" in refused
    assert "JMGRAPH_JM_PROXY" in refused
    assert [line for line in lines if line.startswith("ok   api ")] != []
    answering, known = 1 + len(demo.image_urls), 2 + len(demo.html_urls) + len(demo.image_urls)
    assert lines[-1] == (
        f"ok   site: {answering} of {known} hosts answer: unreachable (1), challenged (1), region blocked (1)"
    )


def test_doctor_sums_up_a_network_without_a_name_server(environ: Environ, tmp_path: Path) -> None:
    names = {f"JMGRAPH_JM_{role}_URLS": f"http://{role.lower()}.invalid" for role in ("API", "HTML", "IMAGE")}

    ended = run(tmp_path / "doctor", "doctor", **environ(**names, JMGRAPH_LOG_LEVEL="error", NO_PROXY="*"))

    assert ended.code == 1
    assert ended.out.splitlines()[-4:] == [
        "FAIL api http://api.invalid: DNS fails",
        "FAIL html http://html.invalid: DNS fails",
        "FAIL image http://image.invalid: DNS fails",
        "FAIL site: 0 of 3 hosts answer: DNS fails — check this machine's name server, or set JMGRAPH_JM_PROXY",
    ]


def test_doctor_exits_with_0_without_problems(environ: Environ, tmp_path: Path) -> None:
    ended = run(tmp_path / "doctor", "doctor", **environ(JMGRAPH_LOG_LEVEL="error"))

    assert (ended.code, ended.err) == (0, ""), ended
    assert {line[:5] for line in ended.out.splitlines()} == {"ok   "}


def test_doctor_says_where_files_stay_and_when_they_can_not(environ: Environ, tmp_path: Path) -> None:
    settings = environ(JMGRAPH_LOG_LEVEL="error", JMGRAPH_LIBRARY_DIR=str(tmp_path / "shelf"))

    well = run(tmp_path / "doctor", "doctor", **settings)
    (tmp_path / "shelf").rmdir()
    (tmp_path / "shelf").write_text("in the way")
    ill = run(tmp_path / "doctor", "doctor", **settings)

    [line] = [line for line in well.out.splitlines() if line.startswith("ok   library: ")]
    assert re.fullmatch(r"ok   library: [\d.]+ GB free in .+/shelf", line)
    assert ill.code == 1
    assert (
        "FAIL library: File exists — set JMGRAPH_LIBRARY_DIR to a folder that can be written" in ill.out.splitlines()
    )


def test_doctor_checks_every_dependency_though_nothing_can_be_written(
    environ: Environ, tmp_path: Path, demo: RunningDemo
) -> None:
    data_dir = tmp_path / "[b]tea[/x]"
    data_dir.parent.mkdir()
    data_dir.write_text("in the way")

    ended = run(tmp_path / "doctor", "doctor", **environ(JMGRAPH_DATA_DIR=str(data_dir), JMGRAPH_LOG_LEVEL="error"))

    lines = ended.out.splitlines()
    assert ended.code == 1
    assert [line.partition(": ")[0] for line in lines[:5]] == [
        "FAIL disk",
        "FAIL redis",
        "FAIL storage",
        "FAIL tag database",
        "FAIL people",
    ]
    assert str(data_dir) in lines[1]
    assert [line for line in lines if line.startswith(f"ok   api {demo.api_urls[0]}")] != []
    assert "Traceback" not in ended.err


def test_doctor_checks_what_the_site_answers(environ: Environ, tmp_path: Path, demo: RunningDemo) -> None:
    ended = run(tmp_path / "doctor", "doctor", "--site", **environ(JMGRAPH_LOG_LEVEL="error"))

    assert (ended.code, ended.err) == (0, ""), ended
    lines = [line.split(maxsplit=2) for line in ended.out.splitlines()]
    assert {verdict for _, verdict, _ in lines} == {"ok", "skipped"}
    assert ["api.single", "ok", "600408: 8 pages"] in lines
    assert [name for name, verdict, _ in lines if verdict == "skipped"] == ["api.domains", "web.domains"]
    assert demo.requests.count() < 20
    assert not (tmp_path / "data" / "jm-hosts.json").exists()


def test_doctor_says_what_to_report_and_nothing_secret(environ: Environ, tmp_path: Path, demo: RunningDemo) -> None:
    demo.knobs.set("api-1", failure="decoy")
    demo.knobs.set("html", failure="login")
    urls = [url.replace("http://", "http://someone:hidden@") for url in demo.api_urls]

    ended = run(tmp_path / "doctor", "doctor", "--site", **environ(JMGRAPH_JM_API_URLS=",".join(urls)))

    assert ended.code == 1
    lines = {name: words for name, *words in (line.split(maxsplit=2) for line in ended.out.splitlines())}
    assert lines["api.number"][0] == "tolerated"
    assert "a host served a decoy, another album's answer" in lines["api.number"][1]
    assert lines["web.ranking"] == [
        "broken",
        "login required: a login is asked for — nobody is logged in here: it shows this to members alone",
    ]
    assert lines["web.chapter"] == ["skipped", "the web pages do not answer"]
    assert "hidden" not in ended.out + ended.err
    assert "\x1b" not in ended.out
    assert len(ended.err.splitlines()) < 20


def test_the_tag_database_is_cloned_checked_and_exported(
    environ: Environ, tmp_path: Path, make_tag_repository: MakeTagRepository
) -> None:
    remote = make_tag_repository("remote")
    settings = environ(JMGRAPH_EHTAG_REMOTE=str(remote.folder), JMGRAPH_LOG_LEVEL="error")

    cloned = run(tmp_path / "sync", "ehtag", "sync", **settings)
    again = run(tmp_path / "again", "ehtag", "sync", **settings)
    checked = run(tmp_path / "check", "ehtag", "check", **settings)
    exported = run(tmp_path / "export", "ehtag", "export", "--format", "text", **settings)
    filed = run(
        tmp_path / "file", "ehtag", "export", "--format", "text", "--out", str(tmp_path / "db.json"), **settings
    )

    assert re.fullmatch(rf"cloned: {remote.head[:8]}, 7 tags; \d+\.\d kB in \d+\.\d s\n", cloned.out)
    assert re.fullmatch(rf"up to date: {remote.head[:8]}, 7 tags; 0 bytes in \d+\.\d s\n", again.out)
    assert (checked.code, checked.out, checked.err) == (0, "", "7 tags, 0 reports\n")
    assert json.loads(exported.out)["head"]["sha"] == remote.head
    assert filed.out == ""
    assert (tmp_path / "db.json").read_text("utf-8") == exported.out


def _make_unusable(folder: Path, kind: str, make_tag_repository: MakeTagRepository) -> None:
    """Put a folder of this kind there, from which no tag database can be read."""
    if kind == "letters":
        folder.mkdir(parents=True)
        (folder / "letter.txt").write_text("dear")
    elif kind == "unborn":
        pygit2.init_repository(str(folder), bare=True)
    elif kind == "code":
        make_tag_repository("code", files={"main.c": b"int main;\n"}).folder.rename(folder)
    elif kind == "broken":
        repository = make_tag_repository("broken")
        (repository.folder / "objects" / repository.head[:2] / repository.head[2:]).unlink()
        repository.folder.rename(folder)


@pytest.mark.parametrize("arguments", [("check",), ("export", "--format", "raw")])
@pytest.mark.parametrize(
    ("kind", "is_set"),
    [
        ("missing", True),
        ("letters", True),
        ("letters", False),
        ("unborn", True),
        ("unborn", False),
        ("code", False),
        ("broken", False),
    ],
)
def test_a_repository_that_can_not_be_used_is_one_line_and_no_starter_glossary(
    environ: Environ,
    tmp_path: Path,
    make_tag_repository: MakeTagRepository,
    arguments: tuple[str, ...],
    kind: str,
    is_set: bool,
) -> None:
    folder = tmp_path / ("tags-here" if is_set else "data/ehtag")
    folder.parent.mkdir(exist_ok=True)
    _make_unusable(folder, kind, make_tag_repository)
    settings = environ(**({"JMGRAPH_EHTAG_REPOSITORY": str(folder)} if is_set else {}))

    ended = run(tmp_path / "run", "ehtag", *arguments, **settings)

    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith(f"jmgraph: JMGRAPH_EHTAG_REPOSITORY='{folder}': ")
    assert ended.err.count("\n") == 1


def test_an_export_without_any_repository_says_that_it_is_the_starter_glossary(
    environ: Environ, tmp_path: Path
) -> None:
    ended = run(tmp_path / "run", "ehtag", "export", "--format", "raw", **environ())

    assert ended.code == 0
    assert json.loads(ended.out)["version"] == 7
    assert ended.err == "the starter glossary; `jmgraph ehtag sync` gets the tag database\n"


def test_a_check_names_what_this_server_does_not_know_and_fails(
    environ: Environ, tmp_path: Path, make_tag_repository: MakeTagRepository
) -> None:
    repository = make_tag_repository(files={**FILES, "version": b"8\n", "database/misc.md": b"x\n"})
    settings = environ(JMGRAPH_EHTAG_REPOSITORY=str(repository.folder), JMGRAPH_LOG_LEVEL="error")

    checked = run(tmp_path / "check", "ehtag", "check", **settings)
    exported = run(tmp_path / "export", "ehtag", "export", "--format", "raw", **settings)

    assert (checked.code, checked.err) == (1, "7 tags, 2 reports\n")
    assert [line.partition(":")[0] for line in checked.out.splitlines()] == ["version", "database/misc.md"]
    assert (exported.code, json.loads(exported.out)["version"]) == (0, 8)


def test_log_lines_and_the_bar_of_a_sync_have_lines_of_their_own(
    environ: Environ, tmp_path: Path, make_tag_repository: MakeTagRepository
) -> None:
    remote = make_tag_repository("remote")
    settings = environ(
        JMGRAPH_EHTAG_REMOTE=str(remote.folder),
        JMGRAPH_LOG_FORMAT="console",
        JMGRAPH_LOG_LEVEL="debug",
        TERM="xterm",
        COLUMNS="200",
    )
    synced = run_on_terminal(tmp_path, "ehtag", "sync", **settings)

    # a carriage return and the code for an erased line begin a line anew; other codes are colours
    written = [re.split(r"\r|\x1b\[2K", line.rstrip("\r"))[-1] for line in synced.out.split("\n")]
    lines = [re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", line).strip() for line in written]
    events = [line for line in lines if "the tag database" in line]
    assert [re.sub(r"^[\dTZ.:-]+ \[info +\] ([a-z ]*[a-z]) .*", r"\1", line) for line in events] == [
        "cloning the tag database",
        "the tag database moved",
    ]
    assert synced.code == 0
    assert "asking the remote" in synced.out
    assert lines[-2].startswith("cloned: ")


def test_the_bytes_of_a_second_fetch_are_added_to_those_of_the_first() -> None:
    received = ReceivedBytes()
    for size_bytes in (0, 500, 1700, 0, 20, 300):
        received.count(FetchProgress(1, 1, size_bytes, 0, 0))

    assert received.total == 2000


def test_a_remote_that_is_not_there_is_one_line(environ: Environ, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "nowhere", ignore_errors=True)
    settings = environ(JMGRAPH_EHTAG_REMOTE=str(tmp_path / "nowhere"), JMGRAPH_LOG_LEVEL="error")

    ended = run(tmp_path / "sync", "ehtag", "sync", **settings)

    assert (ended.code, ended.out) == (1, "")
    assert len(ended.err.splitlines()) == 1
    assert ended.err.startswith("jmgraph: ")


def test_the_schema_is_printed_as_it_is_in_the_repository() -> None:
    result = CliRunner().invoke(cli, ["schema"])

    assert result.stdout == (ROOT / "schema.graphql").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], ["up", "serve", "worker", "demo", "download", "doctor", "schema", "ehtag"]),
        (["serve"], ["--workers", "Valkey of an `up`"]),
        (["download"], ["--archive", "--out", "Folder to put it in.", "--chapter", "130 interrupted", "JM350234"]),
        (["doctor"], ["--site", "fewer than 20 requests", "tolerated"]),
        (["ehtag"], ["sync", "check", "export"]),
        (["ehtag", "export"], ["--format", "full", "raw", "text", "html", "ast"]),
    ],
)
def test_help_lists_commands_and_options(arguments: list[str], expected: list[str]) -> None:
    result = CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1"}).invoke(cli, [*arguments, "--help"])

    assert result.exit_code == 0
    assert [text for text in expected if text not in result.stdout] == []


def test_an_export_to_a_missing_folder_is_one_line(environ: Environ, tmp_path: Path) -> None:
    out = tmp_path / "nowhere" / "db.json"

    ended = run(tmp_path / "export", "ehtag", "export", "--format", "raw", "--out", str(out), **environ())

    assert (ended.code, ended.out) == (1, "")
    assert ended.err.splitlines()[-1] == (
        f"jmgraph: --out {out}: No such file or directory; a file in a folder that exists"
    )
    assert "Traceback" not in ended.err
