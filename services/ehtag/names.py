"""Names of records, by every spelling they hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from services.ehtag.folding import fold_many, skeleton
from services.ehtag.records import TagMatch
from services.ehtag.spellings import may_have_parts, parts_of

if TYPE_CHECKING:
    from services.ehtag.snapshot import TagRecord

# A skeleton shorter than this says too little: "C+" is not "C". Other scripts say more with each sign.
_SHORTEST_LATIN = 3
_SHORTEST_SKELETON = 2


class NameIndex:
    """Records by folded name. Of namesakes those that bear it as a whole come first, then those it is a spelling of,
    then those that have it in brackets; each in the order given. `is_remark` tells, of a folded word in brackets,
    that it only tells namesakes apart ("天使（守望先锋）") and is no spelling.
    """

    def __init__(self, records: Iterable[TagRecord], is_remark: Callable[[str], bool] = lambda _: False) -> None:
        names = [(record.name.text.replace("\n", " "), record) for record in records]
        parted = [(*parts_of(name), record) for name, record in names if may_have_parts(name)]
        self._by_name: dict[str, TagRecord | list[TagRecord]] = {}
        self._add(names)
        self._add([(name, record) for outer, _, record in parted for name in outer])
        self._add([(name, record) for _, inner, record in parted for name in inner], is_remark)
        self._add_skeletons()

    def __contains__(self, folded: str) -> bool:
        return folded in self._by_name

    def find(self, name: str, folded: str) -> list[TagRecord]:
        """The records of a name, best first; of namesakes those written just as `name` lead."""
        found = self._by_name.get(folded) or self._by_name.get(skeleton(folded))
        if not isinstance(found, list):
            return [found] if found else []
        return sorted(found, key=lambda record: record.name.text != name)

    def _add(
        self, names: Sequence[tuple[str, TagRecord]], is_remark: Callable[[str], bool] = lambda _: False
    ) -> None:
        for folded, (_, record) in zip(fold_many([name for name, _ in names]), names, strict=True):
            if folded and not is_remark(folded):
                self._put(folded, record)

    def _put(self, key: str, record: TagRecord) -> None:
        known = self._by_name.setdefault(key, record)
        if isinstance(known, list):
            if record not in known:
                known.append(record)
        elif known is not record:
            self._by_name[key] = [known, record]

    def _add_skeletons(self) -> None:
        """Names are found without their punctuation too, where that leaves enough and is nobody's own name."""
        bare: dict[str, TagRecord | list[TagRecord]] = {}
        for folded, found in self._by_name.items():
            key = skeleton(folded)
            shortest = _SHORTEST_LATIN if key.isascii() else _SHORTEST_SKELETON
            if key != folded and len(key) >= shortest and key not in self._by_name:
                bare.setdefault(key, found)
        self._by_name |= bare


def match_of(name: str, record: TagRecord) -> TagMatch:
    """How a name is like that of the record it found: as it stands, or only folded."""
    text = record.name.text
    outer, inner = parts_of(text)
    return TagMatch.EXACT if name == text or name in outer or name in inner else TagMatch.FOLDED
