"""The alias table: the site's names for records, and the order in which namespaces are searched."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from services.ehtag.folding import fold_many, loose_key_of
from services.ehtag.records import Namespace, Report, TagKind

# Namespaces in which a tag of each kind may have its record, best first: female before male, artist before group.
NAMESPACE_PRIORITY: dict[TagKind, tuple[Namespace, ...]] = {
    TagKind.GENRE: (
        Namespace.FEMALE,
        Namespace.MIXED,
        Namespace.MALE,
        Namespace.OTHER,
        Namespace.LANGUAGE,
        Namespace.LOCATION,
        Namespace.RECLASS,
    ),
    TagKind.WORK: (Namespace.PARODY,),
    TagKind.CHARACTER: (Namespace.CHARACTER,),
    TagKind.AUTHOR: (Namespace.ARTIST, Namespace.GROUP),
}

# Namespaces as written before a colon. Folded.
PREFIXES: dict[str, Namespace] = {
    **{namespace.value: namespace for namespace in Namespace},
    "f": Namespace.FEMALE,
    "女": Namespace.FEMALE,
    "女性": Namespace.FEMALE,
    "m": Namespace.MALE,
    "男": Namespace.MALE,
    "男性": Namespace.MALE,
    "x": Namespace.MIXED,
    "混合": Namespace.MIXED,
    "o": Namespace.OTHER,
    "其他": Namespace.OTHER,
    "l": Namespace.LANGUAGE,
    "lang": Namespace.LANGUAGE,
    "语言": Namespace.LANGUAGE,
    "loc": Namespace.LOCATION,
    "地点": Namespace.LOCATION,
    "r": Namespace.RECLASS,
    "p": Namespace.PARODY,
    "series": Namespace.PARODY,
    "原作": Namespace.PARODY,
    "c": Namespace.CHARACTER,
    "char": Namespace.CHARACTER,
    "角色": Namespace.CHARACTER,
    "a": Namespace.ARTIST,
    "艺术家": Namespace.ARTIST,
    "g": Namespace.GROUP,
    "circle": Namespace.GROUP,
    "团队": Namespace.GROUP,
}

# Words by which a genre tag names a gender: 男性自慰, 女教師, 眼鏡（男）. Folded.
GENDER_WORDS = (
    ("男性", Namespace.MALE),
    ("女性", Namespace.FEMALE),
    ("男", Namespace.MALE),
    ("女", Namespace.FEMALE),
)

# Suffixes of genres, "that sort of thing": 百合向, 觸手play, 絲襪控, 偽娘本. Folded.
GENRE_SUFFIXES = ("play", "题材", "要素", "情节", "向", "系", "控", "癖", "本", "漫")

# Namespaces in which the same raw tag may have a record for each gender.
GENDER_NAMESPACES = (Namespace.FEMALE, Namespace.MIXED, Namespace.MALE)

REPORTER = "jmgraph.aliases"

# Sections of the file, by kind of tag.
_SECTIONS = {
    "genre": TagKind.GENRE,
    "work": TagKind.WORK,
    "character": TagKind.CHARACTER,
    "author": TagKind.AUTHOR,
}

_NAMESPACES = {namespace.value: namespace for namespace in Namespace}


class AliasTable:
    """What the site's spellings mean: for each kind, ids by spelling, best first. No ids: there is no right record.

    `spellings` has, for each id, the spellings that mean it first of all, in the order of the file, which puts the
    one the site itself uses first. `qualifiers` are folded words that, in brackets after a name, only tell records
    of the same name apart.
    """

    def __init__(self, listed: Mapping[TagKind, Mapping[str, tuple[str, ...]]], qualifiers: frozenset[str]) -> None:
        self._listed = listed
        self.qualifiers = qualifiers
        self.spellings: dict[str, tuple[str, ...]] = {}
        self._by_name: dict[TagKind, dict[str, tuple[str, ...]]] = {}
        for kind, entries in listed.items():
            folded = dict(zip(fold_many(list(entries)), entries.values(), strict=True))
            self._by_name[kind] = {loose_key_of(name) or name: ids for name, ids in folded.items()} | folded
            for spelling, ids in entries.items():
                for best in ids[:1]:
                    self.spellings[best] = (*self.spellings.get(best, ()), spelling)

    def find(self, folded: str, loose_key: str, kind: TagKind) -> tuple[str, ...] | None:
        """The ids a folded spelling means; none of them when it means nothing; None when it isn't listed.

        Where no entry is spelled so, one with the same loose_key_of (`loose_key`) serves.
        """
        found = self._by_name[kind].get(folded)
        return self._by_name[kind].get(loose_key) if found is None else found

    def entries(self) -> Iterator[tuple[TagKind, str, str]]:
        """Every spelling with each id it means: (TagKind.GENRE, "BL", "male:yaoi")."""
        for kind, entries in self._listed.items():
            yield from ((kind, spelling, tag) for spelling, ids in entries.items() for tag in ids)

    def reports(self) -> Iterator[Report]:
        """Entries that are wrong by themselves: no id, or spellings that fold to one and mean different records."""
        for kind, entries in self._listed.items():
            for folded, (spelling, ids) in zip(fold_many(list(entries)), entries.items(), strict=True):
                if self.find(folded, loose_key_of(folded), kind) != ids:
                    yield Report(REPORTER, f"{spelling}: another spelling of it means something else")
        for _, spelling, tag in self.entries():
            if split_id(tag) is None:
                yield Report(REPORTER, f"{spelling}: {tag} is not namespace:raw")


@cache
def built_in_aliases() -> AliasTable:
    """The table that ships with jmgraph."""
    return parse_aliases(files("services.ehtag").joinpath("aliases.toml").read_text("utf-8"))


def parse_aliases(text: str) -> AliasTable:
    """The table as written.

    Each section holds `"spelling" = "namespace:raw"`, or several ids, best first, or a table with these as `to` and
    `why`; `[none.<section>]` holds `"why there is no record" = ["spelling", ...]`.
    Raises tomllib.TOMLDecodeError when the text is no TOML.
    """
    document = tomllib.loads(text)
    none = document.get("none", {})
    listed = {
        kind: {spelling: _ids(value) for spelling, value in document.get(section, {}).items()}
        | {word: () for words in none.get(section, {}).values() for word in words}
        for section, kind in _SECTIONS.items()
    }
    return AliasTable(listed, frozenset(fold_many(document.get("qualifiers", []))))


def split_id(tag: str) -> tuple[Namespace, str] | None:
    """(Namespace.FEMALE, "glasses") of "female:glasses"; None when it is no id."""
    namespace, _, raw = tag.partition(":")
    if not raw or namespace not in _NAMESPACES:
        return None
    return _NAMESPACES[namespace], raw


def _ids(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else _ids(value["to"])
