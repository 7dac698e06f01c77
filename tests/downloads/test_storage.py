"""Archives are stored in a folder or in a bucket, with the same behaviour."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from services.downloads import ArchiveStore, open_archive_store
from services.errors import ConfigurationError, Internal
from tests.s3_server import BUCKET, empty_bucket, s3_options

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ArchiveStore:
    """Each kind of store, empty."""
    if request.param == "folder":
        return open_archive_store((tmp_path / "kept here").as_uri(), {}, tmp_path / "unused")
    endpoint = request.getfixturevalue("s3_endpoint")
    empty_bucket(endpoint)
    return open_archive_store(f"s3://{BUCKET}/some/prefix", s3_options(endpoint), tmp_path / "unused")


@pytest.fixture
def make_file(tmp_path: Path) -> Callable[[bytes], Path]:
    """Writes a file that is ready to be put away."""

    def make(data: bytes) -> Path:
        path = tmp_path / "finished.zip"
        path.write_bytes(data)
        return path

    return make


async def read_all(chunks: AsyncIterator[bytes]) -> bytes:
    """Every byte of an opened range."""
    return b"".join([chunk async for chunk in chunks])


async def test_a_file_is_moved_in_and_read_back(store: ArchiveStore, make_file: Callable[[bytes], Path]) -> None:
    path = make_file(b"twelve bytes")

    await store.put(path, "k3j9/archive.zip")

    assert not path.exists()
    opened = await store.open_range("k3j9/archive.zip")
    assert opened is not None
    assert (opened.start, opened.end, opened.size_bytes) == (0, 12, 12)
    assert await read_all(opened.chunks) == b"twelve bytes"


async def test_a_stored_file_has_its_exact_size(store: ArchiveStore, make_file: Callable[[bytes], Path]) -> None:
    await store.put(make_file(b"x" * 12_345), "a.zip")

    found = await store.stat("a.zip")

    assert found is not None
    assert (found.key, found.size_bytes) == ("a.zip", 12_345)
    assert abs(found.modified_at.timestamp() - time.time()) < 60


@pytest.mark.parametrize(
    ("start", "end", "part"), [(0, 4, b"0123"), (4, None, b"456789"), (3, 7, b"3456"), (8, 99, b"89"), (9, 10, b"9")]
)
async def test_a_part_of_a_file_is_read(
    store: ArchiveStore, make_file: Callable[[bytes], Path], start: int, end: int | None, part: bytes
) -> None:
    await store.put(make_file(b"0123456789"), "a.zip")

    opened = await store.open_range("a.zip", start, end)

    assert opened is not None
    assert (opened.start, opened.end, opened.size_bytes) == (start, start + len(part), 10)
    assert await read_all(opened.chunks) == part


async def test_a_file_of_many_parts_comes_back_whole(store: ArchiveStore, make_file: Callable[[bytes], Path]) -> None:
    data = os.urandom(20 * 1024 * 1024 + 7)

    await store.put(make_file(data), "big.zip")

    opened = await store.open_range("big.zip")
    assert opened is not None
    assert await read_all(opened.chunks) == data


async def test_a_second_put_replaces_the_first(store: ArchiveStore, make_file: Callable[[bytes], Path]) -> None:
    await store.put(make_file(b"old"), "a.zip")
    await store.put(make_file(b"newer"), "a.zip")

    opened = await store.open_range("a.zip")

    assert opened is not None
    assert await read_all(opened.chunks) == b"newer"


async def test_what_is_not_there_is_none(store: ArchiveStore) -> None:
    assert await store.stat("nothing.zip") is None
    assert await store.open_range("nothing.zip") is None
    await store.delete("nothing.zip")


async def test_a_deleted_file_is_gone(store: ArchiveStore, make_file: Callable[[bytes], Path]) -> None:
    await store.put(make_file(b"data"), "k3j9/a.zip")

    await store.delete("k3j9/a.zip")

    assert await store.stat("k3j9/a.zip") is None
    assert [file async for file in store.list()] == []


async def test_a_file_is_missing_once_it_was_deleted(store: ArchiveStore, make_file: Callable[[bytes], Path]) -> None:
    await store.put(make_file(b"x"), "k3j9/a.zip")
    assert not await store.is_missing("k3j9/a.zip")

    await store.delete("k3j9/a.zip")

    assert await store.is_missing("k3j9/a.zip")


async def test_no_file_is_missing_while_its_whole_folder_is(
    tmp_path: Path, make_file: Callable[[bytes], Path]
) -> None:
    """As with a disk that is not mounted at the moment."""
    store = open_archive_store("", {}, tmp_path / "archives")
    await store.put(make_file(b"x"), "a.zip")
    (tmp_path / "archives").rename(tmp_path / "elsewhere")

    assert not await store.is_missing("a.zip")


async def test_every_file_is_listed_by_its_key(store: ArchiveStore, make_file: Callable[[bytes], Path]) -> None:
    for key in ("one/a.zip", "two/b.cbz", "c d.pdf"):
        await store.put(make_file(key.encode()), key)

    everything = {file.key: file.size_bytes async for file in store.list()}

    assert everything == {"one/a.zip": 9, "two/b.cbz": 9, "c d.pdf": 7}
    assert [file.key async for file in store.list("two")] == ["two/b.cbz"]


async def test_a_file_deleted_while_it_is_sent_is_sent_to_its_end(
    tmp_path: Path, make_file: Callable[[bytes], Path]
) -> None:
    store = open_archive_store("", {}, tmp_path / "archives")
    data = os.urandom(3_000_000)
    await store.put(make_file(data), "a.zip")
    opened = await store.open_range("a.zip")
    assert opened is not None
    first = await anext(opened.chunks)

    await store.delete("a.zip")

    assert first + await read_all(opened.chunks) == data


async def test_temporary_files_of_killed_uploads_are_deleted_once_they_are_old(tmp_path: Path) -> None:
    store = open_archive_store("", {}, tmp_path)
    old, young, kept = tmp_path / "k" / "a.zip#1", tmp_path / "b.zip#12", tmp_path / "issue #1.zip"
    old.parent.mkdir()
    for path in (old, young, kept):
        path.write_bytes(b"?")
    os.utime(old, (1_000_000_000, 1_000_000_000))
    os.utime(kept, (1_000_000_000, 1_000_000_000))

    assert await store.sweep(older_than_s=60) == 1

    assert not old.exists()
    assert young.exists()
    assert kept.exists()


async def test_an_unreachable_server_is_a_failure_without_its_address(
    tmp_path: Path, make_file: Callable[[bytes], Path], closed_port: int
) -> None:
    store = open_archive_store(f"s3://{BUCKET}", s3_options(f"http://127.0.0.1:{closed_port}"), tmp_path)

    with pytest.raises(Internal) as failure:
        await store.put(make_file(b"data"), "a.zip")

    assert "127.0.0.1" not in failure.value.message
    assert not await store.is_missing("a.zip")


@pytest.fixture
def closed_port() -> int:
    """A port of loopback on which nothing listens."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("s3://bucket", {"colour": "hidden"}),
        ("s3://bucket", {"access_key_id": "hidden", "region": 3}),
        ("s3://bucket", {"access_key_id": "hidden", "client_options": {"colour": "blue"}}),
        ("s3://hidden:hidden@bucket/prefix", {}),
        ("s3://", {}),
        ("file://archives", {}),
        ("file:", {}),
        ("file:///dev/null/archives", {}),
    ],
)
def test_an_invalid_store_ends_the_start_in_one_line_without_secrets(
    url: str, options: dict[str, object], tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match=r"^JMGRAPH_STORAGE_URL[^\n]*$") as failure:
        open_archive_store(url, options, tmp_path)

    assert "hidden" not in str(failure.value)
