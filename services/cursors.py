"""Cursors: places in a list, as opaque texts."""

from __future__ import annotations

import base64
import binascii

from services.errors import InvalidInput


def encode_cursor(mark: str, place: str) -> str:
    """The opaque form of a place. `mark` ("d1:") names the list, so that the cursor of another one is refused."""
    return base64.urlsafe_b64encode(f"{mark}{place}".encode()).decode().rstrip("=")


def decode_cursor(mark: str, cursor: str, field: str = "after") -> str:
    """The place a cursor of this list stands for. Raises `InvalidInput` with `field` for any other text."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        text = ""
    if not text.startswith(mark) or len(text) == len(mark):
        raise InvalidInput(field, f"{field} must be a cursor of this list")
    return text.removeprefix(mark)
