"""Where finished archives are: a local folder or an S3 bucket, behind one interface; kept files may have their own.

The only module that knows obstore.
"""

from __future__ import annotations

import asyncio
import errno
import io
import os
import re
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import unquote, urlsplit

import obstore
import structlog
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, ObjectStore, S3Store

from services.errors import ConfigurationError, Internal, JmgraphError, StorageFull

log = structlog.get_logger("jmgraph.storage")

CHUNK_BYTES = 256 * 1024
"""Of a file that is being sent: enough for speed, little enough for a thousand receivers."""
PART_BYTES = 8 * 1024 * 1024
"""Of an upload in parts. S3 takes 10,000 parts at most, so an archive may have 80 GB."""
MAX_PARTS = 3
"""Uploaded at once; each is in memory."""
LIBRARY = "library/"
"""Keys of kept files begin with it."""
_LEFTOVER = re.compile(r".+#\d+")
"""What obstore leaves of a put that was killed in a local folder; its own listing hides them."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file in the store."""

    key: str
    size_bytes: int
    modified_at: datetime


@dataclass(frozen=True, slots=True)
class FileRange:
    """Bytes `start` to `end` (excluded) of an open file: it can be read to its end though it is deleted now."""

    start: int
    end: int
    size_bytes: int
    """Of the whole file."""
    chunks: AsyncIterator[bytes]


class _SeekableFile(io.RawIOBase):
    """A file in an S3 store as Python's own modules read one."""

    def __init__(self, reader: obstore.ReadableFile) -> None:
        self._reader = reader

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return bytes(self._reader.read(None if size < 0 else size))

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)
        data = self._reader.read(view.nbytes)
        view[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._reader.seek(offset, whence)

    def tell(self) -> int:
        return self._reader.tell()


class ArchiveStore:
    """Keeps files by key ("k3j9/archive.zip"). A missing file is None, never an error.

    Keys that begin with "library/" are in `library` where that is given: a store of their own.
    """

    def __init__(
        self, store: ObjectStore, folder: Path | None = None, *, library: ArchiveStore | None = None
    ) -> None:
        self._store = store
        self._folder = folder
        self._library = library

    def _located(self, key: str) -> tuple[ObjectStore, Path | None, str]:
        """The store that has this key, its folder where it is local, and the key there."""
        if self._library is not None and key.startswith(LIBRARY):
            return self._library._store, self._library._folder, key.removeprefix(LIBRARY)
        return self._store, self._folder, key

    def local_path(self, key: str) -> Path | None:
        """Where the file of this key is, or will be, on this machine; None in an S3 store."""
        _, folder, name = self._located(key)
        return None if folder is None else folder / name

    def open_file(self, key: str) -> BinaryIO:
        """The file for reading anywhere in it. Not for the event loop. `OSError` where there is none."""
        store, folder, name = self._located(key)
        if folder is not None:
            return (folder / name).open("rb")
        try:
            return cast(BinaryIO, _SeekableFile(obstore.open_reader(store, name)))
        except BaseError as error:
            raise OSError(type(error).__name__) from None

    async def put(self, path: Path, key: str) -> None:
        """Move the file at `path` into the store; it is visible only once it is complete.

        Raises `StorageFull`, `Internal`.
        """
        try:
            if not await asyncio.to_thread(self._take_over, path, key):
                store, _, name = self._located(key)
                await obstore.put_async(store, name, path, chunk_size=PART_BYTES, max_concurrency=MAX_PARTS)
                await asyncio.to_thread(path.unlink, missing_ok=True)
        except (BaseError, OSError) as error:
            raise _failure(error) from error

    async def stat(self, key: str) -> StoredFile | None:
        """Size and age of a file."""
        try:
            store, _, name = self._located(key)
            meta = await obstore.head_async(store, name)
        except (NotFoundError, FileNotFoundError):
            return None
        except (BaseError, OSError) as error:
            raise _failure(error) from error
        return StoredFile(key, meta["size"], meta["last_modified"])

    async def is_missing(self, key: str) -> bool:
        """True where the store says that it has no such file; False while it, or its whole folder, can't be read.

        A kept file counts as missing with its folder too: its download is READY again once it is back.
        """
        try:
            if await self.stat(key) is not None:
                return False
        except JmgraphError:
            return False
        _, folder, _ = self._located(key)
        return folder is None or key.startswith(LIBRARY) or await asyncio.to_thread(folder.is_dir)

    async def open_range(self, key: str, start: int = 0, end: int | None = None) -> FileRange | None:
        """Open a file for reading, from `start` up to `end` (excluded; its end where that is less, or None).

        `start` must lie within the file.
        """
        wanted: Any = {"offset": start} if end is None else (start, end)
        try:
            store, _, name = self._located(key)
            result = await obstore.get_async(store, name, options={"range": wanted})
        except (NotFoundError, FileNotFoundError):
            return None
        except (BaseError, OSError) as error:
            raise _failure(error) from error
        first, last = result.range
        return FileRange(first, last, result.meta["size"], _chunks(result))

    async def delete(self, key: str) -> None:
        """Remove a file; nothing happens where there is none."""
        try:
            store, _, name = self._located(key)
            await obstore.delete_async(store, name)
        except (NotFoundError, FileNotFoundError):
            return
        except (BaseError, OSError) as error:
            raise _failure(error) from error

    async def list(self, prefix: str = "") -> AsyncIterator[StoredFile]:
        """Every file, in no order; `prefix` is a folder of keys."""
        try:
            store, _, name = self._located(prefix)
            before = LIBRARY if store is not self._store else ""
            async for batch in obstore.list(store, name or None):
                for meta in batch:
                    yield StoredFile(before + meta["path"], meta["size"], meta["last_modified"])
        except (BaseError, OSError) as error:
            raise _failure(error) from error

    async def sweep(self, older_than_s: float = 3600.0) -> int:
        """Remove what killed uploads left in a local folder; returns how many. Younger ones may be under way."""
        folders = [store._folder for store in (self, self._library) if store and store._folder]
        return sum([await asyncio.to_thread(_sweep, folder, time.time() - older_than_s) for folder in folders])

    def _take_over(self, path: Path, key: str) -> bool:
        """Rename into the folder; False where that can't be: no folder, or another file system."""
        target = self.local_path(key)
        if target is None:
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            path.replace(target)
        except OSError as error:
            if error.errno == errno.EXDEV:
                return False
            raise
        return True


def open_archive_store(
    url: str, options: Mapping[str, Any], default_folder: Path, library_folder: Path | None = None
) -> ArchiveStore:
    """The store of the settings: `file:///path`, `s3://bucket/prefix`, or `default_folder` for an empty `url`.

    Kept files are in `library_folder`; without one, under "library/" in the store itself.

    `options` are obstore's settings of an S3 store by name (`endpoint`, `region`, `access_key_id`, …), with
    `client_options` and `retry_config` as tables of their own. Raises `ConfigurationError`.
    """
    parts = urlsplit(url)
    if parts.scheme == "s3" and (not parts.hostname or "@" in parts.netloc):
        raise ConfigurationError("JMGRAPH_STORAGE_URL: s3://bucket/prefix, with its keys in JMGRAPH_STORAGE_OPTIONS")
    if parts.scheme == "file" and (parts.netloc not in ("", "localhost") or not parts.path):
        raise ConfigurationError("JMGRAPH_STORAGE_URL: file:///path, with three slashes before a whole path")
    try:
        library = None if library_folder is None else _open_library(library_folder)
        if parts.scheme == "s3":
            return ArchiveStore(_s3_store(url, dict(options)), library=library)
        folder = Path(unquote(parts.path)) if url else default_folder
        return ArchiveStore(*_local_store(folder), library=library)
    except (BaseError, OSError, ValueError, TypeError) as error:
        # further lines of obstore's errors show all settings, keys included
        reason = str(error).partition("\n")[0]
        raise ConfigurationError(f"JMGRAPH_STORAGE_URL, JMGRAPH_STORAGE_OPTIONS: {reason}") from None


def _open_library(folder: Path) -> ArchiveStore:
    try:
        return ArchiveStore(*_local_store(folder))
    except (BaseError, OSError) as error:
        reason = str(error).partition("\n")[0]
        raise ConfigurationError(f"JMGRAPH_LIBRARY_DIR: {reason}") from None


def _local_store(folder: Path) -> tuple[ObjectStore, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    return LocalStore(prefix=folder, automatic_cleanup=True), folder


def _s3_store(url: str, options: dict[str, Any]) -> S3Store:
    client_options: Any = dict(options.pop("client_options", {}))
    retry_config = options.pop("retry_config", None)
    if str(options.get("endpoint", options.get("aws_endpoint", ""))).startswith("http://"):
        client_options.setdefault("allow_http", True)
    config: Any = options
    return S3Store.from_url(url, config=config, client_options=client_options, retry_config=retry_config)


async def _chunks(result: obstore.GetResult) -> AsyncIterator[bytes]:
    try:
        async for chunk in result.stream(min_chunk_size=CHUNK_BYTES):
            yield bytes(chunk)
    except (BaseError, OSError) as error:
        raise _failure(error) from error


def _sweep(folder: Path, before: float) -> int:
    count = 0
    for subfolder, _, names in os.walk(folder):
        for path in (Path(subfolder, name) for name in names if _LEFTOVER.fullmatch(name)):
            if path.stat().st_mtime < before:
                path.unlink(missing_ok=True)
                count += 1
    return count


def _failure(error: Exception) -> Internal | StorageFull:
    if getattr(error, "errno", None) == errno.ENOSPC or "No space left on device" in str(error):
        return StorageFull("There is no room left for archives.")
    log.error("the archive store failed", error=type(error).__name__)
    return Internal("The place where archives are kept can't be used now.")
