"""Errors as clients see them: every one with a code, none with a traceback."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from graphql import GraphQLError, GraphQLSyntaxError
from strawberry.exceptions import MissingQueryError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError

from services.errors import ErrorCode, Internal, JmgraphError
from services.http_semantics import retry_headers

log = structlog.get_logger("jmgraph.graphql")

PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
TOO_COSTLY = "OPERATION_TOO_COSTLY"
PERSISTED_QUERY_NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
BAD_REQUEST = "BAD_REQUEST"

_STATUS_OF_CODE = {ErrorCode.UNAUTHENTICATED: 401, ErrorCode.FORBIDDEN: 403, ErrorCode.RATE_LIMITED: 429}

NO_SUCH_OPERATION = "The document has no such operation, or several: name one."


class RequestError(Exception):
    """A request that is refused before its operation runs: HTTP status, code, one sentence, and further headers."""

    def __init__(self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers or {}
        self.extensions: Mapping[str, Any] = {"code": code, "retryable": False}

    @classmethod
    def of(cls, error: JmgraphError) -> RequestError:
        """The refusal of a caller: 401, 403, 429, or 503 where it can't be told who that is."""
        status = _STATUS_OF_CODE.get(error.error_code, 503)
        refusal = cls(status, error.error_code, error.message)
        refusal.extensions = error.extensions
        refusal.headers = {"WWW-Authenticate": "Bearer"} if status == 401 else retry_headers(error)
        return refusal


def too_costly(measure: str, cost: int, limit: int) -> GraphQLError:
    """The error of an operation over a limit; `measure` is depth, aliases, tokens, comparisons of fields or upstream
    calls.
    """
    return GraphQLError(
        f"This operation is too costly: {measure} {cost}, at most {limit}.",
        extensions={"code": TOO_COSTLY, "retryable": False, "measure": measure, "cost": cost, "limit": limit},
    )


def no_such_operation() -> GraphQLError:
    """The error of a document with no operation of the requested name, or with several and none named."""
    return GraphQLError(NO_SUCH_OPERATION, extensions={"code": BAD_REQUEST, "retryable": False})


def unreadable_literal(error: GraphQLError) -> GraphQLError:
    """The error of a literal on which validation itself failed (a number of five thousand digits)."""
    if isinstance(error.original_error, GraphQLError):
        return error
    return GraphQLError(
        "This value can't be read.",
        nodes=error.nodes,
        extensions={"code": VALIDATION_FAILED, "retryable": False},
    )


def with_code(error: GraphQLError) -> GraphQLError:
    """The error with a code in its extensions: that of `services.errors`, GraphQL's own by kind, else INTERNAL."""
    if error.extensions and "code" in error.extensions:
        return error
    message, extensions = _message_and_extensions(error)
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions=dict(extensions),
    )


def _message_and_extensions(error: GraphQLError) -> tuple[str, Mapping[str, Any]]:
    cause = error.original_error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    if isinstance(cause, JmgraphError):
        return cause.message, cause.extensions
    if isinstance(error, GraphQLSyntaxError):
        return error.message, {"code": PARSE_FAILED, "retryable": False}
    if isinstance(cause, (MissingQueryError, CannotGetOperationTypeError, InvalidOperationTypeError)):
        return error.message, {"code": BAD_REQUEST, "retryable": False}
    if cause is None or _is_invalid_document(error, cause):
        return error.message, {"code": VALIDATION_FAILED, "retryable": False}
    log.error("a resolver failed", path=error.path, exc_info=cause)
    internal = Internal()
    return internal.message, internal.extensions


def _is_invalid_document(error: GraphQLError, cause: BaseException) -> bool:
    """Whether GraphQL rejected the document or its variables: the error then points into the document."""
    return isinstance(cause, GraphQLError) and (error.path is None or bool(cause.nodes))
