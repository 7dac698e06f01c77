"""The tools of a connector: a record in canonical form, as a row, from a row. Nothing is stored."""

from __future__ import annotations

import re
from dataclasses import dataclass

from services.ehtag.drafts import CellSources, read_draft, read_loose
from services.ehtag.edits import written_row
from services.ehtag.namespaces import parse_raw_tag
from services.ehtag.records import Namespace
from services.ehtag.rows import parse_row
from services.ehtag.snapshot import TagSnapshot
from services.ehtag.tags import TagRecord
from services.errors import InvalidInput

_LINES = re.compile(r"\r\n?|\n")


@dataclass(frozen=True, slots=True)
class ParsedRow:
    """A row taken apart: its first cell (in stored form where it is a tag) and the other three."""

    raw: str
    cells: CellSources


def normalise(snapshot: TagSnapshot, namespace: Namespace | None, raw: str, cells: CellSources) -> TagRecord:
    """The record these cells make, its cells' `raw` being the canonical form.

    Within a namespace references are looked up, and `problems_of` tells what is wrong; without one they stay as they
    are written.
    """
    return read_loose(cells) if namespace is None else read_draft(snapshot, namespace, raw, cells)


def serialise(raw: str, record: TagRecord) -> str:
    """One table row, no line ending. Raises `InvalidInput` when no row can hold these cells."""
    return written_row(raw, *(cell.raw for cell in record.cells))


def parse(text: str) -> ParsedRow:
    """The one row in a text. Raises `InvalidInput` for no row, or more than one line that is not blank."""
    lines = [line for line in _LINES.split(text) if line.strip()]
    row = parse_row(lines[0]) if len(lines) == 1 else None
    if row is None:
        raise InvalidInput("body", "There must be one row of a table: | raw | name | intro | links |")
    return ParsedRow(parse_raw_tag(row.raw) or row.raw, CellSources(row.name, row.intro, row.links))
