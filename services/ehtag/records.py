"""Records of the tag database that everybody may know."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


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
    """Where a tag of the site stood."""

    GENRE = "GENRE"
    WORK = "WORK"
    CHARACTER = "CHARACTER"
    AUTHOR = "AUTHOR"


class TagMatch(StrEnum):
    """How a tag of the site found its record."""

    EXACT = "EXACT"
    FOLDED = "FOLDED"
    ALIAS = "ALIAS"
    RAW = "RAW"


@dataclass(frozen=True, slots=True)
class Signature:
    """Who and when, of a commit."""

    name: str
    email: str
    when: datetime


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit of the tag database."""

    sha: str
    message: str
    author: Signature
    committer: Signature


@dataclass(frozen=True, slots=True)
class NamespaceInfo:
    """A namespace: its display name, description, number of valid tags, and its front matter ordered."""

    namespace: Namespace
    name: str
    description: str
    count: int
    front_matters: dict[str, object]


@dataclass(frozen=True, slots=True)
class Report:
    """Something odd in the data, not fatal: `logger` and `message` as the official tools word it, line 1-based."""

    logger: str
    message: str
    namespace: Namespace | None = None
    line: int | None = None
    raw: str | None = None
