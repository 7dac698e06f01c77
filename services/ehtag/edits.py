"""One row more, less or changed in a namespace's file, every other byte as it was; and what the commit says of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from services.ehtag.records import Namespace
from services.ehtag.rows import parse_row, serialise_row, split_row
from services.ehtag.table import TableRow, TagTable
from services.errors import Conflict, InvalidInput

_HEADER = "| 原始标签 | 名称 | 描述 | 外部链接 |\n| -------- | ---- | ---- | -------- |"
_CHANGE_HEADER = "|        | 原始标签 | 名称 | 描述 | 外部链接 |\n| ------ | -------- | ---- | ---- | -------- |"


class Action(StrEnum):
    """What an edit does, as its commit says it."""

    ADD = "添加"
    UPDATE = "修改"
    REMOVE = "删除"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a new row goes: before or behind the row of another raw tag; with neither, behind the last row."""

    before: str | None = None
    after: str | None = None


def written_row(raw: str, name: str, intro: str, links: str) -> str:
    """The row of these cells (raw forms), no line ending. Raises `InvalidInput` when a table can't hold them."""
    row = serialise_row(raw, name, intro, links)
    cells = parse_row(row)
    if cells is None or cells.raw != raw or "\r" in row or "\n" in row:
        raise InvalidInput("name", "These cells can't be written as one row of a table.")
    return row


def with_row(table: TagTable, row: str, place: Place) -> bytes:
    """The file with one row more. Raises `InvalidInput` when the place names a row that is not there."""
    if not _has_table(table):
        raise Conflict("This namespace's file has no table.")
    offset = _offset(table, place)
    line = row.encode()
    if offset == len(table.data) and not table.data.endswith((b"\n", b"\r")):
        return table.data + table.newline + line
    return table.data[:offset] + line + table.newline + table.data[offset:]


def with_changed_row(table: TagTable, raw: str, row: str) -> bytes:
    """The file with the row of this tag replaced; the tag is there."""
    old = _row(table, raw)
    return table.data[: old.start] + row.encode() + table.data[old.end :]


def without_row(table: TagTable, raw: str) -> bytes:
    """The file without the row of this tag; the tag is there."""
    old = _row(table, raw)
    return table.data[: old.start] + table.data[old.end + len(old.ending) :]


def commit_message(
    action: Action, namespace: Namespace, raw: str, name: str, *, old: str | None = None, new: str | None = None
) -> str:
    """The message of an edit's commit: a line that says what, then the row as a table, or both when it changed.

    `name` is its text form, `old` and `new` are rows.
    """
    one_line = name.replace("\n", " ").strip()
    subject = f"{action.value} {namespace.value}:{raw}" + (f" - {one_line}" if one_line else "")
    if old and new:
        return f"{subject}\n\n{_CHANGE_HEADER}\n| 修改前 {old}\n| 修改后 {new}"
    return f"{subject}\n\n{_HEADER}\n{old or new}"


def _row(table: TagTable, raw: str) -> TableRow:
    row = table.find(raw)
    if row is None:
        raise LookupError(raw)
    return row


def _offset(table: TagTable, place: Place) -> int:
    if place.before is not None:
        return _anchor(table, "before", place.before).start
    if place.after is not None:
        row = _anchor(table, "after", place.after)
        return row.end + len(row.ending)
    return table.insert_at


def _anchor(table: TagTable, field: str, raw: str) -> TableRow:
    row = table.find(raw)
    if row is None:
        raise InvalidInput(field, f"{field}: there is no row {raw} in this namespace.")
    return row


def _has_table(table: TagTable) -> bool:
    """False where a new row would stand alone: two rows above it, a header and its rule, make a table."""
    above = table.data[: table.insert_at].splitlines()[-2:]
    return len(above) == 2 and all(split_row(line.decode("utf-8", "replace")) is not None for line in above)
