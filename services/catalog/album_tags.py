"""Labels: everything an album is tagged with, by the place each tag stands in."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from services.ehtag import TagKind, fold_many
from services.upstream.records import AlbumDetail, AlbumSummary


@dataclass(frozen=True, slots=True)
class AlbumTags:
    """An album's tags, works, characters and authors, as the site spells them."""

    tags: tuple[str, ...] = ()
    works: tuple[str, ...] = ()
    characters: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[tuple[TagKind, str]]:
        """Each label with its kind."""
        for kind, names in zip(_KINDS, (self.tags, self.works, self.characters, self.authors), strict=True):
            for name in names:
                yield kind, name

    @classmethod
    def of(cls, detail: AlbumDetail) -> AlbumTags:
        """The labels of an album, in strings shared with other albums: thousands are kept, of few words."""
        return cls(*map(_shared, (detail.tags, detail.works, detail.characters, detail.authors)))

    @classmethod
    def of_line(cls, line: AlbumSummary) -> AlbumTags | None:
        """What the line of a list tells; None when it tells no tags."""
        return None if line.tags is None else cls(_shared(line.tags))


def carries(labels: AlbumTags, names: Collection[str]) -> bool:
    """True when one of the labels is one of these names, however either is written."""
    if not names:
        return False
    return not set(fold_many(list(names))).isdisjoint(fold_many([label for _, label in labels]))


_KINDS = (TagKind.GENRE, TagKind.WORK, TagKind.CHARACTER, TagKind.AUTHOR)


def _shared(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(map(sys.intern, names))
