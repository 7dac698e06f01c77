"""Every tag by name, read the quick way."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ehtag.folding import fold
from services.ehtag.records import Namespace
from services.ehtag.roll import Roll
from services.ehtag.rows import name_of, parse_row
from tests.tag_tables import snapshot_in, snapshot_of


@given(st.text(st.sampled_from(list("|||| \\ab<r/>名\u2028\u3000")), max_size=24))
def test_the_quick_way_to_a_name_gives_what_reading_the_row_gives(line: str) -> None:
    row = parse_row(line)

    assert name_of(line) == (row.name if row else "")


def test_names_and_places_stand_side_by_side_in_release_order() -> None:
    rolls = snapshot_of({Namespace.PARODY: {"sea": "海・风", "10": "十", "9": "九 | ９"}}).rolls

    assert list(rolls) == [Namespace.PARODY]
    assert rolls[Namespace.PARODY].places == [
        (Namespace.PARODY, "9"),
        (Namespace.PARODY, "10"),
        (Namespace.PARODY, "sea"),
    ]
    assert rolls[Namespace.PARODY].names == ["九|9", "十", "海风"]
    assert rolls[Namespace.PARODY].parted == [("九 | ９", (Namespace.PARODY, "9"))]


def test_a_name_of_several_lines_folds_to_one() -> None:
    roll = Roll(Namespace.FEMALE, [("sea", "海\n风"), ("hill", "山")])

    assert roll.names == ["海风", "山"]


@pytest.mark.parametrize("namespace", [Namespace.PARODY, Namespace.FEMALE])
def test_names_with_markup_are_read_as_their_records_read_them(ehtag_folder: Path, namespace: Namespace) -> None:
    snapshot = snapshot_in(ehtag_folder / "database")

    expected = [fold(record.name.text) for record in snapshot.records(namespace)]
    assert snapshot.rolls[namespace].names == expected
