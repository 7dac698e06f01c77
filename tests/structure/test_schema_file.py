"""The schema in the repository is the schema in the code, and describes everything in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphql import GraphQLEnumType, GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema, build_schema

from schema import sdl

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def built() -> GraphQLSchema:
    """The schema, read from its SDL."""
    return build_schema(sdl())


def test_the_file_at_the_root_is_what_the_code_says() -> None:
    assert (ROOT / "schema.graphql").read_text("utf-8") == sdl(), "run `make schema`"


def test_every_type_field_and_value_is_described(built: GraphQLSchema) -> None:
    undescribed = []
    for name, kind in built.type_map.items():
        if name.startswith("__") or name in {"String", "Int", "Float", "Boolean", "ID"}:
            continue
        if not kind.description:
            undescribed.append(name)
        members = kind.values if isinstance(kind, GraphQLEnumType) else getattr(kind, "fields", {})
        undescribed += [f"{name}.{member}" for member, value in members.items() if not value.description]

    assert undescribed == []


def test_every_list_by_pages_says_the_same_of_its_page(built: GraphQLSchema) -> None:
    by_number = {name for name, kind in built.type_map.items() if _has(kind, "page", "total")}
    connections = {name for name in built.type_map if name.endswith("Connection")}

    assert by_number >= {"AlbumPage", "CommentPage", "Ranking"}
    assert [name for name in by_number if not _has(built.type_map[name], "pageCount", "hasNextPage")] == []
    assert connections >= {"DownloadConnection", "TagConnection"}
    assert [
        name for name in connections if not _has(built.type_map[name], "edges", "nodes", "pageInfo", "totalCount")
    ] == []


def test_every_error_says_when_to_try_again(built: GraphQLSchema) -> None:
    kind = built.type_map["Error"]

    assert isinstance(kind, GraphQLInterfaceType)
    assert list(kind.fields) == ["code", "message", "retryable", "retryAfter"]


def test_an_id_of_one_name_has_one_type(built: GraphQLSchema) -> None:
    """One document can select it from all members of a union."""
    types = {
        str(kind.fields["albumId"].type)
        for kind in built.type_map.values()
        if isinstance(kind, GraphQLObjectType) and "albumId" in kind.fields
    }

    assert types == {"ID!"}


def _has(kind: object, *fields: str) -> bool:
    return isinstance(kind, GraphQLObjectType) and kind.fields.keys() >= set(fields)
