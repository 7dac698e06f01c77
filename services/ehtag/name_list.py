"""Every tag by name: what the translator and the search both start from, read once a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from services.ehtag.folding import fold, fold_many
from services.ehtag.name_variants import may_have_parts
from services.ehtag.records import Namespace

# Where a record stands; the record itself is only made when somebody wants it.
Place = tuple[Namespace, str]


class NameList:
    """The tags of one namespace in release order: `places` and, beside them, their folded `names`.

    `parted` has those whose name may hold several spellings, with the name as it stands.
    """

    def __init__(self, namespace: Namespace, tags: Iterable[tuple[str, str, bool]]) -> None:
        """`tags`: raw tag, name, and whether the name refers to other tags' names."""
        listed = [((namespace, raw), name.replace("\n", " "), refers) for raw, name, refers in tags]
        self.places: list[Place] = [place for place, _, _ in listed]
        self.names = fold_many([name for _, name, _ in listed])
        self.parted = [(name, place) for place, name, _ in listed if may_have_parts(name)]
        self._referring = [position for position, (_, _, refers) in enumerate(listed) if refers]

    def read_again(self, name_of: Callable[[Place], str]) -> NameList:
        """This roll, if names that refer to others still read as they did; else one in which they read anew."""
        anew = {position: name_of(self.places[position]).replace("\n", " ") for position in self._referring}
        if all(fold(name) == self.names[position] for position, name in anew.items()):
            return self
        roll = NameList.__new__(NameList)
        roll.places, roll._referring = self.places, self._referring
        roll.names = [fold(anew[at]) if at in anew else name for at, name in enumerate(self.names)]
        moved = {self.places[position]: name for position, name in anew.items()}
        roll.parted = [entry for entry in self.parted if entry[1] not in moved]
        roll.parted += [(name, place) for place, name in moved.items() if may_have_parts(name)]
        return roll
