"""Small helpers to declare fields."""

from __future__ import annotations

from typing import Any, TypeVar

import strawberry

from resolvers.context import Context
from schema.directives import SemanticNonNull

Info = strawberry.Info[Context, None]
T = TypeVar("T")


def semantic(description: str, name: str | None = None) -> Any:
    """Decorate a resolver method whose value is null only when an error stands at its path."""
    return strawberry.field(description=description, name=name, directives=[SemanticNonNull()])


def given(value: T | None) -> T | None:
    """An argument's value; None where it was left out. (A default of UNSET keeps `= null` out of the schema.)"""
    return None if value is strawberry.UNSET else value
