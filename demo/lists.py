"""Lists of the demo site: search and categories, ordered and paginated as the real site does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from demo.library import library
from demo.records import Comic
from demo.sample_values import PERIOD_DAYS, TODAY, draw

PAGE_SIZE = 80


@dataclass(frozen=True, slots=True)
class ListPage:
    """A page of a list. `redirect` is the album when the query was its number."""

    comics: tuple[Comic, ...]
    total: int
    redirect: int | None = None


_FIELDS: dict[str, Callable[[Comic], tuple[str, ...]]] = {
    "0": lambda comic: (comic.title, *comic.tags, *comic.authors, *comic.works, *comic.characters),
    "1": lambda comic: comic.works,
    "2": lambda comic: comic.authors,
    "3": lambda comic: comic.tags,
    "4": lambda comic: comic.characters,
}
"""What a search looks in, by the site's `main_tag`."""

_ORDERS: dict[str, Callable[[Comic, str], int]] = {
    "mr": lambda comic, _: comic.published.toordinal(),
    "mv": lambda comic, period: comic.views if period == "a" else draw(comic.id, "views", period, below=90_000),
    "tf": lambda comic, period: comic.likes if period == "a" else draw(comic.id, "likes", period, below=9_000),
    "mp": lambda comic, _: comic.page_count,
    "tr": lambda comic, period: draw(comic.id, "score", period, below=1_000),
    "md": lambda comic, period: draw(comic.id, "comments", period, below=1_000),
}
"""Latest, views, likes, pictures, score, comments. Scripted comics come last in each of them."""


def search(
    query: str, *, main_tag: str, order: str, period: str, page: int, category: str = "0", sub: str | None = None
) -> ListPage:
    """Comics that contain every word of the query and none marked with "-".

    Words may be marked with "+". A period keeps those that came to the site in it. A query that is an album's number
    redirects. Where the exclusions leave nothing, the list is the one without them, as on the real site.
    """
    if query.strip().isdigit() and (comic := library().find(int(query))) is not None:
        return ListPage((), 1, comic.id)
    wanted, excluded = _words(query)
    candidates = [comic for comic in _in_category(category, sub) if _came_within(comic, period)]
    found = [comic for comic in candidates if all(_matches(comic, main_tag, word) for word in wanted)]
    kept = [comic for comic in found if not any(_has_tag(comic, word) for word in excluded)]
    return _paged(_ordered(kept or found, order, "a"), page)


def browse(*, order: str, period: str, page: int, category: str = "0", sub: str | None = None) -> ListPage:
    """Comics of a category; views and likes are those of the period."""
    return _paged(_ordered(_in_category(category, sub), order, period), page)


def _words(query: str) -> tuple[list[str], list[str]]:
    words = query.casefold().split()
    excluded = [word[1:] for word in words if word.startswith("-") and len(word) > 1]
    wanted = [word.removeprefix("+") for word in words if not word.startswith("-")]
    return [word for word in wanted if word], excluded


def _matches(comic: Comic, main_tag: str, word: str) -> bool:
    texts = _FIELDS.get(main_tag, _FIELDS["0"])(comic)
    if main_tag == "3":
        return word in (text.casefold() for text in texts)
    return any(word in text.casefold() for text in texts)


def _has_tag(comic: Comic, word: str) -> bool:
    return word in (tag.casefold() for tag in comic.tags)


def _came_within(comic: Comic, period: str) -> bool:
    days = PERIOD_DAYS.get(period)
    return days is None or comic.published > TODAY - timedelta(days=days)


def _in_category(category: str, sub: str | None) -> Iterable[Comic]:
    return (
        comic
        for comic in library().comics
        if category in ("0", "", "all", comic.category) and sub in (None, "", comic.sub_category)
    )


def _ordered(comics: Iterable[Comic], order: str, period: str) -> list[Comic]:
    value = _ORDERS.get(order, _ORDERS["mr"])
    return sorted(comics, key=lambda comic: (comic.script is not None, -value(comic, period), -comic.id))


def _paged(comics: Sequence[Comic], page: int) -> ListPage:
    start = (max(1, page) - 1) * PAGE_SIZE
    return ListPage(tuple(comics[start : start + PAGE_SIZE]), len(comics))
