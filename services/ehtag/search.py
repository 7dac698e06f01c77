"""Finds records by name: for the translator (`NameIndex`), and by a user's query (`TagSearch`)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, overload

from services.ehtag.folding import fold, fold_many, loose_key_of, variants_of
from services.ehtag.records import Namespace, TagKey, TagMatch
from services.ehtag.snapshot import NameList

if TYPE_CHECKING:
    from services.ehtag.snapshot import TagRecord, TagSnapshot


class TagSearch:
    """Finds the tags of one snapshot by comparing every raw tag and every folded name."""

    def __init__(self, snapshot: TagSnapshot) -> None:
        self._snapshot = snapshot
        self._name_lists = snapshot.name_lists

    def find(self, query: str | None = None, namespaces: Collection[Namespace] | None = None) -> Sequence[TagRecord]:
        """Records whose raw tag or name holds the query: equal ones, then those that begin with it, then the rest.

        Each of the three in release order, so that the same question gives the same list while the snapshot lasts;
        a record is only made when it is taken from the list. Width, case, script and decoration of the query don't
        matter. No query (or one of blanks): every record. No namespaces: all of them.
        """
        asked = [
            name_list
            for namespace, name_list in self._name_lists.items()
            if not namespaces or namespace in namespaces
        ]
        words = _query_forms(query or "")
        keys = _ranked(*words, asked) if words else list(chain.from_iterable(name_list.keys for name_list in asked))
        return _Records(self._snapshot, keys)


def _query_forms(query: str) -> tuple[str, str] | None:
    """The query as it would be in a raw tag and in a folded name; None when it is empty."""
    raw, name = " ".join(query.lower().split()), fold(query)
    return (raw or name, name or raw) if raw or name else None


def _ranked(raw: str, name: str, name_lists: Sequence[NameList]) -> list[TagKey]:
    equal: list[TagKey] = []
    prefixed: list[TagKey] = []
    rest: list[TagKey] = []
    for name_list in name_lists:
        for key, known in zip(name_list.keys, name_list.names, strict=True):
            tag = key[1]
            if raw not in tag and name not in known:
                continue
            if tag == raw or known == name:
                equal.append(key)
            elif tag.startswith(raw) or known.startswith(name):
                prefixed.append(key)
            else:
                rest.append(key)
    return equal + prefixed + rest


class _Records(Sequence["TagRecord"]):
    """Records by their keys; each is looked up when it is taken from the sequence."""

    def __init__(self, snapshot: TagSnapshot, keys: list[TagKey]) -> None:
        self._snapshot = snapshot
        self._keys = keys

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

    def _at(self, key: TagKey) -> TagRecord:
        record = self._snapshot.find(*key)
        if record is None:
            raise LookupError(f"a snapshot never loses a record: {key}")
        return record


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
