"""The host's commands for accounts and backups, as processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import ROOT


class Jmgraph:
    """The command line on one data directory."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        ours = {"JMGRAPH_DATA_DIR": str(data_dir), "PYTHONPATH": str(ROOT)}
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
def jmgraph(tmp_path: Path) -> Jmgraph:
    """The command line without a database yet."""
    return Jmgraph(tmp_path / "data")


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


def test_a_password_is_set_and_the_sessions_end(jmgraph: Jmgraph) -> None:
    jmgraph.run("user", "add", "alice", "--password-stdin", stdin="correct-horse\n")

    done = jmgraph.run("user", "passwd", "ALICE", "--password-stdin", stdin="another-horse\n")
    short = jmgraph.run("user", "passwd", "alice", "--password-stdin", stdin="short\n")

    assert done == (0, ["the password is set; all sessions have ended"], "")
    assert short == (1, [], "jmgraph: A password has 8 to 256 characters.\n")


def test_a_backup_is_written_and_restored_from_the_terminal(jmgraph: Jmgraph, tmp_path: Path) -> None:
    file = tmp_path / "people.zip"
    jmgraph.run("user", "add", "alice", "--password-stdin", stdin="correct-horse\n")

    written = jmgraph.run("backup", str(file))
    jmgraph.run("user", "remove", "alice")
    restored = jmgraph.run("restore", str(file))
    refused = jmgraph.run("restore", str(tmp_path / "missing.zip"))

    assert written == (0, [f"wrote {file}; keep it secret"], "")
    assert restored == (0, [f"restored {file}"], "")
    assert refused == (1, [], f"jmgraph: {tmp_path / 'missing.zip'}: No such file or directory\n")
    assert jmgraph.run("user", "list")[1][1].split()[:2] == ["alice", "administrator"]
