"""Names that hold several spellings: "甲 / 乙", "甲 | 乙", "甲（乙）"."""

from __future__ import annotations

import re

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
