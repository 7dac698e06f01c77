"""Ids that clients of the old API choose for themselves."""

from __future__ import annotations

import re

LONGEST_CLIENT_ID = 200

_CLIENT_ID = re.compile(rf"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{{1,{LONGEST_CLIENT_ID}}}")


def is_client_id(text: object) -> bool:
    """True for a text of 1 to 200 characters without control characters, whatever else they are."""
    return isinstance(text, str) and _CLIENT_ID.fullmatch(text) is not None
