"""Files of namespaces and their rows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ehtag.table import RowCells, parse_row, parse_table, read_cell, serialise_row

FILE = """---
name: 自然
---

一些说明 | 不是行

| 原始标签 | 名称 | 描述 | 外部链接 |
| -------- | ---- | ---- | -------- |
| river | 河 | 流水 | |
| | ▼示例 | | |
| River | 川 | 重复 | |
| sea | 海 | | |

| lake | 湖 | | |
"""


def test_the_table_holds_tags_comments_and_duplicates_in_the_order_of_the_file() -> None:
    table = parse_table(FILE.encode())

    assert table.front_matter == "name: 自然\n"
    assert table.raws == ["river", None, "river", "sea"]
    assert [row.line for row in table.rows] == [9, 10, 11, 12]
    assert table.rows[1].cells.name == "▼示例"


def test_the_first_of_equal_tags_is_found() -> None:
    table = parse_table(FILE.encode())

    row = table.find("river")

    assert row is not None
    assert (row.line, row.cells.name) == (9, "河")
    assert table.find("lake") is None


def test_rows_have_their_byte_offsets() -> None:
    data = FILE.replace("\n", "\r\n").encode()
    table = parse_table(data)

    assert [data[row.start : row.end].decode() for row in table.rows] == [row.text for row in table.rows]
    assert {row.ending for row in table.rows} == {b"\r\n"}
    assert data[: table.insert_at].endswith("| sea | 海 | | |\r\n".encode())
    assert table.newline == b"\r\n"


def test_lines_end_at_lf_crlf_and_cr_only() -> None:
    table = parse_table("|a|b|c|d|\r|-|-|-|-|\r\n|x|1\x0b2|\x85|\x1c3|\n|y|||".encode())

    assert table.raws == ["x", "y"]
    assert table.rows[0].cells[1:] == ("1\x0b2", "\x85", "\x1c3")
    assert table.rows[1].ending == b""
    assert table.newline == b"\r"


def test_front_matter_after_a_byte_order_mark_is_prose() -> None:
    table = parse_table(("\ufeff" + FILE).encode())

    assert table.front_matter is None
    assert table.raws == ["river", None, "river", "sea"]


def test_front_matter_ends_at_the_same_delimiter() -> None:
    table = parse_table(b"-\na: 1\n---\nb: 2\n-\n|a|b|c|d|\n|-|-|-|-|\n")

    assert table.front_matter == "a: 1\n---\nb: 2\n"
    assert table.first_line == 8


def test_front_matter_without_an_end_is_prose() -> None:
    assert parse_table(b"---\nname: x\n").front_matter is None


def test_a_single_row_is_prose() -> None:
    table = parse_table(b"|a|b|c|d|\n\n|e|f|g|h|\n|-|-|-|-|\n|x|y|z||\n")

    assert table.raws == ["x"]
    assert table.first_line == 5


def test_a_file_without_a_table_has_no_rows() -> None:
    table = parse_table("只有文字\n".encode())

    assert table.first_line == 1
    assert table.raws == []
    assert table.rows == []


def test_bytes_that_are_no_utf_8_are_replaced() -> None:
    table = parse_table(b"|a|b|c|d|\n|-|-|-|-|\n|x|\xff\xe6\xb2|c||\n")

    assert table.rows[0].cells.name == "\ufffd\ufffd"


@given(st.binary(max_size=200))
def test_any_bytes_can_be_parsed(data: bytes) -> None:
    table = parse_table(data)

    assert b"".join(data[row.start : row.end] + row.ending for row in table.rows) in data


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
def test_a_line_separator_shifts_the_cells(line: str, cells: tuple[str, str, str, str]) -> None:
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
def test_any_line_can_be_parsed_as_a_row(line: str) -> None:
    cells = parse_row(line)

    assert cells is None or all(
        cell == read_cell(cell) and "\u2028" not in cell and "\u2029" not in cell for cell in cells
    )
