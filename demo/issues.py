"""Light issues of five made-up magazines: they make lists long enough to turn the page."""

from __future__ import annotations

from demo.comics import pages
from demo.figures import likes_of, published_of, views_of
from demo.records import Chapter, Comic, PageKind

ISSUES_EACH = 22

_FIRST_ID = 600_100
_STEP = 7

_MAGAZINES = (
    ("山行月刊", "nature", ("全彩", "中文", "短篇", "風景"), "doujin", "chinese"),
    ("齒輪通信", "machines", ("全彩", "中文", "機械", "教程"), "doujin", "chinese"),
    ("旅人週報", "travel", ("全彩", "中文", "旅行", "短篇"), "doujin", "chinese"),
    ("湯匙與鍋", "cooking", ("全彩", "中文", "料理", "圍裙"), "doujin", "chinese"),
    ("星空郵報", "machines", ("全彩", "中文", "科幻", "機器人"), "short", "chinese"),
)


def issues() -> tuple[Comic, ...]:
    """All issues of all magazines: eight small pages each."""
    return tuple(_issue(number) for number in range(ISSUES_EACH * len(_MAGAZINES)))


def _issue(number: int) -> Comic:
    name, theme, tags, category, sub_category = _MAGAZINES[number % len(_MAGAZINES)]
    id = _FIRST_ID + number * _STEP
    title = f"《{name}》第{number // len(_MAGAZINES) + 1}期"
    return Comic(
        id=id,
        title=title,
        theme=theme,
        authors=(f"{name}編輯部",),
        works=("原創",),
        characters=(),
        tags=tags,
        category=category,
        sub_category=sub_category,
        description=f"{name}的小冊子，八頁。",
        published=published_of(id),
        updated=published_of(id),
        views=views_of(id),
        likes=likes_of(id),
        chapters=(Chapter(id, title, pages(8, PageKind.WEBP, 480, 680)),),
    )
