"""Invalid input: a code, the field, and no call to the site."""

from __future__ import annotations

from typing import Any

import pytest

from tests.graphql_client import GraphQLClient

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ('{ album(id: "") { id } }', "id"),
        ('{ album(id: "no number") { id } }', "id"),
        ('{ album(id: "../../etc/passwd") { id } }', "id"),
        ('{ album(id: "-5") { id } }', "id"),
        ('{ albums(ids: ["350234", "x"]) { id } }', "ids"),
        ('{ search(query: "a", page: 0) { total } }', "page"),
        ("{ ranking(page: -1) { total } }", "page"),
        ("{ tags(first: 0) { totalCount } }", "first"),
        ("{ tags(first: 101) { totalCount } }", "first"),
        ('{ tags(after: "nonsense") { totalCount } }', "after"),
        ("{ downloads(first: 0) { totalCount } }", "first"),
        ('{ downloads(after: "nonsense") { totalCount } }', "after"),
    ],
)
async def test_an_invalid_argument_is_named(server: GraphQLClient, query: str, field: str) -> None:
    error = await server.error(query)

    assert (error["code"], error["retryable"], error["field"]) == ("INVALID_INPUT", False, field)


async def test_null_is_the_same_as_leaving_an_argument_out(server: GraphQLClient) -> None:
    left_out = await server.ask("{ tags { totalCount } downloads { totalCount } }")
    null = await server.ask(
        """{ tags(filter: null, after: null) { totalCount } downloads(states: null, after: null) { totalCount } }"""
    )
    null_fields = await server.ask("{ tags(filter: {namespaces: null, query: null}) { totalCount } }")

    assert null == left_out
    assert null_fields["tags"] == left_out["tags"]


async def test_a_hundred_and_one_albums_are_refused(server: GraphQLClient) -> None:
    error = await server.error(
        "query ($ids: [String!]!) { albums(ids: $ids) { id } }", ids=[str(300000 + i) for i in range(101)]
    )

    assert (error["code"], error["field"]) == ("INVALID_INPUT", "ids")


async def test_five_hundred_and_one_names_are_refused(server: GraphQLClient) -> None:
    error = await server.error("query ($n: [String!]!) { translateTags(names: $n) { name } }", n=["山"] * 501)

    assert (error["code"], error["field"]) == ("INVALID_INPUT", "names")


async def test_a_text_too_long_to_search_for_is_not_written_in_other_scripts(server: GraphQLClient) -> None:
    error = await server.error("query ($t: String!) { otherSpellings(text: $t) }", t="山" * 201)

    assert (error["code"], error["field"]) == ("INVALID_INPUT", "text")


@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        ("{", {}, "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("query ($id: String!) { album(id: $id) { id } }", {}, "GRAPHQL_VALIDATION_FAILED"),
        ("query ($id: String!) { album(id: $id) { id } }", {"id": {"a": 1}}, "GRAPHQL_VALIDATION_FAILED"),
        ("{ ranking(period: YEAR) { total } }", {}, "GRAPHQL_VALIDATION_FAILED"),
    ],
)
async def test_graphql_errors_have_codes(
    server: GraphQLClient, query: str, variables: dict[str, Any], code: str
) -> None:
    assert (await server.error(query, **variables))["code"] == code


@pytest.mark.parametrize(
    ("query", "measure"),
    [
        ("{" + ' album(id: "1") { related {' + " related {" * 14 + " id " + "}" * 14 + "} } }", "depth"),
        ("{" + " ".join(f"a{i}: ehtag {{ version }}" for i in range(31)) + "}", "aliases"),
        ("{ ranking { entries { album { related { tags { name } } } } } }", "upstream calls"),
        ("{ ehtag { version } " + " ehtag { version }" * 1400 + "}", "tokens"),
    ],
)
async def test_a_costly_operation_is_refused_before_the_first_call(
    server: GraphQLClient, query: str, measure: str
) -> None:
    error = await server.error(query)

    assert (error["code"], error["measure"], error["retryable"]) == ("OPERATION_TOO_COSTLY", measure, False)
    assert error["cost"] > error["limit"]


async def test_fragments_in_fragments_are_counted_once(server: GraphQLClient) -> None:
    fragments = [f"fragment F{i} on Query {{ ...F{i + 1} ...F{i + 1} }}" for i in range(60)]
    query = "query { ...F0 } " + " ".join(fragments) + " fragment F60 on Query { ranking { total } }"

    assert (await server.error(query))["code"] in ("OPERATION_TOO_COSTLY", "GRAPHQL_VALIDATION_FAILED")


async def test_deep_nesting_is_refused_as_too_costly(server: GraphQLClient) -> None:
    error = await server.error("{a" * 1900)

    assert (error["code"], error["measure"], error["cost"]) == ("OPERATION_TOO_COSTLY", "depth", 1900)
