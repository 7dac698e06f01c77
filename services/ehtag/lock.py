"""One writer at a time, over all processes that share a folder: a file lock the kernel lets go of with its holder.

What the holder is about to do stands in the file until it is done, so that the next one knows if it died on the way.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.errors import Conflict

_RETRY_S = 0.01  # an edit holds the lock for some tens of milliseconds


class HeldLock:
    """A lock while it is held. `unfinished` is the note of a holder that died, None as a rule."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.unfinished = self._read()

    def note(self, **intent: str) -> None:
        """Write down what happens next, before the first step of it."""
        self._write(json.dumps(intent).encode())

    def done(self) -> None:
        """All steps are taken, or undone: nothing to finish for whoever comes next."""
        self._write(b"")

    def _read(self) -> dict[str, str] | None:
        data = os.pread(self._descriptor, 4096, 0)
        try:
            found = json.loads(data) if data else None
        except ValueError:
            return {}
        return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else None

    def _write(self, data: bytes) -> None:
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, data, 0)


@contextmanager
def hold_lock(path: Path, timeout_s: float) -> Iterator[HeldLock]:
    """Hold the lock of this file for the block; threads of one process exclude each other too.

    Blocks its thread. Raises `Conflict` when somebody else holds it for longer than `timeout_s`.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        _acquire(descriptor, time.monotonic() + timeout_s)
        yield HeldLock(descriptor)
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, deadline: float) -> None:
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise Conflict("Somebody else is changing the tag database; try again in a moment.") from None
        time.sleep(_RETRY_S)
