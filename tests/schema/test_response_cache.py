"""Whole responses in the cache."""

from __future__ import annotations

from schema.http import GraphQLResponse, ResponseCache


def test_max_age_counts_from_the_oldest_part() -> None:
    response = GraphQLResponse(b'{"data":{}', age_s=400, fresh_for_s=200.5, is_stale=False)

    assert response.max_age_s == 600  # HTTP caches subtract `Age: 400`


def test_a_stale_response_has_no_max_age() -> None:
    assert GraphQLResponse(b'{"data":{}', age_s=5000, fresh_for_s=0, is_stale=True).max_age_s == 0


def test_a_long_query_counts_with_its_length() -> None:
    cache = ResponseCache(max_bytes=20_000)
    response = GraphQLResponse(b'{"data":{}', age_s=0, fresh_for_s=60, is_stale=False)

    cache.set(("a" * 12_000, b""), response)
    cache.set(("b" * 12_000, b""), response)

    assert cache.get(("a" * 12_000, b"")) is None
    assert cache.get(("b" * 12_000, b"")) is response
