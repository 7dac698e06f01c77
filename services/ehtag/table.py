"""The file of a namespace: front matter, prose, and a table of tags with its rows."""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

from services.ehtag.markup.syntax import SPACES
from services.ehtag.records import parse_raw_tag

_SEPARATOR = re.compile(r"(?<!\\)\|")  # one character is looked at: `\\|` is escaped too
_BREAK = re.compile(r"<br[" + re.escape(SPACES) + r"]*/?>")  # lower case only
_LINE_SEPARATORS = re.compile("[\u2028\u2029]")
NEWLINES = re.compile(r"\r\n?|\n")
_ENDINGS = b"\r\n"
_PLAIN_ROW = re.compile(rb"\| ([-a-z0-9.](?:[-a-z0-9. ]*[-a-z0-9.])?) \|")
_LINE_SEPARATOR_START = "\u2028".encode()[:2]  # begins U+2029 as well


class RowCells(NamedTuple):
    """The four cells of a row as markdown, each trimmed, `<br>` turned into a newline."""

    raw: str
    name: str
    intro: str
    links: str


def parse_row(line: str) -> RowCells | None:
    """The cells of one line (no line ending in it), or None when it is no row.

    Three `|` not preceded by a backslash separate the cells; one more may open and one close the row; whatever is
    beyond belongs to the links. A line that ends in a backslash, or a cell with a U+2028 or U+2029 inside, is no row.
    """
    fields = split_row(line)
    return None if fields is None else RowCells(*map(read_cell, fields))


def split_row(line: str) -> Sequence[str] | None:
    """The four cells of one line, between the separators, not trimmed."""
    if "\u2028" in line or "\u2029" in line:
        return _split_odd_row(line)
    if "\\" in line:
        if line.endswith("\\"):
            return None
        parts = _SEPARATOR.split(line)
    else:
        parts = line.split("|")
    if len(parts) < 4:
        return None
    start = 1 if len(parts) > 4 and not parts[0].strip(SPACES) else 0
    if len(parts) == start + 4:
        return parts[start:]
    links = parts[start + 3 :] if parts[-1].strip(SPACES) else parts[start + 3 : -1]
    return (*parts[start : start + 3], "|".join(links))


def name_cell_of(line: str) -> str:
    """The name cell of a row, as `parse_row` gives it; faster for rows without escapes, as nearly all are."""
    parts = line.split("|", 3)
    if len(parts) < 4 or parts[0] or "|" not in parts[3] or "\\" in line or "\u2028" in line or "\u2029" in line:
        cells = parse_row(line)
        return cells.name if cells else ""
    return read_cell(parts[2])


def serialise_row(raw: str, name: str, intro: str, links: str) -> str:
    r"""One table row, no line ending: newlines become `<br>`, `|` becomes `\|`. Give each cell in its raw form."""
    return "| " + " | ".join(map(_written, (raw, name, intro, links))) + " |"


def read_cell(field: str) -> str:
    """The markdown of a cell, as it is between the separators or as a caller wrote it: trimmed, `<br>` a newline."""
    cell = field.strip(SPACES)
    return _BREAK.sub("\n", cell).strip(SPACES) if "<br" in cell else cell


def _written(cell: str) -> str:
    return NEWLINES.sub("<br>", cell).replace("|", "\\|")


def _links(tail: str) -> str:
    """The text after the third separator, without the pipe that may close the row."""
    links = tail.strip(SPACES)
    return links[:-1].strip(SPACES) if links.endswith("|") and not links.endswith("\\|") else links


def _split_odd_row(line: str) -> Sequence[str] | None:
    """As `split_row`, for lines with U+2028 or U+2029: these may be at a cell's edge, never inside.

    Each separator is as far left as the cells after it allow.
    """
    if line.endswith("\\"):
        return None
    pipes = [match.start() for match in _SEPARATOR.finditer(line)]
    opened = pipes and not (line[: pipes[0]]).strip(SPACES) and _split_at(line, pipes[0] + 1, pipes[1:])
    return opened or _split_at(line, 0, pipes)


def _split_at(line: str, start: int, pipes: list[int]) -> Sequence[str] | None:
    """The four cells from `start` on. A cell that starts later is never worse, so each bound is a minimum."""
    third_from = _leftmost(pipes, 2, lambda index: _is_cell(_links(line[pipes[index] + 1 :])))
    if third_from is None:
        return None

    def between(index: int, bound: int) -> str:
        following = max(index + 1, bound)
        return (line[pipes[index] + 1 : pipes[following]]).strip(SPACES)

    second_from = _leftmost(pipes[:-1], 1, lambda index: _is_cell(between(index, third_from)))
    if second_from is None:
        return None
    first = _leftmost(pipes[:-2], 0, lambda index: _is_cell(between(index, second_from)))
    if first is None or not _is_cell((line[start : pipes[first]]).strip(SPACES)):
        return None
    second = max(first + 1, second_from)
    third = max(second + 1, third_from)
    ends = (pipes[first], pipes[second], pipes[third])
    return (
        line[start : ends[0]],
        line[ends[0] + 1 : ends[1]],
        line[ends[1] + 1 : ends[2]],
        _links(line[ends[2] + 1 :]),
    )


def _is_cell(text: str) -> bool:
    return _LINE_SEPARATORS.search(text) is None


def _leftmost(pipes: Sequence[int], lowest: int, fits: Callable[[int], bool]) -> int | None:
    """The smallest index, not under `lowest`, from which on every pipe fits."""
    found = None
    for index in range(len(pipes) - 1, lowest - 1, -1):
        if not fits(index):
            break
        found = index
    return found


@dataclass(frozen=True, slots=True)
class TableRow:
    """One data row. `raw` is None for a comment row (its first cell is no tag).

    `line` counts from 1; `start` and `end` are byte offsets in the file, `end` before the line ending `ending`,
    which is empty only where the file ends without one.
    """

    line: int
    start: int
    end: int
    ending: bytes
    raw: str | None
    text: str

    @property
    def cells(self) -> RowCells:
        """The four cells as markdown."""
        return parse_row(self.text) or RowCells("", "", "", "")


class TagTable:
    """A parsed file; none of its cells is rendered.

    `front_matter` is the text between its rules, None where there is none. `raws` has the tag of every data row in
    file order, None for a comment row, duplicates too; the first of them is in line `first_line` (from 1).
    """

    def __init__(
        self, data: bytes, starts: array[int], front_matter: str | None, first_index: int, raws: list[str | None]
    ) -> None:
        self.data = data
        self.front_matter = front_matter
        self.raws = raws
        self._starts = starts  # byte offset of each line, and of the end
        self._first_index = first_index

    @property
    def first_line(self) -> int:
        """Line number, from 1, of the first data row, or of where it would be."""
        return self._first_index + 1

    def text_of(self, row: int) -> str:
        """The line of data row number `row` (from 0) without its ending; bytes that are no UTF-8 are U+FFFD."""
        return _text(self._line(self._first_index + row))

    @cached_property
    def rows(self) -> list[TableRow]:
        """Every data row in file order, comment rows and duplicates too, with its position in the file."""
        return [self._row(row, raw) for row, raw in enumerate(self.raws)]

    def find(self, raw: str) -> TableRow | None:
        """The first row of a tag, which is the one that counts."""
        return self._by_raw.get(raw)

    @property
    def insert_at(self) -> int:
        """Byte offset where one more row goes: after the last row and its line ending, or the delimiter row."""
        return self._starts[self._first_index + len(self.raws)]

    @property
    def newline(self) -> bytes:
        """The line ending for a new row: that of the row above, else the file's first, else LF."""
        above = max(self._first_index + len(self.raws) - 1, 0)
        candidates = [self._line(index) for index in (above, 0)] if self.data else []
        return next((ending for ending in map(_ending, candidates) if ending), b"\n")

    @cached_property
    def _by_raw(self) -> dict[str, TableRow]:
        found: dict[str, TableRow] = {}
        for row in self.rows:
            if row.raw is not None:
                found.setdefault(row.raw, row)
        return found

    def _line(self, index: int) -> bytes:
        return self.data[self._starts[index] : self._starts[index + 1]]

    def _row(self, row: int, raw: str | None) -> TableRow:
        index = self._first_index + row
        ending = _ending(self._line(index))
        end = self._starts[index + 1] - len(ending)
        return TableRow(index + 1, self._starts[index], end, ending, raw, self.text_of(row))


def parse_table(data: bytes) -> TagTable:
    """Parse a file. Its table begins with the first two adjacent rows and ends before any other line."""
    lines = data.splitlines(keepends=True)  # of bytes: LF, CRLF and CR only
    body = _front_matter_end(lines)
    front_matter = "".join(f"{_text(line)}\n" for line in lines[1 : body - 1]) if body else None
    first = _first_data_row(lines, body)
    raws: list[str | None] = []
    for line in lines[first:] if first else ():
        tag = _tag_of_plain_row(line)
        if tag is None:
            fields = split_row(_text(line))
            if fields is None:
                break
            tag = parse_raw_tag(fields[0])
        raws.append(tag)
    starts = array("L", accumulate(map(len, lines), initial=0))
    return TagTable(data, starts, front_matter, first, raws)


def _tag_of_plain_row(line: bytes) -> str | None:
    """The tag of a row in the usual form, found without decoding the line; None for any other line."""
    match = _PLAIN_ROW.match(line)
    if match is None or not line.endswith(b" |\n") or _LINE_SEPARATOR_START in line:
        return None
    separators = line.count(b"|") - line.count(b"\\|")
    return match[1].decode() if separators > 3 else None


def _front_matter_end(lines: list[bytes]) -> int:
    """Index of the first line after the front matter; 0 when there is none."""
    fence = lines[0].rstrip(_ENDINGS) if lines else b""
    if not fence or fence.strip(b"-"):
        return 0
    return next((index + 1 for index, line in enumerate(lines) if index and line.rstrip(_ENDINGS) == fence), 0)


def _first_data_row(lines: list[bytes], start: int) -> int:
    """Index after the table's header and delimiter row; 0 when there is no table."""
    above = False
    for index in range(start, len(lines)):
        is_row = split_row(_text(lines[index])) is not None
        if is_row and above:
            return index + 1
        above = is_row
    return 0


def _text(line: bytes) -> str:
    return line.rstrip(_ENDINGS).decode("utf-8", "replace")


def _ending(line: bytes) -> bytes:
    return line[len(line.rstrip(_ENDINGS)) :]
