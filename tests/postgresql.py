"""A real PostgreSQL on loopback, from Debian's packages."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg

from tests.processes import free_port
from tests.waiting import wait_until

_SETTINGS = ("fsync=off", "full_page_writes=off", "listen_addresses=127.0.0.1", "log_min_messages=warning")
_USER = "postgres"
"""The server refuses to run as root; the package brings this user."""


class PostgreSQLMissing(Exception):
    """PostgreSQL is not installed here."""


class PostgreSQL:
    """A server with a cluster of its own; it can be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._data = folder / "data"
        self._server: subprocess.Popen[bytes] | None = None
        self._runs_as = _USER if os.geteuid() == 0 else None
        if self._runs_as:
            shutil.chown(folder, self._runs_as)
        initdb = [_program("initdb"), "--no-sync", "--auth=trust", f"--username={_USER}", "--encoding=UTF8"]
        subprocess.run(
            [*initdb, "--pgdata", str(self._data)],
            check=True,
            capture_output=True,
            timeout=120,
            cwd=folder,
            user=self._runs_as,
        )

    def url(self, database: str = _USER) -> str:
        """URL of a database of this server."""
        return f"postgresql://{_USER}@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """URL of a new, empty database."""
        name = f"test_{uuid4().hex}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.url(name)

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        settings = (*_SETTINGS, f"port={self.port}", f"unix_socket_directories={self._folder}")
        options = [f"-c{setting}" for setting in settings]
        with (self._folder / "log").open("ab") as log:
            self._server = subprocess.Popen(
                [_program("postgres"), "-D", str(self._data), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                user=self._runs_as,
            )
        wait_until(self._answers)

    def stop(self) -> None:
        """Stop the server, and with it every connection."""
        if self._server is not None:
            self._server.send_signal(signal.SIGINT)  # SIGTERM would wait for the clients to go
            self._server.wait(30)
            self._server = None

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def running_postgresql() -> Iterator[PostgreSQL]:
    """A server during the block. Raises `PostgreSQLMissing`."""
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))  # a socket's path is short
    try:
        server = PostgreSQL(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _program(name: str) -> str:
    """Path of a program of the server; Debian keeps it out of the PATH."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = next((str(folder / name) for folder in folders if (folder / name).exists()), None) or shutil.which(name)
    if found is None:
        raise PostgreSQLMissing
    return found
