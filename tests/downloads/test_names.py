"""A title becomes a safe file name."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.downloads import file_stem, is_safe_stem
from services.downloads.names import LONGEST_NAME_BYTES, with_album_suffix

AWKWARD = st.text(
    st.sampled_from('ab漢é́́🏔\u202e\u200d./\\:*?"<>| \t\n\x00\x7f\ud800CONcon1') | st.characters(), max_size=120
)
FORBIDDEN = set('/\\:*?"<>|')


@pytest.mark.parametrize(
    ("title", "stem"),
    [
        ("Rivers of the north", "Rivers of the north"),
        ("Tea: a history?", "Tea_ a history_"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("...hidden", "hidden"),
        ("  two\t\n lines  ", "two lines"),
        ("ends with dots. . .", "ends with dots"),
        ("山の\u202eparts\u202c", "山のparts"),
        ("lone \ud83d half", "lone half"),
        ("con", "_con"),
        ("COM1.tar", "_COM1.tar"),
        ("lpt¹", "_lpt¹"),
        ("console", "console"),
        ("Cafe\u0301", "Café"),
        ("", "untitled"),
        ("\x00. .\u200b", "untitled"),
    ],
)
def test_a_title_becomes_a_file_name(title: str, stem: str) -> None:
    assert file_stem(title) == stem


@given(AWKWARD)
def test_a_file_name_is_always_safe(title: str) -> None:
    stem = file_stem(title)

    assert 0 < len(stem.encode()) <= LONGEST_NAME_BYTES
    assert not FORBIDDEN & set(stem)
    assert not {unicodedata.category(char) for char in stem} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert stem == stem.strip(" .")
    assert is_safe_stem(stem)


@given(AWKWARD)
def test_cleaning_a_name_twice_changes_nothing(title: str) -> None:
    assert file_stem(file_stem(title)) == file_stem(title)


@given(st.text(st.sampled_from("漢a🏔e\u0301"), min_size=90, max_size=400))
def test_a_long_title_is_cut_between_characters_only(title: str) -> None:
    whole, stem = unicodedata.normalize("NFC", title), file_stem(title)

    assert whole.startswith(stem)
    rest = whole[len(stem) :]
    assert not rest or not unicodedata.combining(rest[0])


def test_a_long_title_uses_the_whole_length_allowed() -> None:
    assert file_stem("漢" * 100) == "漢" * 66
    assert file_stem("a" * 300) == "a" * 200


def test_an_empty_title_becomes_a_fallback() -> None:
    assert file_stem("???"[:0], "JM350234") == "JM350234"


@given(AWKWARD, st.integers(1, 10**9).map(str))
def test_a_second_album_of_the_same_title_gets_its_number(title: str, album_id: str) -> None:
    name = with_album_suffix(file_stem(title), album_id)

    assert name.endswith(f" [JM{album_id}]")
    assert len(name.encode()) <= LONGEST_NAME_BYTES
    assert is_safe_stem(name)


@pytest.mark.parametrize("name", ["", "..", "a/b", "a\\b", "a\x00b", "a\nb", ".hidden", "x" * 201, "漢" * 67])
def test_a_name_that_can_do_harm_is_unsafe(name: str) -> None:
    assert not is_safe_stem(name)
