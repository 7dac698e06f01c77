"""The host's commands for accounts and backups, as processes."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import ROOT


class Jmgraph:
    """The command line on one data directory and database."""

    def __init__(self, data_dir: Path, database_url: str) -> None:
        self.data_dir = data_dir
        ours = {"JMGRAPH_DATA_DIR": str(data_dir), "JMGRAPH_DATABASE_URL": database_url, "PYTHONPATH": str(ROOT)}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("JMGRAPH_")}
        self._environment = inherited | ours

    def run(self, *arguments: str, stdin: str = "") -> tuple[int, list[str], str]:
        """Exit code, lines of stdout, and stderr."""
        done = subprocess.run(
            [sys.executable, "-m", "cli", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            cwd=self.data_dir.parent,
            env=self._environment,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout.splitlines(), done.stderr


@pytest.fixture
def jmgraph(tmp_path: Path, database_url: str) -> Jmgraph:
    """The command line with an empty database, once on SQLite and once on PostgreSQL."""
    return Jmgraph(tmp_path / "data", database_url)


def test_accounts_are_managed_from_the_terminal(jmgraph: Jmgraph) -> None:
    added = jmgraph.run("user", "add", "Alice", "--password-stdin", stdin="correct-horse\n")
    again = jmgraph.run("user", "add", "ALICE", "--password-stdin", stdin="correct-horse\n")
    jmgraph.run("user", "add", "bob", "--password-stdin", stdin="correct-horse\n")
    listed = jmgraph.run("user", "list")
    removed = jmgraph.run("user", "remove", "bob")
    unknown = jmgraph.run("user", "remove", "bob")

    assert added[0] == 0
    assert added[1][0] == "added Alice (administrator)"
    assert added[1][1].startswith("the server is closed now")
    assert again == (1, [], "jmgraph: This name is taken.\n")
    assert [line.split()[:2] for line in listed[1][1:]] == [["Alice", "administrator"], ["bob", "account"]]
    assert removed[:2] == (0, ["removed bob"])
    assert unknown == (1, [], "jmgraph: There is no such user.\n")


@pytest.mark.parametrize("name", ["ab", "jm:reader", "al ice"])
def test_a_name_that_can_not_be_is_one_line(jmgraph: Jmgraph, name: str) -> None:
    code, out, error = jmgraph.run("user", "add", name, "--password-stdin", stdin="correct-horse\n")

    assert (code, out) == (1, [])
    assert error.startswith("jmgraph: A name has ")
    assert error.count("\n") == 1


def test_a_token_is_the_only_line_of_its_command(jmgraph: Jmgraph) -> None:
    jmgraph.run("user", "add", "alice", "--password-stdin", stdin="correct-horse\n")

    code, out, error = jmgraph.run("user", "token", "alice", "--label", "phone", "--scope", "read")

    assert (code, error) == (0, "")
    assert len(out) == 1
    assert out[0].startswith("jmg_")


def test_a_backup_restores_people_and_the_secret_key(jmgraph: Jmgraph, tmp_path: Path) -> None:
    jmgraph.run("user", "add", "alice", "--password-stdin", stdin="correct-horse\n")
    (jmgraph.data_dir / "secret.key").write_bytes(b"a key that was made once")
    file = tmp_path / "people.zip"

    written = jmgraph.run("backup", str(file))
    jmgraph.run("user", "remove", "alice")
    (jmgraph.data_dir / "secret.key").unlink()
    restored = jmgraph.run("restore", str(file))

    assert written[0] == 0, written
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert restored[0] == 0, restored
    assert jmgraph.run("user", "list")[1][1].split()[:2] == ["alice", "administrator"]
    assert (jmgraph.data_dir / "secret.key").read_bytes() == b"a key that was made once"
    assert stat.S_IMODE((jmgraph.data_dir / "secret.key").stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"this is no backup", b"PK\x03\x04 nor is this"])
def test_what_is_no_backup_changes_nothing(jmgraph: Jmgraph, tmp_path: Path, content: bytes) -> None:
    jmgraph.run("user", "add", "alice", "--password-stdin", stdin="correct-horse\n")
    file = tmp_path / "people.zip"
    file.write_bytes(content)

    code, _, error = jmgraph.run("restore", str(file))

    assert code == 1
    assert error.endswith("no backup of jmgraph\n")
    assert jmgraph.run("user", "list")[1][1].split()[0] == "alice"


def test_a_backup_that_can_not_be_written_is_one_line(jmgraph: Jmgraph, tmp_path: Path) -> None:
    code, out, error = jmgraph.run("backup", str(tmp_path / "missing" / "people.zip"))

    assert (code, out) == (1, [])
    assert error.endswith("No such file or directory\n")
