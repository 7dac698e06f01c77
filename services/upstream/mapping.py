"""The site's answers to our records, and our queries to its parameters.

An answer is the decrypted JSON of the mobile API, or a web page that html.py read into a dict of the same keys. Only
what a record can't be without is required: number, title, and the list of pages of a chapter. Every other value may
be absent, null or of another type; docs/upstream.md says what the site was seen to send.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from math import ceil
from typing import Any

from services.errors import InvalidInput, UpstreamReason
from services.upstream.failures import AttemptError
from services.upstream.records import (
    PAGE_SIZE,
    AlbumDetail,
    AlbumListPage,
    AlbumOrder,
    AlbumSummary,
    Category,
    ChapterDetail,
    ChapterRef,
    CommentPageRecord,
    CommentRecord,
    FavoriteFolderRecord,
    FavoriteOrder,
    FavoritePageRecord,
    Period,
    RankingLine,
    RankingPage,
    RankingQuery,
    SearchField,
    SearchQuery,
    SiteLogin,
    SiteSession,
    SourceMethod,
)

FAVORITES_PAGE_SIZE = 20
"""Albums on a page of a person's favourites."""

COMMENT_PAGE_SIZE = 10
"""Top-level comments on a page."""

MAX_REPLY_DEPTH = 10
"""Replies to replies to…; the site has one level. What is deeper is left out."""

ORDERS = {
    AlbumOrder.LATEST: "mr",
    AlbumOrder.VIEWS: "mv",
    AlbumOrder.LIKES: "tf",
    AlbumOrder.PICTURES: "mp",
}
FAVORITE_ORDERS = {FavoriteOrder.ADDED: "mr", FavoriteOrder.UPDATED: "mp"}
PERIODS = {Period.DAY: "t", Period.WEEK: "w", Period.MONTH: "m", Period.ALL: "a"}
FIELDS = {
    SearchField.SITE: 0,
    SearchField.WORK: 1,
    SearchField.AUTHOR: 2,
    SearchField.TAG: 3,
    SearchField.CHARACTER: 4,
}
CATEGORIES = {
    Category.ALL: "0",
    Category.DOUJIN: "doujin",
    Category.SINGLE: "single",
    Category.SHORT: "short",
    Category.ANOTHER: "another",
    Category.HANMAN: "hanman",
    Category.MEIMAN: "meiman",
    Category.DOUJIN_COSPLAY: "doujin_cosplay",
    Category.THREE_D: "3D",
    Category.ENGLISH_SITE: "english_site",
}

_CATEGORY_OF_NAME = {
    **{name: category for category, name in CATEGORIES.items() if category is not Category.ALL},
    "同人": Category.DOUJIN,
    "單本": Category.SINGLE,
    "短篇": Category.SHORT,
    "其他類": Category.ANOTHER,
    "其他漫畫": Category.ANOTHER,
    "韓漫": Category.HANMAN,
    "美漫": Category.MEIMAN,
    "Cosplay": Category.DOUJIN_COSPLAY,
    "English Manga": Category.ENGLISH_SITE,
}
"""By the name in addresses and by the title: the lists carry both, but not always the name."""

_ID = re.compile(r"[1-9]\d{0,11}")
_LONGEST_USERNAME = 200
# a header is made of it
_SESSION = re.compile(r"[\x21-\x2b\x2d-\x3a\x3c-\x7e]{1,400}")
# names of pages become parts of addresses and file names, so only plain ones pass
_PAGE_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}\.(?:webp|jpe?g|png|gif|avif)", re.IGNORECASE)
_MARKUP = re.compile(r"<[/!a-z][^>]*>", re.IGNORECASE)
_LINE_BREAK = re.compile(r"<br\b[^>]*>", re.IGNORECASE)
# neither JSON nor XML can hold them: controls but blanks, halves of surrogate pairs
_NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")

SESSION_COOKIE = "AVS"
"""Cookie that says whose session a request is of. Source: jmcomic 2.7.10, `AsyncJmApiClient.login`."""

OTHER_ALBUM = "The site answered with another album than the one requested: it serves decoys to this client."

SITE_TIMEZONE = timezone(timedelta(hours=8))
"""The site's days begin in this zone."""

_UNITS: dict[str, int] = {
    "": 1,
    "k": 10**3,
    "千": 10**3,
    "w": 10**4,
    "万": 10**4,
    "萬": 10**4,
    "m": 10**6,
    "百万": 10**6,
    "百萬": 10**6,
    "亿": 10**8,
    "億": 10**8,
    "b": 10**9,
}
_COUNT = re.compile(r"(\d{1,18}(?:\.\d{1,9})?)\s*(百[万萬]|[kw千万萬m亿億b]?)\+?")


def search_to_jm(query: SearchQuery, text: str) -> dict[str, Any]:
    """The parameters of a search for `text`, the same for the mobile API and the web pages."""
    return {
        "main_tag": FIELDS[query.field],
        "search_query": text,
        "page": query.page,
        "o": ORDERS[query.order],
        "t": PERIODS[query.period],
    }


@contextmanager
def reading_answer() -> Iterator[None]:
    """Around the code that reads an answer: whatever it raises means that the answer can't be read, GARBLED."""
    try:
        yield
    except (AttemptError, InvalidInput):
        raise
    except Exception as error:
        raise AttemptError(UpstreamReason.GARBLED, f"unreadable: {type(error).__name__}") from error


def album_from_data(data: Mapping[str, Any], id: str, source: SourceMethod) -> AlbumDetail:
    """The album `id`. Raises `AttemptError` for another album's data, and for data without a title."""
    check_number(data.get("id"), id)
    title = title_of(data.get("name"))
    chapters, has_all = _chapters(data.get("series"), id, title)
    return AlbumDetail(
        id=id,
        title=title,
        description=_lines(data.get("description")),
        authors=names_of(data.get("author")),
        works=names_of(data.get("works")),
        characters=names_of(data.get("actors")),
        tags=names_of(_words(data.get("tags"))),
        page_count=count_of(data.get("total_photos")),
        view_count=count_of(data.get("total_views")),
        like_count=count_of(data.get("likes")),
        comment_count=count_of(data.get("comment_total")),
        published_on=date_of_timestamp(data.get("addtime")) or date_of(data.get("published")),
        updated_on=date_of(data.get("updated")),
        chapters=chapters,
        related=tuple(_plain_lines(data.get("related_list"), id)),
        source=source,
        has_all_chapters=has_all,
    )


def chapter_from_data(data: Mapping[str, Any], id: str, scramble_id: int) -> ChapterDetail:
    """The chapter `id`. Raises `AttemptError` for another chapter's data, and for data without a list of pages.

    Entries behind the pages that are no pages ("ori", null) are left out; nothing but such entries is no list.
    """
    check_number(data.get("id"), id)
    if not is_list(data.get("images")):
        raise AttemptError(UpstreamReason.GARBLED, "no list of pages")
    entries = rows_of(data["images"])
    page_names = tuple(name for name in entries if isinstance(name, str) and _PAGE_NAME.fullmatch(name))
    if entries and not page_names:
        raise AttemptError(UpstreamReason.GARBLED, "a list of pages without a page")
    left_out = len(entries) - len(page_names)
    return ChapterDetail(
        id=id,
        album_id=id_or_none(data.get("series_id")) or id,
        title=text_of(data.get("name")),
        scramble_id=scramble_id,
        page_names=page_names,
        notes=(f"{left_out} entries that are no pages were left out",) if left_out else (),
    )


def list_from_data(
    data: Mapping[str, Any], page: int, *, has_tags: bool, page_size: int = PAGE_SIZE
) -> AlbumListPage:
    """A page of a list. `has_tags`: its lines carry tags; those of the API carry none.

    Where the site gives no total, what is shown counts, and another page is expected behind a full one. Raises
    `AttemptError` for a first page that shows nothing of what it counts, and for lines of which none can be read.
    """
    content, total = data.get("content"), number_or_none(data.get("total"))
    rows = rows_of(content)
    items = tuple(_summaries(rows, has_tags=has_tags))
    is_empty = is_list(content) and not rows and not (total and page == 1)
    if not items and not (is_empty or total == 0):
        raise AttemptError(UpstreamReason.GARBLED, "a list without a line")
    if total is None:
        is_full = len(rows) >= page_size
        shown = (page - 1) * page_size + len(items)
        return AlbumListPage(items, page=page, page_count=page + is_full if items else page - 1, total=shown)
    return AlbumListPage(items, page=page, page_count=ceil(total / page_size), total=total)


def ranking_from_data(data: Mapping[str, Any], query: RankingQuery, *, has_tags: bool) -> RankingPage:
    """A page of a ranking; ranks go on from page to page."""
    listed = list_from_data(data, query.page, has_tags=has_tags)
    first = (query.page - 1) * PAGE_SIZE + 1
    return RankingPage(
        period=query.period,
        page=query.page,
        page_count=listed.page_count,
        total=listed.total,
        has_next=query.page < listed.page_count,
        entries=tuple(
            RankingLine(rank, _in_category(album, query.category)) for rank, album in enumerate(listed.items, first)
        ),
        fetched_at=datetime.now(UTC),
    )


def _in_category(album: AlbumSummary, category: Category) -> AlbumSummary:
    """A line of a list of this category, whose lines need not say so."""
    return album if album.category or category is Category.ALL else replace(album, category=category)


def comments_from_data(data: Mapping[str, Any], album_id: str, page: int) -> CommentPageRecord:
    """A page of an album's comments."""
    rows = rows_of(data.get("list"))
    items = tuple(_comments(rows, album_id))
    total = number_or_none(data.get("total"))
    if total is None:
        total = (page - 1) * COMMENT_PAGE_SIZE + len(items) + (len(rows) >= COMMENT_PAGE_SIZE)
    return CommentPageRecord(
        album_id=album_id,
        items=items,
        page=page,
        page_size=COMMENT_PAGE_SIZE,
        page_count=ceil(total / COMMENT_PAGE_SIZE),
        total=total,
        comment_count=sum(map(_with_replies, items)),
    )


def login_from_data(data: Mapping[str, Any], cookies: Mapping[str, str]) -> SiteLogin:
    """Who logged in, and their session: the answer's cookies and its `s`. Raises `AttemptError` without either."""
    username, user_id = text_of(data.get("username")), id_or_none(data.get("uid"))
    token = text_of(data.get("s")) or cookies.get(SESSION_COOKIE, "")
    if not 0 < len(username) <= _LONGEST_USERNAME or user_id is None or not _SESSION.fullmatch(token):
        raise AttemptError(UpstreamReason.GARBLED, "a login without a name, a number or a session")
    return SiteLogin(username, SiteSession(user_id, {**cookies, SESSION_COOKIE: token}))


def favorites_from_data(data: Mapping[str, Any], page: int) -> FavoritePageRecord:
    """A page of a person's favourites."""
    listed = {"content": data.get("list"), "total": data.get("total")}
    rows = [row for row in rows_of(data.get("folder_list")) if isinstance(row, Mapping)]
    return FavoritePageRecord(
        list_from_data(listed, page, has_tags=False, page_size=FAVORITES_PAGE_SIZE),
        tuple(
            FavoriteFolderRecord(id, text_of(row.get("name"))) for row in rows if (id := id_or_none(row.get("FID")))
        ),
    )


def is_favorite_in(data: Mapping[str, Any]) -> bool:
    """Whether an album's answer says that it is a favourite of who asked, by true, 1 or "1".

    Raises `AttemptError` where it says nothing of that.
    """
    if data.get("is_favorite") is None:
        raise AttemptError(UpstreamReason.GARBLED, "no word of a favourite")
    return text_of(str(data["is_favorite"])).lower() in ("true", "1")


def signed_days(data: Mapping[str, Any]) -> int:
    """Number of days in a person's check-ins of the month on which they checked in."""
    weeks = [week for week in rows_of(data.get("record")) if is_list(week)]
    days = [day for week in weeks for day in rows_of(week) if isinstance(day, Mapping)]
    return sum(day.get("signed") is True for day in days)


def _chapters(series: object, album_id: str, title: str) -> tuple[tuple[ChapterRef, ...], bool]:
    """In the order of their `sort`, then as listed; each number once. An album without any is its own chapter.

    Then whether these are all: False where something is listed that can't be read as a chapter.
    """
    listed = [row if isinstance(row, Mapping) else {} for row in rows_of(series)]
    rows = {id: row for row in listed if (id := id_or_none(row.get("id")))}
    has_all = all(id_or_none(row.get("id")) for row in listed) and (is_list(series) or not series)
    if not rows or list(rows) == [album_id]:
        return (ChapterRef(album_id, 1, title),), has_all
    sorts = {id: number_or_none(row.get("sort")) for id, row in rows.items()}
    in_order = sorted(
        enumerate(rows, 1), key=lambda place: (place[0] if (sort := sorts[place[1]]) is None else sort, place[0])
    )
    chapters = tuple(
        ChapterRef(id, index, text_of(rows[id].get("name")) or f"第{sorts[id] or index}話")
        for index, (_, id) in enumerate(in_order, 1)
    )
    return chapters, has_all


def _summaries(value: object, *, has_tags: bool = False) -> Iterator[AlbumSummary]:
    seen = set()
    for row in rows_of(value):
        if not isinstance(row, Mapping) or (id := id_or_none(row.get("id"))) is None or id in seen:
            continue
        title = text_of(row.get("name"))
        if title:
            seen.add(id)
            yield AlbumSummary(
                id,
                title,
                tags=names_of(_words(row.get("tags"))) if has_tags else None,
                authors=names_of(row["author"]) if row.get("author") is not None else None,
                category=_category(row.get("category")),
                updated_on=date_of_timestamp(row.get("update_at")),
            )


def _plain_lines(value: object, id: str) -> Iterator[AlbumSummary]:
    """Number and title of each but the album `id`, which is all that the web pages tell of related albums."""
    return (AlbumSummary(album.id, album.title) for album in _summaries(value) if album.id != id)


def _category(value: object) -> Category | None:
    names = (value.get("id"), value.get("title")) if isinstance(value, Mapping) else (value,)
    return next((found for name in names if (found := _CATEGORY_OF_NAME.get(text_of(name)))), None)


def _comments(value: object, album_id: str, parent_id: str | None = None, depth: int = 0) -> Iterator[CommentRecord]:
    for row in rows_of(value) if depth <= MAX_REPLY_DEPTH else ():
        if not isinstance(row, Mapping):
            continue
        id, username = text_of(row.get("CID")), text_of(row.get("username"))
        parent = text_of(row.get("parent_CID"))
        yield CommentRecord(
            id=id,
            album_id=text_of(row.get("AID")) or album_id,
            user_id=text_of(row.get("UID")),
            username=username,
            nickname=text_of(row.get("nickname")) or username,
            parent_id=parent if parent not in ("", "0") else parent_id,
            text=_text_of_markup(row.get("content")),
            is_spoiler=text_of(row.get("spoiler")) == "2" or row.get("is_spoiler") is True,
            posted_at=text_of(row.get("addtime")),
            likes=number_or_none(row.get("likes")),
            replies=tuple(_comments(row.get("replys"), album_id, id, depth + 1)),
        )


def _with_replies(comment: CommentRecord) -> int:
    return 1 + sum(map(_with_replies, comment.replies))


def check_number(value: object, id: str) -> None:
    """Raises `AttemptError` unless the answer is about the number that was requested.

    To a client that it dislikes the site answers every number with one and the same album, well formed, status 200.
    """
    number = id_or_none(value)
    if number is None:
        raise AttemptError(UpstreamReason.GARBLED, "an answer without a number")
    if number != id:
        raise AttemptError(UpstreamReason.GARBLED, "another album's answer", message=OTHER_ALBUM)


def id_or_none(value: object) -> str | None:
    """The number as digits; None for anything else, 0 included."""
    id = str(value).strip() if isinstance(value, (str, int)) else ""
    return id if _ID.fullmatch(id) else None


def title_of(value: object) -> str:
    """The title. Raises `AttemptError` without one: nothing on the site has none."""
    if title := text_of(value):
        return title
    raise AttemptError(UpstreamReason.GARBLED, "no title")


def text_of(value: object) -> str:
    """One line of text: entities resolved, blanks collapsed; "" for what is no text."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    return " ".join(_plain(str(value)).split())


def names_of(value: object) -> tuple[str, ...]:
    """Names in their order, each once, none empty; a single text is one name."""
    values = [value] if isinstance(value, str) else rows_of(value)
    return tuple(dict.fromkeys(name for value in values if (name := text_of(value))))


def is_list(value: object) -> bool:
    """True for a list, also one that was sent as `{"0": …, "1": …}`."""
    return isinstance(value, (list, tuple, Mapping))


def rows_of(value: object) -> list[Any]:
    """The entries of a list, of `{"1": …, "0": …}` by their numbers; none for anything else."""
    if isinstance(value, Mapping):
        are_numbered = all(isinstance(name, str) and name.isdecimal() for name in value)
        names = sorted(value, key=int) if are_numbered else value
        return [value[name] for name in names]
    return list(value) if isinstance(value, (list, tuple)) else []


def number_or_none(value: object) -> int | None:
    """The figure in 26, "26" or "26.0", at least 0; None for anything else."""
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        found = re.fullmatch(r"\s*(\d{1,15})(?:\.0*)?\s*", str(value))
        return int(found[1]) if found else None
    return None


def _words(value: object) -> object:
    """Tags that were sent as one text, "全彩 中文", as a list."""
    return re.split(r"[\s,，、]+", value) if isinstance(value, str) else value


def _lines(value: object) -> str:
    return "\n".join(map(text_of, value.splitlines())).strip() if isinstance(value, str) else ""


def _text_of_markup(value: object) -> str:
    text = value if isinstance(value, str) else ""
    return _plain(_MARKUP.sub("", _LINE_BREAK.sub("\n", text))).strip()


def _plain(text: str) -> str:
    """Entities resolved, characters left out that are no text."""
    return _NO_TEXT.sub("", html.unescape(text))


def count_of(value: object) -> int:
    """The integer behind a count: `"[40K]"` is 40000, `"1.2M"` 1200000, `"3万"` 30000, `"1,234"` 1234.

    Brackets, blanks, grouping and a trailing plus are dropped, full-width forms are read, halves round up. What is no
    count at all ("", None, "-") is 0: a count that can't be read does not make an album unreadable.
    """
    if isinstance(value, (int, float)):
        return int(value) if 0 <= value < 1e15 else 0
    plain = unicodedata.normalize("NFKC", value if isinstance(value, str) else "").strip(" \t\r\n[]()【】").lower()
    found = _COUNT.fullmatch(re.sub(r"(?<=\d)[,_'](?=\d{3})", "", plain))
    if found is None:
        return 0
    exact = Decimal(found[1]) * _UNITS[found[2]]
    return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def date_of(value: object) -> date | None:
    """The day in `"2020-08-29"` (or with slashes or dots, or with a time behind it); None where there is none."""
    text = value if isinstance(value, str) else ""
    found = re.match(r"\s*(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)", text)
    if found is None:
        return None
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None


def date_of_timestamp(value: object) -> date | None:
    """The site's day of a Unix time in seconds (1598659200, "1598659200"); None for none, zero or nonsense."""
    seconds = number_or_none(value)
    try:
        return datetime.fromtimestamp(seconds, SITE_TIMEZONE).date() if seconds else None
    except (ValueError, OverflowError, OSError):
        return None
