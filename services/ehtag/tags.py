"""A record of the tag database, and the forms it is given out in."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from services.ehtag.markup.cells import Cell, CellReader
from services.ehtag.records import Namespace
from services.ehtag.table import TagTable, parse_table, read_cell, split_row

_NO_TABLE = parse_table(b"")
_NO_CELLS = ("", "", "", "")


class TagRecord:
    """A tag: its name, its introduction, its links, in Chinese. One object per tag and snapshot; cells on demand."""

    __slots__ = ("_intro", "_links", "_name", "_reader", "_row", "_table", "namespace", "raw")

    def __init__(self, namespace: Namespace, raw: str, table: TagTable, row: int, reader: CellReader) -> None:
        self.namespace = namespace
        self.raw = raw
        self._table = table
        self._row = row  # the line is read again for each cell: kept, it would cost more memory than all cells do
        self._reader = reader
        self._name: Cell | None = None
        self._intro: Cell | None = None
        self._links: Cell | None = None

    @classmethod
    def draft(cls, namespace: Namespace, raw: str, cells: tuple[str, str, str], reader: CellReader) -> TagRecord:
        """A record that is in no table, of three cells in markdown as somebody wrote them."""
        record = cls(namespace, raw, _NO_TABLE, -1, reader)
        record._name, record._intro, record._links = (Cell(read_cell(cell), reader) for cell in cells)
        return record

    def __repr__(self) -> str:
        return f"<TagRecord {self.id}>"

    @property
    def id(self) -> str:
        """`namespace:raw`, as in "other:full color"."""
        return f"{self.namespace.value}:{self.raw}"

    @property
    def name(self) -> Cell:
        """What the tag is called."""
        if self._name is None:
            self._name = self._cell(1)
        return self._name

    @property
    def intro(self) -> Cell:
        """What it means."""
        if self._intro is None:
            self._intro = self._cell(2)
        return self._intro

    @property
    def links(self) -> Cell:
        """Where to read on."""
        if self._links is None:
            self._links = self._cell(3)
        return self._links

    @property
    def cells(self) -> tuple[Cell, Cell, Cell]:
        """Name, introduction and links."""
        return self.name, self.intro, self.links

    def _cell(self, position: int) -> Cell:
        fields = split_row(self._table.text_of(self._row)) or _NO_CELLS
        return Cell(read_cell(fields[position]), self._reader)


class TagForm(StrEnum):
    """One form of every cell, or all of them at once."""

    FULL = "full"
    RAW = "raw"
    TEXT = "text"
    HTML = "html"
    AST = "ast"


_RENDERERS: dict[TagForm, Callable[[Cell], Any]] = {
    TagForm.FULL: lambda cell: {"raw": cell.raw, "text": cell.text, "html": cell.html, "ast": cell.ast},
    TagForm.RAW: lambda cell: cell.raw,
    TagForm.TEXT: lambda cell: cell.text,
    TagForm.HTML: lambda cell: cell.html,
    TagForm.AST: lambda cell: cell.ast,
}


def render_record(record: TagRecord, form: TagForm) -> dict[str, Any]:
    """A record ready for JSON: `{"name": …, "intro": …, "links": …}`.

    Each cell is a string, a list of nodes (AST), or `{"raw", "text", "html", "ast"}` (FULL).
    """
    render = _RENDERERS[form]
    return {"name": render(record.name), "intro": render(record.intro), "links": render(record.links)}
