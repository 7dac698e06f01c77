"""Numbers and dates as the site writes them."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal

SITE_TIME = timezone(timedelta(hours=8))
"""The site's days begin in this zone."""

_UNITS: dict[str, int] = {
    "": 1,
    "k": 10**3,
    "千": 10**3,
    "w": 10**4,
    "万": 10**4,
    "萬": 10**4,
    "m": 10**6,
    "百万": 10**6,
    "百萬": 10**6,
    "亿": 10**8,
    "億": 10**8,
    "b": 10**9,
}
_COUNT = re.compile(r"(\d{1,18}(?:\.\d{1,9})?)\s*(百[万萬]|[kw千万萬m亿億b]?)\+?")


def count_of(text: str | int | None) -> int:
    """The integer behind a count: `"[40K]"` is 40000, `"1.2M"` 1200000, `"3万"` 30000, `"1,234"` 1234.

    Brackets, blanks, grouping and a trailing plus are dropped, full-width forms are read, halves round up. What is no
    count at all ("", None, "-") is 0: a figure that can't be read does not make an album unreadable.
    """
    if isinstance(text, int):
        return max(text, 0)
    plain = unicodedata.normalize("NFKC", text or "").strip(" \t\r\n[]()【】").lower()
    found = _COUNT.fullmatch(re.sub(r"(?<=\d)[,_'](?=\d{3})", "", plain))
    if found is None:
        return 0
    exact = Decimal(found[1]) * _UNITS[found[2]]
    return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def date_of(text: str | None) -> date | None:
    """The day in `"2020-08-29"` (or with slashes or dots, or with a time behind it); None where there is none."""
    found = re.match(r"\s*(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)", text or "")
    if found is None:
        return None
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None


def date_of_stamp(seconds: str | int | None) -> date | None:
    """The site's day of a Unix time in seconds ("1598659200"); None for none, zero or nonsense."""
    try:
        moment = datetime.fromtimestamp(int(seconds or 0), UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return moment.astimezone(SITE_TIME).date() if int(seconds or 0) > 0 else None
