"""Numbers of albums as people write them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from services.errors import InvalidInput

MAX_IDS = 100
"""Albums of one call."""

_LONGEST_TEXT = 500
"""Characters; titles in addresses are long when percent-encoded."""
_NUMBER = re.compile(r"(?:jm)?0*([1-9][0-9]{0,11})", re.IGNORECASE)
# https://comics.example/album/350234/title?from=list, with or without the scheme; a chapter's page is /photo/
_ADDRESS = re.compile(
    r"(?:https?://)?[^\s/?#]+/(?:albums?|photos?)/(?:\?(?:[^\s#]*&)?id=)?0*([1-9][0-9]{0,11})(?:[/?#&]\S*)?",
    re.IGNORECASE,
)


def parse_album_id(text: str, field: str = "id") -> str:
    """The digits in '350234', 'JM350234' or an address of an album or chapter on any host of the site.

    Blanks around it and leading zeros are dropped, full-width digits are read, at most 12 digits are taken.
    Raises `InvalidInput` with `field` for anything else.
    """
    if len(text) <= _LONGEST_TEXT and (number := number_of(text) or _number_in_address(text)):
        return number
    raise InvalidInput(field, "Not an album number: give digits, JM and digits, or the address of an album.")


def parse_album_ids(texts: Sequence[str], field: str = "ids") -> list[str]:
    """Each text as `parse_album_id` reads it, order kept. Raises `InvalidInput`, also for more than 100 of them."""
    if len(texts) > MAX_IDS:
        raise InvalidInput(field, f"At most {MAX_IDS} albums at once, not {len(texts)}.")
    return [parse_album_id(text, field) for text in texts]


def number_of(text: str) -> str | None:
    """The digits when the whole text is an album number ('350234', 'jm 350234' is not); else None."""
    found = _NUMBER.fullmatch(_plain(text))
    return found and found[1]


def _number_in_address(text: str) -> str | None:
    found = _ADDRESS.fullmatch(_plain(text))
    return found and found[1]


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()
