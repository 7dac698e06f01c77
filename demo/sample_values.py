"""Views, likes and dates of the comics, and how the site prints them. All are computed from the number."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b

TODAY = date(2026, 6, 1)
"""Today on the demo site, always: periods of searches end here."""

PERIOD_DAYS = {"t": 1, "w": 7, "m": 30}
"""Days of the site's periods; "a" has no limit."""

_EXAMPLE = 1208626
"""The album whose values are exact and known: 102497 views, 42 likes."""

_SPREAD_DAYS = 240


def draw(*words: object, below: int) -> int:
    """A number from 0 to `below` - 1, always the same for the same words."""
    digest = blake2b("/".join(map(str, words)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % below


def views_of(id: int) -> int:
    """Views of all time, from hundreds to millions."""
    return 102497 if id == _EXAMPLE else 10 ** draw(id, "magnitude", below=4) * (500 + draw(id, "views", below=1500))


def likes_of(id: int) -> int:
    """Likes of all time."""
    return 42 if id == _EXAMPLE else 20 + views_of(id) // (20 + draw(id, "likes", below=60))


def published_of(id: int) -> date:
    """The day it was published; a few today, most over the last eight months."""
    return TODAY - timedelta(days=draw(id, "day", below=_SPREAD_DAYS) ** 2 // _SPREAD_DAYS)


def timestamp(day: date) -> int:
    """Seconds since 1970 at noon UTC, so that it is the same day in nearly every time zone."""
    return int(datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp())


def abbreviated(count: int) -> str:
    """A count as the web pages print it: plain below ten thousand, then "[40K]", "40K", "1.2M" or "3万" by turns."""
    if count == views_of(_EXAMPLE) or count < 10_000:
        return str(count)
    if count >= 1_000_000:
        return f"{count / 1_000_000:.1f}M"
    styles = (f"{count // 1000}K", f"[{count // 1000}K]", f"{count // 10_000}万")
    return styles[count % len(styles)]
