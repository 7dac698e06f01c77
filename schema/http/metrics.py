"""Figures of operations, whichever way they came: what one did, and how many there were."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from strawberry.extensions import SchemaExtension
from strawberry.types.execution import ExecutionContext, StreamExecutionResult

from services.observability import Usage, join_usage, metrics


def figures(usage: Usage, began_at: float, budget: int, *, stale: bool, age_s: float) -> dict[str, Any]:
    """What `extensions.jmgraph` says of one answer; `began_at` is of `time.perf_counter`."""
    return {
        "upstreamCalls": usage.upstream_calls,
        "cacheHits": usage.cache_hits,
        "milliseconds": round((time.perf_counter() - began_at) * 1000, 2),
        "budgetLeft": max(0, budget - usage.upstream_calls),
        "stale": stale,
        "ageSeconds": int(age_s),
    }


def note_cached() -> None:
    """Count a query that was answered from a kept answer."""
    metrics.OPERATIONS.labels("query", "cached").inc()


class OperationFigures(SchemaExtension):
    """Notes each operation once it has ended; a subscription, once it ends. Answers over a socket or as an event
    are told what they cost here; those over plain HTTP, where they are put together.
    """

    def __init__(self, budget: int) -> None:
        self._budget = budget

    def on_operation(self) -> Iterator[None]:
        """Around the whole operation."""
        self._began_at = time.perf_counter()
        self._usage = join_usage()
        yield
        metrics.OPERATIONS.labels(_type(self.execution_context), _outcome(self.execution_context)).inc()

    def on_stream_result(self, result: StreamExecutionResult) -> Iterator[None]:
        """Before an answer leaves; what a subscription tells is no answer to one question."""
        if _type(self.execution_context) != "subscription":
            usage = self._usage
            told = figures(usage, self._began_at, self._budget, stale=usage.stale, age_s=usage.age_s)
            result.extensions = {**(result.extensions or {}), "jmgraph": told}
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
