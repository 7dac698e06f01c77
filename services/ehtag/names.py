"""Names of records, by every spelling they hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from services.ehtag.folding import fold_many, skeleton
from services.ehtag.name_list import Place
from services.ehtag.name_variants import parts_of
from services.ehtag.records import Namespace, TagMatch

if TYPE_CHECKING:
    from services.ehtag.snapshot import TagSnapshot
    from services.ehtag.tags import TagRecord


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
        self._by_name: dict[str, Place | list[Place]] = {}
        rolls = [snapshot.rolls[namespace] for namespace in namespaces if namespace in snapshot.rolls]
        parted = [(*parts_of(name), place) for roll in rolls for name, place in roll.parted]
        outer = [(part, place) for parts, _, place in parted for part in parts]
        inner = [(part, place) for _, parts, place in parted for part in parts]
        for roll in rolls:
            self._add(roll.names, roll.places)
        self._add(fold_many([name for name, _ in outer]), [place for _, place in outer])
        self._add(fold_many([name for name, _ in inner]), [place for _, place in inner], is_remark)
        self._add_skeletons()

    def __contains__(self, folded: str) -> bool:
        return folded in self._by_name

    def find(self, name: str, folded: str, bones: str) -> list[TagRecord]:
        """The records of a name, best first; of namesakes those written just as `name` lead.

        `bones` is the skeleton, for where nothing is spelled so.
        """
        found = self._by_name.get(folded) or self._by_name.get(bones) or []
        places = found if isinstance(found, list) else [found]
        records = [record for record in (self._snapshot.find(*place) for place in places) if record]
        return sorted(records, key=lambda record: record.name.text != name) if len(records) > 1 else records

    def _add(
        self, names: Iterable[str], places: Iterable[Place], is_remark: Callable[[str], bool] = lambda _: False
    ) -> None:
        for name, place in zip(names, places, strict=True):
            if name and not is_remark(name):
                self._put(name, place)

    def _put(self, key: str, place: Place) -> None:
        known = self._by_name.setdefault(key, place)
        if isinstance(known, list):
            if place not in known:
                known.append(place)
        elif known != place:
            self._by_name[key] = [known, place]

    def _add_skeletons(self) -> None:
        """Names are found by their skeleton too, where that is enough to go by and is nobody's own name."""
        bare: dict[str, Place | list[Place]] = {}
        for folded, found in self._by_name.items():
            key = skeleton(folded)
            if key and key != folded and key not in self._by_name:
                bare.setdefault(key, found)
        self._by_name |= bare


def match_of(name: str, record: TagRecord) -> TagMatch:
    """How a name is like that of the record it found: as it stands, or only folded."""
    text = record.name.text
    is_exact = name == text or any(name in spellings for spellings in parts_of(text))
    return TagMatch.EXACT if is_exact else TagMatch.FOLDED
