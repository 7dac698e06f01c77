"""Small helpers to declare fields."""

from __future__ import annotations

from typing import Any

import strawberry

from resolvers.context import Context
from schema.directives import SemanticNonNull

Info = strawberry.Info[Context, None]


def semantic(description: str, name: str | None = None) -> Any:
    """Decorate a resolver method whose value is null only when an error stands at its path."""
    return strawberry.field(description=description, name=name, directives=[SemanticNonNull()])


def of_record(description: str, attribute: str) -> Any:
    """A field that shows its record's attribute as it is."""

    def resolve(root: Any) -> Any:
        return getattr(root.record, attribute)

    return strawberry.field(resolver=resolve, description=description)
