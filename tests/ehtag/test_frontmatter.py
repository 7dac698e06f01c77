"""Front matter, with the types of YAML 1.2."""

from __future__ import annotations

import pytest

from services.ehtag.frontmatter import FrontMatterError, read_front_matter


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("12:30", "12:30"),
        ("true", True),
        ("Null", None),
        ("~", None),
        ("017", 17),
        ("0o17", 15),
        ("0x1F", 31),
        ("0b101", 5),
        ("-1_000", -1000),
        ("1.", 1),
        ("-.5", "-.5"),
        (".5", 0.5),
        ("1e3", 1000),
        (".inf", None),
        ("1__0", 10),
        ("1_", "1_"),
        ("0o8", "0o8"),
        ("2024-05-01", "2024-05-01T00:00:00.000Z"),
        ("2024-5-1", "2024-5-1"),
        ("2024-02-30", "2024-03-01T00:00:00.000Z"),
        ("2024-05-01 10:20:30.123456 +8", "2024-05-01T02:20:30.123Z"),
        ("2001-12-14t21:59:43.10-05:00", "2001-12-15T02:59:43.100Z"),
        ("'12'", "12"),
        ("<<", "<<"),
        ("[a, no, 1]", ["a", "no", 1]),
        ("{b: 1, 2: x, true: y, 1: z}", {"1": "z", "2": "x", "b": 1, "true": "y"}),
    ],
)
def test_a_plain_value_has_the_type_that_yaml_1_2_gives_it(written: str, value: object) -> None:
    read = read_front_matter(f"key: {written}\n")["key"]

    assert read == value
    assert type(read) is type(value)


def test_keys_keep_their_order_but_array_indexes_come_first() -> None:
    assert list(read_front_matter("b: 1\na: 2\n10: x\n9: y\n")) == ["9", "10", "b", "a"]


def test_aliases_are_merged() -> None:
    assert read_front_matter("base: &base {a: 1}\nmore:\n  <<: *base\n  b: 2\n")["more"] == {"a": 1, "b": 2}


def test_nothing_is_an_empty_mapping() -> None:
    assert read_front_matter("# nothing\n") == {}


@pytest.mark.parametrize(
    "text", ["a: [", "just words", "- a", "a: !!python/name:os.system ''", "a: &x [*x]", "a: !!binary aGk="]
)
def test_what_is_no_plain_mapping_is_refused(text: str) -> None:
    with pytest.raises(FrontMatterError):
        read_front_matter(text)
