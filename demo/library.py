"""Every comic of the demo site, by album or chapter number."""

from __future__ import annotations

from functools import cached_property, lru_cache

from demo.comics import comics
from demo.generated import magazine_issues, unlisted_album
from demo.odd_albums import odd_albums
from demo.records import Chapter, Comic
from demo.scripted import scripted


class Library:
    """All comics of the lists (`comics`, in the order of their numbers), and the unlisted albums by number."""

    def __init__(self) -> None:
        all_listed = (*comics(), *magazine_issues(), *scripted(), *odd_albums())
        self.comics = tuple(sorted(all_listed, key=lambda comic: comic.id))
        self._by_id = {comic.id: comic for comic in self.comics}
        self._by_chapter = {
            chapter.id: (comic, chapter, index)
            for comic in self.comics
            for index, chapter in enumerate(comic.chapters, 1)
        }

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


@lru_cache(maxsize=1)
def library() -> Library:
    """The library; it never changes."""
    return Library()
