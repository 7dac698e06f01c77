"""Pages of the list of downloads, and their cursors."""

from __future__ import annotations

import base64
import binascii

from services.downloads.lists import EntryPage
from services.downloads.records import DownloadPage
from services.errors import InvalidInput

PAGE_SIZES = range(1, 101)
MARK = "d1:"
"""First letters of a cursor, so that any other text is told apart."""


def check_first(first: int) -> None:
    """`InvalidInput` for a size no page has."""
    if first not in PAGE_SIZES:
        raise InvalidInput("first", "first must be between 1 and 100")


def page_of(found: EntryPage, first: int) -> DownloadPage:
    """The page of `first` downloads; `found` has one more where there are more."""
    items = tuple(entry.download for entry in found.entries[:first])
    return DownloadPage(
        items=items,
        cursors=tuple(cursor_of_id(download.id) for download in items),
        has_next=len(found.entries) > first,
        has_previous=found.before > 0,
        total=found.total,
    )


def cursor_of_id(id: str) -> str:
    """The opaque form of a place in the list."""
    return base64.urlsafe_b64encode(f"{MARK}{id}".encode()).decode().rstrip("=")


def id_of_cursor(cursor: str) -> str:
    """The id a cursor stands for; `InvalidInput` for any other text."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        text = ""
    if not text.startswith(MARK) or len(text) == len(MARK):
        raise InvalidInput("after", "after must be a cursor of this list")
    return text.removeprefix(MARK)
