"""Comments on the albums, with replies and spoilers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

from demo.library import library
from demo.records import Comic
from demo.sample_values import TODAY, draw

PAGE_SIZE = 10

_KNOWN_COUNTS = {350234: 25, 1208626: 3}
"""Albums with a known number of comments; the others have none to eleven."""

_USERS = (
    ("401", "shanlu", "山路"),
    ("402", "gearfan", "齒輪迷"),
    ("403", "noodle", "愛吃麵"),
    ("404", "seabird", "海鳥"),
    ("405", "tea_time", "喝茶時間"),
)

_TEXTS = (
    "畫得真仔細，第三頁我看了很久。",
    "照著做了一次，成功了！",
    "請問這條路線要走幾天？",
    "最後一頁的夜景好美 <3",
    "期待下一期 & 感謝作者",
    "封面的顏色很舒服。\n內頁也是。",
)

_SPOILERS = ("原來那班火車就是第一頁的火車。", "結局：麵包烤好了。")


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment; `parent_id` is "0" at the top, as the site writes it."""

    id: str
    album_id: int
    user: tuple[str, str, str]
    text: str
    spoiler: bool
    day: date
    likes: int
    parent_id: str = "0"
    replies: tuple[Comment, ...] = ()


def comment_count(comic: Comic) -> int:
    """Comments of an album, replies not counted."""
    return _KNOWN_COUNTS.get(comic.id, draw(comic.id, "comments", below=12))


def comments_of(comic: Comic) -> tuple[Comment, ...]:
    """All comments of an album, newest first."""
    return tuple(_comment_of(comic.id, number) for number in range(comment_count(comic)))


def all_comments() -> tuple[Comment, ...]:
    """All comments of the site, album by album."""
    return tuple(comment for comic in library().unscripted for comment in comments_of(comic))


def _comment_of(album_id: int, number: int) -> Comment:
    spoiler = number % 5 == 3
    texts = _SPOILERS if spoiler else _TEXTS
    id = str(album_id * 100 + number)
    comment = _plain(album_id, id, number, texts[number % len(texts)])
    replies = tuple(
        _plain(album_id, f"{id}{reply}", number + reply, "謝謝，我也這麼想。", parent_id=id)
        for reply in range(1, 1 + (number % 4 == 0) * 2)
    )
    return replace(comment, spoiler=spoiler, replies=replies)


def _plain(album_id: int, id: str, number: int, text: str, parent_id: str = "0") -> Comment:
    day = TODAY - timedelta(days=number * 3)
    user = _USERS[(album_id + number) % len(_USERS)]
    return Comment(id, album_id, user, text, False, day, draw(id, "likes", below=40), parent_id)
