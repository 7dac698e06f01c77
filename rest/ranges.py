"""Byte ranges of a request, as RFC 9110 section 14 has them; one range, since nobody asks archives for several."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ONE_RANGE = re.compile(r"\s*bytes\s*=\s*(\d{0,999})\s*-\s*(\d{0,999})\s*\Z", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes `start` to `end`, excluded."""

    start: int
    end: int


class Unsatisfiable(Exception):
    """The range lies outside the file."""


def part_of(header: str | None, size_bytes: int) -> Part | None:
    """The part a `Range` header asks for; None for the whole: no header, several ranges, or none that can be read.

    Raises `Unsatisfiable` when it begins behind the end.
    """
    match = _ONE_RANGE.match(header or "")
    if match is None or match[1] == match[2] == "":
        return None
    if match[1] == "":
        return _last(int(match[2]), size_bytes)
    start = int(match[1])
    if match[2] and int(match[2]) < start:
        return None
    if start >= size_bytes:
        raise Unsatisfiable
    end = size_bytes if match[2] == "" else min(int(match[2]) + 1, size_bytes)
    return Part(start, end)


def _last(count: int, size_bytes: int) -> Part:
    if count == 0 or size_bytes == 0:
        raise Unsatisfiable
    return Part(max(0, size_bytes - count), size_bytes)
