"""Small tag databases for tests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from services.ehtag import TagSnapshot
from services.ehtag.records import CommitRecord, Namespace, Signature

_WHEN = datetime(2024, 1, 1, tzinfo=UTC)
_SOMEBODY = Signature("Somebody", "somebody@example.org", _WHEN)
COMMIT = CommitRecord("c" * 40, "A commit", _SOMEBODY, _SOMEBODY)


Cells = str | tuple[str, ...]
"""The name of a record; or its name, introduction and links."""


def table_of(names: Mapping[str, Cells]) -> bytes:
    """A file with these raw tags and names; cells that are not given are empty."""
    rows = [_row(raw, cells if isinstance(cells, tuple) else (cells,)) for raw, cells in names.items()]
    return "\n".join(["| tag | name | intro | links |", "| --- | --- | --- | --- |", *rows, ""]).encode()


def _row(raw: str, cells: tuple[str, ...]) -> str:
    written = [cell.replace("|", "\\|").replace("\n", "<br>") for cell in (*cells, "", "")][:3]
    return f"| {raw} | {' | '.join(written)} |"


def snapshot_of(records: Mapping[Namespace, Mapping[str, Cells]]) -> TagSnapshot:
    """A database of these names: `{Namespace.FEMALE: {"glasses": "眼镜"}}`."""
    return TagSnapshot.from_files({space: table_of(names) for space, names in records.items()}, 7, COMMIT, "repo")


def snapshot_in(folder: Path) -> TagSnapshot:
    """The database of the files in a folder."""
    files = {space: (folder / f"{space}.md").read_bytes() for space in Namespace}
    return TagSnapshot.from_files(files, 7, COMMIT, "repo")
