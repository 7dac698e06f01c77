"""Comics, chapters and pages of the demo site, and the scripts of comics that fail on purpose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final

SITE_SCRAMBLE_ID = 220980
"""Chapters below this number are whole, as on the real site."""

ABSENT: Final = object()
"""In place of a value of `Script.api_data`: the answer lacks the name, too."""


class PageKind(StrEnum):
    """File ending of a page on the image host; LOSSLESS is a webp that holds exactly what was drawn."""

    WEBP = "webp"
    LOSSLESS = "lossless"
    JPG = "jpg"
    PNG = "png"
    GIF = "gif"
    AVIF = "avif"

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
    LOST = "lost"
    GARBAGE = "garbage"
    HTML = "html"
    API_ERROR = "api_error"
    EMPTY = "empty"
    TRUNCATED = "truncated"
    SHORT = "short"
    MISSING = "missing"
    DECOY = "decoy"
    EMPTY_DATA = "empty_data"
    NO_TOTAL = "no_total"
    ODD_SHAPES = "odd_shapes"
    LOGIN = "login"
    REFUSED_ID = "refused_id"
    NO_SCRAMBLE_ID = "no_scramble_id"


class EmptyShape(StrEnum):
    """How "nothing" is written where it is not encrypted."""

    TEXT = '""'
    LIST = "[]"
    OBJECT = "{}"
    NULL = "null"


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to fail. `status` and `retry_after_s` replace the kind's default where they are given.

    `shape` is what EMPTY_DATA sends.
    """

    kind: FaultKind
    status: int | None = None
    retry_after_s: int | None = None
    shape: EmptyShape = EmptyShape.TEXT


@dataclass(frozen=True, slots=True)
class Script:
    """What fails about a scripted comic, or is odd about it.

    `everywhere` applies to its album, chapters and images; `images` to images alone; `answers` to the API's answers
    and web pages by host or role, a host before its role. `pages` fail by their 1-based number in every chapter;
    `cached_pages` only where the request has no query. `lost_chapters` are missing although the album lists them. The
    first `images_fail_first` requests of each image fail with 503. `bytes_per_s` limits the speed of every response.

    `stray_names` are listed behind the pages. `series_id` is the album that its chapters name as theirs, in place of
    their own; `sorts` are their places, None where there is none. With `is_other_markup` the web page lists them as
    mirrors do. `api_data` replaces what the API says, by "album", "chapter" and "line" (of a list).
    """

    everywhere: Fault | None = None
    images: Fault | None = None
    answers: Mapping[str, Fault] = field(default_factory=lambda: MappingProxyType({}))
    pages: Mapping[int, Fault] = field(default_factory=lambda: MappingProxyType({}))
    cached_pages: Mapping[int, Fault] = field(default_factory=lambda: MappingProxyType({}))
    lost_chapters: frozenset[int] = frozenset()
    images_fail_first: int = 0
    bytes_per_s: int | None = None
    stray_names: tuple[str | None, ...] = ()
    series_id: int | None = None
    sorts: tuple[str | None, ...] = ()
    is_other_markup: bool = False
    api_data: Mapping[str, Mapping[str, object]] = field(default_factory=lambda: MappingProxyType({}))


_NO_SCRIPT = Script()


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

    @property
    def sorts(self) -> tuple[str | None, ...]:
        """Place of each chapter as the site states it: "1" and so on, unless the script says otherwise."""
        return self._directions.sorts or tuple(str(place) for place in range(1, len(self.chapters) + 1))

    @property
    def series_id(self) -> int:
        """The album that the chapters name as theirs; 0 where the site lists no chapters."""
        return self._directions.series_id or (self.id if self.is_series else 0)

    @property
    def is_other_markup(self) -> bool:
        """True when the web page lists the chapters as mirrors do."""
        return self._directions.is_other_markup

    def listed_names(self, chapter: Chapter) -> list[str | None]:
        """Names of a chapter's pages as the site lists them."""
        return [*(page.name for page in chapter.pages), *self._directions.stray_names]

    def api_data(self, kind: str, data: dict[str, object]) -> dict[str, object]:
        """What the API says about the comic, where `data` is what it says of others."""
        stated = {**data, **self._directions.api_data.get(kind, {})}
        return {name: value for name, value in stated.items() if value is not ABSENT}

    @property
    def _directions(self) -> Script:
        return self.script or _NO_SCRIPT
