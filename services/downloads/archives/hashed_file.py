"""A file that is hashed while it is written, so that nobody has to read it again."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from services.downloads.ports import PackedArchive

_BUFFER_BYTES = 1 << 20


class HashedFile:
    """Written front to back under a temporary name; `finish` gives it its own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._unfinished = path.with_name(f".{path.name}.unfinished")
        self._file = self._unfinished.open("wb", buffering=_BUFFER_BYTES)
        self._hash = hashlib.sha256()
        self.size_bytes = 0

    def write(self, data: bytes) -> None:
        """Append these bytes."""
        self._file.write(data)
        self._hash.update(data)
        self.size_bytes += len(data)

    def finish(self, notes: tuple[str, ...] = ()) -> PackedArchive:
        """Close the file, once it is on the disk, and let it stand at its path."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._unfinished.replace(self._path)
        return PackedArchive(self._path, self.size_bytes, self._hash.hexdigest(), notes)

    def abandon(self) -> None:
        """Remove what was written; harmless after `finish`."""
        self._file.close()
        self._unfinished.unlink(missing_ok=True)
