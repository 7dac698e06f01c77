"""The schema, put together."""

from __future__ import annotations

from collections.abc import Iterator

import strawberry
from graphql import GraphQLError
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.types.execution import ExecutionContext
from strawberry.types.graphql import OperationType

from schema.fields import SCALARS
from schema.http.documents import Documents, Limits, PreparedDocuments
from schema.http.errors import CodedErrors
from schema.http.metrics import OperationFigures
from schema.mutation import Mutation
from schema.query import Query
from schema.subscription import Subscription


class ChangeGuard(SchemaExtension):
    """Asks, before a mutation runs, whether its caller may change state."""

    def on_execute(self) -> Iterator[None]:
        """Refuse a mutation of a foreign page or without the host's key."""
        if self.execution_context.operation_type is OperationType.MUTATION:
            self.execution_context.context.require_write_access()
        yield


class QuietSchema(strawberry.Schema):
    """Logs nothing by itself: `CodedErrors` logs what is a fault of ours, without what a user sent."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Nothing: errors are told to the caller and logged where they are coded."""


def build_schema(documents: Documents) -> strawberry.Schema:
    """The whole schema; operations are prepared and weighed by `documents`."""
    schema = QuietSchema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        config=StrawberryConfig(scalar_map=SCALARS),
        extensions=[
            lambda: OperationFigures(documents.limits.budget),
            CodedErrors,
            lambda: PreparedDocuments(documents),
            ChangeGuard,
        ],
    )
    documents.bind(schema._schema)
    return schema


def sdl() -> str:
    """The schema in GraphQL's own language, as `schema.graphql` at the root has it."""
    return build_schema(Documents(Limits(120, 15, 30, 4000))).as_str() + "\n"
