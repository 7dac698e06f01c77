from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.upstream.mapping import count_of, date_of, date_of_timestamp


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("[40K]", 40_000),
        ("40K", 40_000),
        ("1.2M", 1_200_000),
        ("3万", 30_000),
        ("3.5萬", 35_000),
        ("１２萬", 120_000),
        ("2亿", 200_000_000),
        ("1.05億", 105_000_000),
        ("9千", 9_000),
        ("4百万", 4_000_000),
        ("1B", 1_000_000_000),
        ("2w", 20_000),
        ("102497", 102_497),
        ("102,497", 102_497),
        ("1,234,567", 1_234_567),
        (" [ 7 ] ", 7),
        ("99k+", 99_000),
        ("1.0005K", 1_001),
        ("0", 0),
        ("", 0),
        (None, 0),
        ("-", 0),
        ("many", 0),
        ("1.2.3", 0),
        (918, 918),
        (-1, 0),
    ],
)
def test_a_count_is_an_integer_however_the_site_writes_it(text: str | int | None, count: int) -> None:
    assert count_of(text) == count


@given(st.integers(0, 10**15))
def test_a_plain_number_is_read_in_every_format(number: int) -> None:
    texts = [str(number), f"[{number}]", f"{number:,}", f" {number} ", f"{number}+"]

    assert [count_of(text) for text in texts] == [number] * len(texts)


@given(st.integers(0, 99_999), st.sampled_from([("K", 3), ("k", 3), ("万", 4), ("萬", 4), ("M", 6), ("亿", 8)]))
def test_a_unit_multiplies_the_number(tenths: int, unit: tuple[str, int]) -> None:
    name, zeros = unit

    assert count_of(f"[{tenths // 10}.{tenths % 10}{name}]") == tenths * 10 ** (zeros - 1)


@given(st.text(max_size=30))
def test_any_text_gives_a_count(text: str) -> None:
    assert count_of(text) >= 0


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2020-08-29", date(2020, 8, 29)),
        (" 2020/8/9 ", date(2020, 8, 9)),
        ("2020.08.29 12:30", date(2020, 8, 29)),
        ("2020-13-01", None),
        ("2020-02-30", None),
        ("0", None),
        ("", None),
        (None, None),
    ],
)
def test_a_day_is_read_or_it_is_none(text: str | None, day: date | None) -> None:
    assert date_of(text) == day


def test_a_time_stamp_is_the_day_at_the_site() -> None:
    # 2020-08-28 17:00 UTC is the 29th in the site's zone
    assert date_of_timestamp("1598634000") == date(2020, 8, 29)
    assert date_of_timestamp(1598630399) == date(2020, 8, 28)


@pytest.mark.parametrize("stamp", ["0", "", None, "soon", "-5", 10**30])
def test_no_time_stamp_is_no_day(stamp: str | int | None) -> None:
    assert date_of_timestamp(stamp) is None
