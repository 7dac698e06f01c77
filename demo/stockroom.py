"""Ten thousand plain comics that stand in no list: for whoever reads more albums than the shelves hold."""

from __future__ import annotations

from demo.comics import pages
from demo.figures import likes_of, published_of, views_of
from demo.records import Chapter, Comic, PageKind

FIRST_ID = 2_000_000
COUNT = 10_000

_THEMES = ("nature", "machines", "travel", "cooking")


def stocked(id: int) -> Comic | None:
    """The comic of a number from 2000000 to 2009999, made when it is asked for: eight small pages."""
    if not FIRST_ID <= id < FIRST_ID + COUNT:
        return None
    title = f"倉庫第{id - FIRST_ID + 1}冊"
    return Comic(
        id=id,
        title=title,
        theme=_THEMES[id % len(_THEMES)],
        authors=("倉庫管理員",),
        works=("原創",),
        characters=(),
        tags=("全彩", "中文", "短篇"),
        category="another",
        sub_category="other",
        description="只有知道號碼的人才找得到的書。",
        published=published_of(id),
        updated=published_of(id),
        views=views_of(id),
        likes=likes_of(id),
        chapters=(Chapter(id, title, pages(8, PageKind.WEBP, 480, 680)),),
    )
