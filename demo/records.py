"""Comics, chapters and pages of the demo site, and the scripts of comics that fail on purpose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import MappingProxyType

SITE_SCRAMBLE_ID = 220980
"""Chapters below this number are whole, as on the real site."""


class PageKind(StrEnum):
    """File ending of a page on the image host; LOSSLESS is a webp that holds exactly what was drawn."""

    WEBP = "webp"
    LOSSLESS = "lossless"
    JPG = "jpg"
    PNG = "png"
    GIF = "gif"

    @property
    def ending(self) -> str:
        """Ending of the file name, without the dot."""
        return "webp" if self is PageKind.LOSSLESS else self.value


class FaultKind(StrEnum):
    """How a response can fail."""

    REGION = "region"
    RESTRICTED = "restricted"
    CHALLENGE = "challenge"
    RATE_LIMIT = "rate_limit"
    SERVER_ERROR = "server_error"
    MAINTENANCE = "maintenance"
    DATABASE = "database"
    HANG = "hang"
    DROP = "drop"
    GARBAGE = "garbage"
    HTML = "html"
    API_ERROR = "api_error"
    EMPTY = "empty"
    TRUNCATED = "truncated"
    SHORT = "short"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to fail. `status` and `retry_after_s` replace the kind's default where they are given."""

    kind: FaultKind
    status: int | None = None
    retry_after_s: int | None = None


@dataclass(frozen=True, slots=True)
class Script:
    """What fails about a scripted comic.

    `everywhere` applies to its album, chapters and images; `images` to images alone. `pages` fail by their 1-based
    number in every chapter. `lost_chapters` are missing although the album lists them. The first `images_fail_first`
    requests of each image fail with 503. `bytes_per_s` limits the speed of every response.
    """

    everywhere: Fault | None = None
    images: Fault | None = None
    pages: Mapping[int, Fault] = field(default_factory=lambda: MappingProxyType({}))
    lost_chapters: frozenset[int] = frozenset()
    images_fail_first: int = 0
    bytes_per_s: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its file name on the image host ("00001.webp"), how it is encoded and its size in pixels."""

    name: str
    kind: PageKind
    width: int
    height: int

    @property
    def stem(self) -> str:
        """The file name without its ending, which decides the number of strips."""
        return self.name.rpartition(".")[0]


@dataclass(frozen=True, slots=True)
class Chapter:
    """A chapter with its pages in reading order. A comic of one chapter shares its number with it."""

    id: int
    title: str
    pages: tuple[Page, ...]
    scramble_id: int = SITE_SCRAMBLE_ID


@dataclass(frozen=True, slots=True)
class Comic:
    """An album of the site."""

    id: int
    title: str
    theme: str
    authors: tuple[str, ...]
    works: tuple[str, ...]
    characters: tuple[str, ...]
    tags: tuple[str, ...]
    category: str
    sub_category: str
    description: str
    published: date
    updated: date
    views: int
    likes: int
    chapters: tuple[Chapter, ...]
    script: Script | None = None

    @property
    def page_count(self) -> int:
        """Pages of all chapters."""
        return sum(len(chapter.pages) for chapter in self.chapters)

    @property
    def is_series(self) -> bool:
        """True when the site lists its chapters."""
        return len(self.chapters) > 1
