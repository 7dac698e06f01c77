"""Conditional requests, byte ranges, quality values and bounded bodies, as RFC 9110 has them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from services.http_semantics import (
    BodyIncomplete,
    BodyTooLarge,
    ByteRange,
    RangeNotSatisfiable,
    check_content_length,
    etag_matches,
    header,
    is_not_modified,
    quality_values,
    quote_etag,
    read_body,
    requested_range,
)

ETAG = '"3f2a"'


@pytest.mark.parametrize(
    "condition", ['"3f2a"', 'W/"3f2a"', 'w/"3f2a"', "3f2a", "*", ' "0b1c" , "3f2a" ', '"0b1c",W/ "3f2a"']
)
def test_a_condition_names_an_etag_alone_weakly_without_quotes_or_in_a_list(condition: str) -> None:
    assert etag_matches(condition, ETAG)


@pytest.mark.parametrize("condition", ["", '""', "W/", ",", '"3f2b"', '"*"', '"3F2A"', '3f2a"'])
def test_a_condition_of_another_etag_does_not_match(condition: str) -> None:
    assert not etag_matches(condition, ETAG)


def test_every_line_of_a_repeated_header_counts() -> None:
    headers = [(b"if-none-match", b'"0b1c"'), (b"host", b"localhost"), (b"if-none-match", ETAG.encode())]

    assert header(headers, b"if-none-match") == '"0b1c","3f2a"'
    assert is_not_modified(headers, ETAG)
    assert not is_not_modified(headers[:2], ETAG)
    assert not is_not_modified([], ETAG)
    assert header(headers, b"range") is None


def test_an_etag_is_a_quoted_text() -> None:
    assert quote_etag("3f2a") == ETAG


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("bytes=0-0", ByteRange(0, 1)),
        ("bytes=10-", ByteRange(10, 100)),
        ("bytes=-10", ByteRange(90, 100)),
        ("bytes=-999", ByteRange(0, 100)),
        ("bytes=90-999", ByteRange(90, 100)),
        ("BYTES = 5-9", ByteRange(5, 10)),
        ("bytes=9-5", None),
        ("bytes=-", None),
        ("bytes=0-1,5-6", None),
        ("items=0-1", None),
        ("bytes=٣-٤", None),
        ("", None),
    ],
)
def test_one_range_of_bytes_is_read_and_any_other_is_ignored(value: str, expected: ByteRange | None) -> None:
    assert requested_range([(b"range", value.encode())], ETAG, 100) == expected


@pytest.mark.parametrize("value", [b"bytes=100-", b"bytes=-0", b"bytes=" + b"9" * 40 + b"-"])
def test_a_range_after_the_end_can_not_be_satisfied(value: bytes) -> None:
    with pytest.raises(RangeNotSatisfiable):
        requested_range([(b"range", value)], ETAG, 100)


@pytest.mark.parametrize(("validator", "is_partial"), [(ETAG, True), ("W/" + ETAG, False), ('"0b1c"', False)])
def test_if_range_selects_the_whole_unless_it_is_the_strong_etag(validator: str, is_partial: bool) -> None:
    headers = [(b"range", b"bytes=0-9"), (b"if-range", validator.encode())]

    assert (requested_range(headers, ETAG, 100) is not None) == is_partial


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("gzip;q=0.5, br", {"gzip": 0.5, "br": 1.0}),
        ("*/*;q=0, TEXT/html; level=1; Q=2", {"*/*": 0.0, "text/html": 1.0}),
        ("gzip;q=x, br;q=nan, zstd;q=-1", {"gzip": 0.0, "br": 0.0, "zstd": 0.0}),
        ("gzip, gzip;q=0", {"gzip": 1.0}),
        (" , ", {}),
    ],
)
def test_quality_values_lie_between_0_and_1(value: str, expected: dict[str, float]) -> None:
    assert quality_values(value) == expected


def _receive(*chunks: bytes, disconnects: bool = False) -> Callable[[], Awaitable[dict[str, Any]]]:
    messages: list[dict[str, Any]] = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    if disconnects:
        messages.append({"type": "http.disconnect"})
    else:
        messages[-1]["more_body"] = False

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    return receive


@pytest.mark.anyio
async def test_a_body_within_the_limit_is_read_whole() -> None:
    assert await read_body([], _receive(b"abc", b"", b"def"), 6) == b"abcdef"
    assert await read_body([(b"content-length", b"6")], _receive(b"abcdef"), 6) == b"abcdef"


@pytest.mark.anyio
async def test_a_body_over_the_limit_is_refused_by_its_length_or_by_what_arrived() -> None:
    with pytest.raises(BodyTooLarge, match=r"The body may have 6 bytes at most\."):
        await read_body([(b"content-length", b"7")], _receive(b"a"), 6)
    with pytest.raises(BodyTooLarge):
        await read_body([], _receive(b"abcd", b"efg", b"h"), 6)
    with pytest.raises(BodyTooLarge):
        check_content_length([(b"content-length", b"9" * 5000)], 6)
    check_content_length([(b"content-length", "٧".encode())], 6)


@pytest.mark.anyio
async def test_a_body_whose_client_disconnected_is_incomplete() -> None:
    with pytest.raises(BodyIncomplete):
        await read_body([], _receive(b"abc", disconnects=True), 6)
