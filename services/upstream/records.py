"""Records of the site: albums, chapters, lists, comments, hosts. Frozen, JSON-able, cacheable but for a person's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from services.errors import UpstreamReason

PAGE_SIZE = 80
"""Albums on a page of a search or ranking of the site."""


class Period(StrEnum):
    """Span a list is counted over."""

    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    ALL = "ALL"


class AlbumOrder(StrEnum):
    """Order of a list."""

    LATEST = "LATEST"
    VIEWS = "VIEWS"
    LIKES = "LIKES"
    PICTURES = "PICTURES"


class SearchField(StrEnum):
    """Where a search looks; SITE is everywhere."""

    SITE = "SITE"
    WORK = "WORK"
    AUTHOR = "AUTHOR"
    TAG = "TAG"
    CHARACTER = "CHARACTER"


class Category(StrEnum):
    """Categories of the site."""

    ALL = "ALL"
    DOUJIN = "DOUJIN"
    SINGLE = "SINGLE"
    SHORT = "SHORT"
    ANOTHER = "ANOTHER"
    HANMAN = "HANMAN"
    MEIMAN = "MEIMAN"
    DOUJIN_COSPLAY = "DOUJIN_COSPLAY"
    THREE_D = "THREE_D"
    ENGLISH_SITE = "ENGLISH_SITE"


class FavoriteOrder(StrEnum):
    """Order of a person's favourites: by the day they were added, or updated on the site; newest first."""

    ADDED = "ADDED"
    UPDATED = "UPDATED"


class SourceMethod(StrEnum):
    """Upstream method a record came from."""

    HTML = "HTML"
    API = "API"


@dataclass(frozen=True, slots=True)
class AlbumSummary:
    """A line of a list. `tags` is None where the list carries none (API method), the others where it does not tell
    (web pages know the category of what a search finds, and no more).
    """

    id: str
    title: str
    tags: tuple[str, ...] | None = None
    authors: tuple[str, ...] | None = None
    category: Category | None = None
    updated_on: date | None = None


@dataclass(frozen=True, slots=True)
class ChapterRef:
    """A chapter as its album lists it; `index` is 1-based, in reading order."""

    id: str
    index: int
    title: str


@dataclass(frozen=True, slots=True)
class AlbumDetail:
    """One album. Tags, works, characters and authors as the site spells them."""

    id: str
    title: str
    description: str
    authors: tuple[str, ...]
    works: tuple[str, ...]
    characters: tuple[str, ...]
    tags: tuple[str, ...]
    page_count: int
    view_count: int
    like_count: int
    comment_count: int
    published_on: date | None
    updated_on: date | None
    chapters: tuple[ChapterRef, ...]
    related: tuple[AlbumSummary, ...]
    source: SourceMethod
    has_all_chapters: bool = True
    """False where the list of chapters could not be read as a whole."""


@dataclass(frozen=True, slots=True)
class ChapterDetail:
    """A chapter with its pages: `page_names` are file names on the image CDN ("00001.webp"), in reading order.

    `scramble_id` is what the site says; pages of chapters below it are whole. `notes` say in words what was odd in
    the site's answer, "2 entries that are no pages were left out".
    """

    id: str
    album_id: str
    title: str
    scramble_id: int
    page_names: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What a search asks; `exclude` are site spellings to leave out."""

    text: str
    page: int = 1
    order: AlbumOrder = AlbumOrder.LATEST
    period: Period = Period.ALL
    field: SearchField = SearchField.SITE
    exclude: tuple[str, ...] = ()
    category: Category = Category.ALL


@dataclass(frozen=True, slots=True)
class RankingQuery:
    """What a ranking asks."""

    period: Period = Period.ALL
    page: int = 1
    order: AlbumOrder = AlbumOrder.VIEWS
    category: Category = Category.ALL


@dataclass(frozen=True, slots=True)
class AlbumListPage:
    """A page of a search; `total` is over all pages."""

    items: tuple[AlbumSummary, ...]
    page: int
    page_count: int
    total: int


@dataclass(frozen=True, slots=True)
class RankingLine:
    """An album and its rank, 1-based across pages (what policy withholds keeps its number)."""

    rank: int
    album: AlbumSummary


@dataclass(frozen=True, slots=True)
class RankingPage:
    """A page of a ranking."""

    period: Period
    page: int
    page_count: int
    total: int
    has_next: bool
    entries: tuple[RankingLine, ...]
    fetched_at: datetime


@dataclass(frozen=True, slots=True)
class CommentRecord:
    """A comment with its replies. `user_id`, `username`, `parent_id` are only shown by the legacy API."""

    id: str
    album_id: str
    user_id: str
    username: str
    nickname: str
    parent_id: str | None
    text: str
    is_spoiler: bool
    posted_at: str
    likes: int | None
    replies: tuple[CommentRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class CommentPageRecord:
    """A page of comments; `comment_count` counts replies too."""

    album_id: str
    items: tuple[CommentRecord, ...]
    page: int
    page_size: int
    page_count: int
    total: int
    comment_count: int


@dataclass(frozen=True, slots=True)
class SiteSession:
    """The session of one person at the site: their number there, and the cookies that their requests carry."""

    user_id: str
    cookies: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class SiteLogin:
    """What a login gave; `username` as the site spells it."""

    username: str
    session: SiteSession


@dataclass(frozen=True, slots=True)
class FavoriteFolderRecord:
    """A folder of a person's favourites."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class FavoritePageRecord:
    """A page of a person's favourites in a folder, 20 albums long, and all their folders."""

    albums: AlbumListPage
    folders: tuple[FavoriteFolderRecord, ...]


@dataclass(frozen=True, slots=True)
class CheckInRecord:
    """What the site says to a daily check-in; `is_new` is False where the person had checked in before."""

    is_new: bool
    message: str


class HostRole(StrEnum):
    """What a host of the site serves."""

    API = "API"
    HTML = "HTML"
    IMAGE = "IMAGE"


@dataclass(frozen=True, slots=True)
class HostStatus:
    """Health of one host. `url` without credentials; `latency_ms` a moving mean, None before the first answer.

    `detail` is for the host's log and `jmgraph doctor`: "DNSError", "status 503"; "" while the host is healthy.
    """

    url: str
    role: HostRole
    healthy: bool
    latency_ms: float | None
    reason: UpstreamReason | None
    cooldown_until: datetime | None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class UpstreamStatus:
    """What is known of the site: the method now in use, whether it answers, and its hosts."""

    method: SourceMethod
    reachable: bool
    checked_at: datetime | None
    hosts: tuple[HostStatus, ...]


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """What is known of a cover once it was fetched: pixels of the full size and its ThumbHash, base64."""

    width: int
    height: int
    placeholder: str
