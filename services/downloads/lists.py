"""The lists that records stand in, and pages of them."""

from __future__ import annotations

from dataclasses import dataclass

from services.downloads.records import DownloadState
from services.downloads.row import DownloadRow

ALL = "all"
"""The list of every record."""


def in_state(state: DownloadState) -> str:
    """The list of records in this state."""
    return f"state:{state}"


def of_album(album_id: str) -> str:
    """The list of records of this album."""
    return f"album:{album_id}"


@dataclass(frozen=True, slots=True)
class EntryPage:
    """Some entries of a list, newest first, with how many the list has and how many come before these."""

    entries: tuple[DownloadRow, ...]
    total: int
    before: int
