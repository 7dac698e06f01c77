from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalog import number_of, parse_album_id, parse_album_ids
from services.errors import InvalidInput

SITE = "https://comics.example"


@pytest.mark.parametrize(
    "text",
    [
        "350234",
        "JM350234",
        "jm350234",
        "Jm350234",
        "  350234\n",
        "000350234",
        "jm00350234",
        "３５０２３４",
        "ＪＭ350234",
        f"{SITE}/album/350234",
        f"{SITE}/album/350234/",
        f"{SITE}/album/350234/山行-第1話",
        f"{SITE}/album/350234/%E5%B1%B1?from=list#top",
        f"{SITE}/album/350234?x=1",
        f"{SITE}/albums/350234",
        f"{SITE}/photo/350234",
        f"{SITE}/photos/350234/",
        f"{SITE}/album/?id=350234",
        f"{SITE}/album/?a=b&id=350234&c=d",
        "http://127.0.0.1:8000/album/350234/",
        "comics.example/album/350234",
        "HTTPS://COMICS.EXAMPLE/ALBUM/350234",
        f" {SITE}/album/000350234 ",
    ],
)
def test_every_way_to_write_an_album_number_is_read(text: str) -> None:
    assert parse_album_id(text) == "350234"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "0",
        "000",
        "JM",
        "JM0",
        "-350234",
        "+350234",
        "350234.5",
        "3 50234",
        "jm 350234",
        "JMJM350234",
        "350234abc",
        "abc",
        "1234567890123",
        "٣٥٠٢٣٤",
        "350234; DROP",
        "../350234",
        f"{SITE}/album/",
        f"{SITE}/album/abc",
        f"{SITE}/user/350234",
        f"{SITE}/album/350234abc",
        f"{SITE}/album/0",
        f"{SITE}/x/album/350234",
        "ftp://comics.example/album/350234",
        "file:///album/350234",
        "/album/350234",
        "350234\x00",
        f"{SITE}/album/350234/" + "x" * 500,
        "9" * 10_000,
    ],
)
def test_what_is_no_album_number_is_refused_with_its_field(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_album_id(text, "albumId")

    assert refused.value.field == "albumId"
    assert text.strip() == "" or len(text) < 3 or text not in refused.value.message


@given(st.integers(1, 10**12 - 1), st.sampled_from(["", "JM", "jm", "0", "00"]))
def test_a_number_is_read_back_as_its_digits(number: int, prefix: str) -> None:
    assert parse_album_id(f"{prefix}{number}") == str(number)


@given(st.text(max_size=60))
def test_any_text_is_digits_or_refused(text: str) -> None:
    try:
        found = parse_album_id(text)
    except InvalidInput:
        return

    assert found.isascii()
    assert found.isdigit()
    assert not found.startswith("0")
    assert parse_album_id(found) == found


def test_a_search_text_is_a_number_only_as_a_whole() -> None:
    assert number_of("350234") == "350234"
    assert number_of("JM350234") == "350234"
    assert number_of("山 350234") is None
    assert number_of(f"{SITE}/album/350234") is None
    assert number_of("+350234") is None


def test_a_hundred_ids_are_taken_and_one_more_is_refused() -> None:
    assert parse_album_ids(["JM2", "1", "2"]) == ["2", "1", "2"]
    assert len(parse_album_ids(["1"] * 100)) == 100

    with pytest.raises(InvalidInput) as refused:
        parse_album_ids(["1"] * 101)
    assert refused.value.field == "ids"
