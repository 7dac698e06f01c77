"""Records by what somebody types: the raw tag, or the name in any script."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import chain
from typing import TYPE_CHECKING, overload

from services.ehtag.folding import fold
from services.ehtag.records import Namespace

if TYPE_CHECKING:
    from services.ehtag.name_list import NameList, Place
    from services.ehtag.snapshot import TagSnapshot
    from services.ehtag.tags import TagRecord


class TagSearch:
    """Finds the tags of one snapshot: a look at every raw tag and every folded name."""

    def __init__(self, snapshot: TagSnapshot) -> None:
        self._snapshot = snapshot
        self._rolls = snapshot.rolls

    def find(self, query: str | None = None, namespaces: Collection[Namespace] | None = None) -> Sequence[TagRecord]:
        """Records whose raw tag or name holds the query: equal ones first, then such as begin with it, then the rest.

        Each of the three in release order, so that the same question gives the same list while the snapshot lasts;
        a record is only made when it is taken from the list. Width, case, script and decoration of the query don't
        matter. No query (or one of blanks): every record. No namespaces: all of them.
        """
        asked = [roll for namespace, roll in self._rolls.items() if not namespaces or namespace in namespaces]
        words = _words(query or "")
        places = _ranked(*words, asked) if words else list(chain.from_iterable(roll.places for roll in asked))
        return _Records(self._snapshot, places)


def _words(query: str) -> tuple[str, str] | None:
    """The query as a raw tag would have it, and as a folded name would; None when nothing was asked."""
    raw, name = " ".join(query.lower().split()), fold(query)
    return (raw or name, name or raw) if raw or name else None


def _ranked(raw: str, name: str, rolls: Sequence[NameList]) -> list[Place]:
    equal: list[Place] = []
    begun: list[Place] = []
    rest: list[Place] = []
    for roll in rolls:
        for place, known in zip(roll.places, roll.names, strict=True):
            tag = place[1]
            if raw not in tag and name not in known:
                continue
            if tag == raw or known == name:
                equal.append(place)
            elif tag.startswith(raw) or known.startswith(name):
                begun.append(place)
            else:
                rest.append(place)
    return equal + begun + rest


class _Records(Sequence["TagRecord"]):
    """Places, shown as the records that stand there."""

    def __init__(self, snapshot: TagSnapshot, places: list[Place]) -> None:
        self._snapshot = snapshot
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> TagRecord: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[TagRecord]: ...

    def __getitem__(self, index: int | slice) -> TagRecord | Sequence[TagRecord]:
        if isinstance(index, slice):
            return [self._at(place) for place in self._places[index]]
        return self._at(self._places[index])

    def _at(self, place: Place) -> TagRecord:
        record = self._snapshot.find(*place)
        if record is None:
            raise LookupError(f"a snapshot never loses a record: {place}")
        return record
