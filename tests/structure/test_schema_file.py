"""The schema in the repository is the schema in the code, and describes everything in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphql import GraphQLEnumType, GraphQLSchema, build_schema

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
