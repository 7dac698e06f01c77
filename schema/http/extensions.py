"""Strawberry extensions around every operation, over HTTP, SSE and WebSocket: metrics, error codes, prepared
documents with their limits and rights.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from graphql import DocumentNode, GraphQLError, NameNode, OperationDefinitionNode, OperationType, SelectionSetNode
from strawberry.extensions import SchemaExtension
from strawberry.types.execution import ExecutionContext, StreamExecutionResult

from resolvers.context import Context
from schema.http.documents import Documents, PreparedDocument
from schema.http.errors import with_code
from services.errors import JmgraphError
from services.observability import RequestStats, join_stats, metrics


def stats_extension(
    stats: RequestStats, started_at: float, budget: int, *, stale: bool, age_s: float
) -> dict[str, Any]:
    """`extensions.jmgraph` of a response; `started_at` is of `time.perf_counter`."""
    return {
        "upstreamCalls": stats.upstream_calls,
        "cacheHits": stats.cache_hits,
        "milliseconds": round((time.perf_counter() - started_at) * 1000, 2),
        "budgetLeft": max(0, budget - stats.upstream_calls),
        "stale": stale,
        "ageSeconds": int(age_s),
    }


class OperationMetrics(SchemaExtension):
    """Counts each operation when it has ended, and adds `extensions.jmgraph` to results that are streamed.

    A response of plain HTTP gets its own in `schema.http.response`, since its body may come from the cache.
    """

    def __init__(self, budget: int) -> None:
        self._budget = budget

    def on_operation(self) -> Iterator[None]:
        """Measure the whole operation; a subscription until it ends."""
        self._started_at = time.perf_counter()
        self._stats = join_stats()
        yield
        metrics.OPERATIONS.labels(_type(self.execution_context), _outcome(self.execution_context)).inc()

    def on_execute(self) -> Iterator[None]:
        """Let it call the site as often as its budget allows; a subscription may last for days, and has no limit."""
        if _type(self.execution_context) != "subscription":
            self._stats.call_limit = self._budget
        yield

    def on_stream_result(self, result: StreamExecutionResult) -> Iterator[None]:
        """Add the statistics of a query or mutation; events of a subscription have none."""
        if _type(self.execution_context) != "subscription":
            stats = self._stats
            own = stats_extension(stats, self._started_at, self._budget, stale=stats.stale, age_s=stats.age_s)
            result.extensions = {**(result.extensions or {}), "jmgraph": own}
        yield


def _type(context: ExecutionContext) -> str:
    if context.graphql_document is None:
        return "unknown"
    try:
        return context.operation_type.value.lower()
    except RuntimeError:  # several operations, and none or a wrong one named
        return "unknown"


def _outcome(context: ExecutionContext) -> str:
    if context.pre_execution_errors or context.graphql_document is None:
        return "refused"
    return "errors" if getattr(context.result, "errors", None) else "ok"


class ErrorCodes(SchemaExtension):
    """Gives every error a code, and hides internal ones."""

    _is_streamed = False

    def on_operation(self) -> Iterator[None]:
        """Process the errors of the result; those of a stream are processed result by result."""
        self._is_streamed = False
        yield
        if not self._is_streamed:
            _add_codes(self.execution_context.result)

    def on_stream_result(self, result: StreamExecutionResult) -> Iterator[None]:
        """Process the errors of one result before it is sent."""
        self._is_streamed = True
        _add_codes(result)
        yield


def _add_codes(result: Any) -> None:
    if getattr(result, "errors", None):
        result.errors = [with_code(error) for error in result.errors]


class PreparedDocuments(SchemaExtension):
    """Makes Strawberry run documents of `Documents` instead of parsing and validating each again."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents

    def on_parse(self) -> Iterator[None]:
        """Set the parsed document; Strawberry itself refuses an empty query."""
        context = self.execution_context
        if context.query:
            prepared = self._documents.prepare(context.query)
            name = context._provided_operation_name  # private API of Strawberry
            context.graphql_document = prepared.document or _placeholder(name)
        yield

    def on_validate(self) -> Iterator[None]:
        """Set the errors of validation, else of the caller's rights or of the operation's cost."""
        context = self.execution_context
        prepared = self._documents.prepare(context.query or "")
        name = context._provided_operation_name  # private API of Strawberry
        errors = self._refusals(prepared, name) or list(prepared.errors)
        if not errors:
            error = self._documents.operation_error(prepared, name, context.variables)
            errors = [error] if error else []
        context.pre_execution_errors = errors
        yield

    def _refusals(self, prepared: PreparedDocument, operation_name: str | None) -> list[GraphQLError]:
        """The error of a caller who may not run this, also where it is invalid: its errors describe the schema."""
        rights = self._documents.rights_of(prepared, operation_name)
        caller: Context = self.execution_context.context
        try:
            caller.check_rights(rights, is_mutation=prepared.is_mutation(operation_name))
        except JmgraphError as error:
            return [GraphQLError(error.message, extensions=error.extensions)]
        return []


def _placeholder(operation_name: str | None) -> DocumentNode:
    """A document in place of a text that can't be parsed. It never runs, since validation reports the syntax error.

    An exception in `on_parse` would end a stream without a result.
    """
    name = NameNode(value=operation_name) if operation_name else None
    nothing = SelectionSetNode(selections=())
    operation = OperationDefinitionNode(operation=OperationType.QUERY, name=name, selection_set=nothing)
    return DocumentNode(definitions=(operation,))
