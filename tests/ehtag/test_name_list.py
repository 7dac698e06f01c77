"""The list of tags by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ehtag import TagSnapshot, fold
from services.ehtag.records import Namespace
from services.ehtag.snapshot import NameList
from services.ehtag.table import name_cell_of, parse_row, parse_table
from tests.tag_tables import COMMIT, snapshot_in, snapshot_of, table_of


@given(st.text(st.sampled_from(list("|||| \\ab<r/>名\u2028\u3000")), max_size=24))
def test_the_fast_path_to_a_name_gives_what_parsing_the_row_gives(line: str) -> None:
    row = parse_row(line)

    assert name_cell_of(line) == (row.name if row else "")


def test_keys_and_names_are_parallel_in_release_order() -> None:
    name_lists = snapshot_of({Namespace.PARODY: {"sea": "海・风", "10": "十", "9": "九 | ９"}}).name_lists

    assert list(name_lists) == [Namespace.PARODY]
    assert name_lists[Namespace.PARODY].keys == [
        (Namespace.PARODY, "9"),
        (Namespace.PARODY, "10"),
        (Namespace.PARODY, "sea"),
    ]
    assert name_lists[Namespace.PARODY].names == ["九|9", "十", "海风"]
    assert name_lists[Namespace.PARODY].with_variants == [("九 | ９", (Namespace.PARODY, "9"))]


def test_a_name_of_several_lines_folds_to_one() -> None:
    name_list = NameList(Namespace.FEMALE, [("sea", "海\n风", False), ("hill", "山", False)])

    assert name_list.names == ["海风", "山"]


def test_an_unchanged_file_keeps_its_name_list() -> None:
    sea = parse_table(table_of({"sea": "海"}))
    before = TagSnapshot({Namespace.PARODY: sea}, 7, COMMIT, "repo")
    after = TagSnapshot(
        {Namespace.PARODY: sea, Namespace.FEMALE: parse_table(table_of({"hill": "山"}))}, 7, COMMIT, "repo"
    )

    assert after.name_lists[Namespace.PARODY] is before.name_lists[Namespace.PARODY]
    assert after.name_lists[Namespace.FEMALE].names == ["山"]


def test_a_name_that_refers_to_another_file_is_updated_with_it() -> None:
    coast = parse_table(table_of({"coast": "`sea`之岸", "hill": "山", "two": "`sea` | 二"}))

    def names_beside(sea: str) -> tuple[list[str], list[str]]:
        tables = {Namespace.PARODY: coast, Namespace.CHARACTER: parse_table(table_of({"sea": sea}))}
        name_list = TagSnapshot(tables, 7, COMMIT, "repo").name_lists[Namespace.PARODY]
        return name_list.names, [name for name, _ in name_list.with_variants]

    assert names_beside("海") == (["海sea之岸", "山", "海sea|二"], ["海(sea)之岸", "海(sea) | 二"])
    assert names_beside("洋") == (["洋sea之岸", "山", "洋sea|二"], ["洋(sea)之岸", "洋(sea) | 二"])
    assert names_beside("海") == (["海sea之岸", "山", "海sea|二"], ["海(sea)之岸", "海(sea) | 二"])


@pytest.mark.parametrize("namespace", [Namespace.PARODY, Namespace.FEMALE])
def test_names_with_markup_are_read_as_their_records_read_them(ehtag_folder: Path, namespace: Namespace) -> None:
    snapshot = snapshot_in(ehtag_folder / "database")

    expected = [fold(record.name.text) for record in snapshot.records(namespace)]
    assert snapshot.name_lists[namespace].names == expected
