"""Finds records by a user's query."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from enum import IntEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, overload

from services.ehtag.aliases import PREFIXES, AliasTable, built_in_aliases, split_id
from services.ehtag.folding import fold
from services.ehtag.records import Namespace, TagKey, parse_namespace
from services.ehtag.search_index import (
    Aliases,
    Fit,
    MatchedText,
    SearchIndex,
    Source,
    TagMatchedField,
    WeightedTexts,
    excerpt_of,
    span_of,
    spellings_of,
    words_of_many,
)

if TYPE_CHECKING:
    from services.ehtag.snapshot import TagRecord, TagSnapshot

_NO_COUNTS: Mapping[TagKey, int] = MappingProxyType({})


class _Level(IntEnum):
    """How good a match is, the best first. LONG_TYPO: all of a long text but for one letter."""

    EXACT = 0
    MINOR_EXACT = 1
    PREFIX = 2
    SPOKEN_PREFIX = 3
    LONG_TYPO = 4
    WORD = 5
    SPOKEN_WORD = 6
    PART = 7
    WORDS = 8
    TYPO = 9
    TYPO_WORD = 10
    INTRO = 11


# By where a text is from, and then by how the query stands in it (`Fit`). None: that is no match.
_WRITTEN = (_Level.EXACT, _Level.PREFIX, _Level.WORD, _Level.PART)
_LEVELS: dict[Source, tuple[_Level | None, ...]] = {
    Source.RAW: _WRITTEN,
    Source.NAME: _WRITTEN,
    Source.ALIAS: _WRITTEN,
    Source.MINOR_ALIAS: (_Level.MINOR_EXACT, *_WRITTEN[1:]),
    Source.PINYIN: (_Level.MINOR_EXACT, _Level.SPOKEN_PREFIX, _Level.SPOKEN_WORD, None),
    Source.INITIALS: (_Level.PREFIX, _Level.SPOKEN_WORD, None, None),
    Source.INTRO: (_Level.INTRO,) * 4,
}

# Letters of a query, of Latin script: with one it is searched for at the start of a text, with two at that of a word.
_MIN_WORD_LETTERS = 2
_MIN_PART_LETTERS = 3

# Letters from which on a text that is another one but for a slip is hardly meant.
_MIN_LONG_LETTERS = 8

_MAX_QUERY_LENGTH = 100
_MAX_WORDS = 6

_SOURCES = tuple(Source)
_SPOKEN_SOURCES = (Source.NAME, Source.ALIAS, Source.MINOR_ALIAS)
_FIELDS = {
    Source.RAW: TagMatchedField.RAW,
    Source.NAME: TagMatchedField.NAME,
    Source.ALIAS: TagMatchedField.ALIAS,
    Source.MINOR_ALIAS: TagMatchedField.ALIAS,
}


class TagSearch:
    """Finds the tags of one snapshot by a user's words.

    The first search builds the index, in three seconds for the whole database; after that one takes some
    milliseconds. Both block.
    """

    def __init__(self, snapshot: TagSnapshot, table: AliasTable | None = None) -> None:
        self._snapshot = snapshot
        self._table = table
        self._building = threading.Lock()
        self._built: SearchIndex | None = None

    def find(
        self,
        query: str | None = None,
        namespaces: Collection[Namespace] | None = None,
        counts: Mapping[TagKey, int] = _NO_COUNTS,
    ) -> FoundTags:
        """Records that the query finds by raw tag, name, another spelling, pinyin or introduction, best first.

        Exact texts come first, then those that begin with the query, have it at the start of a word, or inside; of
        each, genres before works before people, then the shorter text, then the tag that `counts` has more often.
        Blanks, punctuation, width, case and script don't matter; "f:…" and "女性：…" narrow the search to a
        namespace. No query (or one of blanks): every record in release order. `namespaces` None: all
        of them; an empty list finds nothing.
        """
        asked = frozenset(Namespace if namespaces is None else namespaces)
        query = (query or "")[:_MAX_QUERY_LENGTH]
        prefix, colon, rest = query.replace("：", ":").partition(":")
        if colon and (namespace := self._namespace_of(prefix)):
            query, asked = rest, asked & {namespace}
        if not query.strip():
            lists = (names for namespace, names in self._snapshot.name_lists.items() if namespace in asked)
            return FoundTags(self._snapshot, [key for names in lists for key in names.keys])
        return self._find(query, asked, counts)

    def _find(self, query: str, asked: Collection[Namespace], counts: Mapping[TagKey, int]) -> FoundTags:
        (words,) = words_of_many([query])
        if not words:
            return FoundTags(self._snapshot, [])
        index = self._index()
        best: dict[tuple[int, int], _Hit] = {}
        for hit in sorted(_hits(index, words, asked, counts)):
            best.setdefault((hit.namespace, hit.owner), hit)
        keys = [index.namespaces[namespace].texts.keys[owner] for namespace, owner in best]
        matches = [(hit.source, hit.found) for hit in best.values()]
        return FoundTags(self._snapshot, keys, matches, index.aliases)

    def _index(self) -> SearchIndex:
        with self._building:
            self._built = self._built or SearchIndex(self._snapshot, self._table or built_in_aliases())
            return self._built

    def _namespace_of(self, prefix: str) -> Namespace | None:
        """Of a full name, an abbreviation or a translated name: "female", " F", "女性"."""
        shown = {fold(info.name): info.namespace for info in self._snapshot.namespaces if info.name}
        folded = fold(prefix)
        return parse_namespace(prefix) or PREFIXES.get(folded) or shown.get(folded)


class FoundTags(Sequence["TagRecord"]):
    """Records that were found; each is looked up when it is taken from the sequence."""

    def __init__(
        self,
        snapshot: TagSnapshot,
        keys: Sequence[TagKey],
        matches: Sequence[tuple[Source, str]] = (),
        aliases: Aliases = MappingProxyType({}),
    ) -> None:
        """`matches`: for each record, where and by which folded text it was found; none without a query."""
        self._snapshot = snapshot
        self._keys = keys
        self._matches = matches
        self._aliases = aliases

    def __len__(self) -> int:
        return len(self._keys)

    @overload
    def __getitem__(self, index: int) -> TagRecord: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[TagRecord]: ...

    def __getitem__(self, index: int | slice) -> TagRecord | Sequence[TagRecord]:
        if isinstance(index, slice):
            return [self._at(key) for key in self._keys[index]]
        return self._at(self._keys[index])

    def position_of(self, id: str) -> int | None:
        """Where the record of this id ("other:full color") stands; None where it doesn't."""
        key = split_id(id)
        return self._keys.index(key) if key in self._keys else None

    def matched(self, position: int) -> MatchedText | None:
        """The text by which a record was found; None without a query, and where it can't be shown in one place."""
        if not self._matches:
            return None
        source, found = self._matches[position]
        key, record = self._keys[position], self[position]
        if source is Source.INTRO:
            return excerpt_of(record.intro.text, found)
        accepted = _SPOKEN_SOURCES if source in (Source.PINYIN, Source.INITIALS) else (source, Source.NAME)
        for text, its_source in spellings_of(key, record.name.text, record.intro.source, self._aliases):
            span = span_of(text, found, source) if its_source in accepted else None
            if span:
                field = _FIELDS[its_source] if source in _FIELDS else TagMatchedField.PINYIN
                return MatchedText(text, field, *span)
        return None

    def _at(self, key: TagKey) -> TagRecord:
        record = self._snapshot.find(*key)
        if record is None:
            raise LookupError(f"a snapshot never loses a record: {key}")
        return record


class _Hit(NamedTuple):
    """A text that was found: its rank, less is better, and what stands in which order where ranks are equal."""

    rank: int
    namespace: int
    source: Source
    owner: int
    found: str


def _hits(
    index: SearchIndex, words: Sequence[str], asked: Collection[Namespace], counts: Mapping[TagKey, int]
) -> list[_Hit]:
    """Every text that the words find. Where one is exactly the query, no slip of the finger is looked for."""
    namespaces = [each for each in index.namespaces if each.namespace in asked]
    key = "".join(words).replace("ü", "v")
    hits = [hit for each in namespaces for hit in _direct_hits(each, key, counts)]
    if any(hit.rank < _FIRST_INEXACT for hit in hits):
        return hits
    telling = sorted({word for word in words if len(word) > 1 or not word.isascii()}, key=len, reverse=True)
    if len(telling) > 1:
        others = {word: [] if index.is_known(word) else index.corrected(word) for word in telling[:_MAX_WORDS]}
        hits += [hit for each in namespaces for hit in _hits_of_words(each, others, counts)]
    hits += [
        hit for meant in index.corrected(key) for each in namespaces for hit in _corrected_hits(each, meant, counts)
    ]
    return hits


def _rank(level: _Level, weight: int, longer: int, count: int) -> int:
    """One number for the order of matches: level, weight of the namespace, length, frequency."""
    return ((level * 16 + weight) * 4096 + min(longer, 4095)) * 65536 + 65535 - min(count, 65535)


_FIRST_INEXACT = _rank(_Level.PREFIX, 0, 0, 65535)


def _direct_hits(each: WeightedTexts, key: str, counts: Mapping[TagKey, int]) -> Iterator[_Hit]:
    """Texts with the whole query in them; little of it must be at the start of a text or of a word."""
    texts, length, is_latin = each.texts, len(key), key.isascii()
    lists = [(texts.written, _least_fit(key))]
    if is_latin and length > 1:
        lists.append((texts.spoken, Fit.PREFIX if length < _MIN_PART_LETTERS else Fit.WORD))
    if length >= (_MIN_PART_LETTERS if is_latin else _MIN_WORD_LETTERS):
        lists.append((texts.intros, Fit.WORD if is_latin else Fit.PART))
    for text_list, least in lists:
        owners, sources = text_list.owners, text_list.sources
        for text, fit, longer in text_list.find(key, least):
            source, owner = _SOURCES[sources[text]], owners[text]
            level = _LEVELS[source][fit]
            if level is not None:
                count = counts.get(texts.keys[owner], 0) if counts else 0
                yield _Hit(_rank(level, each.weight, longer, count), each.position, source, owner, key)


def _hits_of_words(
    each: WeightedTexts, words: Mapping[str, Sequence[str]], counts: Mapping[TagKey, int]
) -> Iterator[_Hit]:
    """Records in whose texts each of the words stands, or one of the words that it may mean, in any order."""
    written, keys = each.texts.written, each.texts.keys
    shared: dict[int, tuple[Source, str]] = {}
    for number, (word, others) in enumerate(words.items()):
        found = {
            written.owners[text]: (_SOURCES[written.sources[text]], meant)
            for meant in (*reversed(others), word)
            for text, _, _ in written.find(meant, Fit.WORD if meant.isascii() else Fit.PART)
            if meant is word or written.has_words(text, meant)
        }
        shared = {owner: why for owner, why in shared.items() if owner in found} if number else found
        if not shared:
            return
    for owner, (source, meant) in shared.items():
        key = keys[owner]
        rank = _rank(_Level.WORDS, each.weight, len(key[1]), counts.get(key, 0))
        yield _Hit(rank, each.position, source, owner, meant)


def _corrected_hits(each: WeightedTexts, meant: str, counts: Mapping[TagKey, int]) -> Iterator[_Hit]:
    """Texts that are what a misspelt query may mean, or have it as a word."""
    for text_list, least in ((each.texts.written, Fit.WORD), (each.texts.spoken, Fit.EXACT)):
        for text, fit, longer in text_list.find(meant, least):
            if fit is Fit.EXACT or text_list.has_words(text, meant):
                source, owner = _SOURCES[text_list.sources[text]], text_list.owners[text]
                rank = _rank(_typo_level(meant, longer), each.weight, longer, counts.get(each.texts.keys[owner], 0))
                yield _Hit(rank, each.position, source, owner, meant)


def _typo_level(meant: str, longer: int) -> _Level:
    if longer:
        return _Level.TYPO_WORD
    return _Level.TYPO if len(meant) < _MIN_LONG_LETTERS else _Level.LONG_TYPO


def _least_fit(key: str) -> Fit:
    if not key.isascii() or len(key) >= _MIN_PART_LETTERS:
        return Fit.PART
    return Fit.WORD if len(key) >= _MIN_WORD_LETTERS else Fit.PREFIX
