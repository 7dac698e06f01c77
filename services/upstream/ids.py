"""Numbers of albums and chapters as people write and paste them.

One rule for all callers: a number, or an address, in any brackets and quotes. Before a number there may be words for
the site and its albums ("禁漫車：JM350234"); a text with any other words is no number.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.errors import InvalidInput

MAX_IDS = 100
"""Albums of one call."""

_LONGEST_TEXT = 500
"""Characters; titles in addresses are long when percent-encoded."""
_OPENING = r"""[\s#*"'“‘<(\[{「『【〔〖《〈«]*"""
"""No sign and no point: "-350234" is what a search leaves out, ".5" is a fraction."""
_CLOSING = r"""[\s*"'”’>)\]}」』】〕〗》〉».,;:!?。、~]*"""
_BETWEEN = r"""[\s#*"'“”‘’<>()\[\]{}「」『』【】〔〕〖〗《》〈〉«».,:;_·・\-‐–—]*"""
"""Between a word and what follows it, "JM-350234", "[JM] 350234"."""
_WORD = "(?:jmcomic|jm|禁漫天堂|禁漫|[車车][號号牌]?)"
_FURTHER_WORD = f"(?:{_WORD}|no|id|[編编][號号])"
_DIGITS = "0*(?P<digits>[1-9][0-9]{0,11})"
_NUMBER = re.compile(
    f"{_OPENING}(?:{_WORD}{_BETWEEN}(?:{_FURTHER_WORD}{_BETWEEN})*)?{_DIGITS}{_CLOSING}", re.IGNORECASE
)
# https://comics.example/album/350234/title?from=list, with or without the scheme; a chapter's page is /photo/
_ADDRESS = re.compile(
    rf"{_OPENING}(?:https?://)?[^\s/?#]+/(?:albums?|(?P<photo>photos?))/(?:\?(?:[^\s#]*&)?id=)?{_DIGITS}"
    rf"(?:[/?#&]\S*)?{_CLOSING}",
    re.IGNORECASE,
)


class NumberKind(StrEnum):
    """What a text says of its number: that it is an album's or a chapter's (by its address), or nothing."""

    PLAIN = "PLAIN"
    ALBUM = "ALBUM"
    CHAPTER = "CHAPTER"


@dataclass(frozen=True, slots=True)
class SiteNumber:
    """A number of the site, at most 12 digits without leading zeros."""

    digits: str
    kind: NumberKind


def parse_number(text: str, field: str = "id") -> SiteNumber:
    """The number in '350234', 'JM：350234', '[jm 350234]' or an address of an album or chapter on any host.

    Full-width digits are read. Raises `InvalidInput` with `field` for anything else.
    """
    if number := _find_number(text):
        return number
    raise InvalidInput(field, "Not an album number: give digits, JM and digits, or the address of an album.")


def parse_album_id(text: str, field: str = "id") -> str:
    """The digits that `parse_number` reads. Raises `InvalidInput` with `field`."""
    return parse_number(text, field).digits


def parse_album_ids(texts: Sequence[str], field: str = "ids") -> list[str]:
    """Each text as `parse_album_id` reads it, order kept. Raises `InvalidInput`, also for more than 100 of them."""
    if len(texts) > MAX_IDS:
        raise InvalidInput(field, f"At most {MAX_IDS} albums at once, not {len(texts)}.")
    return [parse_album_id(text, field) for text in texts]


def number_of(text: str) -> str | None:
    """The digits that `parse_album_id` reads; None for a text that is no number."""
    number = _find_number(text)
    return number.digits if number else None


def _find_number(text: str) -> SiteNumber | None:
    if len(text) > _LONGEST_TEXT:
        return None
    plain = _plain(text)
    if found := _NUMBER.fullmatch(plain):
        return SiteNumber(found["digits"], NumberKind.PLAIN)
    if found := _ADDRESS.fullmatch(plain):
        return SiteNumber(found["digits"], NumberKind.CHAPTER if found["photo"] else NumberKind.ALBUM)
    return None


def _plain(text: str) -> str:
    """The text in half-width forms, without the invisible characters that come along from web pages."""
    return "".join(char for char in unicodedata.normalize("NFKC", text) if unicodedata.category(char) != "Cf")
