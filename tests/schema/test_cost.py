"""The worst-case cost of an operation."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import build_schema, parse

from schema import sdl
from schema.http import CostCalculator, operation_of

SCHEMA = build_schema(sdl())


def cost(query: str, *, strict: bool = False, **variables: Any) -> int:
    """Upstream calls of an operation in the worst case."""
    document = parse(query)
    operation = operation_of(document, None)
    assert operation is not None
    return CostCalculator(SCHEMA, list_details=strict)(document, operation, variables).upstream_calls


@pytest.mark.parametrize(
    ("query", "calls"),
    [
        ("{ ehtag { version } }", 0),
        ('{ album(id: "1") { id tags { name } } }', 1),
        ('{ album(id: "1") { comments { total } } }', 2),
        ('{ albums(ids: ["1", "2", "3"]) { id pageCount } }', 3),
        ("{ ranking { entries { album { id title url cover { url } } } } }", 1),
        ("{ ranking { entries { album { tags { name } authors { name } } } } }", 81),
        ("{ ranking { ...R } } fragment R on Ranking { entries { album { tags { name } } } }", 81),
        ("{ ranking { entries { album { comments { total } } } } }", 81),
        ('{ search(query: "a") { total } }', 1),
        ('{ search(query: "a", exclude: ["b"]) { total } }', 81),
        ('{ search(query: "a", exclude: ["b"]) { items { tags { name } } } }', 81),
        ('{ search(query: "a", exclude: []) { items { tags { name } } } }', 81),
        ('{ album(id: "1") { chapters { id title } } }', 1),
        ('{ album(id: "1") { chapters { pages { url } } } }', 11),
        ('{ chapter(id: "1") { title pages { url } } }', 2),
        ("{ downloads(first: 5) { nodes { album { title } } } }", 5),
        ('mutation { startDownloads(inputs: [{albumId: "1"}, {albumId: "2"}]) { __typename } }', 2),
        ('{ translateTags(names: ["a", "b"]) { albums { total } } }', 2),
        ("{ tags(first: 3) { nodes { albums { total } } } }", 3),
    ],
)
def test_upstream_calls_are_counted_for_the_worst_case(query: str, calls: int) -> None:
    assert cost(query) == calls


def test_variables_and_their_defaults_count() -> None:
    query = 'query ($ids: [String!]! = ["1", "2"]) { albums(ids: $ids) { id } }'

    assert (cost(query), cost(query, ids=["1"] * 7)) == (2, 7)


@pytest.mark.parametrize(("wanted", "calls"), [(True, 81), (False, 1)])
def test_skipped_fields_cost_nothing(wanted: bool, calls: int) -> None:
    include = "query ($w: Boolean!) { ranking { total entries @include(if: $w) { album { pageCount } } } }"
    skip = "query ($w: Boolean!) { ranking { total ...E @skip(if: $w) } } fragment E on Ranking { "
    skip += "entries { album { pageCount } } }"

    assert cost(include, w=wanted) == calls
    assert cost(skip, w=not wanted) == calls


def test_strict_policy_counts_a_call_for_every_listed_album() -> None:
    assert cost("{ ranking { total } }", strict=True) == 81
    assert cost("{ ranking { entries { album { tags { name } } } } }", strict=True) == 81
