"""The HTTP half of `/graphql`, and the door to its sockets.

A plain ASGI application: a cached answer costs two dictionary look-ups and a splice, nothing of a framework.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from typing import Any

from graphql import OperationType
from starlette.datastructures import QueryParams
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send
from strawberry import Schema
from strawberry.schema.exceptions import CannotGetOperationTypeError

from resolvers.context import Context
from schema.http.cost import is_query
from schema.http.documents import Documents, Prepared
from schema.http.errors import (
    BAD_REQUEST,
    NO_SUCH_OPERATION,
    RequestError,
    coded,
)
from schema.http.metrics import note_cached
from schema.http.persisted import PersistedQueries
from schema.http.request import (
    LARGEST_BODY_BYTES,
    GraphQLRequest,
    check_media_type,
    request_from_body,
    request_from_parameters,
)
from schema.http.response_cache import Answer, Answers
from schema.http.responses import (
    Ask,
    answer_of,
    is_graphql_json,
    never_ran,
    refuse,
    send_answer,
    takes_gzip,
)
from schema.http.sse import send_events
from schema.http.websocket import Sockets
from services.errors import ErrorCode, JmgraphError
from services.observability import Usage, open_usage

_STATUS_OF_CODE = {ErrorCode.UNAUTHENTICATED: 401, ErrorCode.FORBIDDEN: 403}

ContextOf = Callable[[HTTPConnection], Context]


class GraphQLEndpoint:
    """`/graphql`: GET, POST, SSE and WebSocket."""

    def __init__(
        self,
        schema: Schema,
        documents: Documents,
        context_of: ContextOf,
        persisted: PersistedQueries,
        ide_page: Callable[[HTTPConnection], ASGIApp],
        stopping: asyncio.Event,
    ) -> None:
        self._schema = schema
        self._documents = documents
        self._context_of = context_of
        self._persisted = persisted
        self._ide_page = ide_page
        self._stopping = stopping
        self._answers = Answers()
        self._bodies: OrderedDict[bytes, GraphQLRequest] = OrderedDict()
        self._sockets = Sockets(schema, context_of)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request or one socket."""
        if scope["type"] == "websocket":
            await self._sockets(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        headers = connection.headers
        ask = Ask(
            method=scope["method"],
            accept=headers.get("accept", ""),
            takes_gzip=takes_gzip(headers.get("accept-encoding", "")),
            if_none_match=",".join(headers.getlist("if-none-match")),
            context=self._context_of(connection),
        )
        try:
            await self._answer(ask, connection, receive, send)
        except RequestError as error:
            await refuse(ask, error, send)

    async def _answer(self, ask: Ask, connection: HTTPConnection, receive: Receive, send: Send) -> None:
        if ask.method not in ("GET", "HEAD", "POST"):
            raise RequestError(405, BAD_REQUEST, "GraphQL takes GET and POST.", allow="GET, HEAD, POST")
        if ask.method != "POST" and _wants_page(ask.accept):
            await self._ide_page(connection)(connection.scope, receive, send)
            return
        started_at = time.perf_counter()
        request = await self._read(ask, connection, receive)
        text = await self._persisted.text_of(request, ask.context.services.queries)
        if self._wants_stream(ask, request, text):
            await self._stream(ask, request, text, receive, send)
            return
        key = (text, request.operation_name, request.variables_key, ask.context.base_url, *_versions(ask.context))
        if (known := self._answers.find(key)) is not None:
            usage = Usage(cache_hits=1)
            note_cached()
            await self._send(ask, known, usage, started_at, send, keepable=True)
            return
        prepared = self._documents.prepare(text)
        self._check_operation(ask, request, prepared)
        await self._execute(ask, request, text, key, prepared, started_at, send)

    def _wants_stream(self, ask: Ask, request: GraphQLRequest, text: str) -> bool:
        """Asked for events alone, or for a subscription by a client that takes JSON too (urql names both, always)."""
        if "text/event-stream" not in ask.accept:
            return False
        if "json" not in ask.accept:
            return True
        operation = self._documents.prepare(text).operation(request.operation_name)
        return operation is not None and operation.operation is OperationType.SUBSCRIPTION

    async def _read(self, ask: Ask, connection: HTTPConnection, receive: Receive) -> GraphQLRequest:
        if ask.method != "POST":
            return request_from_parameters(QueryParams(connection.scope["query_string"]))
        check_media_type(connection.headers.get("content-type", ""))
        body = await _read_body(connection.headers, receive)
        if (known := self._bodies.get(body)) is not None:
            self._bodies.move_to_end(body)
            return known
        request = request_from_body(body)
        if len(body) < 16_384:
            self._bodies[body] = request
            while len(self._bodies) > 1000:
                self._bodies.popitem(last=False)
        return request

    def _check_operation(self, ask: Ask, request: GraphQLRequest, prepared: Prepared) -> None:
        if prepared.document is None:
            return
        operation = prepared.operation(request.operation_name)
        if operation is None:
            raise RequestError(400, BAD_REQUEST, NO_SUCH_OPERATION)
        kind = operation.operation.value
        if kind == "subscription":
            raise RequestError(400, BAD_REQUEST, "A subscription needs a WebSocket, or Accept: text/event-stream.")
        if kind == "mutation" and ask.method != "POST":
            raise RequestError(405, BAD_REQUEST, "A mutation needs POST.", allow="POST")
        if kind == "mutation" and not prepared.errors:
            self._check_change(ask)

    def _check_change(self, ask: Ask) -> None:
        try:
            ask.context.require_write_access()
        except JmgraphError as error:
            raise RequestError(_STATUS_OF_CODE[error.error_code], error.error_code, error.message) from None

    async def _execute(
        self,
        ask: Ask,
        request: GraphQLRequest,
        text: str,
        key: tuple[object, ...],
        prepared: Prepared,
        started_at: float,
        send: Send,
    ) -> None:
        with open_usage() as usage:
            try:
                result: Any = await self._schema.execute(
                    text,
                    variable_values=request.variables,
                    context_value=ask.context,
                    operation_name=request.operation_name,
                )
            except CannotGetOperationTypeError as error:
                raise RequestError(400, BAD_REQUEST, error.as_http_error_reason()) from None
        operation = prepared.operation(request.operation_name)
        errors = [coded(error) for error in result.errors or ()]
        keepable = bool(operation and is_query(operation)) and not usage.is_personal and not errors
        answer = answer_of(result.data, errors, usage)
        if keepable and not usage.stale:
            self._answers.keep(key, answer)
        status = 400 if never_ran(errors) and is_graphql_json(ask.accept) else 200
        await self._send(ask, answer, usage, started_at, send, keepable=keepable, status=status)

    async def _send(
        self,
        ask: Ask,
        answer: Answer,
        usage: Usage,
        began_at: float,
        send: Send,
        *,
        keepable: bool,
        status: int = 200,
    ) -> None:
        budget = self._documents.limits.budget
        await send_answer(
            ask, answer, usage, send, began_at=began_at, budget=budget, keepable=keepable, status=status
        )

    async def _stream(self, ask: Ask, request: GraphQLRequest, text: str, receive: Receive, send: Send) -> None:
        prepared = self._documents.prepare(text)
        operation = prepared.operation(request.operation_name)
        if operation is not None and operation.operation.value == "mutation":
            if ask.method != "POST":
                raise RequestError(405, BAD_REQUEST, "A mutation needs POST.", allow="POST")
            self._check_change(ask)
        results = await self._schema.stream(
            text,
            variable_values=request.variables,
            context_value=ask.context,
            operation_name=request.operation_name,
        )
        await send_events(results, receive, send, self._stopping, [(b"vary", b"Accept")])


def _versions(context: Context) -> tuple[Hashable, ...]:
    """Of what answers are drawn from: a tag database that moved, or was asked after, or another verdict of the
    policy is another question.
    """
    tags = context.services.tags.state
    return tags.sha, tags.last_checked_at, tags.last_error, context.services.catalog.version


def _wants_page(accept: str) -> bool:
    """True for a browser's address bar: it names text/html, which no GraphQL client does."""
    return "text/html" in accept


async def _read_body(headers: Mapping[str, str], receive: Receive) -> bytes:
    if int(headers.get("content-length") or 0) > LARGEST_BODY_BYTES:
        raise RequestError(413, BAD_REQUEST, f"The body is larger than {LARGEST_BODY_BYTES} bytes.")
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
        if len(body) > LARGEST_BODY_BYTES:
            raise RequestError(413, BAD_REQUEST, f"The body is larger than {LARGEST_BODY_BYTES} bytes.")
    return body
