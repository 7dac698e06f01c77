"""Every tag by name: what the translator and the search both start from, read once a snapshot."""

from __future__ import annotations

from collections.abc import Iterable

from services.ehtag.folding import fold_many
from services.ehtag.records import Namespace
from services.ehtag.spellings import may_have_parts

# Where a record stands; the record itself is only made when somebody wants it.
Place = tuple[Namespace, str]


class Roll:
    """The tags of one namespace, given as raw tag and name in release order: their places and their folded names.

    `parted` has those whose name may hold several spellings, with the name as it stands.
    """

    def __init__(self, namespace: Namespace, tags: Iterable[tuple[str, str]]) -> None:
        named = [((namespace, raw), name.replace("\n", " ")) for raw, name in tags]
        self.places: list[Place] = [place for place, _ in named]
        self.names = fold_many([name for _, name in named])
        self.parted = [(name, place) for place, name in named if may_have_parts(name)]
