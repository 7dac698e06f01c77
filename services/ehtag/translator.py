"""From a tag as the site spells it to its record, or to none. A wrong translation is worse than none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.ehtag.aliases import (
    GENDER_WORDS,
    GENRE_SUFFIXES,
    HONORIFICS,
    NAMESPACE_PRIORITY,
    PREFIXES,
    REPORTER,
    AliasTable,
    built_in_aliases,
    split_id,
)
from services.ehtag.folding import (
    fold,
    fold_many,
    loose_key_of,
    may_have_variants,
    name_without_reading,
    scripts_of,
    split_brackets,
    title_stems,
    variants_of,
)
from services.ehtag.lookup import Found, NameLookup, NameQuery, Works, is_title, match_of, unique
from services.ehtag.records import Namespace, Report, TagKind, TagMatch

if TYPE_CHECKING:
    from services.ehtag.snapshot import TagRecord, TagSnapshot

# Least length of a tag without a prefix or suffix; one character says too little.
_MIN_STEM_LENGTH = 2

# No tag of the site is longer (characters).
_MAX_NAME_LENGTH = 200

# Cached translations; the site has some thousands of tags, so only arbitrary input reaches this.
_MAX_CACHED = 20_000

# Most works that tags stand beside, an album has fewer; and how long they may be together to be cached (characters).
_MAX_WORKS = 20
_MAX_CACHED_WORKS = 400

_CLOSING = "）)]】"

# A name of so many characters is borne by persons of many works; a longer one hardly.
_MAX_COMMON_NAME = 3

# A tag is searched for "work name" in one word up to this length (characters).
_MAX_WORK_AND_NAME = 40

# What stands between the two, folded.
_BETWEEN = ":-/|,、"

# One spelling of two decides alone from this length on: in Latin letters, and in other characters.
_MIN_DECIDING_LATIN = 6
_MIN_DECIDING = 3

# `RecordWorks.closeness` of a record that belongs to a work or mentions it.
_MENTIONED = 2

# Kinds of tags that may stand among genres, and the least length of one in Latin letters; shorter ones are words.
_ELSEWHERE = ((TagKind.WORK, 4), (TagKind.AUTHOR, 6))


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

    In this order: a character by the work in brackets behind its name; the curated table, the names (as they stand,
    folded, then by their loose key), the raw tag; then the namespace or the gender that the tag names itself, a genre
    without "…向" or "…控", the spellings the tag consists of, and what its kind allows besides. The first that knows
    the tag decides, also when it decides for none.

    Of several records those with the whole name come before those with a part of it; then the order of
    `NAMESPACE_PRIORITY` counts, then that of the release. The same raw tags of the other genders follow. Namesakes
    are told apart by the works they belong to; where these say nothing, the match is AMBIGUOUS.
    """

    def __init__(self, snapshot: TagSnapshot, table: AliasTable | None = None) -> None:
        self._snapshot = snapshot
        self._table = table or built_in_aliases()
        self._lookup = NameLookup(snapshot, self._table)
        self._cache: dict[tuple[TagKind, str, tuple[str, ...]], Translation] = {}
        self._works: dict[tuple[str, ...], Works] = {}
        common = (self._lookup.by_whole_name, self._by_namespace_prefix)
        self._rules: dict[TagKind, tuple[Callable[[NameQuery], Found | None], ...]] = {
            TagKind.GENRE: (
                *common,
                self._by_gender_word,
                self._by_genre_suffix,
                self._by_variant,
                self._elsewhere,
            ),
            TagKind.WORK: (*common, self._by_variant, self._by_title_stem, self._by_spellings, self._by_sound),
            TagKind.CHARACTER: (
                self._by_work_in_brackets,
                *common,
                self._by_variant,
                self._by_work_before_name,
                self._by_honorific,
                self._by_family_name_first,
                self._by_spellings,
                self._by_sound,
            ),
            TagKind.AUTHOR: (
                *common,
                self._by_variant,
                self._by_honorific,
                self._by_family_name_first,
                self._by_spellings,
            ),
        }

    def translate(self, name: str, kind: TagKind, works: Sequence[str] = ()) -> Translation:
        """The record of one tag; `works` as in `translate_many`."""
        return self.translate_many([name], kind, works)[0]

    def translate_many(self, names: Sequence[str], kind: TagKind, works: Sequence[str] = ()) -> list[Translation]:
        """The record of each tag, in the order given.

        `works` are the works that the tags stand beside, as the site spells them: of characters of one name those of
        these works come first.
        """
        beside = _kept_works(works) if kind is TagKind.CHARACTER else ()
        found = {name: cached for name in names if (cached := self._cache.get((kind, name, beside)))}
        unknown = [name for name in dict.fromkeys(names) if name not in found]
        known_works = self._works_of(beside) if unknown and beside else None
        for name, folded in zip(unknown, fold_many([name[:_MAX_NAME_LENGTH] for name in unknown]), strict=True):
            found[name] = self._translation(name, NameQuery(name.strip(), folded, kind, known_works))
        if len(self._cache) > _MAX_CACHED:
            self._cache.clear()
        if sum(map(len, beside)) > _MAX_CACHED_WORKS:
            return [found[name] for name in names]
        self._cache.update(((kind, name, beside), found[name]) for name in unknown if len(name) <= _MAX_NAME_LENGTH)
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

    def _translation(self, name: str, query: NameQuery) -> Translation:
        if not query.folded or len(name) > _MAX_NAME_LENGTH:
            return Translation(name, query.kind)
        found = self._find(query)
        if not found:
            return Translation(name, query.kind)
        match, (record, *others) = found
        return Translation(name, query.kind, record, match, tuple(others))

    def _find(self, query: NameQuery) -> Found | None:
        """What the tag means: how it matched and the records, best first."""
        for rule in self._rules[query.kind]:
            if found := rule(query):
                return found if found[1] else None
        return None

    def _by_work_in_brackets(self, query: NameQuery) -> Found | None:
        """By a name and, in brackets behind it, its work: 翡翠（崩壞：星穹鐵道）. Only where the work decides."""
        name, work = split_brackets(query.name)
        if not work:
            return None
        if whole := self._lookup.named(query):
            return match_of(query.name, whole[0]), whole
        part = query.part(name)
        return self._lookup.by_works(part, self._lookup.candidates(part), self._works_of((work,)))

    def _by_work_before_name(self, query: NameQuery) -> Found | None:
        """By a work, the longest first, and a name in one tag: 原神 胡桃, FGO貞德. The record must be of the work."""
        folded = query.folded
        if len(folded) > _MAX_WORK_AND_NAME:
            return None
        for at in range(1, len(folded) - 1):
            for work, name in ((folded[:-at], folded[-at:]), (folded[at:], folded[:at])):
                if self._lookup.is_work(work) or (
                    work[-1] in _BETWEEN and self._lookup.is_work(work.strip(_BETWEEN))
                ):
                    name = name.strip(_BETWEEN)
                    if name and (found := self._of_work(query.part(name, name), work.strip(_BETWEEN))):
                        return found
        return None

    def _of_work(self, query: NameQuery, work: str) -> Found | None:
        """The record of a name that belongs to this work or mentions it."""
        works = self._works_of((work,))
        candidates = self._lookup.candidates(query)
        if found := self._lookup.by_works(query, candidates, works):
            return found
        is_one = len(candidates) == 1 and self._lookup.record_works.closeness(candidates[0], works) >= _MENTIONED
        return (match_of(query.name, candidates[0]), candidates) if is_one else None

    def _by_honorific(self, query: NameQuery) -> Found | None:
        """By the name of somebody who is addressed: 甲同學, 乙老師."""
        for word in HONORIFICS:
            rest = query.folded.removesuffix(word)
            if rest != query.folded and len(rest) >= _MIN_STEM_LENGTH:
                for name in (rest, *(f"{rest}{other}" for other in HONORIFICS)):
                    found = self._lookup.by_whole_name(query.part(name, name))
                    if found and found[1]:
                        return _inexact(found)
        return None

    def _by_family_name_first(self, query: NameQuery) -> Found | None:
        """By a raw tag of two words with the family name first: "Tanaka Hana" is `hana tanaka`."""
        words = query.name.split()
        raw = self._lookup.by_raw(f"{words[1]} {words[0]}", query.kind) if len(words) == 2 else []
        return (TagMatch.RAW, raw) if raw else None

    def _by_title_stem(self, query: NameQuery) -> Found | None:
        """By the title of a work without what says which edition or sequel it is."""
        stems = title_stems(query.name)
        for stem, folded in zip(stems, fold_many(stems), strict=True):
            found = self._lookup.by_whole_name(query.part(stem, folded))
            if found and found[1]:
                return _inexact(found)
        return None

    def _by_spellings(self, query: NameQuery) -> Found | None:
        """By two spellings that stand in one tag without a sign between them, or a name and its reading."""
        if name := name_without_reading(query.folded):
            found = self._lookup.by_whole_name(query.part(name, name))
            if found and found[1]:
                return _inexact(found)
        for parts in (scripts_of(query.name), query.name.split()):
            is_pair = len(parts) > 1 and not any(len(part) < _MIN_STEM_LENGTH or part.isdigit() for part in parts)
            if is_pair and (found := self._by_common_record(query, parts)):
                return found
        return None

    def _by_common_record(self, query: NameQuery, parts: Sequence[str]) -> Found | None:
        """By the record that all known parts mean; a part that is known alone must be the greater one."""
        found = {part: self._lookup.by_whole_name(query.part(part)) for part in parts}
        known = {
            part: records
            for part, (_, records) in ((part, one or _NOTHING) for part, one in found.items())
            if records
        }
        if len(known) == 1 and query.kind is not TagKind.AUTHOR:
            part, records = next(iter(known.items()))
            least = _MIN_DECIDING_LATIN if part.isascii() else _MIN_DECIDING
            is_deciding = (
                len(fold(part)) >= max(least, len(query.folded) / 2) and len(set(map(str.isascii, parts))) > 1
            )
            return (TagMatch.FOLDED, records) if is_deciding else None
        common = [record for record in next(iter(known.values()), []) if all(record in one for one in known.values())]
        return (TagMatch.FOLDED, common) if len(known) > 1 and common else None

    def _by_sound(self, query: NameQuery) -> Found | None:
        """By another transcription of the name, where only one record has one."""
        record = self._lookup.similar(query)
        return (TagMatch.ALIAS, [record]) if record else None

    def _elsewhere(self, query: NameQuery) -> Found | None:
        """By the one work or author of this name, which stands among the genres; none where a character has it."""
        length = len(query.folded)
        kinds = [
            kind for kind, least in _ELSEWHERE if length >= (least if query.name.isascii() else _MIN_STEM_LENGTH)
        ]
        found = [self._lookup.by_whole_name(query, kind) for kind in kinds]
        records = unique(record for one in found if one for record in one[1])
        if len(records) != 1 or self._lookup.by_whole_name(query, TagKind.CHARACTER):
            return None
        return TagMatch.ELSEWHERE, records

    def _works_of(self, names: tuple[str, ...]) -> Works:
        """The works of these names: those of the database, and as texts."""
        works = self._works.get(names)
        if works is None:
            found = self.translate_many(names, TagKind.WORK)
            records = [record for one in found for record in (one.record, *one.alternatives) if record]
            titles = [title for record in records for title in variants_of(record.name.text)[0]]
            titles += [name for name, one in zip(names, found, strict=True) if not one.record]
            titles += [folded for folded in fold_many(titles) if not folded.isascii()]
            works = Works(frozenset(record.raw for record in records), tuple(filter(is_title, dict.fromkeys(titles))))
            if len(self._works) > _MAX_CACHED // 10:
                self._works.clear()
            if sum(map(len, names)) <= _MAX_CACHED_WORKS:
                self._works[names] = works
        return works

    def _by_namespace_prefix(self, query: NameQuery) -> Found | None:
        """By a namespace written before a colon: "female:glasses", "男：眼鏡". Only the keys of the kind count."""
        prefix, colon, rest = query.name.replace("：", ":").partition(":")
        namespace = PREFIXES.get(fold(prefix)) if colon else None
        if namespace is None:
            return None
        rest = rest.strip().strip('"$').strip()
        is_of_kind = rest and namespace in NAMESPACE_PRIORITY[query.kind]
        return _only(self._lookup.by_whole_name(query.part(rest)) if is_of_kind else None, namespace) or _NOTHING

    def _by_gender_word(self, query: NameQuery) -> Found | None:
        """By the gender that a genre tag names as prefix or suffix: 男性自慰, 眼鏡（男）."""
        for word, namespace in GENDER_WORDS:
            rest = query.folded.removeprefix(word)
            if rest == query.folded and query.name[-1:] in _CLOSING:
                rest = query.folded.removesuffix(word)
            if rest != query.folded and (found := _only(self._by_stem(query, rest), namespace)):
                return found
        return None

    def _by_genre_suffix(self, query: NameQuery) -> Found | None:
        """By a genre without its suffix: 百合向, 觸手play."""
        for word in GENRE_SUFFIXES:
            rest = query.folded.removesuffix(word)
            if rest != query.folded and (found := self._by_stem(query, rest)):
                return found
        return None

    def _by_stem(self, query: NameQuery, rest: str) -> Found | None:
        """By a genre tag without prefix or suffix, which is never an exact match."""
        found = self._lookup.by_whole_name(query.part(rest, rest)) if len(rest) >= _MIN_STEM_LENGTH else None
        return _inexact(found) if found else None

    def _by_variant(self, query: NameQuery) -> Found | None:
        """By the first of its spellings that is known: "甲 / 乙", "甲（乙）"."""
        if not may_have_variants(query.name):
            return None
        outer, inner = variants_of(query.name)
        if query.kind is TagKind.CHARACTER:
            inner = tuple(part for part in inner if not self._lookup.is_work(fold(part)))
        for part in (*inner, *outer) if query.kind is TagKind.AUTHOR else (*outer, *inner):  # "circle (artist)"
            found = self._lookup.by_whole_name(query.part(part)) if part != query.name else None
            if found and found[1] and not self._is_of_other_work(query, part, found[1]):
                return found
        return None

    def _is_of_other_work(self, query: NameQuery, name: str, records: Sequence[TagRecord]) -> bool:
        """Whether the only character of a common name is of other works than the one in brackets."""
        if query.kind is not TagKind.CHARACTER or len(records) > 1 or len(fold(name)) > _MAX_COMMON_NAME:
            return False
        _, work = split_brackets(query.name)
        return bool(work) and self._lookup.record_works.is_of_others(records[0], self._works_of((work,)))


_NOTHING: Found = (TagMatch.RAW, [])


def _kept_works(works: Sequence[str]) -> tuple[str, ...]:
    return tuple(work[:_MAX_NAME_LENGTH] for work in works[:_MAX_WORKS])


def _only(found: Found | None, namespace: Namespace) -> Found | None:
    """The records of one namespace; None when there are none."""
    records = [record for record in found[1] if record.namespace is namespace] if found else []
    return (found[0], records) if found and records else None


def _inexact(found: Found) -> Found:
    """What a part of a tag means, which is never an exact match."""
    return (TagMatch.FOLDED, found[1]) if found[0] is TagMatch.EXACT else found
