"""Directives of the schema."""

from __future__ import annotations

import strawberry
from strawberry.schema_directive import Location


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="semanticNonNull",
    description="The field is null only when an error stands at its path.",
)
class SemanticNonNull:
    """Marks a nullable field that is null only together with an error at its path."""

    levels: list[int] = strawberry.field(default=(0,), name="levels")  # a list can be no default
