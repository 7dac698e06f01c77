"""The content policy: which tags a host withholds, and what carries them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

from services.catalog.album_tags import AlbumTags
from services.catalog.tag_index import TagIndex
from services.ehtag import TagKind, parse_namespace

BUILT_IN_IDS = (
    "female:lolicon",
    "male:shotacon",
    "female:toddlercon",
    "male:toddlercon",
    "female:low lolicon",
    "male:low shotacon",
    "female:oppai loli",
    "female:kodomo doushi",
    "male:kodomo doushi",
)
BUILT_IN_SPELLINGS = ("蘿莉", "萝莉", "正太", "幼女")
"""Always withheld, whatever the host sets; a host can only add."""

_SHORTEST_IN_TITLES = 2
"""Characters: a single one stands in too many titles by chance."""
_KEPT = 50_000
"""Names judged once and remembered; the site's vocabulary is a tenth of that."""


@dataclass(frozen=True, slots=True)
class _Rules:
    """The blocked list, worked out for one state of the lexicon."""

    version: Hashable
    spellings: frozenset[str]
    """Folded."""
    exclusions: tuple[str, ...]
    in_titles: re.Pattern[str] | None
    """In a folded title: what is not written with Latin letters."""
    words_in_titles: re.Pattern[str] | None
    """In a title as it stands: whole words only."""


class ContentPolicy:
    """Judges names, labels and titles; the built-in list and what the host adds, ids or spellings of the site."""

    def __init__(self, lexicon: TagIndex, blocked: Iterable[str] = (), *, is_strict: bool = False) -> None:
        self.is_strict = is_strict
        self._lexicon = lexicon
        ids, spellings = _parted(blocked)
        self._ids = frozenset((*BUILT_IN_IDS, *ids))
        self._spellings = (*BUILT_IN_SPELLINGS, *spellings)
        self._judged: dict[tuple[TagKind, str], bool] = {}
        self._rules = self._work_out()

    @property
    def version(self) -> Hashable:
        """Another one when a verdict may be another than before."""
        return self._lexicon.version

    @property
    def exclusions(self) -> tuple[str, ...]:
        """Spellings to exclude in searches upstream; those with blanks can't be, since the site parts words there."""
        return self._current().exclusions

    def verdict(self, tags: Iterable[str]) -> tuple[str, ...]:
        """Those of an album's genre tags that are withheld, as the site spells them; empty for an album to show."""
        return self.verdict_of(AlbumTags(tags=tuple(tags)))

    def verdict_of(self, labels: AlbumTags) -> tuple[str, ...]:
        """Those of all labels of an album that are withheld: works, characters and authors have ids as well."""
        self._current()
        return tuple(name for kind, name in labels if self._is_blocked(kind, name))

    def blocked_titles(self, titles: Sequence[str]) -> list[bool]:
        """For each title whether it names what is withheld."""
        rules = self._current()
        folded = self._lexicon.fold(titles)
        return [
            _finds(rules.in_titles, fold) or _finds(rules.words_in_titles, _plain(title))
            for title, fold in zip(titles, folded, strict=True)
        ]

    def asks_for_blocked(self, text: str) -> bool:
        """True for a search text that names what is withheld: all it can find is withheld, too."""
        words = [word.lstrip("+") for word in text.split() if not word.startswith("-")]
        wanted = " ".join(words)
        return self.blocked_titles([wanted])[0] or any(
            self._is_blocked(TagKind.GENRE, name) for name in (*words, wanted)
        )

    def _current(self) -> _Rules:
        if self._rules.version != self._lexicon.version:
            self._judged.clear()
            self._rules = self._work_out()
        return self._rules

    def _is_blocked(self, kind: TagKind, name: str) -> bool:
        judged = self._judged.get((kind, name))
        if judged is None:
            if len(self._judged) >= _KEPT:
                self._judged.clear()
            judged = self._judged[kind, name] = self._judge(kind, name)
        return judged

    def _judge(self, kind: TagKind, name: str) -> bool:
        if not name:
            return False
        if self._lexicon.fold([name])[0] in self._rules.spellings or _id_of(name) in self._ids:
            return True
        return not self._ids.isdisjoint(self._lexicon.ids_of(name, kind))

    def _work_out(self) -> _Rules:
        known = [spelling for id in sorted(self._ids) for spelling in self._lexicon.spellings_of(id)]
        spellings = tuple(dict.fromkeys((*self._spellings, *known)))
        folded = frozenset(filter(None, self._lexicon.fold(spellings)))
        raws = [id.partition(":")[2] for id in BUILT_IN_IDS]
        return _Rules(
            version=self._lexicon.version,
            spellings=folded,
            exclusions=tuple(spelling for spelling in spellings if not re.search(r"\s", spelling)),
            in_titles=_any_of(name for name in folded if not name.isascii()),
            words_in_titles=_any_of(_plain(name) for name in (*spellings, *raws) if name.isascii()),
        )


def _parted(blocked: Iterable[str]) -> tuple[list[str], list[str]]:
    """Ids and spellings."""
    ids: list[str] = []
    spellings: list[str] = []
    for name in filter(None, (name.strip() for name in blocked)):
        id = _id_of(name)
        (spellings if id is None else ids).append(id or name)
    return ids, spellings


def _id_of(name: str) -> str | None:
    """'Female:Full Color' and 'f:full color' are 'female:full color'; None for what is no id."""
    prefix, colon, raw = name.partition(":")
    namespace = parse_namespace(prefix) if colon else None
    return f"{namespace.value}:{' '.join(raw.lower().split())}" if namespace and raw.strip() else None


def _any_of(names: Iterable[str]) -> re.Pattern[str] | None:
    long_enough = sorted({name for name in names if len(name) >= _SHORTEST_IN_TITLES})
    return re.compile("|".join(map(_as_written, long_enough))) if long_enough else None


def _as_written(name: str) -> str:
    """Latin words stand for themselves, katakana at least begins a word; other scripts have no blanks to go by."""
    if name.isascii():
        return rf"(?<![a-z0-9]){re.escape(name)}(?![a-z0-9])"
    return rf"(?<![ァ-ヺー]){re.escape(name)}" if "ァ" <= name[0] <= "ヺ" else re.escape(name)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _finds(pattern: re.Pattern[str] | None, text: str) -> bool:
    return pattern is not None and pattern.search(text) is not None
