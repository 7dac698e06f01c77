"""Every tag by name: what the translator and the search both start from, read once a snapshot."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from services.ehtag.folding import fold_many
from services.ehtag.records import Namespace
from services.ehtag.spellings import may_have_parts

if TYPE_CHECKING:
    from services.ehtag.tags import TagRecord

# Where a record stands; the record itself is only made when somebody wants it.
Place = tuple[Namespace, str]


class Roll:
    """The tags of one namespace in release order, each as its place and its folded name, side by side.

    `parted` has those whose name may hold several spellings, with the name as it stands.
    """

    def __init__(self, namespace: Namespace, records: Iterable[TagRecord]) -> None:
        self.places: list[Place] = []
        self.parted: list[tuple[str, Place]] = []
        names = []
        for record in records:
            place, name = (namespace, record.raw), record.name.text.replace("\n", " ")
            self.places.append(place)
            names.append(name)
            if may_have_parts(name):
                self.parted.append((name, place))
        self.names = fold_many(names)
