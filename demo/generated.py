"""Comics made by rule: magazine issues, which make lists three pages long, and albums that are in no list."""

from __future__ import annotations

from demo.comics import pages
from demo.records import Chapter, Comic, PageKind
from demo.sample_values import likes_of, published_of, views_of

ISSUES_EACH = 22

_FIRST_ISSUE_ID = 600_100
_ISSUE_STEP = 7

FIRST_UNLISTED_ID = 2_000_000
UNLISTED_COUNT = 10_000
"""For tests and benchmarks that read more albums than the lists contain."""

DECOY_ID = 123456
"""The album that is answered in place of every other to clients the site dislikes; in no list either."""

_THEMES = ("nature", "machines", "travel", "cooking")

_MAGAZINES = (
    ("山行月刊", "nature", ("全彩", "中文", "短篇", "風景"), "doujin", "chinese"),
    ("齒輪通信", "machines", ("全彩", "中文", "機械", "教程"), "doujin", "chinese"),
    ("旅人週報", "travel", ("全彩", "中文", "旅行", "短篇"), "doujin", "chinese"),
    ("湯匙與鍋", "cooking", ("全彩", "中文", "料理", "圍裙"), "doujin", "chinese"),
    ("星空郵報", "machines", ("全彩", "中文", "科幻", "機器人"), "short", "chinese"),
)


def magazine_issues() -> tuple[Comic, ...]:
    """All issues of all magazines: eight small pages each."""
    return tuple(_issue(number) for number in range(ISSUES_EACH * len(_MAGAZINES)))


def _issue(number: int) -> Comic:
    name, theme, tags, category, sub_category = _MAGAZINES[number % len(_MAGAZINES)]
    id = _FIRST_ISSUE_ID + number * _ISSUE_STEP
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


def unlisted_album(id: int) -> Comic | None:
    """The decoy, or the album of a number from 2000000 to 2009999, eight small pages; None for other numbers."""
    if id == DECOY_ID:
        return _unlisted(id, "誘餌", "不管問的是哪一本，答的都是這一本。", ("全彩", "中文", "誘餌"))
    if not FIRST_UNLISTED_ID <= id < FIRST_UNLISTED_ID + UNLISTED_COUNT:
        return None
    title = f"倉庫第{id - FIRST_UNLISTED_ID + 1}冊"
    return _unlisted(id, title, "只有知道號碼的人才找得到的書。", ("全彩", "中文", "短篇"))


def _unlisted(id: int, title: str, description: str, tags: tuple[str, ...]) -> Comic:
    return Comic(
        id=id,
        title=title,
        theme=_THEMES[id % len(_THEMES)],
        authors=("倉庫管理員",),
        works=("原創",),
        characters=(),
        tags=tags,
        category="another",
        sub_category="other",
        description=description,
        published=published_of(id),
        updated=published_of(id),
        views=views_of(id),
        likes=likes_of(id),
        chapters=(Chapter(id, title, pages(8, PageKind.WEBP, 480, 680)),),
    )
