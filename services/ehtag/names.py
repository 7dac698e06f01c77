"""Names of records by every spelling, and the lists that translator and search start from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from services.ehtag.folding import fold, fold_many
from services.ehtag.records import Namespace

# A stroke parts spellings; a slash only where it can't belong to the name ("Fate/Zero", ".hack//SIGN"):
# between blanks, or beside a character that is not ASCII. Neither parts anything inside brackets.
_OR = re.compile(
    r"(?:\s*[|｜]\s*|\s+[/／]\s+|(?<=[^\x00-\x7f])[/／](?!/)|(?<!/)[/／](?=[^\x00-\x7f]))"
    r"(?![^（(\[〔【]*[）)\]〕】])"
)
_BRACKETED = re.compile(r"(?P<outer>.+?)\s*[（(\[〔【](?P<inner>[^（()）\[\]〔〕【】]+)[）)\]〕】]\s*")
_AND = re.compile(r"\s*[|｜/／、，,]\s*")

_PARTING = frozenset("|｜/／（(〔[【")

# "玩具总动员系列" is found by what it is a series of.
_SERIES = "系列"

# One sign in brackets is a remark: "(仮)", "(株)", or the code name of a warship.
_SHORTEST_INNER = 2


def may_have_parts(name: str) -> bool:
    """Whether a name may hold more than one spelling; most don't."""
    return not _PARTING.isdisjoint(name) or name.endswith(_SERIES)


def parts_of(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The spellings a name is made of, and those that stand in brackets behind one.

    "ルリ | るり" gives (("ルリ", "るり"), ()); "甲（乙）" gives (("甲",), ("乙",)); a plain name (("甲",), ()).
    """
    outer: list[str] = []
    inner: list[str] = []
    for part in _OR.split(name):
        bracketed = _BRACKETED.fullmatch(part)
        if not bracketed:
            outer += [part.strip(), part.strip().removesuffix(_SERIES)]
            continue
        outer.append(bracketed["outer"].strip())
        inner += [word for word in _AND.split(bracketed["inner"].strip()) if len(word) >= _SHORTEST_INNER]
    return tuple(dict.fromkeys(filter(None, outer))), tuple(inner)


# Where a record stands; the record itself is only made when somebody wants it.
TagKey = tuple[Namespace, str]


class NameList:
    """The tags of one namespace in release order: `keys` and, beside them, their folded `names`.

    `parted` has those whose name may hold several spellings, with the name as it stands.
    """

    def __init__(self, namespace: Namespace, tags: Iterable[tuple[str, str, bool]]) -> None:
        """`tags`: raw tag, name, and whether the name refers to other tags' names."""
        listed = [((namespace, raw), name.replace("\n", " "), refers) for raw, name, refers in tags]
        self.keys: list[TagKey] = [key for key, _, _ in listed]
        self.names = fold_many([name for _, name, _ in listed])
        self.parted = [(name, key) for key, name, _ in listed if may_have_parts(name)]
        self._referring = [position for position, (_, _, refers) in enumerate(listed) if refers]

    def refreshed(self, name_of: Callable[[TagKey], str]) -> NameList:
        """This name_list, if names that refer to others still read as they did; else one in which they read anew."""
        anew = {position: name_of(self.keys[position]).replace("\n", " ") for position in self._referring}
        if all(fold(name) == self.names[position] for position, name in anew.items()):
            return self
        name_list = NameList.__new__(NameList)
        name_list.keys, name_list._referring = self.keys, self._referring
        name_list.names = [fold(anew[at]) if at in anew else name for at, name in enumerate(self.names)]
        moved = {self.keys[position]: name for position, name in anew.items()}
        name_list.parted = [entry for entry in self.parted if entry[1] not in moved]
        name_list.parted += [(name, key) for key, name in moved.items() if may_have_parts(name)]
        return name_list
