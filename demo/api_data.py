"""What the mobile API says of albums, chapters and comments. Source of the shapes: jmcomic 2.7.10, `jm_toolkit`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from demo import comments
from demo.library import library
from demo.markup import CATEGORY_TITLES, as_html
from demo.records import Chapter, Comic
from demo.sample_values import timestamp

NO_ALBUM: Mapping[str, Any] = {"id": None, "name": None, "series": [], "images": [], "tags": []}
NO_CHAPTER: Mapping[str, Any] = {"id": None, "name": None, "series": [], "images": [], "tags": ""}


def album_data(comic: Comic) -> dict[str, Any]:
    """An album with its chapters and counts."""
    data = {
        "id": comic.id,
        "name": comic.title,
        "images": [],
        "addtime": str(timestamp(comic.published)),
        "description": comic.description,
        "total_views": str(comic.views),
        "likes": str(comic.likes),
        "series": _series(comic),
        "series_id": "0",
        "comment_total": str(comments.comment_count(comic)),
        "author": list(comic.authors),
        "tags": list(comic.tags),
        "works": list(comic.works),
        "actors": list(comic.characters),
        "related_list": lines_data(library().related(comic)),
        "total_photos": comic.page_count,
        "liked": False,
        "is_favorite": False,
        "is_aids": False,
        "price": "",
        "purchased": "",
    }
    return comic.api_data("album", data)


def chapter_data(comic: Comic, chapter: Chapter) -> dict[str, Any]:
    """A chapter with the names of its pages."""
    data = {
        "id": chapter.id,
        "name": chapter.title or comic.title,
        "series": _series(comic),
        "tags": " ".join(comic.tags),
        "images": comic.listed_names(chapter),
        "addtime": str(timestamp(comic.published)),
        "series_id": str(comic.series_id),
        "is_favorite": False,
        "liked": False,
    }
    return comic.api_data("chapter", data)


def template_page(comic: Comic, chapter: Chapter) -> str:
    """The reader's page, which contains the scramble id."""
    names = json.dumps(comic.listed_names(chapter))
    return (
        f"<html><head><script>\nvar scramble_id = {chapter.scramble_id};\nvar aid = {chapter.id};\n"
        f"var page_arr = {names};\nvar speed = '';\n</script></head><body></body></html>"
    )


def lines_data(comics: Sequence[Comic]) -> list[dict[str, Any]]:
    """Albums as lists show them."""
    return [_line(comic) for comic in comics]


def comment_data(comment: comments.Comment) -> dict[str, Any]:
    """A comment with its replies."""
    user_id, username, nickname = comment.user
    return {
        "AID": str(comment.album_id),
        "BID": None,
        "CID": comment.id,
        "UID": user_id,
        "username": username,
        "nickname": nickname,
        "likes": str(comment.likes),
        "gender": "Male",
        "update_at": str(timestamp(comment.day)),
        "addtime": comment.day.strftime("%b %d, %Y"),
        "parent_CID": comment.parent_id,
        "content": f"<div>{as_html(comment.text)}</div>",
        "photo": "nopic.gif",
        "spoiler": "2" if comment.spoiler else "0",
        "replys": [comment_data(reply) for reply in comment.replies],
    }


def _series(comic: Comic) -> list[dict[str, str]]:
    if not comic.is_series:
        return []
    return [
        {"id": str(chapter.id), "name": chapter.title} | ({} if sort is None else {"sort": sort})
        for chapter, sort in zip(comic.chapters, comic.sorts, strict=True)
    ]


def _line(comic: Comic) -> dict[str, Any]:
    data = {
        "id": str(comic.id),
        "author": comic.authors[0] if comic.authors else "",
        "description": "",
        "name": comic.title,
        "image": "",
        "category": {"id": comic.category, "title": CATEGORY_TITLES[comic.category]},
        "category_sub": {"id": comic.sub_category, "title": comic.sub_category},
        "liked": False,
        "is_favorite": False,
        "update_at": timestamp(comic.updated),
    }
    return comic.api_data("line", data)
