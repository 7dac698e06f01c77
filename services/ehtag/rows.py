"""Rows of a tag table: `| raw | name | intro | links |`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from services.ehtag.markup.javascript import SPACES, trim

_SEPARATOR = re.compile(r"(?<!\\)\|")  # one character is looked at: `\\|` is escaped too
_BREAK = re.compile(r"<br[" + re.escape(SPACES) + r"]*/?>")  # lower case only
_NO_CELL = re.compile("[\u2028\u2029]")
_NEWLINES = re.compile(r"\r\n?|\n")


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
    """The four cells of one line, as they stand between the separators, not trimmed."""
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
    start = 1 if len(parts) > 4 and not trim(parts[0]) else 0
    if len(parts) == start + 4:
        return parts[start:]
    links = parts[start + 3 :] if trim(parts[-1]) else parts[start + 3 : -1]
    return (*parts[start : start + 3], "|".join(links))


def name_of(line: str) -> str:
    """The name cell of a row, as `parse_row` gives it; quicker where the row holds nothing odd, as nearly all do."""
    parts = line.split("|", 3)
    if len(parts) < 4 or parts[0] or "|" not in parts[3] or "\\" in line or "\u2028" in line or "\u2029" in line:
        cells = parse_row(line)
        return cells.name if cells else ""
    return read_cell(parts[2])


def serialise_row(raw: str, name: str, intro: str, links: str) -> str:
    r"""One table row, no line ending: newlines become `<br>`, `|` becomes `\|`. Give each cell in its raw form."""
    return "| " + " | ".join(map(_written, (raw, name, intro, links))) + " |"


def read_cell(field: str) -> str:
    """The markdown of what stands between the separators, or of what a caller wrote: trimmed, `<br>` a newline."""
    cell = trim(field)
    return trim(_BREAK.sub("\n", cell)) if "<br" in cell else cell


def _written(cell: str) -> str:
    return _NEWLINES.sub("<br>", cell).replace("|", "\\|")


def _links(tail: str) -> str:
    """What follows the third separator, without the pipe that may close the row."""
    links = trim(tail)
    return trim(links[:-1]) if links.endswith("|") and not links.endswith("\\|") else links


def _split_odd_row(line: str) -> Sequence[str] | None:
    """As `split_row`, for lines with U+2028 or U+2029: these may stand at a cell's edge, never within.

    Each separator stands as far left as the cells behind it allow.
    """
    if line.endswith("\\"):
        return None
    pipes = [match.start() for match in _SEPARATOR.finditer(line)]
    opened = pipes and not trim(line[: pipes[0]]) and _place(line, pipes[0] + 1, pipes[1:])
    return opened or _place(line, 0, pipes)


def _place(line: str, start: int, pipes: list[int]) -> Sequence[str] | None:
    """The four cells from `start` on. A cell that starts later is never worse, so each bound is a minimum."""
    third_from = _leftmost(pipes, 2, lambda index: _is_cell(_links(line[pipes[index] + 1 :])))
    if third_from is None:
        return None

    def between(index: int, bound: int) -> str:
        following = max(index + 1, bound)
        return trim(line[pipes[index] + 1 : pipes[following]])

    second_from = _leftmost(pipes[:-1], 1, lambda index: _is_cell(between(index, third_from)))
    if second_from is None:
        return None
    first = _leftmost(pipes[:-2], 0, lambda index: _is_cell(between(index, second_from)))
    if first is None or not _is_cell(trim(line[start : pipes[first]])):
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
    return _NO_CELL.search(text) is None


def _leftmost(pipes: Sequence[int], lowest: int, fits: Callable[[int], bool]) -> int | None:
    """The smallest index, not under `lowest`, from which on every pipe fits."""
    found = None
    for index in range(len(pipes) - 1, lowest - 1, -1):
        if not fits(index):
            break
        found = index
    return found
