"""Finds what a name means as a whole, and which of several records of one name, by the works they belong to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from services.ehtag.aliases import (
    GENDER_NAMESPACES,
    NAMESPACE_PRIORITY,
    AliasTable,
    DerivedAliases,
    split_id,
)
from services.ehtag.folding import fold, fold_many, loose_key_of, may_have_variants, variants_of
from services.ehtag.records import Namespace, TagKey, TagKind, TagMatch, parse_namespace, parse_raw_tag

if TYPE_CHECKING:
    from services.ehtag.snapshot import TagRecord, TagSnapshot

# Least length of a raw tag after other characters were removed: "C+" is not "c".
_MIN_RAW_LENGTH = 3

# Least length of the title of a work in a text: in Latin letters, and in other characters.
_MIN_LATIN_TITLE = 4
_MIN_TITLE = 2

# Least length of a transcription that may differ in more than one character.
_MIN_SIMILAR = 6

_NOT_RAW = re.compile(r"[^-a-z0-9. ]+|\s+")

# How an introduction (markdown) and its links name the works of a record.
_REFERENCE = re.compile("`([^`]+)`")
_TITLE = re.compile("《([^》`]+)》")
_BELONGS_TO = re.compile(r"(?:作品|游戏|出自|登场于)\s*[：:︰]?\s*([^\s`《》，。,、（(]{2,40})")
_QUALIFIER = re.compile(r"[（(]([^（()）]{2,40})[）)]")
_ADDRESS = re.compile(r"https?://[^\s/)]+/(?:[^\s)]*/)?([^\s/)]+)")

Found = tuple[TagMatch, "list[TagRecord]"]
"""How a tag matched, and its records, best first; none of them when it is known to have none."""


@dataclass(frozen=True, slots=True)
class Works:
    """Works that a tag stands beside: their raw tags, and their names as introductions write them."""

    raws: frozenset[str]
    names: tuple[str, ...]


class NameQuery:
    """A tag as it stands, folded and as a loose key, its kind, and the works it stands beside."""

    __slots__ = ("folded", "kind", "loose_key", "name", "works")

    def __init__(self, name: str, folded: str, kind: TagKind, works: Works | None = None) -> None:
        self.name = name
        self.folded = folded
        self.loose_key = loose_key_of(folded)
        self.kind = kind
        self.works = works

    def part(self, name: str, folded: str | None = None) -> NameQuery:
        """The same question about a part of the tag."""
        return NameQuery(name, fold(name) if folded is None else folded, self.kind, self.works)


class NameLookup:
    """What names mean, by the curated table, the names of one snapshot, its introductions and the raw tags."""

    def __init__(self, snapshot: TagSnapshot, table: AliasTable) -> None:
        self._snapshot = snapshot
        self._table = table
        works = self._index(TagKind.WORK)
        self._names = {
            TagKind.GENRE: self._index(TagKind.GENRE),
            TagKind.WORK: works,
            TagKind.CHARACTER: self._index(
                TagKind.CHARACTER, lambda word: word in works or word in self._table.qualifiers
            ),
            TagKind.AUTHOR: self._index(TagKind.AUTHOR, self._table.qualifiers.__contains__),
        }
        self._derived = {
            TagKind.WORK: DerivedAliases(snapshot, Namespace.PARODY),
            TagKind.CHARACTER: DerivedAliases(snapshot, Namespace.CHARACTER),
        }
        self._titles = frozenset(self._all_titles())
        self.record_works = RecordWorks(snapshot, self._raws_of_titles)

    def by_whole_name(self, query: NameQuery, kind: TagKind | None = None) -> Found | None:
        """By the tag as a whole; no records: the table says there is none. `kind` where another one is asked for."""
        kind = kind or query.kind
        listed = self._table.find(query.folded, query.loose_key, kind)
        known = self._records(listed) if listed else []
        named = self._names[kind].find(query.name, query.folded, query.loose_key)
        derived = self._derived_records(query, kind)
        if not (known or named or derived or listed == () or query.name.isascii()):
            return None
        if query.works and (found := self.by_works(query, [*known, *named, *derived], query.works)):
            return found
        if listed == ():
            return TagMatch.ALIAS, []
        if known:
            match = match_of(query.name, known[0]) if known[0] in named else TagMatch.ALIAS
        elif named:
            known = self._exact_raw(query.name, kind, named)
            match = TagMatch.RAW if known else match_of(query.name, named[0])
        elif known := self.by_raw(query.name, kind):
            match = TagMatch.RAW
        elif known := derived:
            match = TagMatch.AMBIGUOUS if len(derived) > 1 else TagMatch.ALIAS
        else:
            return None
        records = unique([*known, *named[: not known], *self._other_genders(known or named), *named])
        is_ambiguous = match is not TagMatch.RAW and _has_namesake(query, records[0], named)
        return TagMatch.AMBIGUOUS if is_ambiguous else match, records

    def by_works(self, query: NameQuery, candidates: Iterable[TagRecord], works: Works) -> Found | None:
        """The namesakes that belong to the works lead; None when none does, or there are no namesakes."""
        records = unique(candidates)
        if len(records) < 2:
            return None
        closeness = {record.id: self.record_works.closeness(record, works) for record in records}
        best = max(closeness.values())
        if not best:
            return None
        closest = [record for record in records if closeness[record.id] == best]
        whole = _of_whole_name(query, closest)
        first = (whole or closest)[0]
        match = match_of(query.name, first)
        return TagMatch.AMBIGUOUS if len(whole) > 1 else match, unique([first, *whole, *closest, *records])

    def candidates(self, query: NameQuery) -> list[TagRecord]:
        """All records that a name may mean, by whatever spelling."""
        found = [
            *self._records(self._table.find(query.folded, query.loose_key, query.kind) or ()),
            *self._names[query.kind].find(query.name, query.folded, query.loose_key),
            *self._derived_records(query, query.kind),
        ]
        if not found and may_have_variants(query.name):
            found = [
                record for part in variants_of(query.name)[0] for record in self._candidates_of_part(query, part)
            ]
        return unique(found or self.by_raw(query.name, query.kind))

    def named(self, query: NameQuery) -> list[TagRecord]:
        """The records of exactly this name."""
        return self._names[query.kind].find(query.name, query.folded, "")

    def similar(self, query: NameQuery) -> TagRecord | None:
        """The one record whose name is another transcription of this one; of a short name one character differs."""
        key = self._derived[query.kind].find_similar(query.folded)
        record = self._snapshot.find(*key) if key else None
        if record is None or len(query.folded) >= _MIN_SIMILAR:
            return record
        names = fold_many(variants_of(record.name.text)[0])
        return record if any(_differing(name, query.folded) == 1 for name in names) else None

    def by_raw(self, name: str, kind: TagKind) -> list[TagRecord]:
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

    def is_work(self, folded: str) -> bool:
        """Whether a folded name is that of a work."""
        return folded in self._titles

    def _all_titles(self) -> Iterator[str]:
        name_list = self._snapshot.name_lists.get(Namespace.PARODY)
        if name_list:
            parts = [part for name, _ in name_list.with_variants for part in variants_of(name)[0]]
            yield from (name for name in (*name_list.names, *fold_many(parts)) if len(name) >= _MIN_TITLE)
        yield from (name for name in self._table.names(TagKind.WORK) if len(name) >= _MIN_TITLE)

    def _candidates_of_part(self, query: NameQuery, part: str) -> list[TagRecord]:
        return self.candidates(query.part(part)) if part != query.name else []

    def _derived_records(self, query: NameQuery, kind: TagKind) -> list[TagRecord]:
        derived = self._derived.get(kind)
        found = derived.find(query.folded, query.loose_key) if derived else ()
        return [record for record in (self._snapshot.find(*key) for key in found) if record] if found else []

    def _exact_raw(self, name: str, kind: TagKind, named: Sequence[TagRecord]) -> list[TagRecord]:
        """The records of exactly this raw tag, where the names match only folded and are those of others."""
        if not name.isascii() or named[0].name.text == name:
            return []
        raw = name.lower()
        found = (self._snapshot.find(namespace, raw) for namespace in NAMESPACE_PRIORITY[kind])
        records = [record for record in found if record]
        return [] if records and records[0] in named else records

    def _raws_of_titles(self, titles: list[str]) -> Iterator[str]:
        for title, folded in zip(titles, fold_many(titles), strict=True):
            for record in self._names[TagKind.WORK].find(title, folded, loose_key_of(folded)):
                yield record.raw

    def _index(self, kind: TagKind, is_qualifier: Callable[[str], bool] = lambda _: False) -> NameIndex:
        return NameIndex(self._snapshot, NAMESPACE_PRIORITY[kind], is_qualifier)

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


class RecordWorks:
    """How close records are to works, by their introductions, their links and what is in brackets in their names.

    Read on first use, for records whose name says too little.
    """

    def __init__(self, snapshot: TagSnapshot, find_works: Callable[[list[str]], Iterable[str]]) -> None:
        """`find_works` gives the raw tags of the works of these titles."""
        self._snapshot = snapshot
        self._find_works = find_works
        self._known: dict[str, tuple[frozenset[str], frozenset[str]]] = {}

    def closeness(self, record: TagRecord, works: Works) -> int:
        """4: refers to a work, 3: has its title, 2: mentions it, 1: is of its series, 0: nothing says so."""
        references, titles = self._works_of(record)
        if not references.isdisjoint(works.raws):
            return 4
        if not titles.isdisjoint(works.raws):
            return 3
        text = _text_of(record)
        if any(name in text for name in works.names):
            return 2
        return int(any(_are_of_one_series(raw, other) for raw in references | titles for other in works.raws))

    def is_of_others(self, record: TagRecord, works: Works) -> bool:
        """Whether a record belongs to known works, and all of them are others than these known ones."""
        return bool(works.raws and any(self._works_of(record))) and not self.closeness(record, works)

    def _works_of(self, record: TagRecord) -> tuple[frozenset[str], frozenset[str]]:
        """The raw tags of the works that a record refers to, and of those whose titles it has."""
        known = self._known.get(record.id)
        if known is None:
            text = _text_of(record)
            known = self._known[record.id] = (
                frozenset(self._referred_to_in(text)),
                frozenset(self._find_works(_titles_in(text))),
            )
        return known

    def _referred_to_in(self, text: str) -> Iterator[str]:
        for reference in _REFERENCE.findall(text):
            prefix, colon, rest = reference.rpartition(":")
            raw = parse_raw_tag(rest)
            is_work = not colon or parse_namespace(prefix) is Namespace.PARODY
            if raw and is_work and self._snapshot.has(Namespace.PARODY, raw):
                yield raw


class NameIndex:
    """Records of some namespaces by folded name.

    Of several records those with the whole name come first, then those with it as one of several spellings, then
    those with it in brackets; each in the order of the namespaces given, then of the release. `is_qualifier` says
    whether a folded word in brackets only tells records of one name apart ("天使（守望先锋）") and is no spelling.
    """

    def __init__(
        self,
        snapshot: TagSnapshot,
        namespaces: Iterable[Namespace],
        is_qualifier: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._snapshot = snapshot
        self._by_name: dict[str, TagKey | list[TagKey]] = {}
        name_lists = [snapshot.name_lists[namespace] for namespace in namespaces if namespace in snapshot.name_lists]
        with_variants = [
            (*variants_of(name), key) for name_list in name_lists for name, key in name_list.with_variants
        ]
        outer = [(part, key) for parts, _, key in with_variants for part in parts]
        inner = [(part, key) for _, parts, key in with_variants for part in parts]
        for name_list in name_lists:
            self._add(name_list.names, name_list.keys)
        self._add(fold_many([name for name, _ in outer]), [key for _, key in outer])
        self._add(fold_many([name for name, _ in inner]), [key for _, key in inner], is_qualifier)
        self._add_loose_keys()

    def __contains__(self, folded: str) -> bool:
        return folded in self._by_name

    def find(self, name: str, folded: str, loose_key: str) -> list[TagRecord]:
        """The records of a name, best first; of several those written exactly as `name` lead.

        `loose_key` is used where no spelling matches.
        """
        found = self._by_name.get(folded) or self._by_name.get(loose_key) or []
        keys = found if isinstance(found, list) else [found]
        records = [record for record in (self._snapshot.find(*key) for key in keys) if record]
        return sorted(records, key=lambda record: record.name.text != name) if len(records) > 1 else records

    def _add(
        self, names: Iterable[str], keys: Iterable[TagKey], is_qualifier: Callable[[str], bool] = lambda _: False
    ) -> None:
        for name, key in zip(names, keys, strict=True):
            if name and not is_qualifier(name):
                self._put(name, key)

    def _put(self, name: str, key: TagKey) -> None:
        known = self._by_name.setdefault(name, key)
        if isinstance(known, list):
            if key not in known:
                known.append(key)
        elif known != key:
            self._by_name[name] = [known, key]

    def _add_loose_keys(self) -> None:
        """Names are found by their loose key too, where it is long enough and is no name itself."""
        by_loose_key: dict[str, TagKey | list[TagKey]] = {}
        for folded, found in self._by_name.items():
            loose_key = loose_key_of(folded)
            if loose_key and loose_key != folded and loose_key not in self._by_name:
                by_loose_key.setdefault(loose_key, found)
        self._by_name |= by_loose_key


def match_of(name: str, record: TagRecord) -> TagMatch:
    """How a name matches that of its record: exactly, or only folded."""
    text = record.name.text
    is_exact = name == text or any(name in spellings for spellings in variants_of(text))
    return TagMatch.EXACT if is_exact else TagMatch.FOLDED


def _titles_in(text: str) -> list[str]:
    """What may be the title of a work in a text, and in the addresses of its links."""
    pages = (page.partition(":") for page in _ADDRESS.findall(text))
    return [
        *(title for pattern in (_TITLE, _BELONGS_TO, _QUALIFIER) for title in pattern.findall(text)),
        *(work for work, colon, _ in pages if colon),
    ]


def is_title(name: str) -> bool:
    """Whether the name of a work is long enough to be looked for in a text."""
    return len(name) >= (_MIN_LATIN_TITLE if name.isascii() else _MIN_TITLE)


def _text_of(record: TagRecord) -> str:
    return "\n".join((record.name.source, record.intro.source, unquote(record.links.source)))


def _are_of_one_series(raw: str, other: str) -> bool:
    """Whether two raw tags begin with the same word: "final fantasy vii" and "final fantasy"."""
    word = raw.partition(" ")[0]
    return len(word) >= _MIN_LATIN_TITLE and word == other.partition(" ")[0]


def _differing(name: str, other: str) -> int:
    """In how many places two names of one length differ; -1 when they are not of one length."""
    return sum(map(str.__ne__, name, other)) if len(name) == len(other) else -1


def _of_whole_name(query: NameQuery, records: Sequence[TagRecord]) -> list[TagRecord]:
    """The records whose whole name this is."""
    names = fold_many([record.name.text.replace("\n", " ") for record in records])
    return [record for record, name in zip(records, names, strict=True) if name == query.folded]


def _has_namesake(query: NameQuery, first: TagRecord, named: Sequence[TagRecord]) -> bool:
    """Whether another record of the namespace has the name as well as the first one has."""
    if not named or named == [first]:
        return False
    equal = _of_whole_name(query, named) or named
    if query.name.isascii() and first.name.text == query.name:
        equal = [record for record in equal if record.name.text == query.name]
    return any(record is not first and record.namespace is first.namespace for record in equal)


def unique(records: Iterable[TagRecord]) -> list[TagRecord]:
    """The records without repetitions, in the order given."""
    return list({record.id: record for record in records}.values())
