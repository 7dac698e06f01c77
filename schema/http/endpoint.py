"""`/graphql`: queries and mutations over HTTP, operations over SSE and WebSocket, and the GraphiQL page.

A plain ASGI application: a cached response costs two dictionary look-ups and no framework.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson
from cachetools import LRUCache
from graphql import OperationType
from starlette.datastructures import QueryParams
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send
from strawberry import Schema
from strawberry.schema.exceptions import CannotGetOperationTypeError

from resolvers.context import Context
from schema.http.documents import Documents, PreparedDocument
from schema.http.errors import BAD_REQUEST, NO_SUCH_OPERATION, PERSISTED_QUERY_NOT_FOUND, RequestError, with_code
from schema.http.event_streams import SEVERAL_PROCESSES, EventStreams, check_operation
from schema.http.response import Responder, ResponseCache, response_of, was_refused
from schema.http.sse import events_of, send_events
from schema.http.websocket import WebSocketEndpoint
from services.access import Right
from services.errors import JmgraphError, RateLimited
from services.http_semantics import BodyIncomplete, BodyTooLarge, header, read_body
from services.observability import RequestStats, metrics, open_stats, take_request

MAX_BODY_BYTES = 1 << 20
"""A document of the token limit is far smaller."""

MAX_PARSED_BODIES = 1000
MAX_PARSED_BODY_BYTES = 16_384
"""Parsed bodies in the cache, and the length of each."""


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """One operation to run. `query` is empty where only the hash of a persisted query was sent."""

    query: str
    variables: dict[str, Any] | None
    operation_name: str | None
    persisted_sha256: str | None
    variables_key: bytes
    """The variables as JSON with sorted keys; equal for equal variables."""
    stream_operation_id: str | None
    """Of an operation whose results go to a stream that was reserved; see `schema.http.event_streams`."""


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
        self._streams = EventStreams()

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
        if method not in ("GET", "HEAD", "POST", "PUT", "DELETE"):
            allow = {"Allow": "GET, HEAD, POST, PUT, DELETE"}
            raise RequestError(
                405, BAD_REQUEST, "GraphQL takes GET and POST; its streams PUT and DELETE.", headers=allow
            )
        context = Context.of(scope, scope["app"].state.services)
        token = _stream_token(scope)
        if method in ("PUT", "DELETE") or (token is not None and method != "HEAD"):
            await self._serve_stream(token or "", context, scope, receive, send)
            return
        if method != "POST" and "text/html" in accept:  # a browser's address bar; no GraphQL client names it
            _check_rights(context, [Right.READ])
            await self._ide_page(HTTPConnection(scope))(scope, receive, send)
            return
        _count_operation()
        _check_rights(context, [Right.PUBLIC])
        request = await self._with_persisted_query(await self._read(scope, receive), context)
        if self._wants_events(accept, request):
            await self._stream(request, context, method, receive, send)
            return
        key = _cache_key(request, context)
        # what is stored here needs no other right
        is_shared = context.may_read and not context.has_blocked_tags
        if is_shared and (cached := self._responses.get(key)) is not None:
            metrics.OPERATIONS.labels("query", "cached").inc()
            stats = RequestStats(cache_hits=1)
            await responder.send(cached, stats, budget=self._documents.limits.upstream_calls, is_cacheable=True)
            return
        self._check(request, context, method)
        await self._execute(request, context, key, responder, scope)

    async def _read(self, scope: Scope, receive: Receive) -> GraphQLRequest:
        if scope["method"] != "POST":
            return _request_from_parameters(QueryParams(scope["query_string"]))
        _check_media_type(header(scope["headers"], b"content-type") or "")
        try:
            body = await read_body(scope["headers"], receive, MAX_BODY_BYTES)
        except BodyTooLarge:
            raise RequestError(413, BAD_REQUEST, f"The body is larger than {MAX_BODY_BYTES} bytes.") from None
        if (parsed := self._requests.get(body)) is not None:
            return parsed
        request = _request_from_body(body)
        is_repeated = request.stream_operation_id is None
        if (
            is_repeated and len(body) < MAX_PARSED_BODY_BYTES and not self._is_mutation(request)
        ):  # may have a password
            self._requests[body] = request
        return request

    def _is_mutation(self, request: GraphQLRequest) -> bool:
        return bool(request.query) and self._documents.prepare(request.query).is_mutation(request.operation_name)

    async def _with_persisted_query(self, request: GraphQLRequest, context: Context) -> GraphQLRequest:
        """The request with its query, which it may name by the sha256 of one sent before (Apollo's protocol).

        Raises `RequestError` with PERSISTED_QUERY_NOT_FOUND when the client has to send the query first. Mutations
        are not stored, since their text may contain a password; for a guest who may read nothing here, nothing is.
        """
        sha256, store = request.persisted_sha256, context.services.queries
        if sha256 is None:
            return request
        if not request.query:
            query = await store.find(sha256) if context.may_read else None
            if query is None:
                raise RequestError(200, PERSISTED_QUERY_NOT_FOUND, "PersistedQueryNotFound")
            return replace(request, query=query)
        if hashlib.sha256(request.query.encode()).hexdigest() != sha256:
            raise RequestError(400, BAD_REQUEST, "The sha256Hash is not that of the query.")
        if context.may_read and not self._is_mutation(request):
            await store.store(sha256, request.query)
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

    def _check(self, request: GraphQLRequest, context: Context, method: str) -> None:
        """Raise `RequestError` for an operation that can't run over plain HTTP, or not with this method or caller."""
        prepared = self._check_caller(request, context, method)
        if prepared.document is None:
            return
        operation = prepared.operation(request.operation_name)
        if operation is None:
            raise RequestError(400, BAD_REQUEST, NO_SUCH_OPERATION)
        if operation.operation is OperationType.SUBSCRIPTION:
            raise RequestError(400, BAD_REQUEST, "A subscription needs a WebSocket, or Accept: text/event-stream.")

    def _check_caller(self, request: GraphQLRequest, context: Context, method: str) -> PreparedDocument:
        """The document; raises `RequestError` where the caller, or anybody with this method, may not run it."""
        prepared = self._documents.prepare(request.query)
        is_mutation = prepared.is_mutation(request.operation_name)
        if is_mutation and method != "POST":
            raise RequestError(405, BAD_REQUEST, "A mutation needs POST.", headers={"Allow": "POST"})
        rights = self._documents.rights_of(prepared, request.operation_name)
        _check_rights(context, rights, is_mutation=is_mutation)
        return prepared

    async def _execute(
        self, request: GraphQLRequest, context: Context, key: tuple[Hashable, ...], responder: Responder, scope: Scope
    ) -> None:
        with open_stats() as stats:
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
        response = response_of(result.data, errors, stats)
        is_cacheable = is_query and not stats.is_private and not errors
        if is_cacheable and not stats.stale:
            self._responses.set(key, response)
        status = 400 if was_refused(errors) and responder.prefers_graphql_json else 200
        budget = self._documents.limits.upstream_calls
        await responder.send(
            response,
            stats,
            budget=budget,
            is_cacheable=is_cacheable,
            status=status,
            cookie=_session_cookie(context, scope),
        )

    async def _stream(
        self, request: GraphQLRequest, context: Context, method: str, receive: Receive, send: Send
    ) -> None:
        self._check_caller(request, context, method)
        await self._send_events(events_of(await self._results(request, context)), context, receive, send)

    async def _results(self, request: GraphQLRequest, context: Context) -> AsyncGenerator[Any, None]:
        results: AsyncGenerator[Any, None] = await self._schema.stream(  # private API of Strawberry
            request.query,
            variable_values=request.variables,
            context_value=context,
            operation_name=request.operation_name,
        )
        return results

    async def _send_events(
        self, events: AsyncIterator[bytes], context: Context, receive: Receive, send: Send
    ) -> None:
        endings = (self._stopping.wait(), context.wait_until_revoked())
        await send_events(events, receive, send, endings, [(b"vary", b"Accept")])

    async def _serve_stream(self, token: str, context: Context, scope: Scope, receive: Receive, send: Send) -> None:
        """Reserve, open or use a stream for all operations of a client: see `schema.http.event_streams`."""
        _check_rights(context, [Right.READ])
        _count_operation()
        method, owner = scope["method"], context.caller.credential
        if method == "PUT":
            if getattr(scope["app"].state, "shares_address", False):
                raise RequestError(501, BAD_REQUEST, SEVERAL_PROCESSES)
            await _send_text(send, 201, self._streams.reserve(owner))
        elif method == "GET":
            await self._open_stream(token, owner, context, receive, send)
        elif method == "DELETE":
            stream = self._streams.find(token, owner)
            await stream.stop(QueryParams(scope["query_string"]).get("operationId", ""))
            await _send_text(send, 200, "")
        else:
            await self._start_operation(token, owner, context, scope, receive)
            await _send_text(send, 202, "")

    async def _open_stream(self, token: str, owner: Hashable, context: Context, receive: Receive, send: Send) -> None:
        stream = self._streams.open(token, owner)
        try:
            await self._send_events(stream.events(), context, receive, send)
        finally:
            await self._streams.close(token)

    async def _start_operation(
        self, token: str, owner: Hashable, context: Context, scope: Scope, receive: Receive
    ) -> None:
        request = await self._with_persisted_query(await self._read(scope, receive), context)
        prepared = self._check_caller(request, context, "POST")
        if prepared.document is not None and prepared.operation(request.operation_name) is None:
            raise RequestError(400, BAD_REQUEST, NO_SUCH_OPERATION)
        stream = self._streams.find(token, owner)
        id = check_operation(stream, request.stream_operation_id)
        stream.start(id, lambda: self._results(request, context))


def _stream_token(scope: Scope) -> str | None:
    """The token of a reserved stream, in a header or a parameter; None for any other request."""
    if (token := header(scope["headers"], b"x-graphql-event-stream-token")) is not None:
        return token
    if b"token=" not in scope["query_string"]:
        return None
    parameters = QueryParams(scope["query_string"])
    return None if "query" in parameters else parameters.get("token")


async def _send_text(send: Send, status: int, text: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})


def _count_operation() -> None:
    try:
        take_request()
    except RateLimited as error:
        raise RequestError.of(error) from None


def _check_media_type(content_type: str) -> None:
    """Return for the media type of JSON; raises `RequestError` (415) for any other."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in ("application/json", "application/graphql-response+json"):
        raise RequestError(415, BAD_REQUEST, "Send the operation as application/json.")


def _request_from_body(body: bytes) -> GraphQLRequest:
    """The request in a POST body; raises `RequestError` when there is none."""
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise RequestError(400, BAD_REQUEST, "The body is no JSON.") from None
    if not isinstance(data, dict):
        raise RequestError(400, BAD_REQUEST, "The body must be one JSON object with a query.")
    return _request(data)


def _request_from_parameters(parameters: Mapping[str, str]) -> GraphQLRequest:
    """The request in the parameters of a GET; raises `RequestError` when there is none."""
    data: dict[str, Any] = dict(parameters)
    for name in ("variables", "extensions"):
        if name in data:
            data[name] = _json_parameter(name, data[name])
    return _request(data)


def _json_parameter(name: str, text: str) -> Any:
    try:
        return orjson.loads(text) if text else None
    except orjson.JSONDecodeError:
        raise RequestError(400, BAD_REQUEST, f"The parameter {name} is no JSON.") from None


def _request(data: Mapping[str, Any]) -> GraphQLRequest:
    query = _typed(data, "query", str) or ""
    variables = _typed(data, "variables", dict)
    extensions = _typed(data, "extensions", dict) or {}
    sha256 = _persisted_sha256(extensions)
    if not query.strip() and sha256 is None:
        raise RequestError(400, BAD_REQUEST, "There is no query in this request.")
    return GraphQLRequest(
        query=query,
        variables=variables,
        operation_name=_typed(data, "operationName", str) or None,
        persisted_sha256=sha256,
        variables_key=_sorted_json(variables) if variables else b"",
        stream_operation_id=_typed(extensions, "operationId", str),
    )


def _sorted_json(variables: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(variables, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:  # orjson reads deeper nesting than it writes
        raise RequestError(400, BAD_REQUEST, "The variables are nested too deeply.") from None


def _typed(data: Mapping[str, Any], name: str, kind: type) -> Any:
    value = data.get(name)
    if value is not None and not isinstance(value, kind):
        expected = "a string" if kind is str else "an object"
        raise RequestError(400, BAD_REQUEST, f"{name} must be {expected} or null.")
    return value


def _persisted_sha256(extensions: Mapping[str, Any]) -> str | None:
    persisted = extensions.get("persistedQuery")
    if persisted is None:
        return None
    sha256 = persisted.get("sha256Hash") if isinstance(persisted, dict) else None
    if not isinstance(sha256, str) or persisted.get("version") != 1:
        raise RequestError(400, BAD_REQUEST, "persistedQuery needs version 1 and a sha256Hash.")
    return sha256.lower()


def _cache_key(request: GraphQLRequest, context: Context) -> tuple[Hashable, ...]:
    """Everything a response depends on: the request, the base URL in it, versions of the tag database and policy."""
    tags = context.services.tags.state
    versions = tags.sha, tags.last_checked_at, tags.last_error, context.services.catalog.version
    return request.query, request.operation_name, request.variables_key, context.base_url, *versions


def _check_rights(context: Context, rights: Collection[Right], *, is_mutation: bool = False) -> None:
    try:
        context.check_rights(rights, is_mutation=is_mutation)
    except JmgraphError as error:
        raise RequestError.of(error) from None


def _session_cookie(context: Context, scope: Scope) -> str | None:
    token = context.session_token
    return None if token is None else context.services.access.session_cookie(scope, token)
