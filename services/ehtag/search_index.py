"""The texts by which the tags of a namespace are searched: folded, and joined so that one scan goes over them all."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import IntEnum, StrEnum
from itertools import accumulate, chain
from typing import NamedTuple
from weakref import WeakKeyDictionary

from services.ehtag.aliases import GENDER_NAMESPACES, AliasTable, split_id
from services.ehtag.folding import fold_many, letters_of, pinyin_of, reading_units, variants_of
from services.ehtag.records import Namespace, TagKey
from services.ehtag.snapshot import NameList, TagSnapshot


class Source(IntEnum):
    """Where a text comes from. Of texts that match equally well the first one here counts."""

    RAW = 0
    NAME = 1
    ALIAS = 2
    MINOR_ALIAS = 3
    """A spelling that means another record first, or a word in brackets after a name."""
    PINYIN = 4
    INITIALS = 5
    INTRO = 6


class Fit(IntEnum):
    """How a query stands in a text; WORD is at the start of a word that is not the first."""

    EXACT = 0
    PREFIX = 1
    WORD = 2
    PART = 3


class TagMatchedField(StrEnum):
    """The text of a tag in which a query was found."""

    RAW = "RAW"
    NAME = "NAME"
    ALIAS = "ALIAS"
    PINYIN = "PINYIN"
    INTRO = "INTRO"


class MatchedText(NamedTuple):
    """A text in which a query was found: the text, what it is, and the part that matched, in characters."""

    text: str
    field: TagMatchedField
    start: int
    length: int


class SearchText(NamedTuple):
    """A text as its folded words, with the number of its record in the namespace."""

    words: tuple[str, ...]
    owner: int
    source: Source


Aliases = Mapping[TagKey, Sequence[tuple[str, Source]]]
"""Further spellings of a tag, each an ALIAS or a MINOR_ALIAS."""

_MIN_TYPO_LETTERS = 5
"""Latin letters of a word in which one slip of the finger is forgiven."""

# Of the files that a snapshot still uses, by table.
_TEXTS: WeakKeyDictionary[AliasTable, WeakKeyDictionary[NameList, NamespaceTexts]] = WeakKeyDictionary()

# Weight of each namespace, least first; what is equal has the same weight.
_WEIGHTS: tuple[tuple[Namespace, ...], ...] = (
    (Namespace.FEMALE, Namespace.OTHER),
    (Namespace.MIXED, Namespace.MALE),
    (Namespace.PARODY,),
    (Namespace.CHARACTER,),
    (Namespace.GROUP,),
    (Namespace.ARTIST,),
    (Namespace.LOCATION,),
    (Namespace.LANGUAGE,),
    (Namespace.RECLASS, Namespace.COSPLAYER, Namespace.ROWS),
)

_MAX_TYPO_LETTERS = 40
_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"

_EXCERPT_MARGIN = 24
"""Characters shown before and after what was found in an introduction."""

_SEPARATORS = re.compile("(?:[^\\w\u0300-\u036f\u3099\u309a]|_)+")
_MARK = ","  # kept by folding, and no letter
_SCRIPT_RUN = re.compile(r"[0-9a-z]+|[^0-9a-z]+")

_END = "\n"
_FIT_OF_MARK = (Fit.PART, Fit.WORD, Fit.PREFIX)

# Other names that an introduction tells: "日语：博麗 霊夢（はくれい れいむ）", "日文：甲/乙，简称：丙", "又译：丁".
_INTRODUCED = re.compile(
    "(?:[日英][语文]|日版|外文|别|本|全|原|又|旧)(?:原名|用名|名|称|译)?[：:]\\s*([^，。；;、：:（）()《》\n]{2,60})"
    "|(?:简称|通称|俗称|昵称)[为：:]?\\s*[“「]?([^，。；;、：:（）()《》“”「」\n]{2,30})"
)
_NAME_SEPARATOR = re.compile(r"\s*[/／]\s*")
_MARKUP = re.compile(r"!\[[^\]]*\]\([^)]*\)|\]\([^)]*\)|`[^`]*`")


class WeightedTexts(NamedTuple):
    """The texts of a namespace, its weight, and its position in the order of weights."""

    namespace: Namespace
    position: int
    weight: int
    texts: NamespaceTexts


class SearchIndex:
    """The texts of every namespace, by weight, and the words that a misspelt one may mean.

    Texts of an unchanged file are used again. For 43,644 tags it takes three seconds of one core and about
    45 MB, most of which only building needs.
    """

    def __init__(self, snapshot: TagSnapshot, table: AliasTable) -> None:
        self.aliases = _aliases_of(table)
        weighted = [
            (namespace, weight)
            for weight, equals in enumerate(_WEIGHTS)
            for namespace in equals
            if namespace in snapshot.name_lists
        ]
        self._known = _TEXTS.setdefault(table, WeakKeyDictionary())
        self.namespaces = [
            WeightedTexts(namespace, position, weight, self._texts_of(namespace, snapshot))
            for position, (namespace, weight) in enumerate(weighted)
        ]
        self._vocabulary = array("q", sorted(set(chain(*(each.texts.vocabulary for each in self.namespaces)))))

    def is_known(self, word: str) -> bool:
        """Whether it is a Latin word of some text, or a whole text."""
        at = bisect_left(self._vocabulary, hash(word))
        return at < len(self._vocabulary) and self._vocabulary[at] == hash(word)

    def corrected(self, word: str) -> list[str]:
        """The known words and texts that are one slip away: a letter too many, missing, wrong, or two swapped."""
        if not (_MIN_TYPO_LETTERS - 1 <= len(word) <= _MAX_TYPO_LETTERS and word.isascii()):
            return []
        slips = dict.fromkeys(_one_slip_from(word))
        return [
            meant for meant in slips if len(meant) >= _MIN_TYPO_LETTERS and meant != word and self.is_known(meant)
        ]

    def _texts_of(self, namespace: Namespace, snapshot: TagSnapshot) -> NamespaceTexts:
        names = snapshot.name_lists[namespace]
        if names not in self._known:
            self._known[names] = NamespaceTexts(snapshot, namespace, self.aliases)
        return self._known[names]


def _one_slip_from(word: str) -> Iterator[str]:
    for at in range(len(word)):
        before, letter, after = word[:at], word[at], word[at + 1 :]
        yield before + after
        yield from (before + other + after for other in _ALPHABET)
        yield from (before + other + letter + after for other in _ALPHABET)
        yield before + after[:1] + letter + after[1:]
    yield from (word + other for other in _ALPHABET)


def _aliases_of(table: AliasTable) -> Aliases:
    """Spellings of the table by the tag they mean; the same raw tag of another gender has them as lesser ones."""
    aliases: dict[TagKey, dict[str, Source]] = {}
    for _, spelling, id in table.entries():
        if key := split_id(id):
            is_best = spelling in table.spellings.get(id, ())
            aliases.setdefault(key, {})[spelling] = Source.ALIAS if is_best else Source.MINOR_ALIAS
            for namespace in GENDER_NAMESPACES if key[0] in GENDER_NAMESPACES else ():
                aliases.setdefault((namespace, key[1]), {}).setdefault(spelling, Source.MINOR_ALIAS)
    return {key: list(spellings.items()) for key, spellings in aliases.items()}


class TextList:
    """Texts joined into one string, the shortest first; `owners` and `sources` of each."""

    def __init__(self, texts: Iterable[SearchText]) -> None:
        keyed = (("".join(text.words), text) for text in texts)
        by_length = sorted((len(key), text.source, text.owner, key, text.words) for key, text in keyed)
        unique = {(key, owner): (source, words) for _, source, owner, key, words in reversed(by_length)}
        ordered = list(reversed(unique.items()))
        self._joined = _END + "".join(key + _END for (key, _), _ in ordered)
        self._starts = array("I", accumulate((len(key) + 1 for (key, _), _ in ordered), initial=1))
        self._marks = b"\0" + b"".join(_marks_of(words) for _, (_, words) in ordered)
        self.owners = array("I", (owner for (_, owner), _ in ordered))
        self.sources = bytes(source for _, (source, _) in ordered)

    def find(self, key: str, least: Fit = Fit.PART) -> Iterator[tuple[int, Fit, int]]:
        """Where the key stands, no worse than `least`: number of the text, how, and how much longer the text is."""
        joined, starts, marks = self._joined, self._starts, self._marks
        skipped = 1 if least <= Fit.PREFIX else 0
        needle = _END * skipped + key + _END * (least is Fit.EXACT)
        at = joined.find(needle)
        while at >= 0:
            mark = marks[at + skipped]
            if mark or least is Fit.PART:
                text = bisect_right(starts, at + skipped) - 1
                longer = starts[text + 1] - starts[text] - 1 - len(key)
                yield text, _FIT_OF_MARK[mark] if longer else Fit.EXACT, longer
            at = joined.find(needle, at + 1)

    def has_words(self, text: int, key: str) -> bool:
        """Whether the key stands in the text as one or several whole words."""
        start, end = self._starts[text], self._starts[text + 1] - 1
        at = self._joined.find(key, start, end)
        while at >= 0:
            after = at + len(key)
            if self._marks[at] and (after == end or self._marks[after]):
                return True
            at = self._joined.find(key, at + 1, end)
        return False


class NamespaceTexts:
    """The texts of one namespace. `keys` are its tags, by number; `vocabulary` the sorted hashes of its Latin words.

    `written` has raw tags, names and other spellings, `spoken` pinyin and initials, `intros` the introductions.
    """

    def __init__(self, snapshot: TagSnapshot, namespace: Namespace, aliases: Aliases) -> None:
        self.keys = snapshot.name_lists[namespace].keys
        records = [(record.name.text, record.intro.source) for record in snapshot.records_uncached(namespace)]
        spelled = [
            (text, owner, source)
            for owner, (key, record) in enumerate(zip(self.keys, records, strict=True))
            for text, source in spellings_of(key, *record, aliases)
        ]
        written = list(_texts(spelled))
        spoken = list(chain.from_iterable(map(_spoken, written)))
        self.written = TextList(written)
        self.spoken = TextList(spoken)
        self.intros = TextList(
            _texts([(_MARKUP.sub(" ", intro), owner, Source.INTRO) for owner, (_, intro) in enumerate(records)])
        )
        self.vocabulary = array("q", sorted(set(map(hash, _latin_words(chain(written, spoken))))))


def spellings_of(key: TagKey, name: str, intro: str, aliases: Aliases) -> Iterator[tuple[str, Source]]:
    """Every spelling of a tag: raw, name, the spellings in the name, those of the table and of the introduction."""
    yield key[1], Source.RAW
    yield name, Source.NAME
    outer, inner = variants_of(name)
    yield from ((spelling, Source.NAME) for spelling in outer if spelling != name)
    yield from aliases.get(key, ())
    for match in _INTRODUCED.finditer(intro) if "：" in intro or ":" in intro or "称" in intro else ():
        yield from ((told, Source.ALIAS) for told in _NAME_SEPARATOR.split((match[1] or match[2]).strip()) if told)
    yield from ((spelling, Source.MINOR_ALIAS) for spelling in inner)


def words_of_many(texts: Sequence[str]) -> list[tuple[str, ...]]:
    """The words of each text, folded: "Fate/Grand Order" is ("fate", "grand", "order"), "东方Project" two words."""
    return list(map(_words, fold_many([_SEPARATORS.sub(_MARK, text) for text in texts])))


def _words(folded: str) -> tuple[str, ...]:
    if folded.isascii():
        return tuple(filter(None, folded.split(_MARK)))
    return tuple(run for part in folded.split(_MARK) for run in _SCRIPT_RUN.findall(letters_of(part)))


def _texts(spelled: Sequence[tuple[str, int, Source]]) -> Iterator[SearchText]:
    for words, (_, owner, source) in zip(words_of_many([text for text, _, _ in spelled]), spelled, strict=True):
        if words:
            yield SearchText(words, owner, source)


def _spoken(text: SearchText) -> Iterator[SearchText]:
    if text.source is not Source.RAW and not (key := "".join(text.words)).isascii():
        for syllables in pinyin_of(key):
            yield SearchText(syllables, text.owner, Source.PINYIN)
            yield SearchText(tuple(syllable[0] for syllable in syllables), text.owner, Source.INITIALS)


def _marks_of(words: Sequence[str]) -> bytes:
    """A byte for each character of the joined words and for the end: an index in `_FIT_OF_MARK`."""
    first, *others = words
    rest = b"".join(b"\1" + bytes(len(word) - 1) for word in others)
    return b"\2" + bytes(len(first) - 1) + rest + b"\0"


def _latin_words(texts: Iterable[SearchText]) -> Iterator[str]:
    """What a misspelt word may mean: a word, or a whole text."""
    for text in texts:
        if text.source is Source.INITIALS:
            continue
        whole = "".join(text.words)
        spoken = text.source is Source.PINYIN
        for word in (whole,) if spoken else (whole, *text.words):
            if len(word) >= _MIN_TYPO_LETTERS and word.isascii():
                yield word


def span_of(text: str, key: str, source: Source) -> tuple[int, int] | None:
    """Where a text says what its folded part `key` says: start and length in characters; None where it doesn't.

    `source` tells whether the key is part of the text itself, of its pinyin, or of its initials.
    """
    letters = list(map(letters_of, fold_many(list(text.replace(_END, " ")))))
    found = _place_of(key, "".join(letters), source)
    if found is None:
        return None
    ends = list(accumulate(map(len, letters)))
    start = bisect_right(ends, found[0])
    return start, bisect_left(ends, found[1]) + 1 - start


def _place_of(key: str, folded: str, source: Source) -> tuple[int, int] | None:
    """Start and end of the key in a folded text."""
    if source not in (Source.PINYIN, Source.INITIALS):
        at = folded.find(key)
        return None if at < 0 else (at, at + len(key))
    ends = list(accumulate(map(len, reading_units(folded)), initial=0))
    for syllables in pinyin_of(folded):
        heard = syllables if source is Source.PINYIN else [syllable[0] for syllable in syllables]
        for first in range(len(heard)):
            if "".join(heard[first:]).startswith(key):
                last = bisect_left(list(accumulate(map(len, heard[first:]))), len(key))
                return ends[first], ends[first + last + 1]
    return None


def excerpt_of(intro: str, key: str) -> MatchedText | None:
    """The part of an introduction around its folded part `key`, within one line."""
    span = span_of(intro, key, Source.INTRO)
    if span is None:
        return None
    start, end = span[0], sum(span)
    first = max(intro.rfind(_END, 0, start) + 1, start - _EXCERPT_MARGIN)
    shown = intro[first : end + _EXCERPT_MARGIN]
    last = shown.find(_END, end - first)
    return MatchedText(shown if last < 0 else shown[:last], TagMatchedField.INTRO, start - first, end - start)
