"""Ids that clients of the old API choose for themselves."""

from __future__ import annotations

LONGEST_CLIENT_ID = 200


def is_client_id(text: object) -> bool:
    """True for a text of 1 to 200 characters without control characters."""
    return isinstance(text, str) and 0 < len(text) <= LONGEST_CLIENT_ID and text.isprintable() and bool(text.strip())
