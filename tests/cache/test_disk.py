from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from services.cache import CachedFile, DiskCache, etag_of

pytestmark = pytest.mark.anyio

MB = 1 << 20


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in files_in(folder))


async def test_a_file_is_found_as_it_was_put(tmp_path: Path) -> None:
    disk = DiskCache(tmp_path, MB)

    put = await disk.put("cover/1", b"leaf", "image/webp")

    found = await disk.find("cover/1")
    assert found == put == CachedFile(b"leaf", "image/webp", etag_of(b"leaf"), put.stored_at)
    assert abs(put.stored_at - time.time()) < 10


async def test_a_file_replaces_the_one_before(tmp_path: Path) -> None:
    disk = DiskCache(tmp_path, MB)
    before = await disk.put("cover/1", b"leaf", "image/webp")

    after = await disk.put("cover/1", b"tree", "image/png")

    assert await disk.find("cover/1") == after
    assert before.etag != after.etag
    assert len(files_in(tmp_path)) == 1


async def test_what_is_not_there_is_none(tmp_path: Path) -> None:
    disk = DiskCache(tmp_path / "not" / "yet", MB)

    assert await disk.find("cover/1") is None
    await disk.put("cover/2", b"leaf", "image/webp")
    assert [file and file.data for file in await disk.find_many(["cover/1", "cover/2"])] == [None, b"leaf"]


async def test_files_survive_a_restart(tmp_path: Path) -> None:
    put = await DiskCache(tmp_path, MB).put("cover/1", b"leaf", "image/webp")

    assert await DiskCache(tmp_path, MB).find("cover/1") == put


@pytest.mark.parametrize("key", ["", "../../escape", "a/b/c", "頁/1", "x" * 5000, "\x00"])
async def test_any_key_stays_in_the_folder(tmp_path: Path, key: str) -> None:
    folder = tmp_path / "images"
    disk = DiskCache(folder, MB)

    await disk.put(key, b"leaf", "image/webp")

    found = await disk.find(key)
    assert found is not None
    assert found.data == b"leaf"
    assert all(folder in path.parents for path in files_in(tmp_path))


async def test_the_least_recently_used_files_are_removed_first(tmp_path: Path) -> None:
    disk = DiskCache(tmp_path, 5000, touch_s=0)
    for number in range(4):
        await disk.put(str(number), bytes(1000), "image/webp")
    await disk.find("0")

    await disk.put("4", bytes(1000), "image/webp")

    kept = [number for number, file in enumerate(await disk.find_many(list("01234"))) if file is not None]
    assert kept == [0, 2, 3, 4]


async def test_a_read_touches_a_file_only_now_and_then(tmp_path: Path) -> None:
    disk = DiskCache(tmp_path, MB)
    await disk.put("1", b"leaf", "image/webp")
    (path,) = files_in(tmp_path)
    recently, long_ago = time.time() - 30, time.time() - 90

    os.utime(path, (recently, recently))
    await disk.find("1")
    assert path.stat().st_mtime == pytest.approx(recently)

    os.utime(path, (long_ago, long_ago))
    await disk.find("1")
    assert path.stat().st_mtime > recently


async def test_a_file_larger_than_the_limit_is_not_kept_and_evicts_nothing(tmp_path: Path) -> None:
    disk = DiskCache(tmp_path, 1000)
    await disk.put("small", b"leaf", "image/webp")

    large = await disk.put("large", bytes(1000), "image/webp")

    assert large.etag == etag_of(bytes(1000))
    assert await disk.find("large") is None
    assert await disk.find("small") is not None


async def test_with_a_limit_of_zero_nothing_is_written(tmp_path: Path) -> None:
    disk = DiskCache(tmp_path, 0)

    await disk.put("1", b"", "image/webp")

    assert files_in(tmp_path) == []
    assert await disk.find("1") is None


@pytest.mark.parametrize(
    "damage", [b"", b"jm", b"????" + bytes(60), b"jmc1\xff\xff\xff\xff", b"jmc1\x00\x00\x00\x01\xc1"]
)
async def test_a_damaged_file_is_a_miss(tmp_path: Path, damage: bytes) -> None:
    disk = DiskCache(tmp_path, MB)
    await disk.put("1", b"leaf", "image/webp")
    (path,) = files_in(tmp_path)

    path.write_bytes(damage)
    assert await disk.find("1") is None

    await disk.put("1", b"leaf", "image/webp")
    assert await disk.find("1") is not None


async def test_a_file_cut_short_is_a_miss(tmp_path: Path) -> None:
    disk = DiskCache(tmp_path, MB)
    await disk.put("1", b"leaf" * 100, "image/webp")
    (path,) = files_in(tmp_path)

    os.truncate(path, path.stat().st_size - 1)

    assert await disk.find("1") is None


async def test_temporary_files_of_ended_processes_are_removed_and_new_ones_stay(tmp_path: Path) -> None:
    disk = DiskCache(tmp_path, MB)
    await disk.put("1", b"leaf", "image/webp")
    leftover, being_written = tmp_path / "tmp" / "99-old", tmp_path / "tmp" / "99-new"
    leftover.write_bytes(b"half")
    being_written.write_bytes(b"half")
    an_hour_ago = time.time() - 3600
    os.utime(leftover, (an_hour_ago, an_hour_ago))

    await DiskCache(tmp_path, MB).sweep()

    assert not leftover.exists()
    assert being_written.exists()
    assert await disk.find("1") is not None


async def test_a_sweep_obeys_a_lower_limit(tmp_path: Path) -> None:
    disk = DiskCache(tmp_path, MB)
    for number in range(20):
        await disk.put(str(number), bytes(1000), "image/webp")

    await DiskCache(tmp_path, 10_000).sweep()

    assert 0 < bytes_in(tmp_path) <= 10_000


async def test_a_disk_that_can_not_be_written_is_no_error_and_logs_no_path(tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the folder should be")
    disk = DiskCache(blocked, MB)

    with capture_logs() as logs:
        put = await disk.put("1", b"leaf", "image/webp")
        found = await disk.find("1")
        await disk.sweep()

    assert put.data == b"leaf"
    assert found is None
    assert logs
    assert str(tmp_path) not in repr(logs)


async def test_readers_and_writers_of_one_key_never_see_a_half(tmp_path: Path) -> None:
    disks = [DiskCache(tmp_path, MB) for _ in range(3)]
    versions = [bytes([number]) * 50_000 for number in range(8)]
    await disks[0].put("1", versions[0], "image/webp")

    async def write(disk: DiskCache) -> None:
        for version in versions:
            await disk.put("1", version, "image/webp")

    async def read(disk: DiskCache) -> None:
        for _ in range(20):
            found = await disk.find("1")
            assert found is not None
            assert found.data in versions
            assert found.etag == etag_of(found.data)

    await asyncio.gather(*map(write, disks), *map(read, disks))


_WRITER = """
import asyncio, sys
from pathlib import Path
from services.cache.disk import DiskCache

async def main(folder: str, name: str) -> None:
    disk = DiskCache(Path(folder), 200_000)
    for number in range(60):
        await disk.put(f"{name}/{number}", bytes(9000), "image/webp")
        await disk.find(f"{name}/{number // 2}")
    await disk.sweep()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_processes_share_a_folder_within_its_limit(tmp_path: Path) -> None:
    writers = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", _WRITER, str(tmp_path), name) for name in "abc"
    ]

    assert [await writer.wait() for writer in writers] == [0, 0, 0]
    assert 0 < bytes_in(tmp_path) <= 200_000
    assert files_in(tmp_path / "tmp") == []


@settings(max_examples=25, deadline=None)
@given(
    steps=st.lists(st.tuples(st.sampled_from(["put", "find"]), st.integers(0, 7), st.integers(0, 3000)), max_size=40)
)
async def test_it_never_holds_more_than_its_limit_and_only_what_was_last_put(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("disk")
    disk = DiskCache(folder, 8000, touch_s=0)
    put: dict[int, bytes] = {}

    for number, (step, key, size_bytes) in enumerate(steps):
        if step == "put":
            put[key] = number.to_bytes(2, "big") + bytes(size_bytes)
            await disk.put(str(key), put[key], "image/webp")
            assert (await disk.find(str(key))) is not None
            assert bytes_in(folder) <= 8000
        else:
            found = await disk.find(str(key))
            assert found is None or found.data == put[key]
