"""The curated table of the site's own spellings: aliases.toml, read once a process."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from services.ehtag.folding import fold_many
from services.ehtag.records import Namespace, Report, TagKind

REPORTER = "jmgraph.aliases"

# Sections of the file, by where a tag of the site stands.
_SECTIONS = {
    "genre": TagKind.GENRE,
    "work": TagKind.WORK,
    "character": TagKind.CHARACTER,
    "author": TagKind.AUTHOR,
}


@dataclass(frozen=True, slots=True)
class Alias:
    """A spelling of the site and the records it means, best first: `("BL", ("male:yaoi", "male:males only"))`."""

    spelling: str
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AliasTable:
    """What the site's spellings mean, by kind and folded spelling. No ids: it means nothing EhTag has a record for.

    `spellings` has, for each record, the spellings that mean it first of all, in the order of the file, which puts
    the one the site itself uses first. `qualifiers` are folded words that, in brackets behind a character's name,
    tell namesakes apart and are no spelling.
    """

    entries: Mapping[TagKind, Mapping[str, Alias]]
    qualifiers: frozenset[str] = frozenset()
    spellings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reports: tuple[Report, ...] = ()

    def find(self, folded: str, kind: TagKind) -> Alias | None:
        """The entry for a folded spelling; one without ids says that there is no right record."""
        return self.entries[kind].get(folded)

    def aliases(self) -> Iterable[Alias]:
        """Every entry that means a record."""
        return (alias for entries in self.entries.values() for alias in entries.values() if alias.ids)


@cache
def built_in_aliases() -> AliasTable:
    """The table that ships with jmgraph."""
    return parse_aliases(files("services.ehtag").joinpath("aliases.toml").read_text("utf-8"))


def parse_aliases(text: str) -> AliasTable:
    """The table as written; odd entries are reported, not fatal.

    Each section holds `"spelling" = "namespace:raw"`, or a table with `to` (one id or several, best first) and
    `why`; `[none.<section>]` holds `"why there is no record" = ["spelling", ...]`.
    Raises tomllib.TOMLDecodeError when the text is no TOML.
    """
    document = tomllib.loads(text)
    reports: list[Report] = []
    spellings: dict[str, list[str]] = {}
    entries: dict[TagKind, dict[str, Alias]] = {}
    for section, kind in _SECTIONS.items():
        listed = [Alias(spelling, _ids(value)) for spelling, value in document.get(section, {}).items()]
        for alias in listed:
            spellings.setdefault(alias.ids[0], []).append(alias.spelling)
        none = document.get("none", {}).get(section, {}).values()
        entries[kind] = _by_folded([*listed, *(Alias(word, ()) for words in none for word in words)], reports)
    return AliasTable(
        entries=entries,
        qualifiers=frozenset(fold_many(document.get("qualifiers", []))),
        spellings={tag: tuple(names) for tag, names in spellings.items()},
        reports=tuple(reports),
    )


def split_id(tag: str) -> tuple[Namespace, str] | None:
    """("female", "glasses") of "female:glasses"; None when it is no id."""
    namespace, colon, raw = tag.partition(":")
    if not colon or not raw or namespace not in _NAMESPACES:
        return None
    return Namespace(namespace), raw


_NAMESPACES = frozenset(Namespace)


def _ids(value: Any) -> tuple[str, ...]:
    if isinstance(value, dict):
        value = value["to"]
    return (value,) if isinstance(value, str) else tuple(value)


def _by_folded(aliases: Sequence[Alias], reports: list[Report]) -> dict[str, Alias]:
    found: dict[str, Alias] = {}
    for folded, alias in zip(fold_many([alias.spelling for alias in aliases]), aliases, strict=True):
        known = found.setdefault(folded, alias)
        if known.ids != alias.ids:
            reports.append(Report(REPORTER, f"{alias.spelling}: means something else as {known.spelling}"))
        if any(split_id(tag) is None for tag in alias.ids):
            reports.append(Report(REPORTER, f"{alias.spelling}: {', '.join(alias.ids)} is not namespace:raw"))
    return found
