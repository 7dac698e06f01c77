"""Records by what somebody types: the raw tag, or the name in any script."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, overload

from services.ehtag.folding import fold, fold_many
from services.ehtag.records import Namespace

if TYPE_CHECKING:
    from services.ehtag.snapshot import TagSnapshot
    from services.ehtag.tags import TagRecord

# Stands around every field of a record's line, so that an edge can be looked for; no query can hold it.
_EDGE = "\n"

_Place = tuple[Namespace, str]


class TagSearch:
    """The tags of one snapshot in release order, each with a line to look in: "\\nfull color\\n全彩\\n"."""

    def __init__(self, snapshot: TagSnapshot) -> None:
        self._snapshot = snapshot
        self._shelves = {namespace: _shelf(snapshot, namespace) for namespace in Namespace}

    def find(self, query: str | None = None, namespaces: Collection[Namespace] | None = None) -> Sequence[TagRecord]:
        """Records whose raw tag or name holds the query: equal ones first, then such as begin with it, then the rest.

        Each of the three in release order, so that the same question gives the same list while the snapshot lasts;
        a record is only made when it is taken from the list. Width, case, script and decoration of the query don't
        matter. No query (or one of blanks): every record. No namespaces: all of them.
        """
        asked = [namespace for namespace in self._shelves if not namespaces or namespace in namespaces]
        words = _words(query or "")
        if words:
            return _Records(self._snapshot, self._ranked(*words, asked))
        return _Records(self._snapshot, [place for space in asked for place, _ in self._shelves[space]])

    def _ranked(self, raw: str, name: str, asked: Sequence[Namespace]) -> list[_Place]:
        equal: list[_Place] = []
        begun: list[_Place] = []
        rest: list[_Place] = []
        for namespace in asked:
            for place, line in [hit for hit in self._shelves[namespace] if raw in hit[1] or name in hit[1]]:
                if f"{_EDGE}{raw}{_EDGE}" in line or f"{_EDGE}{name}{_EDGE}" in line:
                    equal.append(place)
                elif f"{_EDGE}{raw}" in line or f"{_EDGE}{name}" in line:
                    begun.append(place)
                else:
                    rest.append(place)
        return equal + begun + rest


class _Records(Sequence["TagRecord"]):
    """Places, shown as the records that stand there."""

    def __init__(self, snapshot: TagSnapshot, places: list[_Place]) -> None:
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

    def _at(self, place: _Place) -> TagRecord:
        record = self._snapshot.find(*place)
        if record is None:
            raise LookupError(f"a snapshot never loses a record: {place}")
        return record


def _shelf(snapshot: TagSnapshot, namespace: Namespace) -> list[tuple[_Place, str]]:
    found = [(record.raw, record.name.text.replace(_EDGE, " ")) for record in snapshot.passing(namespace)]
    folded = fold_many([name for _, name in found])
    return [
        ((namespace, raw), f"{_EDGE}{raw}{_EDGE}{name}{_EDGE}") for (raw, _), name in zip(found, folded, strict=True)
    ]


def _words(query: str) -> tuple[str, str] | None:
    """The query as a raw tag would have it, and as a folded name would; None when nothing was asked."""
    raw, name = " ".join(query.lower().split()), fold(query)
    return (raw or name, name or raw) if raw or name else None
