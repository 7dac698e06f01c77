"""What a list may be asked: bounds checked and texts tidied before anything leaves this server."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import replace

from services.errors import InvalidInput
from services.upstream.records import SearchQuery

LAST_PAGE = 10_000
"""Beyond what the site has (80 albums a page), within what it answers sanely."""
LONGEST_QUERY = 200
"""Characters of a search text."""
LONGEST_NAME = 60
"""Characters of one excluded spelling."""
MOST_EXCLUDED = 20


def check_page(page: int) -> None:
    """Return for a page that can be asked for; raises `InvalidInput`."""
    if page < 1:
        raise InvalidInput("page", "page must be >= 1")
    if page > LAST_PAGE:
        raise InvalidInput("page", f"page must be <= {LAST_PAGE}")


def tidy(query: SearchQuery) -> SearchQuery:
    """The query as it is asked and cached: blanks folded, `exclude` without signs, blanks and doubles.

    An empty text is allowed: the site then lists everything. Raises `InvalidInput` for what can't be asked.
    """
    check_page(query.page)
    text = _tidy_text(query.text, "query", LONGEST_QUERY)
    return replace(query, text=text, exclude=_tidy_names(query.exclude))


def _tidy_names(names: Sequence[str]) -> tuple[str, ...]:
    if len(names) > MOST_EXCLUDED:
        raise InvalidInput("exclude", f"At most {MOST_EXCLUDED} spellings to exclude, not {len(names)}.")
    tidied = (_tidy_text(name, "exclude", LONGEST_NAME).lstrip("+-").strip() for name in names)
    return tuple(dict.fromkeys(name for name in tidied if name))


def _tidy_text(text: str, field: str, most: int) -> str:
    tidied = " ".join(text.split())
    if len(tidied) > most:
        raise InvalidInput(field, f"At most {most} characters, not {len(tidied)}.")
    if any(unicodedata.category(sign) in ("Cc", "Cs") for sign in tidied):
        raise InvalidInput(field, "Control characters can't be searched for.")
    return tidied
