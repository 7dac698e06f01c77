"""jmcomic's entities to our records, our queries to the site's parameters, and numbers as the site writes them."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from math import ceil
from typing import Any

from services.errors import UpstreamReason
from services.upstream.failures import AttemptError
from services.upstream.records import (
    AlbumDetail,
    AlbumListPage,
    AlbumOrder,
    AlbumSummary,
    Category,
    ChapterDetail,
    ChapterRef,
    CommentPageRecord,
    CommentRecord,
    Period,
    RankingLine,
    RankingPage,
    RankingQuery,
    SearchField,
    SearchQuery,
    SourceMethod,
)

PAGE_SIZE = 80
"""Albums on a page of a search or ranking."""

COMMENT_PAGE_SIZE = 10
"""Top-level comments on a page."""

ORDERS = {
    AlbumOrder.LATEST: "mr",
    AlbumOrder.VIEWS: "mv",
    AlbumOrder.LIKES: "tf",
    AlbumOrder.PICTURES: "mp",
}
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

_ID = re.compile(r"[1-9]\d{0,11}")
# names of pages become parts of addresses and file names, so only plain ones pass
_PAGE_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}\.(?:webp|jpe?g|png|gif)", re.IGNORECASE)


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


def album_from_jm(
    album: Any,
    source: SourceMethod,
    *,
    names: Mapping[str, Sequence[str]] | None = None,
    related: Iterable[tuple[str, str]] = (),
    published_on: Any = None,
) -> AlbumDetail:
    """`AlbumDetail` of a `JmAlbumDetail`.

    `names` replaces its lists where the page was read more closely (keys authors, works, actors, tags); `related` are
    (id, title); `published_on` wins over the entity's date, which is in the zone of this machine.
    """
    names = names or {key: getattr(album, key) or () for key in ("authors", "works", "actors", "tags")}
    album_id = id_from_jm(album.album_id)
    title = text_from_jm(album.name, source)
    return AlbumDetail(
        id=album_id,
        title=title,
        # jmcomic writes an absent description as the word
        description="" if album.description == "None" else _lines(album.description, source),
        authors=names_from_jm(names["authors"], source),
        works=names_from_jm(names["works"], source),
        characters=names_from_jm(names["actors"], source),
        tags=names_from_jm(names["tags"], source),
        page_count=max(int(album.page_count), 0),
        view_count=count_of(album.views),
        like_count=count_of(album.likes),
        comment_count=max(int(album.comment_count), 0),
        published_on=published_on or date_of(album.pub_date),
        updated_on=date_of(album.update_date),
        chapters=_chapters(album.episode_list, album_id, title, source),
        related=tuple(
            AlbumSummary(id, text_from_jm(name, source))
            for id, name in dict(related).items()
            if _ID.fullmatch(id) and id != album_id
        ),
        source=source,
    )


def chapter_from_jm(photo: Any, source: SourceMethod, scramble_id: int) -> ChapterDetail:
    """`ChapterDetail` of a `JmPhotoDetail`; `scramble_id` as it was read from the site's answer."""
    return ChapterDetail(
        id=id_from_jm(photo.photo_id),
        album_id=id_from_jm(photo.album_id),
        title=text_from_jm(photo.name, source),
        scramble_id=scramble_id,
        page_names=tuple(_page_name(name) for name in photo.page_arr or ()),
    )


def list_from_jm(found: Any, page: int, source: SourceMethod) -> AlbumListPage:
    """`AlbumListPage` of a `JmSearchPage`; an album reached by its number is the only one there is."""
    items = tuple(_summaries(found, source))
    if found.is_single_album:
        return AlbumListPage(items, page=1, page_count=1, total=1)
    total = max(int(found.total), 0)
    return AlbumListPage(items, page=page, page_count=ceil(total / PAGE_SIZE), total=total)


def ranking_from_jm(found: Any, query: RankingQuery, source: SourceMethod) -> RankingPage:
    """`RankingPage` of a `JmCategoryPage`; ranks go on from page to page."""
    listed = list_from_jm(found, query.page, source)
    first = (query.page - 1) * PAGE_SIZE + 1
    return RankingPage(
        period=query.period,
        page=query.page,
        total=listed.total,
        entries=tuple(RankingLine(rank, album) for rank, album in enumerate(listed.items, first)),
        fetched_at=datetime.now(UTC),
    )


def comments_from_jm(found: Any, album_id: str, page: int) -> CommentPageRecord:
    """`CommentPageRecord` of a `JmAlbumCommentPage`."""
    items = tuple(_comment(comment, album_id) for comment in found.content)
    total = max(int(found.total or 0), 0)
    return CommentPageRecord(
        album_id=album_id,
        items=items,
        page=page,
        page_size=COMMENT_PAGE_SIZE,
        page_count=ceil(total / COMMENT_PAGE_SIZE),
        total=total,
        comment_count=sum(map(_with_replies, items)),
    )


def id_from_jm(value: object) -> str:
    """The number as digits. Raises `AttemptError` for anything else: such an answer is about no album."""
    id = str(value).strip()
    if not _ID.fullmatch(id):
        raise AttemptError(UpstreamReason.GARBLED, "an id that is not a number")
    return id


def text_from_jm(value: object, source: SourceMethod) -> str:
    """One line of text: entities of web pages resolved, blanks collapsed."""
    text = "" if value is None else str(value)
    return " ".join((html.unescape(text) if source is SourceMethod.HTML else text).split())


def _lines(value: str, source: SourceMethod) -> str:
    return "\n".join(text_from_jm(line, source) for line in value.splitlines()).strip()


def names_from_jm(values: Iterable[object], source: SourceMethod) -> tuple[str, ...]:
    """Names in their order, each once, none empty."""
    return tuple(dict.fromkeys(name for value in values if (name := text_from_jm(value, source))))


def _chapters(episodes: Iterable[Any], album_id: str, title: str, source: SourceMethod) -> tuple[ChapterRef, ...]:
    rows = [(id_from_jm(id), number, text_from_jm(name, source)) for id, number, name in episodes]
    if len(rows) == 1 and rows[0][0] == album_id:
        return (ChapterRef(album_id, 1, title),)
    return tuple(
        ChapterRef(id, index, name or f"第{text_from_jm(number, source)}話")
        for index, (id, number, name) in enumerate(rows, 1)
    )


def _summaries(found: Any, source: SourceMethod) -> Iterable[AlbumSummary]:
    seen = set()
    for id, info in found.content:
        if not _ID.fullmatch(str(id)) or id in seen:
            continue
        seen.add(id)
        # a list of the API carries no tags, unless it is one album that was read whole
        has_tags = source is SourceMethod.HTML or found.is_single_album
        tags = names_from_jm(info.get("tags") or (), source) if has_tags else None
        yield AlbumSummary(str(id), text_from_jm(info.get("name"), source), tags)


def _page_name(value: object) -> str:
    name = str(value)
    if not _PAGE_NAME.fullmatch(name):
        raise AttemptError(UpstreamReason.GARBLED, "a page name that is not one")
    return name


def _comment(comment: Any, album_id: str, parent_id: str | None = None) -> CommentRecord:
    id = str(comment.comment_id or "")
    return CommentRecord(
        id=id,
        album_id=str(comment.album_id or album_id),
        user_id=str(comment.user_id or ""),
        username=str(comment.username or ""),
        nickname=str(comment.nickname or comment.username or ""),
        parent_id=str(comment.parent_comment_id) if comment.parent_comment_id else parent_id,
        text=str(comment.content or ""),
        is_spoiler=bool(comment.is_spoiler),
        posted_at=str(comment.created_at or ""),
        likes=comment.likes,
        replies=tuple(_comment(reply, album_id, id) for reply in comment.replies),
    )


def _with_replies(comment: CommentRecord) -> int:
    return 1 + sum(map(_with_replies, comment.replies))


def count_of(text: str | int | None) -> int:
    """The integer behind a count: `"[40K]"` is 40000, `"1.2M"` 1200000, `"3万"` 30000, `"1,234"` 1234.

    Brackets, blanks, grouping and a trailing plus are dropped, full-width forms are read, halves round up. What is no
    count at all ("", None, "-") is 0: a count that can't be read does not make an album unreadable.
    """
    if isinstance(text, int):
        return max(text, 0)
    plain = unicodedata.normalize("NFKC", text or "").strip(" \t\r\n[]()【】").lower()
    found = _COUNT.fullmatch(re.sub(r"(?<=\d)[,_'](?=\d{3})", "", plain))
    if found is None:
        return 0
    exact = Decimal(found[1]) * _UNITS[found[2]]
    return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def date_of(text: str | None) -> date | None:
    """The day in `"2020-08-29"` (or with slashes or dots, or with a time behind it); None where there is none."""
    found = re.match(r"\s*(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)", text or "")
    if found is None:
        return None
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None


def date_of_timestamp(seconds: str | int | None) -> date | None:
    """The site's day of a Unix time in seconds ("1598659200"); None for none, zero or nonsense."""
    try:
        moment = datetime.fromtimestamp(int(seconds or 0), UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return moment.astimezone(SITE_TIMEZONE).date() if int(seconds or 0) > 0 else None
