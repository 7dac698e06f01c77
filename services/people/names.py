"""Names and passwords of accounts: what is allowed, and in what form names are compared."""

from __future__ import annotations

import re
import unicodedata

from services.errors import InvalidInput

SHORTEST_NAME, LONGEST_NAME = 3, 32
SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 256

_PUNCTUATION = frozenset("-_.")


def name_key(name: str) -> str:
    """The form in which names are compared: NFKC, case-folded. "Ａlice" and "ALICE" are the same."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    key = unicodedata.normalize("NFKC", folded)  # folding may leave what is not composed
    return key.replace("\0", "\ufffd")  # which no name has, and PostgreSQL can't look for


def parse_name(name: str) -> str:
    """The name as it is shown. Raises `InvalidInput` unless it has 3 to 32 letters, digits and `-_.`."""
    shown = unicodedata.normalize("NFKC", name)
    if not SHORTEST_NAME <= len(shown) <= LONGEST_NAME:
        raise InvalidInput("name", f"A name has {SHORTEST_NAME} to {LONGEST_NAME} characters.")
    if not all(map(_is_allowed, shown)):
        raise InvalidInput("name", "A name has letters, digits and the signs - _ . only.")
    return shown


def check_password(password: str, field: str = "password") -> None:
    """Return for a password that may be set. Raises `InvalidInput` unless it has 8 to 256 characters."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise InvalidInput(field, f"A password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters.")
    if re.search(r"[\ud800-\udfff]", password):
        raise InvalidInput(field, "A password is text; this one has half a character in it.")


def _is_allowed(char: str) -> bool:
    """Letters of any script with their marks, and digits."""
    return char in _PUNCTUATION or unicodedata.category(char) in _ALLOWED_CATEGORIES


_ALLOWED_CATEGORIES = frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Nd"})
