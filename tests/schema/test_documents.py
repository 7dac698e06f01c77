"""Parsed documents, and those that cost too much to validate."""

from __future__ import annotations

import pytest

from schema import build_schema
from schema.http import Documents, OperationLimits


@pytest.fixture(scope="module")
def documents() -> Documents:
    documents = Documents(OperationLimits(upstream_calls=120, depth=15, aliases=30, tokens=4000))
    build_schema(documents)
    return documents


def test_a_document_is_parsed_once(documents: Documents) -> None:
    assert documents.prepare("{ __typename }") is documents.prepare("{ __typename }")


def test_large_documents_push_out_the_least_recently_used(documents: Documents) -> None:
    first = documents.prepare("{ __typename }")
    large = ["{ __typename } #" + str(number) * 100_000 for number in range(6)]

    prepared = [documents.prepare(text) for text in large]

    assert documents.prepare(large[-1]) is prepared[-1]
    assert documents.prepare("{ __typename }") is not first


def test_a_document_larger_than_the_cache_is_parsed_once_while_it_runs(documents: Documents) -> None:
    text = "{ __typename } #" + "x" * 900_000

    assert documents.prepare(text) is documents.prepare(text)


@pytest.mark.parametrize("fields", ["__typename " * 3900, "ehtag { version } " * 900])
def test_a_field_selected_thousands_of_times_is_too_costly(documents: Documents, fields: str) -> None:
    (error,) = documents.prepare(f"{{ {fields} }}").errors

    assert error.extensions == {
        "code": "OPERATION_TOO_COSTLY",
        "retryable": False,
        "measure": "comparisons of fields",
        "cost": 50_001,
        "limit": 50_000,
    }


def test_a_field_in_many_fragments_is_not_too_costly(documents: Documents) -> None:
    fragments = [f"fragment f{number} on Album {{ id title cover {{ url }} }}" for number in range(40)]
    spreads = " ".join(f"...f{number}" for number in range(40))

    assert documents.prepare(f'{{ album(id: "350234") {{ {spreads} }} }} {" ".join(fragments)}').errors == []


def test_fragments_below_fragments_count_as_depth(documents: Documents) -> None:
    fragments = [f"fragment f{n} on Album {{ related {{ ...f{n + 1} }} }}" for n in range(150)]
    text = f'{{ album(id: "350234") {{ ...f0 }} }} {" ".join(fragments)} fragment f150 on Album {{ id }}'

    (error,) = documents.prepare(text).errors

    assert error.extensions == {
        "code": "OPERATION_TOO_COSTLY",
        "retryable": False,
        "measure": "depth",
        "cost": 201,
        "limit": 15,
    }


def test_the_first_twenty_errors_of_a_document_are_reported(documents: Documents) -> None:
    errors = documents.prepare("{ " + " ".join(f"river{number}" for number in range(500)) + " }").errors

    assert len(errors) == 21
    assert errors[0].message == "Cannot query field 'river0' on type 'Query'."
    assert errors[-1].message == "Too many validation errors, error limit reached. Validation aborted."


def test_a_number_that_is_too_long_is_a_validation_error(documents: Documents) -> None:
    (error,) = documents.prepare(f"{{ ranking(page: {'9' * 5000}) {{ page }} }}").errors

    assert error.message == "This value can't be read."
    assert (error.extensions or {})["code"] == "GRAPHQL_VALIDATION_FAILED"
