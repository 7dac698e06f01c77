"""A record of the tag database."""

from __future__ import annotations

from services.ehtag.cells import Cell
from services.ehtag.reading import CellReader
from services.ehtag.records import Namespace
from services.ehtag.rows import parse_row, read_cell


class TagRecord:
    """A tag: its name, its introduction, its links, in Chinese. One object per tag and snapshot; cells on demand."""

    __slots__ = ("_cells", "_line", "_reader", "namespace", "raw")

    def __init__(self, namespace: Namespace, raw: str, line: str, reader: CellReader) -> None:
        self.namespace = namespace
        self.raw = raw
        self._line = line
        self._reader = reader
        self._cells: tuple[Cell, Cell, Cell] | None = None

    @classmethod
    def draft(
        cls, namespace: Namespace, raw: str, name: str, intro: str, links: str, reader: CellReader
    ) -> TagRecord:
        """A record that is in no table, of three cells in markdown as somebody wrote them."""
        record = cls(namespace, raw, "", reader)
        record._cells = (
            Cell(read_cell(name), reader),
            Cell(read_cell(intro), reader),
            Cell(read_cell(links), reader),
        )
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
        return self.cells[0]

    @property
    def intro(self) -> Cell:
        """What it means."""
        return self.cells[1]

    @property
    def links(self) -> Cell:
        """Where to read on."""
        return self.cells[2]

    @property
    def cells(self) -> tuple[Cell, Cell, Cell]:
        """Name, introduction and links."""
        if self._cells is None:
            _, name, intro, links = parse_row(self._line) or ("", "", "", "")
            reader = self._reader
            self._cells = (Cell(name, reader), Cell(intro, reader), Cell(links, reader))
        return self._cells
