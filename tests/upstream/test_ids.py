from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.catalog import NumberKind, number_of, parse_album_id, parse_album_ids, parse_number
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
        "jm 350234",
        "JM:350234",
        "JM：350234",
        "jm-350234",
        "JM_350234",
        "JM#350234",
        "JM No. 350234",
        "JMJM350234",
        "jmcomic 350234",
        "禁漫車：JM350234",
        "禁漫车350234",
        "禁漫天堂 JM350234",
        "车350234",
        "車號 350234",
        "[JM350234]",
        "[JM] 350234",
        "【350234】",
        "（JM350234）",
        "「ＪＭ：３５０２３４」",
        "#350234",
        "＃350234",
        "**350234**",
        "350234.",
        "350234。",
        "350234!",
        "\ufeff350234\u200b",
        "\u202aJM350234\u202c",
        f"<{SITE}/album/350234>",
        f"【{SITE}/album/350234】",
        "comics.example/album/350234?from=list",
        "comics.example/photo/350234#page-3",
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
        "jm -",
        "[-350234]",
        "no 350234",
        "id 350234",
        "3 hungry cats",
        "jm 3 cats",
        "jm 350234 350235",
        "第350234話",
        "2024年",
        "$350234",
        "5%",
        ".5",
        "350234円",
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
        "jm" * 5_000,
        "[" * 5_000,
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


@given(st.text(st.sampled_from("jmJM 禁漫車车号[]【】：:#-_.,/0123456789+noid山"), max_size=24))
def test_a_search_reads_numbers_by_the_same_rule(text: str) -> None:
    number = number_of(text)

    if number is None:
        with pytest.raises(InvalidInput):
            parse_album_id(text)
    else:
        assert parse_album_id(text) == number


@pytest.mark.parametrize("text", ["山 350234", "+350234", "-350234", "3 hungry cats", "JM 3 cats", "2024年"])
def test_a_text_with_other_words_or_a_sign_is_no_number(text: str) -> None:
    assert number_of(text) is None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("350234", NumberKind.PLAIN),
        ("禁漫車：JM350234", NumberKind.PLAIN),
        (f"{SITE}/album/350234/title", NumberKind.ALBUM),
        ("comics.example/albums/350234", NumberKind.ALBUM),
        (f"{SITE}/photo/350234", NumberKind.CHAPTER),
        ("【comics.example/photos/350234?x=1】", NumberKind.CHAPTER),
    ],
)
def test_an_address_says_whether_its_number_is_a_chapter(text: str, kind: NumberKind) -> None:
    number = parse_number(text)

    assert (number.digits, number.kind) == ("350234", kind)


def test_a_hundred_ids_are_taken_and_one_more_is_refused() -> None:
    assert parse_album_ids(["JM2", "1", "2"]) == ["2", "1", "2"]
    assert len(parse_album_ids(["1"] * 100)) == 100

    with pytest.raises(InvalidInput) as refused:
        parse_album_ids(["1"] * 101)
    assert refused.value.field == "ids"
