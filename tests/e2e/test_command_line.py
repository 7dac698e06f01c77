"""The command line itself: options, logs, misspelt settings, and commands beside a running server."""

from __future__ import annotations

import json
import signal
import socket
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import typer

from cli import cli
from commands.listener import bind, network_url
from commands.server_file import RunningServer, announced, find_server
from services.settings import misspelt_variables, read_settings
from tests.e2e.conftest import Environ
from tests.e2e_processes import command, get, run, run_on_terminal
from tests.processes import free_port
from tests.waiting import wait_until

SERVER = RunningServer(1, "http://127.0.0.1:11111", {"JMGRAPH_DATA_DIR": "elsewhere"})


def test_version_and_help_have_short_options(tmp_path: Path) -> None:
    version = run_on_terminal(tmp_path, "-V", COLUMNS="120")
    help = run_on_terminal(tmp_path, "-h", COLUMNS="120", TERM="dumb")
    of_a_command = run_on_terminal(tmp_path, "ehtag", "export", "-h", COLUMNS="120", TERM="dumb")

    assert (version.code, version.out) == (0, f"jmgraph {read_version()}\r\n")
    assert (help.code, of_a_command.code) == (0, 0)
    assert "--install-completion" in help.out
    assert "--format" in of_a_command.out


def read_version() -> str:
    """As the project's file has it."""
    lines = (Path(__file__).resolve().parents[2] / "pyproject.toml").read_text("utf-8").splitlines()
    return next(line for line in lines if line.startswith("version = ")).split('"')[1]


def test_a_shell_completes_the_names_of_commands(tmp_path: Path) -> None:
    program = [str(Path(sys.executable).parent / "jmgraph")]
    words = {"_JMGRAPH_COMPLETE": "complete_bash", "COMP_WORDS": "jmgraph do", "COMP_CWORD": "1"}

    with command(tmp_path, program=program, **words) as completing:
        ended = completing.wait()

    assert ended.out.split() == ["download", "doctor"]


def test_up_takes_its_address_from_options_and_says_where_it_listens(environ: Environ, tmp_path: Path) -> None:
    port, data_dir = free_port(), tmp_path / "chosen"
    settings = environ(JMGRAPH_PORT="1", JMGRAPH_DATA_DIR=str(tmp_path / "unused"), JMGRAPH_PROT="1")
    arguments = ("--host", "127.0.0.1", "--port", str(port), "--data-dir", str(data_dir))
    with command(tmp_path / "up", "up", *arguments, **settings) as up:
        wait_until(lambda: "GraphiQL" in up.out)

        assert get(f"http://127.0.0.1:{port}/healthz") == {"status": "ok"}
        assert up.out == (
            f"jmgraph {read_version()} runs at http://127.0.0.1:{port}. Ctrl-C ends everything.\n\n"
            f"  page      http://127.0.0.1:{port}/\n"
            f"  GraphiQL  http://127.0.0.1:{port}/graphql\n\n"
        )
        assert json.loads((data_dir / "server.json").read_text("utf-8"))["pid"] == up.process.pid
        wait_until(lambda: len(up.events("the worker is ready")) == 1)
        assert len(up.events("JMGRAPH_PROT is no setting; the nearest is JMGRAPH_PORT")) == 1
        assert up.stop().code == 0

    assert not (data_dir / "server.json").exists()
    assert not (tmp_path / "unused").exists()


def test_short_commands_go_through_a_running_demo(tmp_path: Path, pictures: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "site").symlink_to(pictures)  # drawn once for all tests
    port = free_port()
    settings = {"JMGRAPH_DATA_DIR": str(data), "JMGRAPH_DISK_FLOOR": "0", "JMGRAPH_LOG_FORMAT": "", "COLUMNS": "300"}
    typed = "163348\nhttps://comics.example/album/350234\n\x04"
    note = f"jmgraph: through the demo at http://127.0.0.1:{port}"
    with command(tmp_path / "demo", "demo", "--port", str(port), **settings) as demo:
        wait_until(lambda: "Ctrl-C ends it" in demo.out)

        downloaded = run_on_terminal(tmp_path, "download", "-", "--out", str(tmp_path), typed=typed, **settings)
        settings["JMGRAPH_DATA_DIR"] = str(tmp_path / "unused")
        checked = run(tmp_path / "doctor", "doctor", "--data-dir", str(data), **settings)
        tags = run(tmp_path / "tags", "ehtag", "check", "--data-dir", str(data), **settings)

        assert downloaded.code == 0, downloaded.out
        assert note in downloaded.out
        assert len(list(tmp_path.glob("*.zip"))) == 2
        assert {line[:5] for line in checked.out.splitlines()} == {"ok   "}
        assert checked.out.startswith(f"ok   server: http://127.0.0.1:{port}, ")
        assert checked.out.splitlines()[-1].startswith("ok   site: ")
        assert checked.err == f"{note}\n"
        assert tags.err.splitlines()[0] == note
        assert demo.stop(signal.SIGINT).code == 0

    assert not (data / "server.json").exists()
    assert not (tmp_path / "unused").exists()


def test_every_command_that_reads_settings_takes_a_data_directory() -> None:
    commands = dict(leaf_commands(typer.main.get_group(cli)))
    options = {
        name: {option for each in command.params for option in each.opts} for name, command in commands.items()
    }

    assert [name for name in options if "--data-dir" not in options[name]] == ["schema"]


def leaf_commands(group: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Each command with its whole name: "ehtag sync"."""
    for name, member in group.commands.items():
        if hasattr(member, "commands"):
            yield from leaf_commands(member, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", member


def test_short_commands_log_warnings_in_words(environ: Environ, tmp_path: Path) -> None:
    settings = environ(JMGRAPH_LOG_FORMAT="", JMGRAPH_DONWLOAD_JOBS="3", JMGRAPH_GARDEN="roses")

    ended = run(tmp_path / "doctor", "ehtag", "export", "--format", "raw", **settings)

    assert ended.code == 0
    assert ended.err.splitlines() == [
        "jmgraph: warning: JMGRAPH_DONWLOAD_JOBS is no setting; the nearest is JMGRAPH_DOWNLOAD_JOBS",
        "jmgraph: warning: JMGRAPH_GARDEN is no setting; docs/settings.md has them all",
        "the starter glossary; `jmgraph ehtag sync` gets the tag database",
    ]


def test_misspelt_names_are_found_in_the_environment_and_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JMGRAPH_JM_PROXI", "http://someone:hidden@proxy.example")
    monkeypatch.setenv("JMGRAPH_PORT", "80")
    Path(".env").write_text("JMGRAPH_LOG_LEVL=debug\njmgraph_host=::1\nOTHER=1\n", "utf-8")

    assert misspelt_variables() == {
        "JMGRAPH_JM_PROXI": "JMGRAPH_JM_PROXY",
        "JMGRAPH_LOG_LEVL": "JMGRAPH_LOG_LEVEL",
    }


def test_the_file_of_a_server_is_there_until_its_end_and_its_owners_alone(tmp_path: Path) -> None:
    settings = read_settings(data_dir=tmp_path)

    with announced(tmp_path, SERVER):
        found = find_server(settings)
        mode = stat.S_IMODE((tmp_path / "server.json").stat().st_mode)

    assert found == SERVER
    assert mode == 0o600
    assert find_server(settings) is None
    assert not (tmp_path / "server.json").exists()


def test_the_file_of_a_killed_server_is_ignored_and_overwritten(tmp_path: Path) -> None:
    settings = read_settings(data_dir=tmp_path)
    left = {"pid": 1, "url": "http://127.0.0.1:1", "environment": {"JMGRAPH_DATA_DIR": "a longer name than the next"}}
    (tmp_path / "server.json").write_text(json.dumps(left))

    before = find_server(settings)
    with announced(tmp_path, SERVER):
        after = find_server(settings)

    assert before is None
    assert after == SERVER


def test_a_second_server_on_a_data_directory_leaves_the_file_of_the_first(tmp_path: Path) -> None:
    with announced(tmp_path, SERVER):
        with announced(tmp_path, RunningServer(2, "http://127.0.0.1:2")):
            pass
        found = find_server(read_settings(data_dir=tmp_path))

    assert found == SERVER


def test_a_demo_is_found_where_no_data_directory_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JMGRAPH_DATA_DIR", raising=False)
    folder = Path("data/demo")
    folder.mkdir(parents=True)

    with announced(folder, SERVER):
        assert find_server(read_settings()) == SERVER
        assert find_server(read_settings(data_dir=Path("data"))) is None


def test_the_address_on_the_local_network_reaches_a_listener_that_is_open_to_it() -> None:
    with bind("0.0.0.0", 0) as open_listener, bind("127.0.0.1", 0) as local_listener:
        url = network_url(open_listener)

        assert network_url(local_listener) is None
        if url is None:
            pytest.skip("this machine has no network")
        parts = urlsplit(url)
        socket.create_connection((parts.hostname, parts.port), timeout=5).close()
