"""What the policy must know of words: the port that the tag database, and in tests a fake, stands behind."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Sequence
from typing import Protocol

from services.ehtag import TagKind, Translator, fold_many


class TagIndex(Protocol):
    """Joins the site's spellings and the ids of EhTag ("other:full color")."""

    @property
    def version(self) -> Hashable:
        """Another one when answers may be others than before."""

    def fold(self, texts: Sequence[str]) -> list[str]:
        """Each text without what writers vary: script, width, case, decoration."""

    def ids_of(self, name: str, kind: TagKind) -> Collection[str]:
        """Every record that a tag of the site may mean."""

    def spellings_of(self, id: str) -> Collection[str]:
        """How the site spells a record, as far as that is known."""


class EhTagIndex:
    """The lexicon of the tag database. `translator` gives the one of the current snapshot."""

    def __init__(self, translator: Callable[[], Translator]) -> None:
        self._translator = translator
        self._known = translator()
        self._version = 0

    @property
    def version(self) -> Hashable:
        """Grows when there is a new translator, which is made for each snapshot."""
        translator = self._translator()
        if translator is not self._known:
            self._known = translator
            self._version += 1
        return self._version

    def fold(self, texts: Sequence[str]) -> list[str]:
        """As the translator folds names."""
        return fold_many(texts)

    def ids_of(self, name: str, kind: TagKind) -> Collection[str]:
        """Ids of the record of a tag and of its namesakes."""
        if kind is TagKind.GENRE:
            return self._translator().ids_of(name)
        found = self._translator().translate(name, kind)
        return {record.id for record in (found.record, *found.alternatives) if record}

    def spellings_of(self, id: str) -> Collection[str]:
        """The spellings of the alias table."""
        return self._translator().spellings_of(id)
