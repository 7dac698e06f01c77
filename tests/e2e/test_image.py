"""The image: built from the Dockerfile as it is, and started as an engine starts it."""

from __future__ import annotations

import re
import signal
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from tests.e2e.conftest import Environ
from tests.e2e_processes import ask, descendants, is_alive
from tests.images import PYTHON, ROOT, Image, built_image, container, mounted, served_source, why_not_here
from tests.waiting import wait_until

pytestmark = pytest.mark.image

START = 'mutation { startDownload(input: { albumId: "163348", archive: CBZ }) { ... on Download { id } } }'
READ = "query ($id: ID!) { download(id: $id) { state file { url } progress { pagesTotal } } }"
GRACE_S = 10.0
"""What an engine gives a container between SIGTERM and SIGKILL, unless told otherwise."""
LARGEST_BYTES = 400_000_000
FOR_DEVELOPERS = {"editables", "fastapi", "hatchling", "hypothesis", "moto", "mypy", "pip", "pytest", "ruff"}
BUILD_TOOLS = {"ar", "as", "c++", "cc", "cpp", "g++", "gcc", "ld", "make", "rustc", "go", "node", "npm"}


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    if reason := why_not_here():
        pytest.skip(reason)
    with built_image() as image:
        yield image


@pytest.mark.parametrize("user", ["", "1000650000:4"], ids=["its own user", "any user"])
def test_a_container_becomes_healthy_downloads_an_album_and_ends_in_time(
    image: Image, environ: Environ, tmp_path: Path, user: str
) -> None:
    settings = environ(JMGRAPH_DATA_DIR="/data")

    with container(image, tmp_path / "container", user=user, **settings) as started:
        wait_until(started.is_healthy)
        base = started.command.base
        id = ask(base, START)["startDownload"]["id"]
        wait_until(lambda: ask(base, READ, id=id)["download"]["state"] == "READY")
        download = ask(base, READ, id=id)["download"]
        with urllib.request.urlopen(download["file"]["url"]) as answer:
            archive = zipfile.ZipFile(BytesIO(answer.read()))
        pages = [name for name in archive.namelist() if not name.endswith(".xml")]
        processes = [started.pid, *descendants(started.pid)]
        began = time.monotonic()
        ended = started.stop(signal.Signals[image.config["StopSignal"]])

    assert len(pages) == download["progress"]["pagesTotal"]
    assert ended.code == 0
    assert time.monotonic() - began < GRACE_S
    assert len(processes) >= 4
    assert [pid for pid in processes if is_alive(pid)] == []


def test_only_the_data_and_tmp_can_be_written(image: Image, environ: Environ, tmp_path: Path) -> None:
    with container(image, tmp_path / "container", user="0:0", **environ(JMGRAPH_DATA_DIR="/data")) as started:
        wait_until(started.is_healthy)
        places = ("/", "/etc/", "/opt/jmgraph/", "/usr/", "/var/", "/data/", "/tmp/")
        writable = [place for place in places if started.run("touch", f"{place}probe").returncode == 0]

    assert writable == ["/data/", "/tmp/"]


def test_it_holds_no_compiler_no_tests_and_no_developers_packages(image: Image) -> None:
    packages = next((image.root / "opt/jmgraph/lib").glob("python3.*/site-packages"))
    ours = {path.name for path in packages.iterdir()}
    installed = {_normal(path.name.partition("-")[0]) for path in packages.glob("*.dist-info")}
    locked = re.findall(r"^([\w.-]+)==", (ROOT / "requirements.server.lock").read_text("utf-8"), re.MULTILINE)

    assert {"schema", "services", "rest", "demo"} <= ours
    assert ours & {"tests", "benchmarks", "tools", "web"} == set()
    assert installed <= {"jmgraph", *map(_normal, locked)}
    assert installed & FOR_DEVELOPERS == set()
    assert {path.name for path in image.files() if path.parent.name in ("bin", "sbin")} & BUILD_TOOLS == set()


def test_the_page_is_in_it(image: Image) -> None:
    assert [path.name for path in image.files() if path.match("*/rest/static/index.html")] == ["index.html"]


def test_it_adds_less_than_400_mb_to_its_base(image: Image) -> None:
    with mounted(PYTHON) as base:
        added_bytes = image.size_bytes() - base.size_bytes()

    assert 50_000_000 < added_bytes < LARGEST_BYTES


def test_a_space_is_built_from_fetched_source_and_answers_by_its_name(environ: Environ, tmp_path: Path) -> None:
    if reason := why_not_here():
        pytest.skip(reason)
    settings = environ(JMGRAPH_DATA_DIR="/data", SPACE_HOST="reader-comics.hf.space")

    with (
        served_source(tmp_path) as source,
        built_image("jmgraph-space-test", "deploy/huggingface/Dockerfile", SOURCE=source) as space,
        container(space, tmp_path / "container", **settings) as started,
    ):
        wait_until(started.is_healthy)
        named = urllib.request.Request(f"{started.command.base}/", headers={"Host": "reader-comics.hf.space"})
        with urllib.request.urlopen(named) as answer:
            page = answer.read().decode()
        configured = dict(setting.split("=", 1) for setting in space.config["Env"])

    assert configured["JMGRAPH_PORT"] == "7860"
    assert list(space.config["ExposedPorts"]) == ["7860/tcp"]
    assert "<title>jmgraph</title>" in page


def _normal(package: str) -> str:
    """Its name as package indexes compare it."""
    return package.lower().replace("_", "-").replace(".", "-")
