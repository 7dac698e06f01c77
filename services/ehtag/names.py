"""Names of records, by every spelling they hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from services.ehtag.folding import fold_many, skeleton
from services.ehtag.records import Namespace, TagMatch
from services.ehtag.spellings import may_have_parts, parts_of

if TYPE_CHECKING:
    from services.ehtag.snapshot import TagSnapshot
    from services.ehtag.tags import TagRecord

# A skeleton shorter than this says too little: "C+" is not "C". Other scripts say more with each sign.
_SHORTEST_LATIN = 3
_SHORTEST_SKELETON = 2

# Where a record stands; the record itself is only made when it is found.
_Place = tuple[Namespace, str]


class NameIndex:
    """Records of some namespaces by folded name.

    Of namesakes those that bear the name as a whole come first, then those it is a spelling of, then those that have
    it in brackets; each in the order of the namespaces given, then of the release. `is_remark` tells, of a folded
    word in brackets, that it only keeps namesakes apart ("天使（守望先锋）") and is no spelling.
    """

    def __init__(
        self,
        snapshot: TagSnapshot,
        namespaces: Iterable[Namespace],
        is_remark: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._snapshot = snapshot
        self._by_name: dict[str, _Place | list[_Place]] = {}
        names = [
            (record.name.text.replace("\n", " "), (namespace, record.raw))
            for namespace in namespaces
            for record in snapshot.passing(namespace)
        ]
        parted = [(*parts_of(name), place) for name, place in names if may_have_parts(name)]
        self._add(names)
        self._add([(name, place) for outer, _, place in parted for name in outer])
        self._add([(name, place) for _, inner, place in parted for name in inner], is_remark)
        self._add_skeletons()

    def __contains__(self, folded: str) -> bool:
        return folded in self._by_name

    def find(self, name: str, folded: str) -> list[TagRecord]:
        """The records of a name, best first; of namesakes those written just as `name` lead."""
        found = self._by_name.get(folded) or self._by_name.get(_skeleton(folded)) or []
        places = found if isinstance(found, list) else [found]
        records = [record for record in (self._snapshot.find(*place) for place in places) if record]
        return sorted(records, key=lambda record: record.name.text != name) if len(records) > 1 else records

    def _add(self, names: Sequence[tuple[str, _Place]], is_remark: Callable[[str], bool] = lambda _: False) -> None:
        for folded, (_, place) in zip(fold_many([name for name, _ in names]), names, strict=True):
            if folded and not is_remark(folded):
                self._put(folded, place)

    def _put(self, key: str, place: _Place) -> None:
        known = self._by_name.setdefault(key, place)
        if isinstance(known, list):
            if place not in known:
                known.append(place)
        elif known != place:
            self._by_name[key] = [known, place]

    def _add_skeletons(self) -> None:
        """Names are found by their skeleton too, where that is enough to go by and is nobody's own name."""
        bare: dict[str, _Place | list[_Place]] = {}
        for folded, found in self._by_name.items():
            key = _skeleton(folded)
            if key and key != folded and key not in self._by_name:
                bare.setdefault(key, found)
        self._by_name |= bare


def match_of(name: str, record: TagRecord) -> TagMatch:
    """How a name is like that of the record it found: as it stands, or only folded."""
    text = record.name.text
    outer, inner = parts_of(text)
    return TagMatch.EXACT if name == text or name in outer or name in inner else TagMatch.FOLDED


def _skeleton(folded: str) -> str:
    """The skeleton of a folded name; empty when it is too little to go by."""
    key = skeleton(folded)
    return key if len(key) >= (_SHORTEST_LATIN if key.isascii() else _SHORTEST_SKELETON) else ""
