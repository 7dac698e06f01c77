"""The wheel: built, installed into a fresh environment and run from there, away from the checkout."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
import sysconfig
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest

from tests.e2e.conftest import Environ
from tests.e2e_processes import command
from tests.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, with the page as it is built."""
    if not (ROOT / "rest" / "static" / "index.html").is_file() and shutil.which("npm") is None:
        pytest.skip("the page is not built, and there is no Node to build it")
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    [file] = folder.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`jmgraph` of a fresh environment that holds the wheel; the packages it needs are those of this environment."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    has_pip = importlib.util.find_spec("pip") is not None  # where venv lacks ensurepip, the system's pip is used
    pip = [sys.executable if has_pip else "python3", "-m", "pip", "--python", str(python)]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel)], check=True)
    [site_packages] = folder.glob("lib/python3.*/site-packages")
    # a plain path: the .pth files in it, that of the checkout among them, are not read
    (site_packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"), "utf-8")
    return folder / "bin" / "jmgraph"


def read(url: str, accept: str = "*/*") -> str:
    request = urllib.request.Request(url, headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=20) as response:
        text: str = response.read().decode()
        return text


def test_it_holds_the_page_and_every_data_file_of_the_packages(wheel: Path) -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    packages = ("schema", "resolvers", "services", "rest", "commands", "demo")
    tracked = {name for name in listed.split("\0") if name.startswith(tuple(f"{package}/" for package in packages))}

    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())

    assert tracked - held == set()
    assert {"app.py", "worker.py", "cli.py", "rest/static/index.html", "rest/static/graphiql.html"} <= held


def test_installed_away_from_the_checkout_it_serves_the_page_and_graphiql(
    program: Path, environ: Environ, tmp_path: Path, redis_url: str
) -> None:
    with command(
        tmp_path / "serve", "serve", program=[str(program)], **environ(JMGRAPH_REDIS_URL=redis_url)
    ) as serve:
        wait_until(serve.is_ready)

        page = read(f"{serve.base}/", accept="text/html")
        graphiql = read(f"{serve.base}/graphql", accept="text/html")
        scripts = [re.search(r'src="\./(assets/[^"]+\.js)"', html) for html in (page, graphiql)]

        assert all(script and len(read(f"{serve.base}/{script[1]}")) > 1000 for script in scripts)
