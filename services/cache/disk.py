"""Files kept on disk within a limit of bytes, least recently used out first; several processes may share a folder.

A file is written under a temporary name and renamed, so a reader finds all of it or nothing. A disk error is
logged and counts as a miss: callers never fail because of the cache.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import secrets
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import structlog

log = structlog.get_logger("jmgraph.disk_cache")

TOUCH_S = 60.0
"""Reads update a file's time of use at most this often: not every read should cost a write."""
STALE_TEMPORARY_S = 600.0
"""A temporary file older than this was left by a process that died."""
LOW_WATER = 0.9
"""Part of the limit that is left after an eviction."""
UNCOUNTED_PART = 1 / 32
"""Part of the limit that a process writes before it counts again, to see what other processes wrote."""

_MAGIC = b"jmc1"
_HEAD = struct.Struct(">4sI")
_TEMPORARY = "tmp"


@dataclass(frozen=True, slots=True)
class CachedFile:
    """A file with its metadata. `etag` is the digest of the data, hex, unquoted; times in Unix seconds."""

    data: bytes
    media_type: str
    etag: str
    stored_at: float


@dataclass(frozen=True, slots=True)
class _Meta:
    media_type: str
    etag: str
    stored_at: float
    size_bytes: int


@dataclass(frozen=True, slots=True)
class _FileEntry:
    used_at_ns: int
    size_bytes: int
    path: str


class DiskCache:
    """Files by key. With a limit of 0 nothing is stored."""

    def __init__(self, folder: Path, limit_bytes: int, *, touch_s: float = TOUCH_S) -> None:
        self._folder = folder
        self._limit_bytes = limit_bytes
        self._touch_s = touch_s
        self._count_lock = threading.Lock()
        self._counted_bytes: int | None = None
        self._uncounted_bytes = 0

    async def find(self, key: str) -> CachedFile | None:
        """The file of a key, which is then the most recently used."""
        return await asyncio.to_thread(self._read, key)

    async def find_many(self, keys: Sequence[str]) -> list[CachedFile | None]:
        """The files of many keys; for small ones."""
        return await asyncio.to_thread(lambda: [self._read(key) for key in keys])

    async def put(self, key: str, data: bytes, media_type: str) -> CachedFile:
        """Store a file, replacing the previous one. Returns what `find` would return, stored or not."""
        file = CachedFile(data, media_type, etag_of(data), time.time())
        await asyncio.to_thread(self._store, key, file)
        return file

    async def sweep(self) -> None:
        """Remove temporary files of dead processes, and files over the limit."""
        await asyncio.to_thread(self._count_and_evict)

    def _read(self, key: str) -> CachedFile | None:
        path = self._path_of(key)
        try:
            with path.open("rb") as file:
                content = file.read()
                self._touch(path, os.fstat(file.fileno()))
        except OSError as error:
            if not isinstance(error, FileNotFoundError):
                _log_error(error, "a cached file could not be read")
            return None
        return _unpack(content)

    def _touch(self, path: Path, stat: os.stat_result) -> None:
        if time.time() - stat.st_mtime >= self._touch_s:
            os.utime(path)

    def _store(self, key: str, file: CachedFile) -> None:
        content = _pack(file)
        if len(content) > self._limit_bytes:
            return
        try:
            self._write(self._path_of(key), content)
        except OSError as error:
            _log_error(error, "a file could not be cached")
            return
        with self._count_lock:
            self._uncounted_bytes += len(content)
            is_over_limit = (
                self._counted_bytes is None or self._counted_bytes + self._uncounted_bytes > self._limit_bytes
            )
            has_many_uncounted = self._uncounted_bytes > self._limit_bytes * UNCOUNTED_PART
        if is_over_limit or has_many_uncounted:
            self._count_and_evict()

    def _write(self, path: Path, content: bytes) -> None:
        temporary = self._folder / _TEMPORARY / f"{os.getpid()}-{secrets.token_hex(8)}"
        for folder in (temporary.parent, path.parent):
            folder.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(content)
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise

    def _count_and_evict(self) -> None:
        with self._count_lock:
            self._uncounted_bytes = 0
            self._remove_stale_temporaries()
            files = sorted(self._files(), key=lambda found: found.used_at_ns)
            total = sum(found.size_bytes for found in files)
            if total > self._limit_bytes:
                total = self._evict(files, total)
            self._counted_bytes = total

    def _evict(self, oldest_first: Sequence[_FileEntry], total: int) -> int:
        for found in oldest_first:
            if total <= self._limit_bytes * LOW_WATER:
                break
            _remove(found.path)
            total -= found.size_bytes
        return total

    def _files(self) -> Iterator[_FileEntry]:
        for folder in _entries(self._folder):
            if folder.name == _TEMPORARY or not folder.is_dir(follow_symlinks=False):
                continue
            for entry in _entries(folder.path):
                try:
                    stat = entry.stat(follow_symlinks=False)
                except OSError:
                    continue  # another process removed it first
                yield _FileEntry(stat.st_mtime_ns, stat.st_size, entry.path)

    def _remove_stale_temporaries(self) -> None:
        for entry in _entries(self._folder / _TEMPORARY):
            try:
                is_stale = time.time() - entry.stat(follow_symlinks=False).st_mtime > STALE_TEMPORARY_S
            except OSError:
                continue  # it was renamed to its final name meanwhile
            if is_stale:
                _remove(entry.path)

    def _path_of(self, key: str) -> Path:
        name = hashlib.blake2b(key.encode(), digest_size=20).hexdigest()
        return self._folder / name[:2] / name


def etag_of(data: bytes) -> str:
    """A strong validator: 32 hex digits of a digest of the data."""
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def _pack(file: CachedFile) -> bytes:
    meta = msgspec.msgpack.encode(_Meta(file.media_type, file.etag, file.stored_at, len(file.data)))
    return b"".join((_HEAD.pack(_MAGIC, len(meta)), meta, file.data))


def _unpack(content: bytes) -> CachedFile | None:
    """None for a file of another format or version, or an incomplete one."""
    try:
        magic, meta_bytes = _HEAD.unpack_from(content)
        data_from = _HEAD.size + meta_bytes
        meta = msgspec.msgpack.decode(content[_HEAD.size : data_from], type=_Meta)
    except (struct.error, msgspec.MsgspecError):
        return None
    data = content[data_from:]
    if magic != _MAGIC or len(data) != meta.size_bytes:
        return None
    return CachedFile(data, meta.media_type, meta.etag, meta.stored_at)


def _entries(folder: str | Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _remove(path: str) -> None:
    try:
        Path(path).unlink(missing_ok=True)
    except OSError as error:
        _log_error(error, "a cached file could not be removed")


def _log_error(error: OSError, event: str) -> None:
    """Without the path, which may contain a user name: logs may leave this machine."""
    log.warning(event, error=errno.errorcode.get(error.errno or 0, type(error).__name__))
