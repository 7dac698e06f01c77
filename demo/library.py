"""Every comic of the demo site, by album or chapter number."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property, lru_cache

from demo.comics import comics, pages
from demo.generated import magazine_issues, unlisted_album
from demo.odd_albums import odd_albums
from demo.records import Chapter, Comic, PageKind
from demo.scripted import scripted


class Library:
    """All comics of the lists (`comics`, in the order of their numbers), and the unlisted albums by number."""

    def __init__(self) -> None:
        all_listed = (*comics(), *magazine_issues(), *scripted(), *odd_albums())
        self.comics = tuple(sorted(all_listed, key=lambda comic: comic.id))
        self._by_id: dict[int, Comic] = {}
        self._by_chapter: dict[int, tuple[Comic, Chapter, int]] = {}
        self.reset()

    def reset(self) -> None:
        """The comics as at the start, without the chapters that were published since then."""
        self._by_id = {comic.id: comic for comic in self.comics}
        self._by_chapter = {id: found for comic in self.comics for id, found in _by_chapter(comic).items()}

    def publish(self, id: int) -> Chapter:
        """Add a chapter of eight pages to a comic, behind its others. Raises LookupError for an unknown comic."""
        comic = self._by_id[id]
        number = comic.chapters[-1].id + 1
        if number in self._by_chapter:
            raise LookupError(f"{number} is the number of another chapter")
        chapter = Chapter(number, f"新章 {len(comic.chapters) + 1}", pages(8, PageKind.WEBP, 960, 1360))
        grown = replace(comic, chapters=(*comic.chapters, chapter))
        self._by_chapter |= _by_chapter(grown)
        self._by_id[id] = grown
        return chapter

    def find(self, id: int) -> Comic | None:
        """The comic with this number. The number of a later chapter gives None, as on the real site."""
        return self._by_id.get(id) or unlisted_album(id)

    def find_chapter(self, id: int) -> tuple[Comic, Chapter, int] | None:
        """The comic of a chapter, the chapter, and its 1-based position among the chapters."""
        found = self._by_chapter.get(id)
        if found is None and (comic := unlisted_album(id)) is not None:
            return comic, comic.chapters[0], 1
        return found

    @cached_property
    def unscripted(self) -> tuple[Comic, ...]:
        """The comics without a script."""
        return tuple(comic for comic in self.comics if comic.script is None)

    def related(self, comic: Comic) -> tuple[Comic, ...]:
        """Up to ten comics without a script, by the same author or on the same theme."""
        others = [other for other in self.unscripted if other.id != comic.id]
        others.sort(key=lambda other: (other.authors != comic.authors, other.theme != comic.theme, -other.views))
        return tuple(others[:10])


def _by_chapter(comic: Comic) -> dict[int, tuple[Comic, Chapter, int]]:
    return {chapter.id: (comic, chapter, index) for index, chapter in enumerate(comic.chapters, 1)}


@lru_cache(maxsize=1)
def library() -> Library:
    """The library of this process."""
    return Library()
