"""Comics that fail on purpose, so that every error state can be seen. README.md lists them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from types import MappingProxyType

from demo.comics import pages
from demo.records import Chapter, Comic, Fault, FaultKind, Page, PageKind, Script

ALWAYS_403 = 900403
GARBAGE = 900200
CRAWLS = 900408
LOSES_PAGE_7 = 900007
TRUNCATED_PAGE = 900011
NOT_AN_IMAGE = 900012
CUT_TRANSFER = 900013
NO_IMAGES = 900010
NO_TAGS = 900100
FLAKY_IMAGES = 900503
IMAGES_403 = 900413
REMOVED = 900404
LONG_TITLE = 900255
SAME_TITLE = (900021, 900022)
BLOCKED_TAG_ALBUMS = (900451, 900452, 900453)
BLOCKED_TAG = "測試封鎖"
ANIMATED = 900089
JPEG_ONLY = 900090
UNSCRAMBLED = 900091
MANY_CHAPTERS = 900120
LOST_CHAPTER = 900140
HUGE_PAGES = 900163
LOSSLESS = 900300
LONG = 900600
RATE_LIMITED = 900429
MAINTENANCE = 900502
CHALLENGED = 900401
HANGS = 900508
GAPS = 900030
TWO_SCRAMBLE_IDS = 900060
WRONG_ENDINGS = 900070

_USUAL = (960, 1360)
SMALL = (480, 683)
"""Size of most pages of scripted comics, in pixels."""

_LONG_TITLE = (
    '示範：很長的書名/反斜線\\冒號:星號*問號?"引號"<角括號>|豎線 & 還有 ..'
    + "一座山，兩條河，三列火車，四碗麵，五隻候鳥，六個齒輪，七張車票，八頁筆記；" * 6
)


def scripted() -> tuple[Comic, ...]:
    """All of them. They are the oldest of the site and the least seen, so no first page of a list shows them."""
    return (
        album(ALWAYS_403, "示範：永遠拒絕", 8, Script(everywhere=Fault(FaultKind.REGION))),
        album(GARBAGE, "示範：亂碼", 8, Script(everywhere=Fault(FaultKind.GARBAGE))),
        album(CRAWLS, "示範：慢吞吞", 16, Script(bytes_per_s=8_000)),
        album(LOSES_PAGE_7, "示範：掉了第七頁", 12, Script(pages=at_page(7, FaultKind.MISSING))),
        album(TRUNCATED_PAGE, "示範：第三頁只有半張", 8, Script(pages=at_page(3, FaultKind.SHORT))),
        album(NOT_AN_IMAGE, "示範：第二頁不是圖片", 8, Script(pages=at_page(2, FaultKind.HTML))),
        album(CUT_TRANSFER, "示範：第五頁傳到一半", 8, Script(pages=at_page(5, FaultKind.TRUNCATED))),
        album(NO_IMAGES, "示範：沒有圖片", 0),
        replace(album(NO_TAGS, "示範：沒有標籤", 8), tags=(), works=(), characters=(), authors=()),
        album(FLAKY_IMAGES, "示範：前兩次總是失敗", 10, Script(images_fail_first=2)),
        album(IMAGES_403, "示範：圖片被拒絕", 8, Script(images=Fault(FaultKind.REGION))),
        album(RATE_LIMITED, "示範：請求太多", 8, Script(everywhere=Fault(FaultKind.RATE_LIMIT, retry_after_s=2))),
        album(MAINTENANCE, "示範：維護中", 8, Script(everywhere=Fault(FaultKind.MAINTENANCE))),
        album(CHALLENGED, "示範：要求驗證", 8, Script(everywhere=Fault(FaultKind.CHALLENGE))),
        album(HANGS, "示範：沒有回應", 8, Script(everywhere=Fault(FaultKind.HANG))),
        album(LONG_TITLE, _LONG_TITLE, 8),
        *(album(id, "示範：同名的書", 8) for id in SAME_TITLE),
        *(_blocked(id) for id in BLOCKED_TAG_ALBUMS),
        album_of(ANIMATED, "示範：會動的圖", pages(8, PageKind.GIF, 240, 340)),
        album_of(JPEG_ONLY, "示範：只有 JPEG", pages(24, PageKind.JPG, *_USUAL)),
        _unscrambled(),
        series("示範：十二個章節", dict.fromkeys(range(MANY_CHAPTERS, MANY_CHAPTERS + 12), 2)),
        _lost_chapter(),
        album_of(HUGE_PAGES, "示範：特別長的頁", _HUGE),
        album_of(LOSSLESS, "示範：無損的頁", pages(12, PageKind.LOSSLESS, *SMALL)),
        album_of(LONG, "示範：六百頁", pages(600, PageKind.WEBP, *_USUAL)),
        album_of(GAPS, "示範：檔名不連續", tuple(_page_named(number) for number in (1, 2, 5, 10, 11, 102))),
        _two_scramble_ids(),
        album_of(WRONG_ENDINGS, "示範：副檔名不對", tuple(_jpg_named_webp(number) for number in range(1, 9))),
    )


_HUGE = (
    Page("00001.jpg", PageKind.JPG, 700, 20_000),
    Page("00002.png", PageKind.PNG, 64, 70_000),
    Page("00003.webp", PageKind.WEBP, 480, 16_383),
)


def at_page(number: int, kind: FaultKind) -> MappingProxyType[int, Fault]:
    """A fault of one page (1-based)."""
    return MappingProxyType({number: Fault(kind)})


def album(id: int, title: str, page_count: int, script: Script | None = None) -> Comic:
    """A scripted comic of one chapter, with this many scrambled webp pages."""
    return album_of(id, title, pages(page_count, PageKind.WEBP, *SMALL), script)


def album_of(id: int, title: str, of: tuple[Page, ...], script: Script | None = None) -> Comic:
    """A scripted comic of one chapter with these pages."""
    return Comic(
        id=id,
        title=title,
        theme="machines",
        authors=("示範工房",),
        works=("原創",),
        characters=("示範員",),
        tags=("全彩", "中文"),
        category="doujin",
        sub_category="chinese",
        description="這本書照劇本演出，用來看前端怎麼面對錯誤。",
        published=date(2019, 1, 1),
        updated=date(2019, 1, 1),
        views=100 + id % 100,
        likes=1,
        chapters=(Chapter(id, title, of),),
        script=script or Script(),
    )


def _blocked(id: int) -> Comic:
    named = id == BLOCKED_TAG_ALBUMS[1]
    comic = album(id, f"示範：{BLOCKED_TAG}寫在書名裡" if named else f"示範：帶著要擋的標籤 {id % 10}", 8)
    return replace(comic, tags=(*comic.tags, BLOCKED_TAG))


def _unscrambled() -> Comic:
    of = tuple(
        Page(f"{number:05}.{kind.ending}", kind, *_USUAL)
        for number, kind in enumerate((PageKind.WEBP, PageKind.JPG) * 10, 1)
    )
    comic = album_of(UNSCRAMBLED, "示範：不打亂的頁", of)
    whole = replace(comic.chapters[0], scramble_id=UNSCRAMBLED + 1)
    return replace(comic, chapters=(whole,))


def series(title: str, page_counts: Mapping[int, int], script: Script | None = None) -> Comic:
    """A scripted comic of several chapters without titles: pages of each by its number, the first the album's own."""
    chapters = tuple(Chapter(id, "", pages(count, PageKind.WEBP, *SMALL)) for id, count in page_counts.items())
    return replace(album(chapters[0].id, title, 0, script), chapters=chapters)


def _lost_chapter() -> Comic:
    page_counts = dict.fromkeys(range(LOST_CHAPTER, LOST_CHAPTER + 3), 2)
    return series("示範：第二話不見了", page_counts, Script(lost_chapters=frozenset({LOST_CHAPTER + 1})))


def _two_scramble_ids() -> Comic:
    comic = series("示範：一話打亂，一話不打亂", {TWO_SCRAMBLE_IDS: 2, TWO_SCRAMBLE_IDS + 1: 2})
    cut, whole = comic.chapters
    return replace(comic, chapters=(cut, replace(whole, scramble_id=whole.id + 1)))


def _page_named(number: int) -> Page:
    return Page(f"{number:05}.webp", PageKind.WEBP, *SMALL)


def _jpg_named_webp(number: int) -> Page:
    return Page(f"{number:05}.webp", PageKind.JPG, *SMALL)
