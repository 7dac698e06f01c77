"""Pages of connections: how long they may be, what a filter leaves of them, and cursors: opaque positions."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from services.errors import InvalidInput

T = TypeVar("T")
P = TypeVar("P")

MAX_FIRST = 100
"""Items of one page."""


def check_first(first: int) -> None:
    """Return for the length of a page, 1 to `MAX_FIRST`; raises `InvalidInput` ("first") for any other."""
    if not 1 <= first <= MAX_FIRST:
        raise InvalidInput("first", f"first must be between 1 and {MAX_FIRST}")


async def read_page(
    read: Callable[[P | None, int], Awaitable[Sequence[T]]],
    shown: Callable[[Sequence[T]], Awaitable[Sequence[T]]],
    position_of: Callable[[T], P],
    first: int,
    after: P | None,
) -> tuple[Sequence[T], bool]:
    """The first items of a list behind a position that may be shown, and whether there are more.

    `read` gives so many items behind a position, `shown` those of them that may be shown.
    """
    found: list[T] = []
    while len(found) <= first:
        items = await read(after, first + 1)
        found.extend(await shown(items))
        if len(items) <= first:
            break
        after = position_of(items[-1])
    return found[:first], len(found) > first


def encode_cursor(prefix: str, position: str) -> str:
    """The opaque form of a position. `prefix` ("d1:") names the list: the cursor of another list is refused."""
    return base64.urlsafe_b64encode(f"{prefix}{position}".encode()).decode().rstrip("=")


def decode_cursor(prefix: str, cursor: str, field: str = "after") -> str:
    """The position of a cursor of this list. Raises `InvalidInput` with `field` for any other text."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        text = ""
    if not text.startswith(prefix) or len(text) == len(prefix):
        raise InvalidInput(field, f"{field} must be a cursor of this list")
    return text.removeprefix(prefix)
