"""When the remote was last asked and what came of it: a small file that every process of this server reads."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec


@dataclass(frozen=True, slots=True)
class SyncNote:
    """When the remote was last asked (None: never), and what went wrong then (None: nothing)."""

    checked_at: datetime | None = None
    error: str | None = None


class SyncStatus:
    """The file. Writing replaces it whole, so that no reader sees half of it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> SyncNote:
        """The last note; an unreadable file counts as none."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=SyncNote)
        except (FileNotFoundError, msgspec.DecodeError):
            return SyncNote()

    def write(self, error: str | None) -> SyncNote:
        """Note that the remote was asked just now."""
        note = SyncNote(datetime.now(UTC), error)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        beside = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        beside.write_bytes(msgspec.json.encode(note))
        beside.replace(self._path)
        return note
