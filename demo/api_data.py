"""What the mobile API says of albums, chapters, comments and people.

Source of the shapes: jmcomic 2.7.10, `JmApiAdaptTool`, `JmPageTool`, `JmApiClient.login`, `JmUserClient.get_daily`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from demo import comments
from demo.library import library
from demo.markup import CATEGORY_TITLES, as_html
from demo.members import MAX_FAVORITES, Member, favorites_in_order
from demo.records import Chapter, Comic
from demo.sample_values import TODAY, timestamp

NO_ALBUM: Mapping[str, Any] = {"id": None, "name": None, "series": [], "images": [], "tags": []}
NO_CHAPTER: Mapping[str, Any] = {"id": None, "name": None, "series": [], "images": [], "tags": ""}


FAVORITES_PAGE_SIZE = 20

_DAILY_ID = 72


def album_data(comic: Comic, *, is_favorite: bool = False) -> dict[str, Any]:
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
        "is_favorite": is_favorite,
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


def member_data(member: Member, session: str) -> dict[str, Any]:
    """A person as the answer to their login; `s` is the session."""
    return {
        "uid": member.user_id,
        "username": member.name,
        "email": f"{member.name}@example.org",
        "emailverified": "yes",
        "photo": "nopic-Male.gif",
        "fname": "",
        "gender": "Male",
        "message": f"Welcome {member.name}!",
        "coin": 120,
        "album_favorites": len(member.favorites),
        "s": session,
        "level_name": "旅人",
        "level": 3,
        "nextLevelExp": 300,
        "exp": "120",
        "expPercent": 40,
        "badges": [],
        "album_favorites_max": MAX_FAVORITES,
    }


def favorites_data(member: Member, folder_id: str, order: str, page: int) -> dict[str, Any]:
    """A page of a person's favourites, with all their folders."""
    found = favorites_in_order(member, folder_id, order)
    start = (page - 1) * FAVORITES_PAGE_SIZE
    shown = lines_data(found[start : start + FAVORITES_PAGE_SIZE])
    folders = [
        {"0": id, "FID": id, "1": member.user_id, "UID": member.user_id, "2": name, "name": name}
        for id, name in member.folders.items()
    ]
    return {
        "list": [line | {"latest_ep": None, "latest_ep_aid": None} for line in shown],
        "folder_list": folders,
        "total": str(len(found)),
        "count": FAVORITES_PAGE_SIZE,
    }


def daily_data(member: Member) -> dict[str, Any]:
    """A person's check-ins of this month, by weeks."""
    days = [{"date": f"{day:02}", "signed": False, "bonus": day % 7 == 0} for day in range(1, 31)]
    days[TODAY.day - 1]["signed"] = member.has_checked_in
    return {
        "daily_id": _DAILY_ID,
        "event_name": "6月-簽到活動",
        "currentProgress": "14.3%" if member.has_checked_in else "0%",
        "three_days_coin": "150",
        "three_days_exp": "150",
        "seven_days_coin": "350",
        "seven_days_exp": "350",
        "background_pc": "/media/logo/pc/6PC.jpg",
        "background_phone": "/media/logo/phone/6PH.jpg",
        "record": [days[start : start + 7] for start in range(0, len(days), 7)],
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
