"""Counts operations by type and outcome, whichever way they came."""

from __future__ import annotations

from collections.abc import Iterator

from strawberry.extensions import SchemaExtension
from strawberry.types.execution import ExecutionContext

from services import metrics


def note_cached() -> None:
    """Count a query that was answered from a kept answer."""
    metrics.OPERATIONS.labels("query", "cached").inc()


class OperationFigures(SchemaExtension):
    """Notes each operation once it has ended; a subscription, once it ends."""

    def on_operation(self) -> Iterator[None]:
        """Around the whole operation."""
        yield
        metrics.OPERATIONS.labels(_type(self.execution_context), _outcome(self.execution_context)).inc()


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
