"""Records as somebody wants them to be: read as if they were in the database, and judged."""

from __future__ import annotations

from dataclasses import dataclass

from services.ehtag.markup.reader import CellReader
from services.ehtag.records import Namespace
from services.ehtag.snapshot import TagSnapshot
from services.ehtag.tags import TagRecord
from services.errors import InvalidInput

_NO_NAME = "名称为空"


@dataclass(frozen=True, slots=True)
class CellSources:
    """The three cells of a record in markdown, as somebody wrote them."""

    name: str
    intro: str
    links: str

    @property
    def cells(self) -> tuple[str, str, str]:
        """Name, introduction and links."""
        return self.name, self.intro, self.links


def read_draft(snapshot: TagSnapshot, namespace: Namespace, raw: str, sources: CellSources) -> TagRecord:
    """A record of these cells, its references looked up in the snapshot and in itself."""
    reader = CellReader(namespace, _WithDraft(snapshot, namespace, raw))
    return TagRecord.draft(namespace, raw, sources.cells, reader)


def read_loose(sources: CellSources) -> TagRecord:
    """A record of these cells that stands in no namespace: its references lead nowhere and stay as written."""
    reader = CellReader(Namespace.ROWS, _Nothing())
    return TagRecord.draft(Namespace.ROWS, "", sources.cells, reader)


def refuse_problems(draft: TagRecord, *, needs_name: bool) -> None:
    """Return when every cell reads cleanly. Raises `InvalidInput` with one line for each problem."""
    cells = {"name": draft.name, "intro": draft.intro, "links": draft.links}
    problems = [(field, problem) for field, cell in cells.items() for problem in cell.problems]
    if needs_name and not draft.name.raw:
        problems.insert(0, ("name", _NO_NAME))
    if problems:
        raise InvalidInput(problems[0][0], "\n".join(f"{field}: {problem}" for field, problem in problems))


class _WithDraft:
    """The names of a snapshot, and one that may not be in it yet."""

    def __init__(self, snapshot: TagSnapshot, namespace: Namespace, raw: str) -> None:
        self._snapshot = snapshot
        self._draft = (namespace, raw)

    def has(self, namespace: Namespace, raw: str) -> bool:
        return (namespace, raw) == self._draft or self._snapshot.has(namespace, raw)

    def name_of(self, namespace: Namespace, raw: str) -> str | None:
        if self._snapshot.has(namespace, raw):
            return self._snapshot.name_of(namespace, raw)
        return raw if (namespace, raw) == self._draft else None


class _Nothing:
    """A database without a tag."""

    def has(self, namespace: Namespace, raw: str) -> bool:  # noqa: ARG002 (none has any)
        return False

    def name_of(self, namespace: Namespace, raw: str) -> str | None:  # noqa: ARG002
        return None
