"""Numbers in paths and queries, as clients write them: plain digits, never Python's own liberties."""

from __future__ import annotations

import math
import re

_WHOLE = re.compile(r"[+-]?[0-9]{1,9}(?:\.0*)?")
_REAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def whole_number(text: str) -> int | None:
    """`"12"` is 12; None for what is no whole number, or has more than 9 digits."""
    return int(text.partition(".")[0]) if _WHOLE.fullmatch(text) else None


def finite_number(text: str) -> float | None:
    """`"1.5"` is 1.5; None for what is no number, or not finite."""
    number = float(text) if _REAL.fullmatch(text) else math.nan
    return number if math.isfinite(number) else None
