"""What the tests with mutated answers share: cases by number, what was sent, and what is true of every outcome."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Iterator
from random import Random
from typing import Any, TypeVar

import msgspec

from demo.library import library
from services.errors import UpstreamFailure
from services.upstream import AlbumSummary
from tests.upstream.mutated_site import MutatedSite
from tests.upstream.mutations import DECOY_ID, as_json, mutated_bytes, mutated_data

T = TypeVar("T")

ALBUM, SINGLE = "333908", "350234"
"""A series of three chapters, and a single album."""

CHAPTER = "333909"
"""The second chapter of the series."""

TITLES = {str(comic.id): comic.title for comic in library().comics} | {DECOY_ID: "誘餌"}
IDS_BY_TITLE = {title: id for id, title in TITLES.items()}


def randoms(count: int) -> Iterator[Random]:
    """A source of chance for each of so many cases; a case is repeated by its number, which pytest's -l shows."""
    yield from map(Random, range(count))


def mutate_api(site: MutatedSite, path: str, random: Random, keep: str = r"$^") -> list[Any]:
    """Mutate the answers at this path; gives the list that the mutated data is put into."""
    sent: list[Any] = []
    is_damaged = random.random() < 0.1

    def mutate(data: Any) -> bytes:
        if is_damaged:
            return mutated_bytes(as_json(data), random)
        sent[:] = [mutated_data(data, random, keep)]
        return as_json(sent[0])

    site.data = {path: mutate}
    return sent


def entries_in(sent: list[Any], name: str) -> list[Any] | None:
    """The entries of a list of the data that was sent; None where nothing could be read, or there is no list."""
    value = sent[0].get(name) if sent and isinstance(sent[0], dict) else None
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else None


def ids_in(sent: list[Any], name: str) -> set[str]:
    """The numbers of what a list of the data names."""
    return {str(row["id"]).strip() for row in entries_in(sent, name) or () if isinstance(row, dict) and row.get("id")}


async def outcome(call: Awaitable[T], kind: type[T]) -> T | UpstreamFailure | None:
    """What the call gives; a record is one that a cache can hold."""
    try:
        record = await call
    except UpstreamFailure as failure:
        return failure
    if record is not None:
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(record), type=kind) == record
    return record


def is_of_this_title(id: str, title: str) -> bool:
    """False where the title is another album's."""
    return IDS_BY_TITLE.get(title, id) == id


def check_items(items: tuple[AlbumSummary, ...]) -> None:
    assert all(is_of_this_title(item.id, item.title) for item in items)


def check_counts(outcomes: Counter[str]) -> None:
    """Mutations that all are refused, or all are read, show nothing."""
    total = outcomes.total()
    assert outcomes["read"] > total / 10, outcomes
    assert outcomes["failed"] > total / 20, outcomes


def kind_of(result: object) -> str:
    return "failed" if isinstance(result, UpstreamFailure) else "absent" if result is None else "read"
