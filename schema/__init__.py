"""The GraphQL schema: its types, its root fields, and the whole. How it travels is in `schema.http`."""

from __future__ import annotations

from functools import cache, partial

import strawberry
from graphql import GraphQLError
from strawberry.schema.config import StrawberryConfig
from strawberry.types.execution import ExecutionContext

from schema.fields import SCALARS
from schema.http.documents import Documents, OperationLimits
from schema.http.extensions import ErrorCodes, OperationMetrics, PreparedDocuments
from schema.roots import Mutation, Query, Subscription

__all__ = ["build_schema", "limited_schema", "sdl"]


class _Schema(strawberry.Schema):
    """Does not log errors: `ErrorCodes` logs the internal ones, without what a user sent."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Log nothing."""


def build_schema(documents: Documents) -> strawberry.Schema:
    """The whole schema; its operations are parsed, validated and limited by `documents`."""
    schema = _Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        config=StrawberryConfig(scalar_map=SCALARS),
        extensions=[
            partial(OperationMetrics, documents.limits.upstream_calls),
            ErrorCodes,
            partial(PreparedDocuments, documents),
        ],
    )
    documents.bind(schema._schema)  # private API of Strawberry
    return schema


@cache
def limited_schema(limits: OperationLimits, *, list_details: bool) -> tuple[strawberry.Schema, Documents]:
    """The schema with the documents of these limits. It takes 0.1 s to build: applications share it."""
    documents = Documents(limits, list_details=list_details)
    return build_schema(documents), documents


def sdl() -> str:
    """The schema in GraphQL's schema language, as in the file `schema.graphql`."""
    limits = OperationLimits(upstream_calls=120, depth=15, aliases=30, tokens=4000)
    return build_schema(Documents(limits)).as_str() + "\n"
