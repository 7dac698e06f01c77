"""All records of one head of the tag database; immutable."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from weakref import WeakKeyDictionary

from services.ehtag.folding import fold, fold_many, may_have_variants
from services.ehtag.frontmatter import FrontMatterError, read_front_matter
from services.ehtag.markup.cells import Cell, CellReader, plain_text
from services.ehtag.markup.syntax import SPACES, in_object_order
from services.ehtag.records import CommitRecord, Namespace, NamespaceRecord, Report, TagKey
from services.ehtag.table import TagTable, name_cell_of, parse_table, read_cell, split_row

NO_NAME = "名称为空"
"""The problem of a record with an empty name, as the releases' tools word it."""

_LOGGER = "error"  # the releases' tools know one kind
_NAME_LISTS: WeakKeyDictionary[TagTable, NameList] = WeakKeyDictionary()  # of the files that a snapshot still uses
_NO_TABLE = parse_table(b"")
_NO_CELLS = ("", "", "", "")


class TagRecord:
    """A tag with its name, introduction and links in Chinese. One object per tag and snapshot; cells on demand."""

    __slots__ = ("_intro", "_links", "_name", "_reader", "_row", "_table", "namespace", "raw")

    def __init__(self, namespace: Namespace, raw: str, table: TagTable, row: int, reader: CellReader) -> None:
        self.namespace = namespace
        self.raw = raw
        self._table = table
        self._row = row  # the line is read again for each cell: cached, it would cost more memory than all cells do
        self._reader = reader
        self._name: Cell | None = None
        self._intro: Cell | None = None
        self._links: Cell | None = None

    @classmethod
    def draft(cls, namespace: Namespace, raw: str, cells: tuple[str, str, str], reader: CellReader) -> TagRecord:
        """A record that is in no table, of three cells in markdown, not yet validated."""
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
        """The name of the tag."""
        if self._name is None:
            self._name = self._cell(1)
        return self._name

    @property
    def intro(self) -> Cell:
        """The introduction: what the tag means."""
        if self._intro is None:
            self._intro = self._cell(2)
        return self._intro

    @property
    def links(self) -> Cell:
        """Links to further pages."""
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


class NameList:
    """The tags of one namespace in release order: `keys` and, parallel to them, their folded `names`.

    `with_variants` has the tags whose name may hold several spellings, with the unfolded name.
    """

    def __init__(self, namespace: Namespace, tags: Iterable[tuple[str, str, bool]]) -> None:
        """`tags`: raw tag, name, and whether the name refers to other tags' names."""
        listed = [((namespace, raw), name.replace("\n", " "), refers) for raw, name, refers in tags]
        self.keys: list[TagKey] = [key for key, _, _ in listed]
        self.names = fold_many([name for _, name, _ in listed])
        self.with_variants = [(name, key) for key, name, _ in listed if may_have_variants(name)]
        self._referring = [position for position, (_, _, refers) in enumerate(listed) if refers]

    def refreshed(self, name_of: Callable[[TagKey], str]) -> NameList:
        """This list if the names that refer to other tags are unchanged, else a copy with their new texts."""
        current = {position: name_of(self.keys[position]).replace("\n", " ") for position in self._referring}
        if all(fold(name) == self.names[position] for position, name in current.items()):
            return self
        name_list = NameList.__new__(NameList)
        name_list.keys, name_list._referring = self.keys, self._referring
        name_list.names = [fold(current[at]) if at in current else name for at, name in enumerate(self.names)]
        changed = {self.keys[position]: name for position, name in current.items()}
        name_list.with_variants = [entry for entry in self.with_variants if entry[1] not in changed]
        name_list.with_variants += [(name, key) for key, name in changed.items() if may_have_variants(name)]
        return name_list


class TagSnapshot:
    """The tag database at one commit. Cells are rendered on first use and then cached."""

    def __init__(self, tables: Mapping[Namespace, TagTable], version: int, commit: CommitRecord, repo: str) -> None:
        self.version = version
        self.commit = commit
        self.repo = repo
        self._namespaces = {
            namespace: NamespaceRecords(namespace, table, self) for namespace, table in tables.items()
        }

    @classmethod
    def from_files(
        cls, files: Mapping[Namespace, bytes], version: int, commit: CommitRecord, repo: str
    ) -> TagSnapshot:
        """The database of these files (`{Namespace.FEMALE: b"…"}`); a namespace without a file has no tags."""
        ordered = [namespace for namespace in Namespace if namespace in files]
        return cls({namespace: parse_table(files[namespace]) for namespace in ordered}, version, commit, repo)

    @cached_property
    def namespaces(self) -> list[NamespaceRecord]:
        """The namespaces that have a file, in the order of the releases."""
        return [records.info for records in self._namespaces.values()]

    @cached_property
    def count(self) -> int:
        """Number of tags."""
        return sum(map(len, self._namespaces.values()))

    def find(self, namespace: Namespace, raw: str) -> TagRecord | None:
        """The record of a tag in stored form ("full color"), if there is one."""
        records = self._namespaces.get(namespace)
        return None if records is None else records.find(raw)

    def records(self, namespace: Namespace) -> Iterator[TagRecord]:
        """The namespace's records, in the order a release lists them."""
        records = self._namespaces.get(namespace)
        return iter(()) if records is None else records.records()

    def records_uncached(self, namespace: Namespace) -> Iterator[TagRecord]:
        """The same records for a single pass over all of them: what is rendered is not kept."""
        records = self._namespaces.get(namespace)
        return iter(()) if records is None else records.records_uncached()

    def introductions(self, namespace: Namespace, is_wanted: Callable[[str], bool]) -> Iterator[tuple[str, str, str]]:
        """Raw tag, name and introduction, both as markdown, of the records whose row is wanted. Nothing is kept."""
        records = self._namespaces.get(namespace)
        return iter(()) if records is None else records.introductions(is_wanted)

    @cached_property
    def name_lists(self) -> dict[Namespace, NameList]:
        """Every tag by folded name, namespace by namespace."""
        return {namespace: records.name_list() for namespace, records in self._namespaces.items()}

    def reports(self) -> list[Report]:
        """Every problem in the data, file by file, row by row. Renders every cell."""
        return [report for records in self._namespaces.values() for report in records.reports()]

    def has(self, namespace: Namespace, raw: str) -> bool:
        """Whether there is such a tag."""
        records = self._namespaces.get(namespace)
        return records is not None and raw in records

    def name_of(self, namespace: Namespace, raw: str) -> str | None:
        """The name of a tag as text; None when there is none, or while it is being parsed."""
        record = self.find(namespace, raw)
        return record.name.text if record and record.name.can_be_read else None


def problems_of(record: TagRecord, line: int | None = None) -> list[Report]:
    """What is wrong with a record: an empty name, references to missing tags, invalid links."""
    messages = [problem for cell in record.cells for problem in cell.problems]
    if not record.name.source:
        messages.insert(0, NO_NAME)
    return [Report(_LOGGER, message, record.namespace, line, record.raw) for message in messages]


class NamespaceRecords:
    """The records of one namespace, created on first use."""

    def __init__(self, namespace: Namespace, table: TagTable, snapshot: TagSnapshot) -> None:
        self._namespace = namespace
        self._table = table
        self._reader = CellReader(namespace, snapshot)
        self._rows: dict[str, int] = {}
        for row, raw in enumerate(table.raws):
            if raw is not None and raw not in self._rows:
                self._rows[raw] = row
        self._records: dict[str, TagRecord] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, raw: str) -> bool:
        return raw in self._rows

    @cached_property
    def info(self) -> NamespaceRecord:
        """Display name, description, count and front matter."""
        try:
            read = read_front_matter(self._table.front_matter or "")
        except FrontMatterError:
            read = {}
        front = {"name": "", "description": "", **read, "key": self._namespace.value}
        ordered = {key: front[key] for key in in_object_order(front)}
        name, description = (str(front[key] or "") for key in ("name", "description"))
        return NamespaceRecord(self._namespace, name, description, len(self), ordered)

    def find(self, raw: str) -> TagRecord | None:
        """The record of a tag."""
        cached = self._records.get(raw)
        if cached is not None:
            return cached
        row = self._rows.get(raw)
        if row is None:
            return None
        return self._records.setdefault(raw, self._record(raw, row))

    def records(self) -> Iterator[TagRecord]:
        """Every record, in release order."""
        cached, rows = self._records, self._rows
        for raw in self._order:
            yield cached.get(raw) or cached.setdefault(raw, self._record(raw, rows[raw]))

    def records_uncached(self) -> Iterator[TagRecord]:
        """Every record, in release order; those that are not cached yet stay so."""
        cached = self._records
        for raw, row in zip(self._order, map(self._rows.__getitem__, self._order), strict=True):
            yield cached.get(raw) or self._record(raw, row)

    def name_list(self) -> NameList:
        """Every tag by folded name. An unchanged file is not read again: that is most of the time of a reload."""
        known = _NAME_LISTS.get(self._table)
        if known:
            return known.refreshed(self._name_at)
        return _NAME_LISTS.setdefault(self._table, NameList(self._namespace, self._names()))

    def introductions(self, is_wanted: Callable[[str], bool]) -> Iterator[tuple[str, str, str]]:
        """Raw tag, name and introduction of the records whose row is wanted."""
        for raw in self._order:
            row = self._table.text_of(self._rows[raw])
            if is_wanted(row):
                _, name, intro, _ = split_row(row) or _NO_CELLS
                yield raw, read_cell(name), read_cell(intro)

    def _names(self) -> Iterator[tuple[str, str, bool]]:
        for raw in self._order:
            row = self._rows[raw]
            source = name_cell_of(self._table.text_of(row))
            name = plain_text(source)
            yield raw, self._record(raw, row).name.text if name is None else name, "`" in source

    def _name_at(self, key: TagKey) -> str:
        _, raw = key
        return self._record(raw, self._rows[raw]).name.text

    def reports(self) -> Iterator[Report]:
        """Every problem, row by row."""
        if self._table.front_matter:
            try:
                read_front_matter(self._table.front_matter)
            except FrontMatterError as error:
                yield Report(_LOGGER, f"无效的前言：{error}", self._namespace, 1)
        for row in self._table.rows:
            written = row.cells.raw
            if row.raw is None:
                if written.strip(SPACES):
                    yield Report(_LOGGER, "无效的原始标签", self._namespace, row.line, written)
                continue
            if self._rows[row.raw] != row.line - self._table.first_line:
                yield Report(_LOGGER, "重复的条目", self._namespace, row.line, row.raw)
                continue
            record = self.find(row.raw)
            if record is not None:
                yield from problems_of(record, row.line)

    def _record(self, raw: str, row: int) -> TagRecord:
        return TagRecord(self._namespace, raw, self._table, row, self._reader)

    @cached_property
    def _order(self) -> list[str]:
        return in_object_order(self._rows)
