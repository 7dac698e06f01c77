"""Errors as clients see them: every one with a code, none with a trace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import structlog
from graphql import GraphQLError, GraphQLSyntaxError
from strawberry.exceptions import MissingQueryError
from strawberry.extensions import SchemaExtension
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.execution import StreamExecutionResult

from services.errors import Internal, JmgraphError

log = structlog.get_logger("jmgraph.graphql")

PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
TOO_COSTLY = "OPERATION_TOO_COSTLY"
PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
BAD_REQUEST = "BAD_REQUEST"


class RequestError(Exception):
    """A request that is answered before it runs: HTTP status, code and one sentence."""

    def __init__(self, status: int, code: str, message: str, **extensions: Any) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.extensions: dict[str, Any] = {"code": code, "retryable": False, **extensions}


def too_costly(measure: str, cost: int, limit: int) -> GraphQLError:
    """The refusal of an operation that is over a limit; `measure` is depth, aliases, tokens, comparisons of
    fields or upstream calls.
    """
    return GraphQLError(
        f"This operation is too costly: {measure} {cost}, at most {limit}.",
        extensions={"code": TOO_COSTLY, "retryable": False, "measure": measure, "cost": cost, "limit": limit},
    )


def unreadable_value(error: GraphQLError) -> GraphQLError:
    """What validation says of a literal that failed to be read (a number of five thousand digits)."""
    if isinstance(error.original_error, GraphQLError):
        return error
    return GraphQLError(
        "This value can't be read.",
        nodes=error.nodes,
        extensions={"code": VALIDATION_FAILED, "retryable": False},
    )


NO_SUCH_OPERATION = "The document has no such operation, or several: name one."


def no_such_operation() -> GraphQLError:
    """The refusal of a document from which the operation can't be told."""
    return GraphQLError(NO_SUCH_OPERATION, extensions={"code": BAD_REQUEST, "retryable": False})


class CodedErrors(SchemaExtension):
    """Gives every error its code, and hides what the outside must not see."""

    _streamed = False

    def on_operation(self) -> Iterator[None]:
        """Code what the operation ended with; streams are coded result by result."""
        self._streamed = False
        yield
        if not self._streamed:
            _code_all(self.execution_context.result)

    def on_stream_result(self, result: StreamExecutionResult) -> Iterator[None]:
        """Code one result of a stream before it leaves."""
        self._streamed = True
        _code_all(result)
        yield


def _code_all(result: Any) -> None:
    if getattr(result, "errors", None):
        result.errors = [coded(error) for error in result.errors]


def coded(error: GraphQLError) -> GraphQLError:
    """The error with its code: ours as drawn, GraphQL's own by its kind, anything else INTERNAL."""
    if error.extensions and "code" in error.extensions:
        return error
    message, extensions = _told(error)
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions=dict(extensions),
    )


def _told(error: GraphQLError) -> tuple[str, Mapping[str, Any]]:
    cause = error.original_error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    if isinstance(cause, JmgraphError):
        return cause.message, cause.extensions
    if isinstance(error, GraphQLSyntaxError):
        return error.message, {"code": PARSE_FAILED, "retryable": False}
    if isinstance(cause, (MissingQueryError, CannotGetOperationTypeError, InvalidOperationTypeError)):
        return error.message, {"code": BAD_REQUEST, "retryable": False}
    if cause is None or _is_askers(error, cause):
        return error.message, {"code": VALIDATION_FAILED, "retryable": False}
    log.error("a resolver failed", path=error.path, exc_info=cause)
    hidden = Internal()
    return hidden.message, hidden.extensions


def _is_askers(error: GraphQLError, cause: BaseException) -> bool:
    """Whether GraphQL itself found fault with what was asked: it points into the document then."""
    return isinstance(cause, GraphQLError) and (error.path is None or bool(cause.nodes))
