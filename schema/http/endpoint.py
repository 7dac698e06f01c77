"""`/graphql`: queries and mutations over HTTP, operations over SSE and WebSocket, and the GraphiQL page.

A plain ASGI application: a cached response costs two dictionary look-ups and no framework.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable

from cachetools import LRUCache
from graphql import OperationType
from starlette.datastructures import QueryParams
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send
from strawberry import Schema
from strawberry.schema.exceptions import CannotGetOperationTypeError

from resolvers.context import Context
from schema.http.documents import Documents, PreparedDocument
from schema.http.errors import BAD_REQUEST, NO_SUCH_OPERATION, RequestError, with_code
from schema.http.request import (
    MAX_BODY_BYTES,
    GraphQLRequest,
    check_media_type,
    request_from_body,
    request_from_parameters,
    with_persisted_query,
)
from schema.http.response import Responder, ResponseCache, response_of, was_refused
from schema.http.sse import send_events
from schema.http.websocket import WebSocketEndpoint
from services.errors import ErrorCode, JmgraphError
from services.http_semantics import BodyIncomplete, BodyTooLarge, header, read_body
from services.observability import Usage, metrics, open_usage

_STATUS_OF_CODE = {ErrorCode.UNAUTHENTICATED: 401, ErrorCode.FORBIDDEN: 403}

MAX_PARSED_BODIES = 1000
MAX_PARSED_BODY_BYTES = 16_384
"""Parsed bodies in the cache, and the length of each."""


class GraphQLEndpoint:
    """The ASGI application of `/graphql`.

    `ide_page` serves browsers; `stopping` is set when the server shuts down, and ends open streams.
    """

    def __init__(
        self,
        schema: Schema,
        documents: Documents,
        ide_page: Callable[[HTTPConnection], ASGIApp],
        stopping: asyncio.Event,
    ) -> None:
        self._schema = schema
        self._documents = documents
        self._ide_page = ide_page
        self._stopping = stopping
        self._responses = ResponseCache()
        self._requests: LRUCache[bytes, GraphQLRequest] = LRUCache(MAX_PARSED_BODIES)
        self._websocket = WebSocketEndpoint(schema)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request or one WebSocket."""
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
            return
        responder = Responder(scope, send)
        try:
            await self._serve(scope, receive, send, responder)
        except RequestError as error:
            await responder.send_error(error)
        except BodyIncomplete:
            return  # the client has gone

    async def _serve(self, scope: Scope, receive: Receive, send: Send, responder: Responder) -> None:
        method, accept = scope["method"], header(scope["headers"], b"accept") or ""
        if method not in ("GET", "HEAD", "POST"):
            raise RequestError(405, BAD_REQUEST, "GraphQL takes GET and POST.", allow="GET, HEAD, POST")
        if method != "POST" and "text/html" in accept:  # a browser's address bar; no GraphQL client names it
            await self._ide_page(HTTPConnection(scope))(scope, receive, send)
            return
        context = Context.of(scope, scope["app"].state.services)
        request = await with_persisted_query(await self._read(scope, receive), context.services.queries)
        if self._wants_events(accept, request):
            await self._stream(request, context, method, receive, send)
            return
        key = _cache_key(request, context)
        if (cached := self._responses.get(key)) is not None:
            metrics.OPERATIONS.labels("query", "cached").inc()
            stats = Usage(cache_hits=1)
            await responder.send(cached, stats, budget=self._documents.limits.upstream_calls, is_cacheable=True)
            return
        self._check(self._documents.prepare(request.query), request, context, method)
        await self._execute(request, context, key, responder)

    async def _read(self, scope: Scope, receive: Receive) -> GraphQLRequest:
        if scope["method"] != "POST":
            return request_from_parameters(QueryParams(scope["query_string"]))
        check_media_type(header(scope["headers"], b"content-type") or "")
        try:
            body = await read_body(scope["headers"], receive, MAX_BODY_BYTES)
        except BodyTooLarge:
            raise RequestError(413, BAD_REQUEST, f"The body is larger than {MAX_BODY_BYTES} bytes.") from None
        if (parsed := self._requests.get(body)) is not None:
            return parsed
        request = request_from_body(body)
        if len(body) < MAX_PARSED_BODY_BYTES:
            self._requests[body] = request
        return request

    def _wants_events(self, accept: str, request: GraphQLRequest) -> bool:
        """True for a client that accepts only events, and for a subscription of one that accepts JSON too.

        urql sends both media types with every operation.
        """
        if "text/event-stream" not in accept:
            return False
        if "json" not in accept:
            return True
        operation = self._documents.prepare(request.query).operation(request.operation_name)
        return operation is not None and operation.operation is OperationType.SUBSCRIPTION

    def _check(self, prepared: PreparedDocument, request: GraphQLRequest, context: Context, method: str) -> None:
        """Raise `RequestError` for an operation that can't run over plain HTTP, or not with this method or caller."""
        if prepared.document is None:
            return
        operation = prepared.operation(request.operation_name)
        if operation is None:
            raise RequestError(400, BAD_REQUEST, NO_SUCH_OPERATION)
        if operation.operation is OperationType.SUBSCRIPTION:
            raise RequestError(400, BAD_REQUEST, "A subscription needs a WebSocket, or Accept: text/event-stream.")
        if operation.operation is OperationType.MUTATION:
            _check_is_post(method)
            if not prepared.errors:
                _check_write_access(context)

    async def _execute(
        self, request: GraphQLRequest, context: Context, key: tuple[Hashable, ...], responder: Responder
    ) -> None:
        with open_usage() as usage:
            try:
                result = await self._schema.execute(
                    request.query,
                    variable_values=request.variables,
                    context_value=context,
                    operation_name=request.operation_name,
                )
            except CannotGetOperationTypeError as error:
                raise RequestError(400, BAD_REQUEST, error.as_http_error_reason()) from None
        operation = self._documents.prepare(request.query).operation(request.operation_name)
        is_query = operation is not None and operation.operation is OperationType.QUERY
        errors = [with_code(error) for error in result.errors or ()]  # an extension that failed left one without
        response = response_of(result.data, errors, usage)
        is_cacheable = is_query and not usage.is_personal and not errors
        if is_cacheable and not usage.stale:
            self._responses.set(key, response)
        status = 400 if was_refused(errors) and responder.prefers_graphql_json else 200
        budget = self._documents.limits.upstream_calls
        await responder.send(response, usage, budget=budget, is_cacheable=is_cacheable, status=status)

    async def _stream(
        self, request: GraphQLRequest, context: Context, method: str, receive: Receive, send: Send
    ) -> None:
        operation = self._documents.prepare(request.query).operation(request.operation_name)
        if operation is not None and operation.operation is OperationType.MUTATION:
            _check_is_post(method)
            _check_write_access(context)
        results = await self._schema.stream(  # private API of Strawberry
            request.query,
            variable_values=request.variables,
            context_value=context,
            operation_name=request.operation_name,
        )
        await send_events(results, receive, send, self._stopping, [(b"vary", b"Accept")])


def _cache_key(request: GraphQLRequest, context: Context) -> tuple[Hashable, ...]:
    """Everything a response depends on: the request, the base URL in it, versions of the tag database and policy."""
    tags = context.services.tags.state
    versions = tags.sha, tags.last_checked_at, tags.last_error, context.services.catalog.version
    return request.query, request.operation_name, request.variables_key, context.base_url, *versions


def _check_is_post(method: str) -> None:
    if method != "POST":
        raise RequestError(405, BAD_REQUEST, "A mutation needs POST.", allow="POST")


def _check_write_access(context: Context) -> None:
    try:
        context.require_write_access()
    except JmgraphError as error:
        raise RequestError(_STATUS_OF_CODE[error.error_code], error.error_code, error.message) from None
