"""What an edit makes of a namespace's file, and what its commit says: the rules of edits, nothing of git."""

from __future__ import annotations

from dataclasses import dataclass

from services.ehtag.drafts import CellSources, read_draft, refuse_problems
from services.ehtag.edits import (
    Action,
    Place,
    commit_message,
    with_changed_row,
    with_row,
    without_row,
    written_row,
)
from services.ehtag.namespaces import parse_raw_tag
from services.ehtag.records import Namespace
from services.ehtag.rows import serialise_row
from services.ehtag.snapshot import TagSnapshot
from services.ehtag.state import DatabaseState
from services.ehtag.table import TagTable
from services.ehtag.tags import TagRecord
from services.errors import Conflict, InvalidInput, TagNotFound


@dataclass(frozen=True, slots=True)
class EditPlan:
    """One namespace's file after an edit, the message of its commit, and the record as it was meant (None: gone)."""

    namespace: Namespace
    data: bytes
    message: str
    draft: TagRecord | None = None

    def record(self, snapshot: TagSnapshot) -> TagRecord | None:
        """The record as a newer snapshot has it, so that references to itself read right; a comment as meant."""
        return self.draft and (snapshot.find(self.namespace, self.draft.raw) or self.draft)


def plan_addition(
    state: DatabaseState, namespace: Namespace, raw: str, sources: CellSources, place: Place
) -> EditPlan:
    """A row more. Raises `InvalidInput` for cells that don't read cleanly, `Conflict` when there is such a tag."""
    tag = checked_raw(raw)
    draft = read_draft(state.snapshot, namespace, tag, sources)
    refuse_problems(draft, needs_name=True)
    row = _row(draft)
    if state.snapshot.has(namespace, tag):
        raise Conflict(f"There is a tag {namespace.value}:{tag} already; change it instead.")
    data = with_row(_table(state, namespace), row, place)
    return EditPlan(namespace, data, commit_message(Action.ADD, namespace, tag, draft.name.text, new=row), draft)


def plan_comment(state: DatabaseState, namespace: Namespace, sources: CellSources, place: Place) -> EditPlan:
    """A comment row more, at a place: one without a raw tag. Its cells may be empty."""
    if place.before is None and place.after is None:
        raise InvalidInput("before", "A comment needs a place: before or after.")
    draft = read_draft(state.snapshot, namespace, "", sources)
    refuse_problems(draft, needs_name=False)
    row = _row(draft)
    data = with_row(_table(state, namespace), row, place)
    return EditPlan(namespace, data, commit_message(Action.ADD, namespace, "", draft.name.text, new=row), draft)


def plan_change(state: DatabaseState, namespace: Namespace, raw: str, sources: CellSources) -> EditPlan | None:
    """A row changed; None when it says the same already. Raises `InvalidInput` or `TagNotFound`."""
    tag = checked_raw(raw)
    draft = read_draft(state.snapshot, namespace, tag, sources)
    refuse_problems(draft, needs_name=True)
    row = _row(draft)
    record = _record(state.snapshot, namespace, tag)
    if [cell.raw for cell in record.cells] == [cell.raw for cell in draft.cells]:
        return None
    data = with_changed_row(_table(state, namespace), tag, row)
    message = commit_message(Action.UPDATE, namespace, tag, draft.name.text, old=canonical_row(record), new=row)
    return EditPlan(namespace, data, message, draft)


def plan_removal(state: DatabaseState, namespace: Namespace, raw: str) -> EditPlan:
    """A row less. Raises `TagNotFound`."""
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


def _row(draft: TagRecord) -> str:
    return written_row(draft.raw, *(cell.raw for cell in draft.cells))
