"""From a tag as the site spells it to its record, or to none. A wrong translation is worse than none."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.ehtag.aliases import (
    GENDER_NAMESPACES,
    GENDER_WORDS,
    GENRE_SUFFIXES,
    NAMESPACE_PRIORITY,
    PREFIXES,
    REPORTER,
    AliasTable,
    built_in_aliases,
    split_id,
)
from services.ehtag.folding import fold, fold_many, loose_key_of, may_have_variants, variants_of
from services.ehtag.records import Namespace, Report, TagKind, TagMatch
from services.ehtag.search import NameIndex, match_of

if TYPE_CHECKING:
    from services.ehtag.snapshot import TagRecord, TagSnapshot

# Least length of a tag without a prefix or suffix; one character says too little.
_MIN_STEM_LENGTH = 2

# Least length of a raw tag after other characters were removed: "C+" is not "c".
_MIN_RAW_LENGTH = 3

# No tag of the site is longer (characters).
_MAX_NAME_LENGTH = 200

# Cached translations; the site has some thousands of tags, so only arbitrary input reaches this.
_MAX_CACHED = 20_000

_CLOSING = "）)]】"

_NOT_RAW = re.compile(r"[^-a-z0-9. ]+|\s+")

# How a tag matched, and its records, best first.
_Found = tuple[TagMatch, "list[TagRecord]"]


@dataclass(frozen=True, slots=True)
class Translation:
    """A tag of the site, its record and how it matched (both None when there is none), and alternatives."""

    name: str
    kind: TagKind
    record: TagRecord | None = None
    match: TagMatch | None = None
    alternatives: tuple[TagRecord, ...] = ()


class Translator:
    """Translates tags of the site to the records of one snapshot.

    In this order: the curated table, the names (as they stand, folded, then by their loose key), the raw tag; then
    the namespace or the gender that the tag names itself, a genre without "…向" or "…控", and the spellings the tag
    consists of. The first that knows the tag decides, also when it decides for none.

    Of several records those with the whole name come before those with a part of it; then the order of
    `NAMESPACE_PRIORITY` counts, then that of the release. The same raw tags of the other genders follow.
    """

    def __init__(self, snapshot: TagSnapshot, table: AliasTable | None = None) -> None:
        self._snapshot = snapshot
        self._table = table or built_in_aliases()
        works = self._index(TagKind.WORK)
        self._names = {
            TagKind.GENRE: self._index(TagKind.GENRE),
            TagKind.WORK: works,
            TagKind.CHARACTER: self._index(
                TagKind.CHARACTER, lambda word: word in works or word in self._table.qualifiers
            ),
            TagKind.AUTHOR: self._index(TagKind.AUTHOR, self._table.qualifiers.__contains__),
        }
        self._cache: dict[tuple[TagKind, str], Translation] = {}

    def translate(self, name: str, kind: TagKind) -> Translation:
        """The record of one tag."""
        return self.translate_many([name], kind)[0]

    def translate_many(self, names: Sequence[str], kind: TagKind) -> list[Translation]:
        """The record of each tag, in the order given."""
        found = {name: cached for name in names if (cached := self._cache.get((kind, name)))}
        unknown = [name for name in dict.fromkeys(names) if name not in found]
        for name, folded in zip(unknown, fold_many([name[:_MAX_NAME_LENGTH] for name in unknown]), strict=True):
            found[name] = self._translation(name, folded, kind)
        if len(self._cache) > _MAX_CACHED:
            self._cache.clear()
        self._cache.update(((kind, name), found[name]) for name in unknown if len(name) <= _MAX_NAME_LENGTH)
        return [found[name] for name in names]

    def spellings(self, record: TagRecord) -> tuple[str, ...]:
        """How the site spells a record, the site's own word first; empty where the table does not know."""
        return self.spellings_of(record.id)

    def spellings_of(self, id: str) -> tuple[str, ...]:
        """As `spellings`, by id ("other:full color"), whether this snapshot has the record or not."""
        return self._table.spellings.get(id, ())

    def ids_of(self, name: str) -> frozenset[str]:
        """Ids of all that a genre tag may mean: {"female:glasses", "male:glasses"}; the table's even if absent."""
        found = self.translate(name, TagKind.GENRE)
        records = {record.id for record in (found.record, *found.alternatives) if record}
        folded = fold(name[:_MAX_NAME_LENGTH])
        return frozenset(records.union(self._table.find(folded, loose_key_of(folded), TagKind.GENRE) or ()))

    @property
    def reports(self) -> tuple[Report, ...]:
        """Wrong entries of the table. Not for the starter glossary, which lacks most records on purpose."""
        return (*self._table.reports(), *self._dangling())

    def _dangling(self) -> Iterator[Report]:
        for _, spelling, tag in self._table.entries():
            key = split_id(tag)
            if key and not self._snapshot.has(*key):
                yield Report(REPORTER, f"{spelling}: {tag} is not in the database", key[0], raw=key[1])

    def _index(self, kind: TagKind, is_qualifier: Callable[[str], bool] = lambda _: False) -> NameIndex:
        return NameIndex(self._snapshot, NAMESPACE_PRIORITY[kind], is_qualifier)

    def _translation(self, name: str, folded: str, kind: TagKind) -> Translation:
        if not folded or len(name) > _MAX_NAME_LENGTH:
            return Translation(name, kind)
        found = self._find(name.strip(), folded, kind)
        if not found:
            return Translation(name, kind)
        match, (record, *others) = found
        return Translation(name, kind, record, match, tuple(others))

    def _find(self, name: str, folded: str, kind: TagKind) -> _Found | None:
        """What the tag means: how it matched and the records, best first."""
        found = (
            self._by_whole_name(name, folded, kind)
            or self._by_namespace_prefix(name, kind)
            or self._by_gender_word(name, folded, kind)
            or self._by_genre_suffix(folded, kind)
            or self._by_variant(name, kind)
        )
        return found if found and found[1] else None

    def _by_whole_name(self, name: str, folded: str, kind: TagKind) -> _Found | None:
        """By the tag as a whole; no records: the table says there is none."""
        loose_key = loose_key_of(folded)
        named = self._names[kind].find(name, folded, loose_key)
        listed = self._table.find(folded, loose_key, kind)
        if listed == ():
            return TagMatch.ALIAS, []
        if records := self._records(listed or ()):
            match = match_of(name, records[0]) if records[0] in named else TagMatch.ALIAS
            return match, _unique([*records, *self._other_genders(records), *named])
        if named:
            return match_of(name, named[0]), _unique([*named, *self._other_genders(named)])
        raw = self._by_raw(name, kind)
        return (TagMatch.RAW, _unique([*raw, *self._other_genders(raw)])) if raw else None

    def _by_namespace_prefix(self, name: str, kind: TagKind) -> _Found | None:
        """By a namespace written before a colon: "female:glasses", "男：眼鏡". Only the keys of the kind count."""
        prefix, colon, rest = name.replace("：", ":").partition(":")
        namespace = PREFIXES.get(fold(prefix)) if colon else None
        if namespace is None:
            return None
        rest = rest.strip().strip('"$').strip()
        found = (
            self._by_whole_name(rest, fold(rest), kind) if rest and namespace in NAMESPACE_PRIORITY[kind] else None
        )
        return _only(found, namespace) or (TagMatch.RAW, [])

    def _by_gender_word(self, name: str, folded: str, kind: TagKind) -> _Found | None:
        """By the gender that a genre tag names as prefix or suffix: 男性自慰, 眼鏡（男）."""
        if kind is not TagKind.GENRE:
            return None
        for word, namespace in GENDER_WORDS:
            rest = folded.removeprefix(word)
            if rest == folded and name[-1:] in _CLOSING:
                rest = folded.removesuffix(word)
            if rest != folded and (found := _only(self._by_stem(rest), namespace)):
                return found
        return None

    def _by_genre_suffix(self, folded: str, kind: TagKind) -> _Found | None:
        """By a genre without its suffix: 百合向, 觸手play."""
        for word in GENRE_SUFFIXES if kind is TagKind.GENRE else ():
            rest = folded.removesuffix(word)
            if rest != folded and (found := self._by_stem(rest)):
                return found
        return None

    def _by_stem(self, rest: str) -> _Found | None:
        """By a genre tag without prefix or suffix, which is never an exact match."""
        found = self._by_whole_name(rest, rest, TagKind.GENRE) if len(rest) >= _MIN_STEM_LENGTH else None
        return (TagMatch.FOLDED, found[1]) if found and found[0] is TagMatch.EXACT else found

    def _by_variant(self, name: str, kind: TagKind) -> _Found | None:
        """By the first of its spellings that is known: "甲 / 乙", "甲（乙）"."""
        if not may_have_variants(name):
            return None
        outer, inner = variants_of(name)
        for part in (*inner, *outer) if kind is TagKind.AUTHOR else (*outer, *inner):  # "circle (artist)"
            found = self._by_whole_name(part, fold(part), kind) if part != name else None
            if found and found[1]:
                return found
        return None

    def _by_raw(self, name: str, kind: TagKind) -> list[TagRecord]:
        """By the raw tag, also with other characters between its words: "big breasts", "Big-Breasts", "fate/zero"."""
        if not name.isascii():
            return []
        raw = name.lower()
        bare = _NOT_RAW.sub(" ", raw).strip()
        for written in dict.fromkeys((raw, bare, bare.replace("-", " ")) if len(bare) >= _MIN_RAW_LENGTH else (raw,)):
            found = [self._snapshot.find(namespace, written) for namespace in NAMESPACE_PRIORITY[kind]]
            if any(found):
                return [record for record in found if record]
        return []

    def _records(self, ids: Iterable[str]) -> list[TagRecord]:
        keys = (split_id(tag) for tag in ids)
        found = (self._snapshot.find(*key) for key in keys if key)
        return [record for record in found if record]

    def _other_genders(self, records: Sequence[TagRecord]) -> Iterator[TagRecord]:
        """The same raw tags of the other genders."""
        for record in records:
            if record.namespace in GENDER_NAMESPACES:
                found = (self._snapshot.find(namespace, record.raw) for namespace in GENDER_NAMESPACES)
                yield from filter(None, found)


def _only(found: _Found | None, namespace: Namespace) -> _Found | None:
    """The records of one namespace; None when there are none."""
    records = [record for record in found[1] if record.namespace is namespace] if found else []
    return (found[0], records) if found and records else None


def _unique(records: Iterable[TagRecord]) -> list[TagRecord]:
    return list({record.id: record for record in records}.values())
