"""Comics that the site answers oddly about, as the real one does about some. README.md lists them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from demo.comics import pages
from demo.records import ABSENT, Comic, EmptyShape, Fault, FaultKind, Page, PageKind, Script
from demo.scripted import SMALL, album, album_of, at_page, series

STRAY_NAMES = 900301
GONE_SERIES = (900302, 900311)
OTHER_MARKUP = (900303, 900304, 900333)
SAME_SORT = (900305, 900306, 900307)
NO_SORT = (900308, 900309, 900310)
CACHED_EMPTY = 900312
CACHED_SHORT = 900313
ODD_SHAPES = 900314
LOGIN_ONLY = 900315
REFUSED_ID = 900316
EMPTY_ON_FIRST_HOST = 900317
STILL_GIFS = 900318
AVIF_PAGES = 900319
EMPTY_CHAPTER = (900320, 900321, 900322)
NO_PAGE_5 = 900325
NO_SCRAMBLE_ID = 900330
NO_SCRAMBLE_ID_ON_FIRST_HOST = 900331

GONE_ALBUM_ID = 900399
"""The album that the chapters of `GONE_SERIES` name as theirs; there is none."""

_STRAY = ("ori", None, "", "00003.webp?v=1", "cover.bmp")

_REAL_GIF = 4
"""The page of `STILL_GIFS` that is what its name says."""


def odd_albums() -> tuple[Comic, ...]:
    """All of them; in lists they come last, like the comics that fail."""
    return (
        album(STRAY_NAMES, "示範：不是頁的檔名", 8, Script(stray_names=_STRAY)),
        series("示範：所屬的書不見了", dict.fromkeys(GONE_SERIES, 8), Script(series_id=GONE_ALBUM_ID)),
        series("示範：章節寫法不同", dict.fromkeys(OTHER_MARKUP, 20), Script(is_other_markup=True)),
        series("示範：三話同一個序號", dict.fromkeys(SAME_SORT, 4), Script(sorts=("1", "1", "1"))),
        series("示範：沒有序號", dict.fromkeys(NO_SORT, 4), Script(sorts=(None, "", None))),
        album(CACHED_EMPTY, "示範：快取了空圖", 8, Script(cached_pages=at_page(3, FaultKind.EMPTY))),
        album(CACHED_SHORT, "示範：快取了半張圖", 8, Script(cached_pages=at_page(3, FaultKind.SHORT))),
        album(ODD_SHAPES, "示範：茶 & 咖啡", 8, Script(api_data=_ODD_DATA)),
        album(LOGIN_ONLY, "示範：要先登入", 8, _answers(api_1=_LOGIN, api=_LOGIN_401, html=_LOGIN)),
        album(REFUSED_ID, "示範：不接受的號碼", 8, _answers(api=_REFUSED, html=_REFUSED)),
        album(EMPTY_ON_FIRST_HOST, "示範：第一台答空的", 8, _answers(api_1=_EMPTY)),
        album_of(STILL_GIFS, "示範：不會動的 gif", tuple(_gif(number) for number in range(1, 9))),
        album_of(AVIF_PAGES, "示範：AVIF 的頁", tuple(_avif(page) for page in pages(6, PageKind.WEBP, *SMALL))),
        series("示範：第二話是空的", dict(zip(EMPTY_CHAPTER, (4, 0, 4), strict=True))),
        album(NO_PAGE_5, "示範：哪裡都沒有第五頁", 8, Script(pages=at_page(5, FaultKind.MISSING))),
        album(NO_SCRAMBLE_ID, "示範：沒寫怎麼打亂", 8, _answers(api=_NO_SCRAMBLE_ID, html=_NO_SCRAMBLE_ID)),
        _whole(album(NO_SCRAMBLE_ID_ON_FIRST_HOST, "示範：只有一台寫怎麼打亂", 8, _FIRST_HOST_WITHOUT)),
    )


def _answers(**by_target: Fault) -> Script:
    """A script of `answers`; `api_1` is the host "api-1"."""
    return Script(answers=MappingProxyType({name.replace("_", "-"): fault for name, fault in by_target.items()}))


_LOGIN = Fault(FaultKind.LOGIN)
_LOGIN_401 = Fault(FaultKind.LOGIN, status=401)
_REFUSED = Fault(FaultKind.REFUSED_ID)
_EMPTY = Fault(FaultKind.EMPTY_DATA, shape=EmptyShape.LIST)
_NO_SCRAMBLE_ID = Fault(FaultKind.NO_SCRAMBLE_ID)
_FIRST_HOST_WITHOUT = _answers(api_1=_NO_SCRAMBLE_ID, html_1=_NO_SCRAMBLE_ID)

_ENTITIES = "示範：茶 &amp; 咖啡"

_ODD_DATA: Mapping[str, Mapping[str, object]] = {
    "album": {
        "id": str(ODD_SHAPES),
        "name": _ENTITIES,
        "addtime": "",
        "description": None,
        "total_views": 114,
        "likes": 1,
        "series": {},
        "series_id": 0,
        "comment_total": None,
        "author": "示範工房",
        "tags": "全彩 中文",
        "works": {"0": "原創"},
        "actors": None,
        "related_list": None,
        "total_photos": ABSENT,
        "price": ABSENT,
    },
    "chapter": {
        "id": str(ODD_SHAPES),
        "name": _ENTITIES,
        "series": {},
        "tags": ["全彩", "中文"],
        "images": {str(number): f"{number + 1:05}.webp" for number in range(8)},
        "addtime": "",
        "series_id": 0,
    },
    "line": {
        "id": ODD_SHAPES,
        "author": None,
        "name": _ENTITIES,
        "category": [],
        "category_sub": None,
        "update_at": "",
    },
}


def _gif(number: int) -> Page:
    return Page(f"{number:05}.gif", PageKind.GIF if number == _REAL_GIF else PageKind.WEBP, *SMALL)


def _avif(page: Page) -> Page:
    """AVIF under a name that ends in .webp: what a CDN sends to clients that take it."""
    return replace(page, kind=PageKind.AVIF)


def _whole(comic: Comic) -> Comic:
    (chapter,) = comic.chapters
    return replace(comic, chapters=(replace(chapter, scramble_id=comic.id + 1),))
