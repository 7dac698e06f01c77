"""Rows of a tag table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ehtag.table import RowCells, parse_row, read_cell, serialise_row


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ("| river | 河 | 流水 | [a](b) |", ("river", "河", "流水", "[a](b)")),
        ("river|河|流水|[a](b)", ("river", "河", "流水", "[a](b)")),
        ("  |river|河|流水|[a](b)", ("river", "河", "流水", "[a](b)")),
        ("river|河|流水|[a](b)|", ("river", "河", "流水", "[a](b)")),
        ("||||", ("", "", "", "")),
        ("|||", ("", "", "", "")),
        ("|河|流水|x", ("", "河", "流水", "x")),
        ("| a | b | c | d | e | f |", ("a", "b", "c", "d | e | f")),
        ("| a | b | c | d ||", ("a", "b", "c", "d |")),
        (r"| a | b\|c | d | e |", ("a", r"b\|c", "d", "e")),
        (r"| a | b\\|c | d | e |", ("a", r"b\\|c", "d", "e")),
        (r"| a | b | c | d\|", ("a", "b", "c", r"d\|")),
        ("| a | b | c | d\\ |", ("a", "b", "c", "d\\")),
        ("| a | b<br>c<br />d | <BR> | |", ("a", "b\nc\nd", "<BR>", "")),
        ("| a | <br> b <br> | | |", ("a", "b", "", "")),
        ("|\u3000a\ufeff|\u00a0b|c|\x85|", ("a", "b", "c", "\x85")),
    ],
)
def test_a_row_gives_its_four_cells(line: str, cells: tuple[str, str, str, str]) -> None:
    assert parse_row(line) == RowCells(*cells)


@pytest.mark.parametrize(
    "line", ["", "river", "| a |", "a|b|c", r"a\|b|c|d", "| a | b | c | d\\", "|a|x\u2028y|c|d|"]
)
def test_other_lines_are_no_rows(line: str) -> None:
    assert parse_row(line) is None


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ("|a\u2028|\u2029b|c|d\u2028|", ("a", "b", "c", "d")),
        ("a|b|c|d|\u2028y", ("a", "b", "c|d", "y")),
        ("a|b|c|d|e|\u2029y", ("a", "b", "c|d|e", "y")),
        ("|a|b|\u2028c|d|e", ("a", "b", "c", "d|e")),
        ("a|\u2028b|c|d|e|f", ("a", "b", "c", "d|e|f")),
    ],
)
def test_a_line_separator_moves_the_borders_of_cells(line: str, cells: tuple[str, str, str, str]) -> None:
    assert parse_row(line) == RowCells(*cells)


def test_a_row_is_written_in_one_line_with_its_pipes_escaped() -> None:
    assert serialise_row("river", "河|川", "流水\n长", "") == r"| river | 河\|川 | 流水<br>长 |  |"


_TAGS = st.text("abc012-. ", min_size=1).map(str.strip)
_CELLS = st.text(st.characters(codec="utf-8", exclude_characters="|\\\u2028\u2029")).map(
    lambda text: read_cell(text.replace("\r\n", "\n").replace("\r", "\n"))
)


@given(_TAGS, _CELLS, _CELLS, _CELLS)
def test_what_is_written_is_read_again(raw: str, name: str, intro: str, links: str) -> None:
    line = serialise_row(raw, name, intro, links)

    assert parse_row(line) == RowCells(raw, name, intro, links)
    assert serialise_row(*RowCells(raw, name, intro, links)) == line


@given(st.text("|\\ a\u2028\u2029<br>字", max_size=40))
def test_no_line_is_too_odd_to_be_told(line: str) -> None:
    cells = parse_row(line)

    assert cells is None or all(
        cell == read_cell(cell) and "\u2028" not in cell and "\u2029" not in cell for cell in cells
    )
