"""The image of the Dockerfile, built without an engine, and containers of it.

buildah builds with chroot isolation. The base images that the Dockerfile names are made here, from Debian's packages;
they are kept in `build/image` for the next run.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.e2e_processes import Command, CompletedCommand, command, descendants
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "image"
SUITE = "trixie"
"""Debian release of the official images `python:3.13-slim` and, but for its Node, `node:22-slim`."""
PYTHON, NODE = "localhost/python:3.13-slim", "localhost/node:22-slim"
"""The names of the Dockerfile; `localhost/` is where buildah looks first for a short name."""
BUILD_TIMEOUT_S = 600
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
PACKAGES = {
    PYTHON: ("python3", "python3-venv", "python-is-python3", "ca-certificates"),
    NODE: ("nodejs", "npm"),
}

_IN_NAMESPACES = """
mount --make-rprivate /
mount --bind "$root" "$root"
mount -o remount,bind,ro "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --bind "$data" "$root/data"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
exec chroot --userspec="$user" --groups= "$root" env -i "$@"
"""


def why_not_here() -> str:
    """What this machine lacks for building and starting the image; empty when nothing."""
    missing = [name for name in ("buildah", "debootstrap", "unshare", "nsenter") if not shutil.which(name)]
    if missing:
        return f"{', '.join(missing)} not installed"
    if os.geteuid() != 0:
        return "building without an engine needs root"
    if _result("unshare", "--mount", "--pid", "--fork", "mount", "--make-rprivate", "/").returncode:
        return "this machine gives no mount namespaces"
    return "" if not _buildah_result("info").returncode else "buildah does not run on this machine"


@dataclass(frozen=True)
class Image:
    """A built image, with its files mounted at `root`."""

    name: str
    root: Path

    @cached_property
    def config(self) -> dict[str, Any]:
        """What the Dockerfile says of a container: Env, Cmd, User, Healthcheck, StopSignal."""
        config: dict[str, Any] = json.loads(_buildah("inspect", "--type", "image", self.name))["Docker"]["config"]
        return config

    def files(self) -> Iterator[Path]:
        """Every regular file."""
        for folder, _, names in os.walk(self.root):
            yield from (path for name in names if stat.S_ISREG((path := Path(folder, name)).lstat().st_mode))

    def size_bytes(self) -> int:
        """What its files take; a file with several names counts once."""
        return sum({(s.st_dev, s.st_ino): s.st_size for s in map(Path.lstat, self.files())}.values())


@contextmanager
def mounted(name: str) -> Iterator[Image]:
    """An image of the store, with its files."""
    container = _buildah("from", "--pull=never", name)
    try:
        yield Image(name, Path(_buildah("mount", container)))
    finally:
        _buildah("rm", container)


@contextmanager
def built_image(name: str = "jmgraph-test", dockerfile: str = "Dockerfile", **arguments: str) -> Iterator[Image]:
    """The image of a Dockerfile, as it is in this checkout, with these build arguments."""
    _make_base_images()
    pip = FOLDER / "pip.conf"
    pip.write_text(_pip_configuration(), "utf-8")
    volumes = {pip: "/etc/pip.conf", CERTIFICATES: str(CERTIFICATES), Path.home() / ".npmrc": "/root/.npmrc"}
    options = [f"--volume={here}:{there}:ro" for here, there in volumes.items() if here.exists()]
    options += [f"--build-arg={assignment}" for assignment in _assignments(arguments)]
    options += [f"--tag=localhost/{name}", f"--file={ROOT / dockerfile}", str(ROOT)]
    _buildah("build", "--isolation=chroot", "--pull=never", "--format=docker", *options)
    with mounted(f"localhost/{name}") as image:
        yield image


@contextmanager
def served_source(folder: Path) -> Iterator[str]:
    """The address of an archive of this checkout, as code hosts make them: all files in one folder."""
    listed = _run("git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard").splitlines()
    with tarfile.open(folder / "main.tar.gz", "w:gz", compresslevel=1) as archive:
        for name in listed:
            archive.add(ROOT / name, f"jmgraph-main/{name}")
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/main.tar.gz"
        finally:
            server.shutdown()


def _make_base_images() -> None:
    """Images with the names of the Dockerfile's; they trust the certificates of their Debian."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    if not _has(PYTHON):
        tree = FOLDER / "debian"
        shutil.rmtree(tree, ignore_errors=True)
        _run("debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES[PYTHON])}", SUITE, str(tree))
        container = _buildah("from", "scratch")
        _buildah("add", container, str(tree), "/")
        _commit(container, PYTHON)
        shutil.rmtree(tree)
    if not _has(NODE):
        container = _buildah("from", "--pull=never", PYTHON)
        install = f"apt-get update -q && apt-get install -qy --no-install-recommends {' '.join(PACKAGES[NODE])}"
        _buildah("run", "--isolation=chroot", container, "sh", "-c", install)
        _commit(container, NODE)


def _has(image: str) -> bool:
    return not _buildah_result("inspect", "--type", "image", image).returncode


def _commit(container: str, image: str) -> None:
    _buildah("config", "--env=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", container)
    _buildah("commit", "--rm", container, image)


def _pip_configuration() -> str:
    """How this machine's pip reaches its package index, for the pip of the build."""
    listed = _run(sys.executable, "-m", "pip", "config", "list")
    found = dict(re.findall(r"^(?:global|:env:)\.([a-z-]+)='(.*)'$", listed, re.MULTILINE))
    kept = {name: found[name] for name in ("index-url", "trusted-host", "proxy") if name in found}
    lines = (f"{name} = {value}" for name, value in {**kept, "cert": str(CERTIFICATES)}.items())
    return "\n".join(["[global]", *lines, ""])


def _buildah(*arguments: str) -> str:
    return _run("buildah", *_store(), *arguments)


def _buildah_result(*arguments: str) -> subprocess.CompletedProcess[str]:
    return _result("buildah", *_store(), *arguments)


def _store() -> tuple[str, ...]:
    return "--root", str(FOLDER / "store"), "--runroot", str(FOLDER / "run")


def _run(*words: str) -> str:
    done = _result(*words)
    assert done.returncode == 0, f"{words[0]} {words[1]}: {(done.stdout + done.stderr)[-3000:]}"
    return done.stdout.strip()


def _result(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=BUILD_TIMEOUT_S)


@dataclass(frozen=True)
class Container:
    """A running container of an image: its own processes and mounts, this machine's network."""

    image: Image
    command: Command
    user: str
    environment: Mapping[str, str]

    @cached_property
    def pid(self) -> int:
        """Its first process, as this machine counts."""
        return descendants(self.command.process.pid)[0]

    def stop(self, number: signal.Signals) -> CompletedCommand:
        """Send its first process a signal to end, as an engine does, and wait."""
        os.kill(self.pid, number)
        return self.command.wait()

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command beside its own, as the same user."""
        uid, _, gid = self.user.partition(":")
        inside = ("nsenter", f"--target={self.pid}", "--mount", "--pid", "--root", "--wd", "-S", uid, "-G", gid)
        return _result(*inside, "env", "-i", *_assignments(self.environment), *words)

    def is_healthy(self) -> bool:
        """What the image's own health check says."""
        assert self.command.process.poll() is None, self.command.err
        words: Sequence[str] = self.image.config["Healthcheck"]["Test"]
        assert words[0] == "CMD"
        return self.run(*words[1:]).returncode == 0


@contextmanager
def container(image: Image, folder: Path, *, user: str = "", **environment: str) -> Iterator[Container]:
    """The command of the image as process 1, on a read-only root but for `/data` and `/tmp`."""
    data = folder / "data"
    data.mkdir(parents=True)
    data.chmod(stat.S_IMODE((image.root / "data").stat().st_mode))
    own = dict(setting.split("=", 1) for setting in image.config["Env"]) | environment
    user = user or image.config["User"]
    words = ["env", f"--chdir={image.config['WorkingDir']}", *_assignments(own), *image.config["Cmd"]]
    outside = {"root": str(image.root), "data": str(data), "user": user}
    program = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-ec", _IN_NAMESPACES, "sh")
    with command(folder, *words, program=program, **own, **outside) as started:
        wait_until(lambda: bool(descendants(started.process.pid)))
        yield Container(image, started, user, own)


def _assignments(environment: Mapping[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in environment.items()]
