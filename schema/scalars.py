"""Scalars of the API that GraphQL does not have by itself."""

from __future__ import annotations

from typing import NewType

import strawberry
from strawberry.types.scalar import ScalarDefinition

BigInt = NewType("BigInt", int)

SCALARS: dict[object, ScalarDefinition] = {
    BigInt: strawberry.scalar(
        name="BigInt",
        description="Integers past 2^31, as JSON numbers.",
        serialize=int,
        parse_value=int,
    ),
}
