"""Plans edits: validates the cells, changes one row of a namespace's file, writes the commit message."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from services.ehtag.markup.cells import CellReader
from services.ehtag.records import Namespace, parse_raw_tag
from services.ehtag.snapshot import NO_NAME, TagRecord, TagSnapshot
from services.ehtag.state import DatabaseState
from services.ehtag.table import TableRow, TagTable, parse_row, serialise_row, split_row
from services.errors import Conflict, InvalidInput, TagNotFound

_HEADER = "| 原始标签 | 名称 | 描述 | 外部链接 |\n| -------- | ---- | ---- | -------- |"
_CHANGE_HEADER = "|        | 原始标签 | 名称 | 描述 | 外部链接 |\n| ------ | -------- | ---- | ---- | -------- |"

_COMMENT = "(注释)"  # in place of the raw tag that a comment row has not


class Action(StrEnum):
    """What an edit does, as its commit says it."""

    ADD = "添加"
    UPDATE = "修改"
    REMOVE = "删除"


@dataclass(frozen=True, slots=True)
class RowPosition:
    """Where a new row goes: before or after the row of another raw tag; with neither, after the last row."""

    before: str | None = None
    after: str | None = None


@dataclass(frozen=True, slots=True)
class CellSources:
    """The three cells of a record in markdown, not yet validated."""

    name: str
    intro: str
    links: str

    @property
    def cells(self) -> tuple[str, str, str]:
        """Name, introduction and links."""
        return self.name, self.intro, self.links


@dataclass(frozen=True, slots=True)
class EditPlan:
    """One namespace's file after an edit, the message of its commit, and the edited record (None: removed)."""

    namespace: Namespace
    data: bytes
    message: str
    draft: TagRecord | None = None

    def record(self, snapshot: TagSnapshot) -> TagRecord | None:
        """The record of a newer snapshot, so that references to itself resolve; a comment row as it was edited."""
        return self.draft and (snapshot.find(self.namespace, self.draft.raw) or self.draft)


def plan_addition(
    state: DatabaseState, namespace: Namespace, raw: str, sources: CellSources, position: RowPosition
) -> EditPlan:
    """Plan a new row. Raises `InvalidInput` for cells with problems, `Conflict` when there is such a tag."""
    tag = checked_raw(raw)
    draft = read_draft(state.snapshot, namespace, tag, sources)
    require_no_problems(draft, needs_name=True)
    row = _row_of(draft)
    if state.snapshot.has(namespace, tag):
        raise Conflict(f"There is a tag {namespace.value}:{tag} already; change it instead.")
    data = with_row(_table(state, namespace), row, position)
    return EditPlan(namespace, data, commit_message(Action.ADD, namespace, tag, draft.name.text, new=row), draft)


def plan_comment(state: DatabaseState, namespace: Namespace, sources: CellSources, position: RowPosition) -> EditPlan:
    """Plan a new comment row, one without a raw tag. Its cells may be empty."""
    if position.before is None and position.after is None:
        raise InvalidInput("before", "A comment needs a place: before or after.")
    draft = read_draft(state.snapshot, namespace, "", sources)
    require_no_problems(draft, needs_name=False)
    row = _row_of(draft)
    data = with_row(_table(state, namespace), row, position)
    return EditPlan(namespace, data, commit_message(Action.ADD, namespace, "", draft.name.text, new=row), draft)


def plan_change(state: DatabaseState, namespace: Namespace, raw: str, sources: CellSources) -> EditPlan | None:
    """Plan the change of a row; None when nothing would change. Raises `InvalidInput` or `TagNotFound`."""
    tag = checked_raw(raw)
    draft = read_draft(state.snapshot, namespace, tag, sources)
    require_no_problems(draft, needs_name=True)
    row = _row_of(draft)
    record = _record(state.snapshot, namespace, tag)
    if [cell.raw for cell in record.cells] == [cell.raw for cell in draft.cells]:
        return None
    data = with_changed_row(_table(state, namespace), tag, row)
    message = commit_message(Action.UPDATE, namespace, tag, draft.name.text, old=canonical_row(record), new=row)
    return EditPlan(namespace, data, message, draft)


def plan_removal(state: DatabaseState, namespace: Namespace, raw: str) -> EditPlan:
    """Plan the removal of a row. Raises `TagNotFound`."""
    tag = checked_raw(raw)
    record = _record(state.snapshot, namespace, tag)
    data = without_row(_table(state, namespace), tag)
    message = commit_message(Action.REMOVE, namespace, tag, record.name.text, old=canonical_row(record))
    return EditPlan(namespace, data, message)


def checked_raw(raw: str, field: str = "raw") -> str:
    """The raw tag in stored form. Raises `InvalidInput` with `field` for what can't be one."""
    tag = parse_raw_tag(raw)
    if tag is None:
        raise InvalidInput(field, "A raw tag has letters a to z, digits, dots, hyphens and blanks only.")
    return tag


def canonical_row(record: TagRecord) -> str:
    """The row of a record, its cells in raw form."""
    return serialise_row(record.raw, *(cell.raw for cell in record.cells))


def _record(snapshot: TagSnapshot, namespace: Namespace, raw: str) -> TagRecord:
    record = snapshot.find(namespace, raw)
    if record is None:
        raise TagNotFound(namespace.value, raw)
    return record


def _table(state: DatabaseState, namespace: Namespace) -> TagTable:
    table = state.tables.get(namespace)
    if table is None:
        raise Conflict(f"The tag database has no file for {namespace.value}.")
    return table


def _row_of(draft: TagRecord) -> str:
    return written_row(draft.raw, *(cell.raw for cell in draft.cells))


def read_draft(snapshot: TagSnapshot, namespace: Namespace, raw: str, sources: CellSources) -> TagRecord:
    """A record of these cells, its references looked up in the snapshot and in itself."""
    reader = CellReader(namespace, _SnapshotWithDraft(snapshot, namespace, raw))
    return TagRecord.draft(namespace, raw, sources.cells, reader)


def read_without_namespace(sources: CellSources) -> TagRecord:
    """A record of these cells in no namespace: its references stay as written."""
    reader = CellReader(Namespace.ROWS, _EmptyLookup())
    return TagRecord.draft(Namespace.ROWS, "", sources.cells, reader)


def require_no_problems(draft: TagRecord, *, needs_name: bool) -> None:
    """Check that no cell has a problem. Raises `InvalidInput` with one line for each."""
    cells = {"name": draft.name, "intro": draft.intro, "links": draft.links}
    problems = [(field, problem) for field, cell in cells.items() for problem in cell.problems]
    if needs_name and not draft.name.raw:
        problems.insert(0, ("name", NO_NAME))
    if problems:
        raise InvalidInput(problems[0][0], "\n".join(f"{field}: {problem}" for field, problem in problems))


class _SnapshotWithDraft:
    """The tags of a snapshot and one that may not be in it yet."""

    def __init__(self, snapshot: TagSnapshot, namespace: Namespace, raw: str) -> None:
        self._snapshot = snapshot
        self._draft = (namespace, raw)

    def has(self, namespace: Namespace, raw: str) -> bool:
        return (namespace, raw) == self._draft or self._snapshot.has(namespace, raw)

    def name_of(self, namespace: Namespace, raw: str) -> str | None:
        if self._snapshot.has(namespace, raw):
            return self._snapshot.name_of(namespace, raw)
        return raw if (namespace, raw) == self._draft else None


class _EmptyLookup:
    """No tags at all."""

    def has(self, namespace: Namespace, raw: str) -> bool:  # noqa: ARG002 (the protocol's signature)
        return False

    def name_of(self, namespace: Namespace, raw: str) -> str | None:  # noqa: ARG002
        return None


def written_row(raw: str, name: str, intro: str, links: str) -> str:
    """The row of these cells (raw forms), no line ending. Raises `InvalidInput` when a table can't hold them."""
    row = serialise_row(raw, name, intro, links)
    cells = parse_row(row)
    if cells is None or cells.raw != raw or "\r" in row or "\n" in row:
        raise InvalidInput("name", "These cells can't be written as one row of a table.")
    return row


def with_row(table: TagTable, row: str, position: RowPosition) -> bytes:
    """The file with a row added. Raises `InvalidInput` when the position names a row that is not there."""
    if not _has_table(table):
        raise Conflict("This namespace's file has no table.")
    offset = _offset(table, position)
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


def _row(table: TagTable, raw: str) -> TableRow:
    row = table.find(raw)
    if row is None:
        raise LookupError(raw)
    return row


def _offset(table: TagTable, position: RowPosition) -> int:
    if position.before is not None:
        return _anchor(table, "before", position.before).start
    if position.after is not None:
        row = _anchor(table, "after", position.after)
        return row.end + len(row.ending)
    return table.insert_at


def _anchor(table: TagTable, field: str, raw: str) -> TableRow:
    row = table.find(raw)
    if row is None:
        raise InvalidInput(field, f"{field}: there is no row {raw} in this namespace.")
    return row


def _has_table(table: TagTable) -> bool:
    """False where a new row would have no header row and delimiter row above it."""
    above = table.data[: table.insert_at].splitlines()[-2:]
    return len(above) == 2 and all(split_row(line.decode("utf-8", "replace")) is not None for line in above)


def commit_message(
    action: Action, namespace: Namespace, raw: str, name: str, *, old: str | None = None, new: str | None = None
) -> str:
    """The message of an edit's commit: a line that says what, then the row as a table, or both when it changed.

    `name` is its text form, `old` and `new` are rows. No blank line follows the first, and a row without a raw tag is
    "parody:(注释)": so the official server writes them.
    """
    one_line = name.replace("\n", " ").strip()
    subject = f"{action.value} {namespace.value}:{raw or _COMMENT}" + (f" - {one_line}" if one_line else "")
    if old and new:
        return f"{subject}\n{_CHANGE_HEADER}\n| 修改前 {old}\n| 修改后 {new}"
    return f"{subject}\n{_HEADER}\n{old or new}"
