"""A title becomes a safe file name."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.downloads import file_stem, is_safe_stem
from services.downloads.names import LONGEST_NAME_BYTES, with_number

AWKWARD = st.text(
    st.sampled_from('ab漢é́́🏔👩👦🏽❤\ufe0f🇯میක්\u202e\u200c\u200d./\\:*?"<>| \t\n\x00\x7f\ud800CONcon1')
    | st.characters(),
    max_size=120,
)
FAMILY = "👨\u200d👩\u200d👧\u200d👦"
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
        (f"A day with {FAMILY}", f"A day with {FAMILY}"),
        ("🏳️\u200d🌈 and ❤️\u200d🔥", "🏳️\u200d🌈 and ❤️\u200d🔥"),
        ("👩🏽\u200d🚀", "👩🏽\u200d🚀"),
        ("a\u200db 漢\u200d字 x\u200cy", "ab 漢字 xy"),
        ("\u200d👩 👩\u200d", "👩 👩"),
        ("👩\u200d\u200d👦", "👩👦"),
        ("👩\u200d?", "👩_"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("ක්\u200dරි", "ක්\u200dරි"),
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
    without_joiners = stem.translate({0x200C: None, 0x200D: None})
    assert not {unicodedata.category(char) for char in without_joiners} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert stem == stem.strip("\u200c\u200d")
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


@pytest.mark.parametrize(
    ("sequence", "length"),
    [(FAMILY, 25), ("👩🏽", 8), ("🇯🇵", 8), ("❤️\u200d🔥", 13), ("می\u200cخ", 9), ("ක්\u200dර", 12), ("1️⃣", 7)],
)
def test_an_emoji_of_several_characters_is_kept_or_left_out_as_a_whole(sequence: str, length: int) -> None:
    assert len(sequence.encode()) == length

    for room in range(1, length):
        assert sequence not in file_stem("a" * (200 - room) + sequence)
    assert file_stem("a" * (200 - length) + sequence) == "a" * (200 - length) + sequence


@pytest.mark.parametrize("emoji", [FAMILY, "👩🏽\u200d🚀", "🇯🇵", "❤️\u200d🔥"])
def test_no_cut_separates_the_parts_of_an_emoji(emoji: str) -> None:
    for room in range(len(emoji.encode())):
        assert file_stem("a" * (200 - room) + emoji) == "a" * (200 - room)


def test_two_flags_are_not_cut_into_other_ones() -> None:
    assert file_stem("a" * 188 + "🇯🇵🇰🇷") == "a" * 188 + "🇯🇵"


def test_a_long_title_uses_the_whole_length_allowed() -> None:
    assert file_stem("漢" * 100) == "漢" * 66
    assert file_stem("a" * 300) == "a" * 200


def test_an_empty_title_becomes_a_fallback() -> None:
    assert file_stem("???"[:0], "JM350234") == "JM350234"


@given(AWKWARD, st.integers(1, 10**9).map(str))
def test_a_second_album_of_the_same_title_gets_its_number(title: str, album_id: str) -> None:
    name = with_number(file_stem(title), album_id)

    assert name.endswith(f" [JM{album_id}]")
    assert len(name.encode()) <= LONGEST_NAME_BYTES
    assert is_safe_stem(name)


@pytest.mark.parametrize("name", ["", "..", "a/b", "a\\b", "a\x00b", "a\nb", ".hidden", "x" * 201, "漢" * 67])
def test_a_name_that_can_do_harm_is_unsafe(name: str) -> None:
    assert not is_safe_stem(name)
