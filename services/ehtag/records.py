"""Records of the tag database, and the names of its namespaces."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.ehtag.markup.syntax import SPACES


class Namespace(StrEnum):
    """The thirteen namespaces, in the order of the official releases."""

    ROWS = "rows"
    RECLASS = "reclass"
    LANGUAGE = "language"
    PARODY = "parody"
    CHARACTER = "character"
    GROUP = "group"
    ARTIST = "artist"
    COSPLAYER = "cosplayer"
    MALE = "male"
    FEMALE = "female"
    MIXED = "mixed"
    OTHER = "other"
    LOCATION = "location"


class TagKind(StrEnum):
    """The kind of a tag: where on the site it is shown."""

    GENRE = "GENRE"
    WORK = "WORK"
    CHARACTER = "CHARACTER"
    AUTHOR = "AUTHOR"


class TagMatch(StrEnum):
    """How a tag of the site matched its record."""

    EXACT = "EXACT"
    FOLDED = "FOLDED"
    ALIAS = "ALIAS"
    RAW = "RAW"
    AMBIGUOUS = "AMBIGUOUS"
    ELSEWHERE = "ELSEWHERE"


TagKey = tuple[Namespace, str]
"""Namespace and raw tag: (Namespace.OTHER, "full color")."""


@dataclass(frozen=True, slots=True)
class Signature:
    """Name, e-mail and time of a commit's author or committer."""

    name: str
    email: str
    when: datetime


@dataclass(frozen=True, slots=True)
class CommitRecord:
    """A commit of the tag database."""

    sha: str
    message: str
    author: Signature
    committer: Signature


@dataclass(frozen=True, slots=True)
class NamespaceRecord:
    """A namespace: its display name, description, number of valid tags, and its front matter ordered."""

    namespace: Namespace
    name: str
    description: str
    count: int
    front_matters: dict[str, object]


@dataclass(frozen=True, slots=True)
class Report:
    """A problem in the data, not fatal: `logger` and `message` as in the official tools, `line` from 1."""

    logger: str
    message: str
    namespace: Namespace | None = None
    line: int | None = None
    raw: str | None = None


_ALIASES: dict[Namespace, tuple[str, ...]] = {
    Namespace.ROWS: (),
    Namespace.RECLASS: ("r",),
    Namespace.LANGUAGE: ("l", "lang"),
    Namespace.PARODY: ("p", "series"),
    Namespace.CHARACTER: ("c", "char"),
    Namespace.GROUP: ("g", "creator", "circle"),
    Namespace.ARTIST: ("a",),
    Namespace.COSPLAYER: ("cos", "coser"),
    Namespace.MALE: ("m",),
    Namespace.FEMALE: ("f",),
    Namespace.MIXED: ("x", "mix"),
    Namespace.OTHER: ("o",),
    Namespace.LOCATION: ("loc",),
}
_BY_NAME: dict[str, Namespace] = {
    name: namespace for namespace, aliases in _ALIASES.items() for name in (namespace.value, *aliases)
}

# prefixes of explicit references in the raw form
SHORT_PREFIXES: dict[Namespace, str] = {
    namespace: f"{aliases[0] if aliases else namespace.value}:" for namespace, aliases in _ALIASES.items()
}
# the only prefixes that the text and html forms show
SHOWN_PREFIXES: dict[Namespace, str] = {
    namespace: SHORT_PREFIXES[namespace] for namespace in (Namespace.FEMALE, Namespace.MALE, Namespace.MIXED)
}

_RAW_TAG = re.compile(r"[-a-z0-9. ]+\Z")


def parse_namespace(text: str) -> Namespace | None:
    """The namespace of a full name or an alias, any case and with blanks around it ("Female", " f "); else None."""
    return _BY_NAME.get(text.strip(SPACES).lower())


def parse_raw_tag(text: str) -> str | None:
    """The raw tag as it is stored: trimmed, lower case ("Full Color" is "full color"); None when it can't be one."""
    raw = text.strip(SPACES).lower()
    return raw if _RAW_TAG.match(raw) else None


def _search_orders() -> dict[Namespace, tuple[Namespace, ...]]:
    fetish = "female mixed male"
    people = "group artist cosplayer"
    works = "parody character"
    technical = f"other language location {fetish} reclass"
    orders = {
        "rows": f"reclass {fetish} other location language {works} {people}",
        "reclass": f"{fetish} other location language {people} {works} rows",
        "language": f"other {people} {works} location {fetish} reclass rows",
        "location": f"other {fetish} {people} {works} language reclass rows",
        "other": f"language location {fetish} reclass {people} {works} rows",
        "parody": f"character {people} {technical} rows",
        "character": f"parody {people} {technical} rows",
        "group": f"artist cosplayer {works} {technical} rows",
        "artist": f"group cosplayer {works} {technical} rows",
        "cosplayer": f"group artist {works} {technical} rows",
        "male": f"mixed female other language location reclass {people} {works} rows",
        "female": f"mixed male other language location reclass {people} {works} rows",
        "mixed": f"female male other language location reclass {people} {works} rows",
    }
    return {Namespace(own): tuple(map(Namespace, (own, *order.split()))) for own, order in orders.items()}


# where a reference without a (known) prefix is looked up, by the namespace it is in; the first match wins
SEARCH_ORDERS: dict[Namespace, tuple[Namespace, ...]] = _search_orders()
