"""What the site's answers are expected to look like, and in words what one of them has otherwise.

Only for checks of the site (`site_check`): reading needs far less (`mapping`). No words here are from the site's
texts: no title, no name, no token.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from services.errors import UpstreamReason
from services.imaging import ImageKind, ReadablePage, check_page, sniff
from services.upstream.api import answer_data
from services.upstream.failures import AttemptError, failure_of_response
from services.upstream.html import page_data
from services.upstream.mapping import id_or_none
from services.upstream.records import (
    AlbumDetail,
    AlbumListPage,
    ChapterDetail,
    CommentPageRecord,
    RankingPage,
)
from services.upstream.transport import SiteAnswer

SERIES_CATEGORY = "韓漫"
"""Nearly all of its albums have several chapters."""

FIRST_SCRAMBLED_ID = 220980
"""Chapters below it are whole: nothing would be shown about unscrambling."""

Shape = Any
"""A type, several in a tuple, `[shape]` for a list, `{name: shape}` for an object."""

_LINE: Shape = {"id": str, "name": str}
_LIST: Shape = {"total": (str, int), "content": [_LINE]}
_TAGGED_LIST: Shape = {"total": str, "content": [{**_LINE, "tags": [str]}]}

EXPECTED: Mapping[str, Shape] = {
    "/setting": {"jm3_version": str, "img_host": str},
    "/categories/filter": _LIST,
    "/search": _LIST,
    "/album": {
        "id": int,
        "name": str,
        "author": [str],
        "works": [str],
        "actors": [str],
        "tags": [str],
        "description": (str, type(None)),
        "total_photos": (str, int),
        "total_views": str,
        "likes": str,
        "comment_total": str,
        "addtime": (str, int),
        "series": [{**_LINE, "sort": str}],
        "series_id": str,
        "related_list": [_LINE],
    },
    "/chapter": {"id": int, "name": str, "series_id": str, "images": [str]},
    "/forum": {
        "total": (str, int),
        "list": [{"CID": str, "UID": str, "username": str, "content": str, "addtime": str, "likes": str}],
    },
    "web /albums": _TAGGED_LIST,
    "web /search": _TAGGED_LIST,
    "web /album": {
        **dict.fromkeys(("id", "name", "description", "total_photos", "total_views", "likes", "comment_total"), str),
        **{"published": str, "updated": str, "author": [str], "tags": [str], "related_list": [_LINE]},
    },
    "web /photo": {"id": str, "name": str, "series_id": str, "scramble_id": str, "images": [str]},
}
"""What is read of each answer, in the types that the site was seen to send. Source: docs/upstream.md."""

_WORDS: Mapping[type, str] = {
    str: "a text",
    int: "a number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
    list: "a list",
    dict: "an object",
}


def oddities_of(value: object, shape: Shape) -> list[str]:
    """What is not as expected, in words: "likes is a number, not a text", "content[].name is absent (3 times)"."""
    times = Counter(_oddities(value, shape, ""))
    return [odd if count == 1 else f"{odd} ({count} times)" for odd, count in times.items()]


def _oddities(value: object, shape: Shape, place: str) -> Iterator[str]:
    kinds = _types_of(shape)
    if type(value) not in kinds:
        yield f"{place or 'all of it'} is {_WORDS[type(value)]}, not {_WORDS[kinds[0]]}"
    elif isinstance(shape, dict) and isinstance(value, dict):
        for name, inner in shape.items():
            inside = f"{place}.{name}" if place else name
            yield from _oddities(value[name], inner, inside) if name in value else [f"{inside} is absent"]
    elif isinstance(shape, list) and isinstance(value, list):
        for entry in value:
            yield from _oddities(entry, shape[0], f"{place}[]")


def _types_of(shape: Shape) -> tuple[type, ...]:
    if isinstance(shape, (dict, list)):
        return (type(shape),)
    return shape if isinstance(shape, tuple) else (shape,)


# --- answers ---------------------------------------------------------------------------------------------------


def read_answer(answer: SiteAnswer) -> tuple[str, dict[str, Any]]:
    """The kind of an answer, as `EXPECTED` names it, and what it says; nothing of one that can't be read."""
    try:
        if answer.stamp:
            return answer.path, answer_data(answer.response, answer.stamp)
        if is_picture(answer):
            return "", {}
        data = page_data(answer.path, answer.response.text)
    except AttemptError:
        return "", {}
    present = {name: value for name, value in data.items() if value is not None}
    return f"web /{answer.path.split('/')[1]}", present


def is_picture(answer: SiteAnswer) -> bool:
    """True for an answer of the CDN, whatever it holds."""
    return answer.path.startswith("/media/")


def is_whole_picture(answer: SiteAnswer) -> bool:
    """True unless it is empty, cut short, or no picture."""
    kind = sniff(answer.response.content)
    return bool(kind and kind.is_complete)


def is_login(answer: SiteAnswer) -> bool:
    """True for the page that asks for a login, and for the API's error that does."""
    if is_picture(answer):
        return False
    failed = failure_of_response(answer.response, is_about_number=True)
    return answer.path.startswith("/login") or failed.reason is UpstreamReason.LOGIN_REQUIRED


def numbers_in(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Numbers of albums to read: a series by its category, one that is none, then the others."""
    numbers = {id: row for row in rows if (id := id_or_none(row.get("id"))) and int(id) >= FIRST_SCRAMBLED_ID}
    series = [id for id, row in numbers.items() if _category(row) == SERIES_CATEGORY]
    singles = [id for id in numbers if id not in series]
    return list(dict.fromkeys([*series[:1], *singles[:1], *numbers]))


def _category(row: Mapping[str, Any]) -> object:
    category = row.get("category")
    return category.get("title") if isinstance(category, Mapping) else None


# --- findings -----------------------------------------------------------------------------------------------------


class Verdict(StrEnum):
    """TOLERATED: read in spite of something odd. SKIPPED: for lack of something that is broken, or of requests."""

    OK = "ok"
    TOLERATED = "tolerated"
    BROKEN = "broken"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class SiteFinding:
    """One part of the contract, "api.ranking", and what was found; `reason` where it is broken for one."""

    name: str
    verdict: Verdict
    words: str
    reason: UpstreamReason | None = None


class Facts(NamedTuple):
    """What was read, what was odd about it, and the name of the finding where that depends on it."""

    words: str
    odd: tuple[str, ...] = ()
    name: str = ""


def finding(name: str, words: str, odd: Sequence[str]) -> SiteFinding:
    """What was read, as expected or in spite of something odd."""
    return SiteFinding(name, Verdict.TOLERATED if odd else Verdict.OK, "; ".join([words, *odd]))


def facts_of_list(page: AlbumListPage) -> Facts:
    """Of a search."""
    return Facts(f"{len(page.items)} of {page.total} albums", () if page.items else ("no album",))


def facts_of_ranking(page: RankingPage) -> Facts:
    """Of a ranking."""
    return Facts(f"{len(page.entries)} of {page.total} albums", () if page.entries else ("no album",))


def facts_of_number(id: str, page: AlbumListPage) -> Facts:
    """Of a search for the number of an album."""
    is_led = [item.id for item in page.items] == [id]
    return Facts(f"{id}: a search that leads to an album", () if is_led else ("it leads to a list",))


def facts_of_album(album: AlbumDetail) -> Facts:
    """Of an album; the finding is named by its shape."""
    count = len(album.chapters)
    odd = () if album.has_all_chapters else ("the list of chapters can't be read as a whole",)
    if count == 1:
        return Facts(f"{album.id}: {album.page_count} pages", odd, "api.single")
    return Facts(f"{album.id}: {count} chapters, {album.page_count} pages", odd, "api.series")


def facts_of_chapter(chapter: ChapterDetail) -> Facts:
    """Of a chapter, apart from its scramble id."""
    odd = [note for note in chapter.notes if not is_about_scramble_id(note)]
    odd += [] if chapter.page_names else ["no page"]
    return Facts(f"{chapter.id}: {len(chapter.page_names)} pages", tuple(odd))


def facts_of_scramble_id(chapter: ChapterDetail) -> Facts:
    """Of a chapter's scramble id."""
    return Facts(f"{chapter.scramble_id}", tuple(note for note in chapter.notes if is_about_scramble_id(note)))


def is_about_scramble_id(note: str) -> bool:
    """True for the note that a chapter's scramble id was assumed."""
    return "scramble id" in note


def facts_of_comments(page: CommentPageRecord) -> Facts:
    """Of a page of comments."""
    return Facts(f"{len(page.items)} of {page.total} comments")


def facts_of_picture(picture: bytes) -> Facts:
    """Of a cover. Raises `UpstreamFailure` for one that is none."""
    kind = check_page(picture)
    return Facts(f"{kind.codec.value}, {kind.width}×{kind.height}")


def facts_of_page(read: tuple[ImageKind, int, ReadablePage]) -> Facts:
    """Of a page: as it was sent, the number of its strips, and put in order."""
    kind, count, page = read
    is_same = (kind.width, kind.height) == (page.width, page.height)
    odd = () if is_same else (f"{page.width}×{page.height} when it is put in order",)
    return Facts(f"{kind.codec.value}, {kind.width}×{kind.height}, {count} strips", odd)
