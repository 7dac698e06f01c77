"""Finished archives over HTTP: names, ranges, validators, lengths, and files that have expired."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import pytest

from services.downloads import is_safe_stem
from tests.processes import Processes
from tests.waiting import wait_until

ALBUM, LIGHT, LONG = "163348", "431760", "900255"
TWINS = ("900021", "900022")
GONE = {"status": "error", "msg": "File not found or has expired."}
START = """mutation ($input: StartDownloadInput!) { startDownload(input: $input) {
  ... on Download { id state file { name url } } } }"""


@dataclass(frozen=True)
class Ready:
    """A file that is ready, under both of its URLs."""

    name: str
    old: str
    new: str
    body: bytes

    @property
    def etag(self) -> str:
        """Its validator."""
        return f'"{hashlib.sha256(self.body).hexdigest()}"'


@dataclass(frozen=True)
class FileServer:
    """A server with a worker, and its data directory."""

    processes: Processes
    data: Path

    def get(self, path: str, **headers: str) -> httpx.Response:
        """An answer of the server."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.get(f"{self.processes.url()}{path}", headers=named, timeout=60)

    def download(self, album: str) -> str:
        """Name of the file of an album, by the legacy API."""
        response = self.get(f"/v1/download/album/{album}?client_id=files&wait=60")
        assert response.status_code == 200, response.text
        name: str = response.json()["file_name"]
        return name


@pytest.fixture(scope="module")
def file_server(running: Processes) -> FileServer:
    """The first of the API processes."""
    return FileServer(running, running.data_dir)


@pytest.fixture(scope="module")
def ready(file_server: FileServer) -> Ready:
    """A zip."""
    name = file_server.download(ALBUM)
    body = {"query": START, "variables": {"input": {"albumId": ALBUM}}}
    started = httpx.post(f"{file_server.processes.url()}/graphql", json=body, timeout=60).json()["data"][
        "startDownload"
    ]
    assert (started["state"], started["file"]["name"]) == ("READY", f"{name}.zip")
    old, new = f"/v1/download/{quote(name, safe='')}", urlsplit(started["file"]["url"]).path
    return Ready(name, old, new, file_server.get(old).content)


@pytest.fixture(params=["old", "new"])
def path(request: pytest.FixtureRequest, ready: Ready) -> str:
    """Each of the two URLs."""
    address: str = getattr(ready, request.param)
    return address


def test_a_file_comes_whole_with_its_length_and_is_never_compressed(
    file_server: FileServer, ready: Ready, path: str
) -> None:
    response = file_server.get(path, accept_encoding="gzip, br, zstd")

    assert response.status_code == 200
    assert response.content == ready.body
    assert response.headers["content-length"] == str(len(ready.body))
    assert response.headers["content-type"] == "application/zip"
    assert response.headers["etag"] == ready.etag
    assert response.headers["accept-ranges"] == "bytes"
    assert "content-encoding" not in response.headers
    assert f"filename*=UTF-8''{quote(ready.name, safe='')}.zip" in response.headers["content-disposition"]
    assert zipfile.ZipFile(io.BytesIO(response.content)).testzip() is None


def test_head_has_the_headers_of_get(file_server: FileServer, ready: Ready, path: str) -> None:
    head = httpx.head(f"{file_server.processes.url()}{path}", headers={"Range": "bytes=0-9"})
    get = file_server.get(path)

    compared = ("content-length", "content-type", "etag", "accept-ranges", "content-disposition", "cache-control")
    assert head.status_code == 200
    assert head.content == b""
    assert [head.headers[name] for name in compared] == [get.headers[name] for name in compared]


@pytest.mark.parametrize(
    ("value", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=0-99", 0, 99),
        ("bytes=100-", 100, -1),
        ("bytes=-10", -10, -1),
        ("bytes=-999999999999", 0, -1),
        ("bytes=0-999999999999", 0, -1),
        ("BYTES = 5-9", 5, 9),
    ],
)
def test_a_range_is_described_and_sent_exactly(
    file_server: FileServer, ready: Ready, path: str, value: str, first: int, last: int
) -> None:
    size = len(ready.body)
    start, end = first % size, last % size

    response = file_server.get(path, range=value)

    assert response.status_code == 206
    assert response.headers["content-range"] == f"bytes {start}-{end}/{size}"
    assert response.headers["content-length"] == str(end - start + 1)
    assert response.content == ready.body[start : end + 1]


@pytest.mark.parametrize(
    "value", ["bytes=9-5", "bytes=a-b", "bytes=-", "bytes=0-1,5-6", "items=0-1", "bytes=٣-٤", "0-1", ""]
)
def test_a_malformed_range_is_ignored(file_server: FileServer, ready: Ready, path: str, value: str) -> None:
    response = httpx.get(f"{file_server.processes.url()}{path}", headers=[(b"Range", value.encode())], timeout=60)

    assert (response.status_code, len(response.content)) == (200, len(ready.body))


@pytest.mark.parametrize("value", ["bytes=999999999999-", f"bytes={'9' * 40}-", "bytes=-0"])
def test_a_range_after_the_end_is_416_with_the_size(
    file_server: FileServer, ready: Ready, path: str, value: str
) -> None:
    response = file_server.get(path, range=value)

    assert response.status_code == 416
    assert response.headers["content-range"] == f"bytes */{len(ready.body)}"
    assert response.headers["content-type"] == "application/json"


@pytest.mark.parametrize(("validator", "status"), [("{}", 206), ("W/{}", 200), ('"other"', 200), ("Tue", 200)])
def test_a_range_of_another_file_is_never_sent(
    file_server: FileServer, ready: Ready, path: str, validator: str, status: int
) -> None:
    response = file_server.get(path, range="bytes=0-9", if_range=validator.format(ready.etag))

    assert response.status_code == status
    assert len(response.content) == (10 if status == 206 else len(ready.body))


@pytest.mark.parametrize("known", ["{}", "W/{}", '"other", {}', "*"])
def test_a_client_that_has_the_file_gets_304(file_server: FileServer, ready: Ready, path: str, known: str) -> None:
    response = file_server.get(path, if_none_match=known.format(ready.etag), range="bytes=0-9")

    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["etag"] == ready.etag


def test_albums_of_one_title_get_names_of_their_own_and_each_always_the_same(file_server: FileServer) -> None:
    first, second = (file_server.download(album) for album in TWINS)

    assert second == f"{first} [JM{TWINS[1]}]"
    assert [file_server.download(album) for album in TWINS] == [first, second]
    bodies = {file_server.get(f"/v1/download/{quote(name)}").content for name in (first, second)}
    assert len(bodies) == 2


def test_a_long_unsafe_title_becomes_a_name_that_can_be_requested(file_server: FileServer) -> None:
    name = file_server.download(LONG)

    assert is_safe_stem(name)
    assert len(name.encode()) <= 200
    assert file_server.get(f"/v1/download/{quote(name, safe='')}").status_code == 200


def test_a_file_that_vanished_from_the_store_is_a_clean_404(file_server: FileServer) -> None:
    before = {file for file in (file_server.data / "archives").rglob("*") if file.is_file()}
    name = file_server.download(LIGHT)
    (vanished,) = {file for file in (file_server.data / "archives").rglob("*") if file.is_file()} - before
    vanished.unlink()

    response = file_server.get(f"/v1/download/{quote(name)}")

    assert (response.status_code, response.json()) == (404, GONE)


def test_head_is_answered_wherever_get_is(file_server: FileServer) -> None:
    paths = [
        "/v1/health",
        "/v1/1780000000000",
        "/v1/rank/week",
        "/v1/search/山/1",
        f"/v1/info/{ALBUM}",
        f"/v1/get/cover/{ALBUM}",
        f"/v1/comments/{ALBUM}",
        "/v1/notifications/head?wait=0",
        f"/images/covers/{ALBUM}",
        f"/images/pages/{ALBUM}/1",
        "/api/database",
        "/healthz",
        "/openapi.json",
        "/docs",
    ]

    for path in paths:
        get, head = file_server.get(path), httpx.head(f"{file_server.processes.url()}{path}", timeout=60)
        assert get.status_code == 200, path
        assert head.status_code == (204 if path == "/api/database" else 200), path
        assert head.content == b"", path
        assert head.headers.get("content-type") in (get.headers["content-type"], None), path


def test_a_cover_has_its_length_and_one_cache_rule(file_server: FileServer) -> None:
    wait_until(lambda: file_server.get(f"/v1/get/cover/{ALBUM}").is_success)
    response = file_server.get(f"/v1/get/cover/{ALBUM}")

    assert response.headers["content-length"] == str(len(response.content))
    assert response.headers["content-type"] == "image/jpeg"
    assert response.content[:2] == b"\xff\xd8"
